"""Sessions: which there are, and how they end."""

from collections.abc import Iterable
from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from allauth.usersessions.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from models import User
from models.audit import AuditAction, record


@dataclass(frozen=True)
class SecondFactor:
    """Whether somebody has one, and how many recovery codes are left."""

    is_on: bool
    codes_left: int


def second_factor_of(user: User) -> SecondFactor:
    found = {each.type: each for each in Authenticator.objects.filter(user=user)}
    codes = found.get(Authenticator.Type.RECOVERY_CODES)
    left = len(codes.wrap().get_unused_codes()) if codes else 0
    return SecondFactor(Authenticator.Type.TOTP in found, left)


@transaction.atomic
def second_factor_off(*, user: User) -> bool:
    """Turn it off in the name of the site, and tell the person; return whether it was on."""
    is_done = bool(Authenticator.objects.filter(user=user).delete()[0])
    if is_done:
        record(AuditAction.SECOND_FACTOR_OFF, actor=user, why="site")
        text = _("Who runs the site has turned off your second factor. Turn it on again with your new phone.")
        transaction.on_commit(lambda: user.email_user(_("Your second factor is off"), text), robust=True)
    return is_done


def sessions_of(user: User) -> "QuerySet[UserSession]":
    """Return the sessions of a person that go on, the one seen last first."""
    alive = Session.objects.filter(expire_date__gt=timezone.now()).values("session_key")
    found: QuerySet[UserSession] = UserSession.objects.filter(user=user, session_key__in=alive)
    return found.order_by("-last_seen_at", "-pk")


@transaction.atomic
def session_end(*, session: UserSession, user: User) -> None:
    """End a session: its next request is a visitor's."""
    get_adapter().end_sessions([session])
    record(AuditAction.SESSION_ENDED, actor=user)


@transaction.atomic
def other_sessions_end(*, user: User, but: str | None) -> int:
    """End all sessions of a person but the one with this key; return how many."""
    ended: list[UserSession] = list(sessions_of(user).exclude(session_key=but or ""))
    _delete(UserSession.objects.filter(user=user).exclude(session_key=but or ""))
    if ended:
        record(AuditAction.SESSION_ENDED, actor=user, count=len(ended))
    return len(ended)


def session_forget(*, key: str | None) -> None:
    """Take a session off the list; whoever calls this ends it."""
    UserSession.objects.filter(session_key=key).delete()


def sessions_end(*, user: User) -> None:
    """End every session of a person."""
    _delete(UserSession.objects.filter(user=user))


def _delete(rows: Iterable[UserSession]) -> None:
    get_adapter().end_sessions(rows)
