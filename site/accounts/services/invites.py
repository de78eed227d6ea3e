"""Invitations as those see them who send them: made, renewed, changed, revoked."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.services.mail import may_mail
from models import Invite, Machine, Team, User
from models.access import Role
from models.audit import AuditAction, record
from models.invite import DAYS, Landing, MailState

ROLE_WORDS = {
    Role.VIEWER: gettext_lazy("see machines and how good they are"),
    Role.PREDICTOR: gettext_lazy("see machines and ask them"),
    Role.EDITOR: gettext_lazy("see, ask, make and train machines"),
    Role.ADMIN: gettext_lazy("work with machines and manage the people"),
}


@dataclass(frozen=True)
class Terms:
    """What is chosen before an invitation goes out."""

    role: Role
    days: int = DAYS
    uses: int = 1
    is_locked: bool = False
    domain: str = ""
    language: str = ""
    landing: Landing = Landing.HOME
    machine: Machine | None = None
    note: str = ""


@transaction.atomic
def invite_make(*, team: Team, user: User, terms: Terms, email: str = "", send: bool = False) -> Invite:
    """Make an invitation and, if wished, have it mailed.

    Raises PermissionDenied when its role is above that of who makes it.
    """
    _check_role(team, user, terms.role)
    invite = Invite.objects.create(
        team=team,
        invited_by=user,
        role=terms.role,
        expires_at=timezone.now() + timedelta(days=terms.days),
        max_uses=terms.uses,
        email=email,
        is_locked=terms.is_locked and bool(email),
        domain=terms.domain,
        language=terms.language,
        landing=terms.landing,
        landing_machine=terms.machine,
        note=terms.note,
        mail_state=MailState.WAITING if send else MailState.NONE,
    )
    details = {"role": str(invite.role), "uses": terms.uses, "days": terms.days}
    record(AuditAction.INVITE_MADE, actor=user, team=team, target=invite, name=invite.whom, **details)
    if send:
        _mail_later([invite])
    return invite


@transaction.atomic
def invites_make(*, team: Team, user: User, terms: Terms, emails: Iterable[str]) -> list[Invite]:
    """Make one invitation for each address, mailed where that is possible: all of them or none."""
    invites = [invite_make(team=team, user=user, terms=terms, email=email) for email in emails]
    if may_mail(user):
        Invite.objects.filter(pk__in=[invite.pk for invite in invites]).update(mail_state=MailState.WAITING)
        _mail_later(invites)
    return invites


def members_among(*, team: Team, emails: Iterable[str]) -> set[str]:
    """Return which of these addresses belong to people of the team."""
    people = User.objects.filter(email__in=list(emails))
    found = people.filter(memberships__team=team) | people.filter(administered_teams=team)
    return {email for email in found.values_list("email", flat=True) if email}


def waiting_among(*, team: Team, emails: Iterable[str]) -> set[str]:
    """Return which of these addresses have an invitation already that waits for them."""
    return set(Invite.objects.usable().filter(team=team, email__in=list(emails)).values_list("email", flat=True))


@transaction.atomic
def invite_renew(*, invite: Invite, user: User) -> None:
    """Give an invitation a new link and time, and mail it if it has an address.

    Who renews it answers for it from now on: it lives as long as they may invite.
    """
    _check_role(invite.team, user, Role(invite.role))
    is_mailed = bool(invite.email) and may_mail(user)
    invite.invited_by = user
    invite.expires_at = max(invite.expires_at, timezone.now() + timedelta(days=DAYS))
    invite.mail_state = MailState.WAITING if is_mailed else MailState.NONE
    invite.save(update_fields=["invited_by", "expires_at", "mail_state"])
    invite.rotate()
    record(AuditAction.INVITE_RENEWED, actor=user, team=invite.team, target=invite, name=invite.whom)
    if is_mailed:
        _mail_later([invite])


@transaction.atomic
def invite_role_change(*, invite: Invite, user: User, role: Role) -> None:
    """Change which role the invitation gives. Raises PermissionDenied when it is above that of who changes it."""
    _check_role(invite.team, user, role)
    before, invite.role = invite.role, role
    invite.save(update_fields=["role"])
    details = {"role": role.value, "before": str(before)}
    record(AuditAction.INVITE_CHANGED, actor=user, team=invite.team, target=invite, name=invite.whom, **details)


@transaction.atomic
def invite_revoke(*, invite: Invite, user: User) -> None:
    """End an invitation at once; again is no error."""
    if invite.revoke():
        record(AuditAction.INVITE_REVOKED, actor=user, team=invite.team, target=invite, name=invite.whom)


def _check_role(team: Team, user: User, role: Role) -> None:
    own = Role.OWNER if user.is_super_admin else team.role_of(user)
    if own is None or role.rank > own.rank:
        raise PermissionDenied(_("You can give no role above your own."))


def _mail_later(invites: Iterable[Invite]) -> None:
    from accounts.tasks import invites_mail  # tasks import services

    transaction.on_commit(partial(invites_mail.enqueue, [invite.pk for invite in invites]))
