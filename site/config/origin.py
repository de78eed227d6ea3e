"""From where the request of the moment comes: for the log, and for limits on people without an account."""

from collections.abc import Callable
from contextvars import ContextVar

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase

_current: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


def ip_of(request: HttpRequest) -> str | None:
    """Return the address of the client, as far as the proxies that are trusted (BEHIND_PROXY) tell it."""
    from allauth.account.adapter import get_adapter

    try:
        return str(get_adapter().get_client_ip(request))
    except PermissionDenied:  # it has none, as on a Unix socket
        return None


def current_ip() -> str | None:
    """Return the address of whoever is being answered; None outside a request."""
    request = _current.get()
    return None if request is None else ip_of(request)


class OriginMiddleware:
    """Lets `current_ip()` work below the views, where there is no request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        token = _current.set(request)
        try:
            return self.get_response(request)
        finally:
            _current.reset(token)
