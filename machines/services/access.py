"""What somebody may do with a machine, and why they may, or may not, do something in a team."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import FilteredRelation, Q
from django.utils.translation import gettext as _

from models import Machine, Team, User
from models.access import LEAST_ROLE, Action, Role

MOST_NAMES = 3
OF_MACHINES = (Action.SEE, Action.PREDICT, Action.EDIT, Action.DOWNLOAD, Action.PUBLISH, Action.DELETE)


@dataclass(frozen=True)
class Explanation:
    """Whether a person may do this in a team, and why."""

    person: User
    action: Action
    role: Role | None  # None: no member
    may: bool
    sentence: str

    @property
    def needed(self) -> Role:
        return LEAST_ROLE[self.action]


def actions_of(*, user: User, machine: Machine) -> frozenset[Action]:
    """Return all that this person may do with this machine, for the buttons of a page; one query at most.

    It agrees with `Machine.objects.allowing`, which alone decides when something is done.
    """
    return actions_on(user=user, machines=[machine])[0][1]


def actions_on(*, user: User, machines: Iterable[Machine]) -> list[tuple[Machine, frozenset[Action]]]:
    """Return each machine of a list with all that this person may do with it; one query at most, however many."""
    shown = list(machines)
    if not user.is_active:
        return [(machine, frozenset()) for machine in shown]
    foreign = [m for m in shown if m.machine_owner_team_id and m.machine_owner_user_id != user.pk]
    roles = {} if user.is_super_admin else _roles(user, {machine.machine_owner_team_id for machine in foreign})
    return [(machine, _actions(user, machine, roles.get(machine.machine_owner_team_id))) for machine in shown]


def _actions(user: User, machine: Machine, role: Role | None) -> frozenset[Action]:
    if user.is_super_admin or machine.machine_owner_user_id == user.pk:
        return frozenset(OF_MACHINES)
    return frozenset(action for action in OF_MACHINES if role and role.may(action))


def _roles(user: User, teams: set[int | None]) -> dict[int | None, Role]:
    """Return what this person is in each of these teams, as far as they are in them."""
    if not teams:
        return {}
    own = FilteredRelation("memberships", condition=Q(memberships__user=user))
    known = [team for team in teams if team is not None]
    rows = Team.objects.filter(pk__in=known).annotate(own=own).values_list("pk", "admin_user", "own__role")
    found = {team: Role.OWNER if owner == user.pk else role for team, owner, role in rows}
    return {team: Role(role) for team, role in found.items() if role}


def explain(*, team: Team, person: User, action: Action) -> Explanation:
    """Return whether `person` may do `action` in `team`, with the role they have, the one it takes, and who gives it."""
    role, needed = team.role_of(person), LEAST_ROLE[action]
    may = bool(person.is_active and (person.is_super_admin or (role and role.may(action))))
    words = {
        "name": person.get_full_name(),
        "team": team.name,
        "action": action.label,
        "role": role.label if role else "",
        "needed": needed.label,
        "who": _who_can_help(team, needed),
    }
    if may and role is None:
        text = _("%(name)s administers this site and may do everything.")
    elif may:
        text = _("%(name)s is %(role)s in “%(team)s”. “%(action)s” takes %(needed)s or more, so this is allowed.")
    elif role is None:
        text = _("%(name)s is not a member of “%(team)s”. %(who)s can invite them.")
    elif needed is Role.OWNER:
        text = _("%(name)s is %(role)s in “%(team)s”. “%(action)s” is for the owner only: %(who)s.")
    else:
        text = _("%(name)s is %(role)s in “%(team)s”. “%(action)s” takes %(needed)s. %(who)s can change the role.")
    return Explanation(person, action, role, may, text % words)


def _who_can_help(team: Team, needed: Role) -> str:
    """Name the owner and, where they can help too, the first admins."""
    people = [team.admin_user] if team.admin_user else []
    if needed is not Role.OWNER:
        admins = User.objects.filter(memberships__team=team, memberships__role=Role.ADMIN).order_by("pk")
        people += [admin for admin in admins[: MOST_NAMES + 1] if admin.pk != team.admin_user_id]
    return ", ".join(person.get_full_name() for person in people[:MOST_NAMES])
