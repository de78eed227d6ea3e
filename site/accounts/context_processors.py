"""What every page with the navigation knows."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from machines.views.workspace import my_teams, workspace_of, workspaces_of


def workspace(request: HttpRequest) -> dict[str, Any]:
    """Return the choices of the switcher and the one that is made; nothing is read until a page shows them."""
    return {"switcher": SimpleLazyObject(lambda: _switcher(request))}


def _switcher(request: HttpRequest) -> dict[str, Any]:
    if not request.user.is_authenticated or not my_teams(request):
        return {}
    return {"options": workspaces_of(request), "chosen": workspace_of(request).key}
