"""What a request may bring along, and how often somebody may ask for what costs the server time."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from config.origin import ip_of

BEYOND = 2  # a file that is a little too large is read, so that its form can say so in a sentence
OTHER_FIELDS = 10_000_000  # bytes

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


class BodyLimitMiddleware:
    """Refuses a body that is far too large before any of it is read: the disk would fill, whoever sends it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        announced = request.META.get("CONTENT_LENGTH") or "0"
        largest = max(settings.UPLOAD_LIMIT_BYTES, settings.MODEL_UPLOAD_LIMIT_BYTES)
        if announced.isdecimal() and int(announced) > BEYOND * largest + OTHER_FIELDS:
            return render(request, "413.html", status=413)
        return self.get_response(request)


def at_most(count: int, seconds: int, method: str = "POST") -> Callable[[View[P]], View[P]]:
    """Answer 429 with Retry-After when one person asks this view by `method` more than `count` times in `seconds`.

    Who has no account is told apart by the address of their connection (OWASP ASVS 5.0, 2.4.1).
    """

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def limited(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            who = getattr(request.user, "pk", None) or ip_of(request)
            if request.method == method and count_up(f"{view.__name__}:{who}", seconds) > count:
                return too_many(request, seconds)
            return view(request, *args, **kwargs)

        return limited

    return decorate


def too_many(request: HttpRequest, seconds: int, template: str = "429.html") -> HttpResponse:
    response = render(request, template, status=429)
    response["Retry-After"] = str(seconds - int(time.time()) % seconds)
    return response


def count_up(name: str, seconds: int) -> int:
    """Count one more event of this name in the present window of so many seconds; return how many there are."""
    key = _key(name, seconds)
    try:
        return cache.incr(key)
    except ValueError:  # the first of its window, unless another process was it just now
        return 1 if cache.add(key, 1, seconds) else cache.incr(key)


def counted(name: str, seconds: int) -> int:
    """Return how many events of this name there were in the present window."""
    return int(cache.get(_key(name, seconds), 0))


def _key(name: str, seconds: int) -> str:
    return f"limit:{name}:{int(time.time()) // seconds}"
