"""What a request may bring along."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

BEYOND = 2  # a file that is a little too large is read, so that its form can say so in a sentence
OTHER_FIELDS = 10_000_000  # bytes


class BodyLimitMiddleware:
    """Refuses a body that is far too large before any of it is read: the disk would fill, whoever sends it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        announced = request.META.get("CONTENT_LENGTH") or "0"
        if announced.isdecimal() and int(announced) > BEYOND * settings.UPLOAD_LIMIT_BYTES + OTHER_FIELDS:
            return render(request, "413.html", status=413)
        return self.get_response(request)
