"""Sessions that end: so long after the last sign of life, and so long after signing in, whichever comes first."""

import time
from collections.abc import Callable
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY, logout
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from models.audit import AuditAction, record

BEGAN, SEEN = "began_at", "seen_at"  # seconds since 1970, in the session itself
DAY = 24 * 3600
NOTED_EVERY = 3600  # seconds: a sign of life costs a write


def session_begin(sender: Any, request: HttpRequest, **kwargs: Any) -> None:
    """Note when somebody signed in: a receiver of Django's signal, the one place that every sign-in passes."""
    request.session[BEGAN] = request.session[SEEN] = int(time.time())


class SessionEndMiddleware:
    """Makes a visitor of whoever's time is over (OWASP ASVS 5.0, 7.3.1 and 7.3.2); a private page then asks to sign in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if SESSION_KEY in request.session:
            reason = _why_over(request)
            if reason:
                _end(request, reason)
            elif time.time() - request.session.get(SEEN, 0) > NOTED_EVERY:
                _note(request)
        return self.get_response(request)


def _why_over(request: HttpRequest) -> str:
    """Return the sentence that says why a session is over; "" while it is not."""
    now = time.time()
    if now - request.session.get(BEGAN, now) > settings.SESSION_DAYS * DAY:
        days = settings.SESSION_DAYS
        return ngettext(
            "You signed in more than %(n)s day ago. Please sign in again.",
            "You signed in more than %(n)s days ago. Please sign in again.",
            days,
        ) % {"n": days}
    if now - request.session.get(SEEN, now) > settings.SESSION_IDLE_DAYS * DAY:
        return _("You were away for long and have been signed out. Please sign in again.")
    return ""


def _end(request: HttpRequest, reason: str) -> None:
    user = request.user
    if user.is_authenticated:
        record(AuditAction.SESSION_ENDED, actor=user, why="time")
    UserSession.objects.filter(session_key=request.session.session_key).delete()
    logout(request)
    messages.info(request, reason)


def _note(request: HttpRequest) -> None:
    now = int(time.time())
    request.session.setdefault(BEGAN, now)
    request.session[SEEN] = now
    if request.user.is_authenticated:
        UserSession.objects.create_from_request(request)  # or updates what it knows
