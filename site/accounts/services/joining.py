"""An invitation as the invited meet it: what stands in their way, the moment they join, where they arrive."""

from enum import StrEnum

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from models import AuditEntry, Invite, Machine, Membership, Team, User
from models.access import Action, Role
from models.audit import AuditAction, record
from models.invite import Landing


class Outcome(StrEnum):
    JOINED = "joined"
    MEMBER = "member"  # was one already; no use is counted
    UNPROVED = "unproved"  # the address fits, but nobody has proved that it is theirs
    OTHER_ADDRESS = "other_address"
    REMOVED = "removed"  # from the team, since the invitation was made
    ENDED = "ended"


def invite_met(*, hashed: str, user: User | None) -> Invite | None:
    """Return the invitation of a link, if it can be used; who is in its team already is shown any.

    As many queries are made for a link that has ended as for one that never was.
    """
    found = Invite.objects.by_hash(hashed).select_related("team__admin_user", "invited_by")
    invite = found.usable().first()
    if invite is None and user is not None:
        invite = found.filter(team__in=Team.objects.of(user).order_by().values("pk")).first()
    return invite


def is_by_mail(invite: Invite, hashed: str) -> bool:
    """Return whether this is the link that was mailed: who has it reads the mail of the noted address."""
    return bool(invite.email) and hashed == invite.mail_hash


def obstacle(*, invite: Invite, user: User, by_mail: bool) -> Outcome | None:
    """Return what keeps this person from joining with a usable invitation; None when nothing does."""
    if invite.team.has_member(user):
        return Outcome.MEMBER
    if AuditEntry.objects.removals(team=invite.team, person=user).filter(at__gt=invite.created_at).exists():
        return Outcome.REMOVED  # else a link for many would let them in again
    if not invite.is_restricted or any(invite.admits(email) for email in _proved(user, invite, by_mail)):
        return None
    return Outcome.UNPROVED if invite.admits(user.email or "") else Outcome.OTHER_ADDRESS


def _proved(user: User, invite: Invite, by_mail: bool) -> list[str]:
    addresses = list(EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True))
    return addresses + [invite.email] * (by_mail and user.email == invite.email)


@transaction.atomic
def invite_accept(*, invite: Invite, user: User, by_mail: bool) -> Outcome:
    """Make somebody a member with the role of the invitation, and count one use of it."""
    # Of two requests of one person the second waits here, and then finds a member
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if Team.objects.select_for_update().filter(pk=invite.team_id).first() is None:
        return Outcome.ENDED  # the team was deleted while the page was open
    what = obstacle(invite=invite, user=user, by_mail=by_mail)
    if what is not None:
        return what
    if not invite.claim():
        return Outcome.ENDED
    if by_mail and user.email == invite.email:
        _note_proof(user)
    invite.refresh_from_db(fields=["role"])  # an admin may have changed it while the page was open
    invite.team.add_user_to_team(user, Role(invite.role))
    Membership.objects.filter(team=invite.team, user=user).update(invite=invite)
    came = {"role": str(invite.role), "invite": str(invite.pk)}
    record(AuditAction.MEMBER_JOINED, actor=user, team=invite.team, target=user, **came)
    return Outcome.JOINED


def _note_proof(user: User) -> None:
    address, _is_new = EmailAddress.objects.get_or_create(user=user, email=user.email, defaults={"primary": True})
    address.set_verified()


def landing_url(*, invite: Invite, user: User) -> str:
    """Return the first page of a new member: the chosen one, or the next best if it is not there for them."""
    machine = _landing_machine(invite).first()
    if machine is not None:
        may_ask = Machine.objects.allowing(user, Action.PREDICT).filter(pk=machine.pk).exists()
        is_form = invite.landing == Landing.FORM and machine.can_answer and may_ask
        return reverse("machines:predict" if is_form else "machines:detail", args=[machine.pk])
    is_home = invite.landing == Landing.HOME
    return reverse("dashboards:home") if is_home else reverse("teams:detail", args=[invite.team_id])


def landing_words(invite: Invite) -> str:
    """Say where the invited will arrive."""
    machine = _landing_machine(invite).first()
    if machine is not None:
        is_form = invite.landing == Landing.FORM and Role(invite.role).may(Action.PREDICT)
        words = _("the form of “%(name)s”") if is_form else _("the page of “%(name)s”")
        return words % {"name": machine.machine_name}
    return _("your home page") if invite.landing == Landing.HOME else _("the team's page")


def _landing_machine(invite: Invite) -> QuerySet[Machine]:
    """The machine to arrive at, while it is in the team."""
    machines = Machine.objects.light().filter(machine_owner_team=invite.team_id)
    if invite.landing in {Landing.MACHINE, Landing.FORM} and invite.landing_machine_id:
        return machines.filter(pk=invite.landing_machine_id)
    return machines.none()
