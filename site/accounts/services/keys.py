"""API keys: made, shown once, revoked."""

from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from models import ApiKey, Team, User
from models.audit import AuditAction, record


@transaction.atomic
def key_make(
    *, user: User, team: Team | None, name: str, scopes: Iterable[str], lasts: timedelta | None
) -> tuple[ApiKey, str]:
    """Make a key of this person, or of their team; return it with its secret, which nobody can read again."""
    ends = None if lasts is None else timezone.now() + lasts
    key = ApiKey(user=user, team=team, name=name, scopes=sorted(scopes), expires_at=ends)
    secret = key.make_secret()
    key.save()
    record(AuditAction.KEY_MADE, actor=user, team=team, target=key, scopes=key.scopes)
    return key, secret


@transaction.atomic
def key_revoke(*, key: ApiKey, user: User) -> bool:
    """End a key at once; False if it was revoked before."""
    is_done = key.revoke()
    if is_done:
        record(AuditAction.KEY_REVOKED, actor=user, team=key.team, target=key)
    return is_done
