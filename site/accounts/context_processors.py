"""What every page with the navigation knows."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.services.mail import mail_works
from machines.views.workspace import my_teams, workspace_of, workspaces_of


def workspace(request: HttpRequest) -> dict[str, Any]:
    """Return the choices of the switcher, the one that is made, and whether e-mail is sent; read when a page shows it."""
    return {"switcher": SimpleLazyObject(lambda: _switcher(request)), "mail_works": mail_works}


def _switcher(request: HttpRequest) -> dict[str, Any]:
    if not request.user.is_authenticated or not my_teams(request):
        return {}
    return {"options": workspaces_of(request), "chosen": workspace_of(request).key}
