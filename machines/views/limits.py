"""How often one person may ask for what costs the server time (ASVS 2.4.1)."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def at_most(count: int, seconds: int) -> Callable[[View[P]], View[P]]:
    """Answer 429 with Retry-After when a signed-in person posts to this view more than `count` times in `seconds`."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def limited(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            window, passed = divmod(int(time.time()), seconds)
            if (
                request.method == "POST"
                and _count(f"limit:{view.__name__}:{request.user.pk}:{window}", seconds) > count
            ):
                response = render(request, "429.html", status=429)
                response["Retry-After"] = str(seconds - passed)
                return response
            return view(request, *args, **kwargs)

        return limited

    return decorate


def _count(key: str, seconds: int) -> int:
    cache.add(key, 0, seconds)
    try:
        return cache.incr(key)
    except ValueError:  # it ran out between the two
        return 1
