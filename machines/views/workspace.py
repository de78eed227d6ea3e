"""Whose machines a person looks at: everything they may see, only their own, or one team's.

The choice is a convenience that the session keeps, never a permission: it narrows what the person may see anyway, and a
team they are no longer in counts as no choice.
"""

from dataclasses import dataclass
from typing import cast

from django.http import HttpRequest
from django.utils.translation import gettext as _

from machines.views.access import person
from models import Team, User
from models.machine import MachineQuerySet

SESSION_KEY = "workspace"
EVERYTHING, MINE = "all", "mine"
TEAMS = "_my_teams"  # kept on the request


@dataclass(frozen=True)
class Workspace:
    """Everything, unless it is one team's or only mine."""

    team: Team | None = None
    is_mine: bool = False

    @property
    def key(self) -> str:
        """What the session and the switcher call it."""
        return str(self.team.pk) if self.team else MINE if self.is_mine else EVERYTHING

    @property
    def name(self) -> str:
        return self.team.name if self.team else _("Only mine") if self.is_mine else _("All machines")

    @property
    def is_narrow(self) -> bool:
        return self.team is not None or self.is_mine

    def of(self, machines: MachineQuerySet, user: User) -> MachineQuerySet:
        """Return those of the machines that belong here."""
        if self.team:
            return machines.filter(machine_owner_team=self.team)
        return machines.filter(machine_owner_user=user) if self.is_mine else machines


def my_teams(request: HttpRequest) -> list[Team]:
    """Return the teams of the signed-in person, read once a request."""
    if not hasattr(request, TEAMS):
        setattr(request, TEAMS, list(Team.objects.of(person(request)).only("name")))
    return cast("list[Team]", getattr(request, TEAMS))


def workspaces_of(request: HttpRequest) -> list[Workspace]:
    """Return what the person can choose from."""
    return [Workspace(), Workspace(is_mine=True), *(Workspace(team) for team in my_teams(request))]


def workspace_of(request: HttpRequest) -> Workspace:
    """Return what the person has chosen, as far as they still may."""
    chosen = request.session.get(SESSION_KEY)
    if chosen is None:
        return Workspace()
    return next((space for space in workspaces_of(request) if space.key == chosen), Workspace())


def choose(request: HttpRequest, key: str) -> bool:
    """Remember the choice; return False, and remember nothing, when it is none that this person has."""
    is_known = any(space.key == key for space in workspaces_of(request))
    if is_known and key != EVERYTHING:
        request.session[SESSION_KEY] = key
    else:
        request.session.pop(SESSION_KEY, None)
    return is_known
