"""The data profile: what a person should know of a machine's rows before believing in it."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils.text import slugify
from django.views.decorators.http import require_GET

from config.shortcuts import is_partial, render_page
from dashboards.profile_page import ProfileView
from dashboards.profiling.asked import profile_of
from machines.engine.errors import DataError
from machines.services.access import actions_of
from machines.services.columns import to_engine
from machines.services.rows import drawn_folder, part_paths
from machines.services.texts import sentence
from machines.views.access import machine_for, person
from models import Machine
from models.access import Action

TEMPLATE = "dashboards/profile/profile.html"


@login_required
@require_GET
def profile(request: HttpRequest, pk: int) -> HttpResponse:
    """The page at once: with the profile if it is kept, else the part that asks for it and waits."""
    machine = machine_for(request, pk, Action.SEE)
    context: dict[str, Any] = {"machine": machine, "view": None, "error": "", "has_rows": bool(machine.rows_count)}
    try:
        context["view"] = _view(request, machine, may_wait=is_partial(request) or "now" in request.GET)
    except DataError as error:
        context["error"] = sentence(error.notice)
    return render_page(request, TEMPLATE, context, "profile")


@login_required
@require_GET
def associations_csv(request: HttpRequest, pk: int) -> HttpResponse:
    """The table beside the heatmap, whole."""
    machine = machine_for(request, pk, Action.SEE)
    try:
        view = _view(request, machine, may_wait=True)
    except DataError as error:
        return HttpResponse(sentence(error.notice), status=409, content_type="text/plain; charset=utf-8")
    text = view.csv() if view else ""
    name = f"{slugify(machine.machine_name) or 'machine'}-associations.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)


def _view(request: HttpRequest, machine: Machine, *, may_wait: bool) -> ProfileView | None:
    """The profile of the rows as they are now; None without rows, or when it must be made and nobody may wait."""
    parts = part_paths(machine)
    if not parts:
        return None
    columns = list(machine.columns.defer("profile"))
    question = profile_of(parts, [to_engine(column) for column in columns], drawn_folder(parts[0]))
    told = question.make() if may_wait else question.look()
    if told is None:
        return None
    may_edit = Action.EDIT in actions_of(user=person(request), machine=machine)
    return ProfileView(machine, columns, told, may_edit=may_edit, page=request.GET.get("page"))
