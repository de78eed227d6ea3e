"""What calls with an Idempotency-Key were answered, kept for a day."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from machines.engine.errors import DataError, gettext_noop
from models import ApiKey, IdempotentCall

KEPT = timedelta(hours=24)
GIVEN_UP = timedelta(minutes=2)  # a call that has not ended by then was cut off: none takes so long
ANOTHER = gettext_noop("This Idempotency-Key was sent with another call. Take a new one for each call.")
UNDER_WAY = gettext_noop("The first call with this Idempotency-Key is still under way. Try again in a moment.")


def call_claim(*, api_key: ApiKey, key: str, fingerprint: str) -> tuple[IdempotentCall, bool]:
    """Return the record of a call, and whether it is for the caller to do it; of two at the same moment it is for one.

    Raises DataError: ANOTHER, UNDER_WAY.
    """
    mine, now = IdempotentCall.objects.filter(api_key=api_key, key=key), timezone.now()
    mine.filter(created_at__lt=now - KEPT).delete()
    call, is_new = mine.get_or_create(api_key=api_key, key=key, defaults={"fingerprint": fingerprint})
    if call.fingerprint != fingerprint:
        raise DataError(ANOTHER)
    if is_new or call.status is not None:
        return call, is_new
    if call.created_at > now - GIVEN_UP or not _same(call).update(created_at=now):
        raise DataError(UNDER_WAY)
    call.created_at = now  # whoever began it died
    return call, True


def call_answered(*, call: IdempotentCall, status: int, body: Any) -> None:
    _same(call).update(status=status, body=body)


def call_forget(*, call: IdempotentCall) -> None:
    """Let it be tried again: it was refused, so nothing was made."""
    _same(call).delete()


def calls_prune() -> int:
    """Delete the answers that are not repeated any more; return how many there were."""
    return IdempotentCall.objects.filter(created_at__lt=timezone.now() - KEPT).delete()[0]


def _same(call: IdempotentCall) -> Any:
    """Return the row as long as nobody has taken the call over, or answered it."""
    return IdempotentCall.objects.filter(pk=call.pk, created_at=call.created_at, status=None)
