"""What happens to teams: they begin, people change their role and go, they are passed on and end.

Every service asks once more whether `by` may do it, while it holds the team: of two people who change a team at once,
the second one meets what the first one left.
"""

from dataclasses import asdict, dataclass

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from machines.services.access import explain
from models import ApiKey, Invite, Team, User
from models.access import Action, Role
from models.audit import AuditAction, record


@dataclass(frozen=True)
class Leaving:
    """What changes for a team when somebody goes: machines get another owner, invitations and keys end."""

    machines: int
    invites: int
    keys: int


@transaction.atomic
def team_make(*, user: User, name: str) -> Team:
    """Make a team of which this person is the owner and the first member."""
    team = user.create_team(name)
    record(AuditAction.TEAM_MADE, actor=user, team=team, target=team)
    return team


@transaction.atomic
def team_rename(*, team: Team, name: str, by: User) -> None:
    held = _held(team, by, Action.MANAGE)
    before, held.name = held.name, name
    if before != name:
        held.save(update_fields=["name"])
        record(AuditAction.TEAM_RENAMED, actor=by, team=held, target=held, name_before=before, name_now=name)


@transaction.atomic
def role_change(*, team: Team, person: User, role: Role, by: User) -> None:
    """Give a member another role. Raises PermissionDenied for the owner, whose place only a transfer changes."""
    held = _held(team, by, Action.MANAGE)
    _refuse_owner(held, person)
    before = held.role_of(person)
    if role not in Role.stored():
        raise PermissionDenied(_("There is one owner. A team is passed on in its settings."))
    if before not in (None, role):
        held.memberships.filter(user=person).update(role=role)
        record(AuditAction.ROLE_CHANGED, actor=by, team=held, target=person, before=before, role=role)


@transaction.atomic
def member_remove(*, team: Team, person: User, by: User) -> Leaving:
    """Take somebody out of the team, at once. Raises PermissionDenied for the owner."""
    held = _held(team, by, Action.MANAGE)
    _refuse_owner(held, person)
    return _go(held, person, by, AuditAction.MEMBER_REMOVED)


@transaction.atomic
def team_leave(*, team: Team, person: User) -> Leaving:
    """Raises PermissionDenied for the owner: a team is never without one."""
    held = _held(team, person, Action.SEE)
    if person.pk == held.admin_user_id:
        raise PermissionDenied(_("You own “%(team)s”. Pass it on to somebody first.") % {"team": held.name})
    return _go(held, person, person, AuditAction.MEMBER_LEFT)


@transaction.atomic
def team_transfer(*, team: Team, to: User, by: User) -> None:
    """Make a member the owner; the former owner stays as an admin. Machines keep their owners and their team."""
    held = _held(team, by, Action.TRANSFER)
    if not held.memberships.filter(user=to, user__is_active=True).exists():
        raise PermissionDenied(_("A team can be passed on to one of its members only."))
    former, held.admin_user = held.admin_user, to
    held.save(update_fields=["admin_user"])
    if former:
        held.add_user_to_team(former)
        held.memberships.filter(user=former).update(role=Role.ADMIN)
    record(AuditAction.TEAM_TRANSFERRED, actor=by, team=held, target=to, former=str(former or ""))


@transaction.atomic
def team_delete(*, team: Team, by: User) -> int:
    """Delete the team with its invitations and keys; return how many machines are with their owner alone now."""
    held = _held(team, by, Action.TRANSFER)
    machines, members = held.machines.count(), held.memberships.count()
    record(AuditAction.TEAM_DELETED, actor=by, team=held, target=held, members=members, machines=machines)
    held.delete()
    return machines


def leaving_of(*, team: Team, person: User) -> Leaving:
    """Return what would change if this person went now."""
    return Leaving(
        machines=team.machines.filter(machine_owner_user=person).count(),
        invites=Invite.objects.open().filter(team=team, invited_by=person).count(),
        keys=ApiKey.objects.filter(team=team, user=person, revoked_at=None).count(),
    )


def _held(team: Team, by: User, action: Action) -> Team:
    """Return the team, locked until the end of the transaction, if `by` may do this with it now.

    The lock is one query and the right another: while the first waits, PostgreSQL would keep to the roles it saw before.
    """
    Team.objects.select_for_update().filter(pk=team.pk).first()
    held = Team.objects.allowing(by, action).filter(pk=team.pk).first()
    if held is None:
        raise PermissionDenied(explain(team=team, person=by, action=action).sentence)
    return held


def _refuse_owner(team: Team, person: User) -> None:
    if person.pk == team.admin_user_id:
        words = {"name": person.get_full_name(), "team": team.name}
        raise PermissionDenied(_("%(name)s owns “%(team)s”. The owner stays until they pass the team on.") % words)


def _go(team: Team, person: User, by: User, action: AuditAction) -> Leaving:
    role, leaving = team.role_of(person), leaving_of(team=team, person=person)
    if role is None:
        return leaving  # somebody else was faster
    team.remove_user_from_team(person)
    # Both are dead already, because they ask what their maker may do; this keeps them dead if the person comes back.
    now = timezone.now()
    Invite.objects.filter(team=team, invited_by=person, revoked_at=None).update(revoked_at=now)
    ApiKey.objects.filter(team=team, user=person, revoked_at=None).update(revoked_at=now)
    record(action, actor=by, team=team, target=person, role=role, **asdict(leaving))
    return leaving
