"""The first page, for strangers and for those who are signed in."""

from pathlib import Path

from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

import machines
from dashboards.cards import home_of
from machines.views.workspace import workspace_of
from models import User

DEMO_TABLE = Path(machines.__file__).parent / "demo" / "diabetes.csv"


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    if not isinstance(request.user, User):
        return render(request, "dashboards/landing.html")
    workspace = workspace_of(request)
    return render(request, "dashboards/home.html", {"home": home_of(request.user, workspace), "workspace": workspace})


@require_safe
def demo_table(request: HttpRequest) -> FileResponse:
    """A table to try with, for everybody."""
    return FileResponse(DEMO_TABLE.open("rb"), as_attachment=True, filename="diabetes.csv", content_type="text/csv")
