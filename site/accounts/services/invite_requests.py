"""Somebody met an invitation that is not, or no longer, for them, and asks for another."""

from django.db import transaction
from django.utils import timezone

from accounts.services.invites import Terms, invite_make
from accounts.services.mail import mail_works, may_mail
from models import Invite, InviteRequest, User
from models.access import Role
from models.audit import AuditAction, record
from models.invite import Landing

MOST_REQUESTS = 50  # for one invitation: whoever holds an old link must not flood a team


@transaction.atomic
def request_note(*, hashed: str, email: str) -> InviteRequest | None:
    """Keep the wish, once per address; None when there is nothing to tell anybody."""
    invite = Invite.objects.by_hash(hashed).select_for_update(of=("self",)).select_related("team").first()
    if invite is None or invite.requests.count() >= MOST_REQUESTS:
        return None
    request, is_new = InviteRequest.objects.get_or_create(invite=invite, email=email.strip().lower())
    if is_new:
        record(AuditAction.INVITE_ASKED, team=invite.team, target=invite, name=request.email)
    return request if is_new else None


@transaction.atomic
def request_grant(*, request: InviteRequest, user: User) -> Invite:
    """Answer with a new invitation for this address, like the one it was asked with."""
    old = request.invite
    terms = Terms(
        role=Role(old.role),
        is_locked=old.is_locked and mail_works(),
        language=old.language,
        landing=Landing(old.landing),
        machine=old.landing_machine,
        note=old.note,
    )
    request_close(request=request)
    return invite_make(team=old.team, user=user, terms=terms, email=request.email, send=may_mail(user))


def request_close(*, request: InviteRequest) -> None:
    """Note that somebody has dealt with it."""
    request.answered_at = timezone.now()
    request.save(update_fields=["answered_at"])
