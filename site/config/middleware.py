"""What every request goes through: no cookies for strangers, no odd methods, nothing private left in a browser."""

from collections.abc import Callable

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase

FOR_STRANGERS = ("/p/", "/g/")  # public forms and graphs, also in frames of other sites
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")

Answer = Callable[[HttpRequest], HttpResponseBase]


class CookielessMiddleware:
    """Takes the cookies off before anything looks at them: to a public page everybody is the same stranger.

    So no session is opened for it, nothing can be done in somebody's name, and no form needs a CSRF token.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(FOR_STRANGERS):
            return self.get_response(request)
        request.META.pop("HTTP_COOKIE", None)
        response = self.get_response(request)
        response.cookies.clear()
        return response


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
