"""Why somebody may, or may not, do something in a team: the sentence behind a refusal."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from models import Team, User
from models.access import LEAST_ROLE, Action, Role

MOST_NAMES = 3


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
