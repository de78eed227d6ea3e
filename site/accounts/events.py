"""What happens to an account, noted in the log and told by e-mail.

The library does these things in its own views and offers signals as its only hook: hence receivers, here alone.
"""

from typing import Any

from allauth.account import signals as account
from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest

from accounts.services import people
from accounts.services import security as services
from accounts.services.keys import key_revoke
from accounts.sessions import session_begin
from models import ApiKey, User
from models.audit import AuditAction, record


def connect() -> None:
    """Called once, when the site starts."""
    user_logged_in.connect(session_begin)
    account.user_signed_up.connect(_noting(AuditAction.SIGNED_UP), weak=False)
    account.user_logged_in.connect(_noting(AuditAction.SIGNED_IN), weak=False)
    mfa.authentication_failed.connect(_noting(AuditAction.SIGN_IN_FAILED), weak=False)
    for signal in (account.password_changed, account.password_set, account.password_reset):
        signal.connect(_password_changed)
    account.password_reset.connect(_password_reset)
    account.email_changed.connect(_email_changed)
    mfa.authenticator_added.connect(_factor_added)
    mfa.authenticator_reset.connect(_factor_added)
    mfa.authenticator_removed.connect(_factor_removed)
    mfa.authenticator_used.connect(_factor_used)


def _noting(action: AuditAction) -> Any:
    def note(sender: Any, user: User, **kwargs: Any) -> None:
        record(action, actor=user)

    return note


def _password_changed(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    record(AuditAction.PASSWORD_CHANGED, actor=user)
    services.other_sessions_end(user=user, but=request.session.session_key)
    people.email_change_cancel(user=user)  # else whoever asked for another address before could still take the account


def _password_reset(sender: Any, user: User, **kwargs: Any) -> None:
    """Whoever made an account with an address that was not theirs keeps no key when the owner of the address comes."""
    if not EmailAddress.objects.filter(user=user, email=user.email, verified=True).exists():
        for key in ApiKey.objects.filter(user=user, revoked_at=None):
            key_revoke(key=key, user=user)


def _email_changed(
    sender: Any, user: User, from_email_address: EmailAddress | None, to_email_address: EmailAddress, **kwargs: Any
) -> None:
    if from_email_address is not None:  # else the first one was confirmed
        record(AuditAction.EMAIL_CHANGED, actor=user, old=from_email_address.email, new=to_email_address.email)


def _factor_added(sender: Any, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    if authenticator.type == Authenticator.Type.TOTP:
        record(AuditAction.SECOND_FACTOR_ON, actor=user)
    else:
        record(AuditAction.RECOVERY_CODES_MADE, actor=user)
        authenticator.wrap().mark_as_viewed()  # the page that shows them would write this, on a GET


def _factor_removed(sender: Any, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    if authenticator.type == Authenticator.Type.TOTP:
        record(AuditAction.SECOND_FACTOR_OFF, actor=user)


def _factor_used(sender: Any, request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        record(AuditAction.RECOVERY_CODE_USED, actor=user)
        authenticator.refresh_from_db(fields=["data"])  # the library marked it as used on another copy
        left = len(authenticator.wrap().get_unused_codes())
        get_adapter(request).send_notification_mail("mfa/email/recovery_code_used", user, {"left": left})
