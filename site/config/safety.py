"""What every answer keeps to: no methods that nobody needs, and nothing private left behind in a browser."""

from collections.abc import Callable

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")

Answer = Callable[[HttpRequest], HttpResponseBase]


class MethodsMiddleware:
    """Refuses TRACE and what nobody has heard of, before anything looks at it (OWASP ASVS 5.0, 13.4.4)."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request) if request.method in METHODS else HttpResponseNotAllowed(METHODS)


class NoStoreMiddleware:
    """Whoever sits at the computer next cannot go back to what a person saw (OWASP ASVS 5.0, 14.3.2)."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        was_signed_in = SESSION_KEY in request.session
        response = self.get_response(request)
        if was_signed_in or SESSION_KEY in request.session:
            response["Cache-Control"] = "no-store, private"
        return response
