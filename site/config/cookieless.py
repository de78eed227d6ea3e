"""Pages for strangers, and in frames of other sites, know no cookies: they are neither read nor set."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

PREFIX = "/p/"


class CookielessMiddleware:
    """Takes the cookies off before anything looks at them: to a public form everybody is the same stranger.

    So no session is opened for it, nothing can be done in somebody's name, and no form needs a CSRF token.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        request.META.pop("HTTP_COOKIE", None)
        response = self.get_response(request)
        response.cookies.clear()
        return response
