"""What every page of a team shows: the team, what the reader is in it, and the tabs they may open."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from machines.views.access import fetch, person
from models import Team
from models.access import Action, Role

TABS = [
    ("members", _("Members"), "teams:detail", Action.SEE),
    ("invites", _("Invitations"), "teams:invites", Action.INVITE),
    ("keys", _("API keys"), "teams:keys", Action.KEYS),
    ("log", _("Log"), "teams:log", Action.AUDIT),
    ("settings", _("Settings"), "teams:settings", Action.SEE),
]


@dataclass(frozen=True)
class Tab:
    name: str
    label: Any
    url: str


def team_page(request: HttpRequest, pk: int, action: Action, current: str) -> dict[str, Any]:
    """Fetch the team for this action (404, or 403 with the reason) and return what its pages have in common.

    `current` is the name of the tab on which the page stands. `role` is as what the reader acts: who administers the
    site acts as the owner.
    """
    team: Team = fetch(request, Team.objects.select_related("admin_user"), action, pk)
    user = person(request)
    own = team.role_of(user)
    role = Role.OWNER if user.is_super_admin else own or Role.VIEWER
    return {
        "team": team,
        "role": role,
        "standing": own.label if own else _("You administer this site"),
        "is_member": own is not None,
        "tabs": [Tab(name, label, reverse(url, args=[pk])) for name, label, url, needs in TABS if role.may(needs)],
        "current": current,
        "may_create": role.may(Action.CREATE),
        "may_invite": role.may(Action.INVITE),
        "may_manage": role.may(Action.MANAGE),
        "may_transfer": role.may(Action.TRANSFER),
    }
