"""The data profile: what a person should know of a machine's rows before believing in it."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from config.shortcuts import is_partial, render_page
from dashboards.drawing.figure import Drawing
from dashboards.graph_shown import table_response
from dashboards.profile_page import ProfileView
from dashboards.profile_waiting import Waiting
from dashboards.profile_work import Asked, asked_of, profile_start, profilings_of, work_of
from dashboards.work import work_for
from machines.engine.errors import DataError, gettext_noop
from machines.services.access import actions_of
from machines.services.texts import sentence
from machines.services.works import work_cancel
from machines.views.access import machine_for, person
from models import Machine
from models.access import Action

TEMPLATE = "dashboards/profile/profile.html"
NO_ROWS = Drawing([], {}, (), []).to_json()
NOT_YET = gettext_noop("There is no profile of these rows yet. Open its page first.")


@login_required
@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest, pk: int) -> HttpResponse:
    """The page at once: with the profile if it is kept, else the part that asks for it and waits.

    A POST lets a worker make that of a large table.
    """
    machine = machine_for(request, pk, Action.SEE)
    context: dict[str, Any] = {"machine": machine, "view": None, "error": "", "has_rows": bool(machine.rows_count)}
    context |= {"waiting": None, "is_partial": is_partial(request)}
    try:
        if asked := asked_of(machine):
            context |= _shown(request, asked)
    except DataError as error:
        context["error"] = sentence(error.notice)
    if request.method == "POST" and not is_partial(request) and not context["error"]:
        return redirect("dashboards:profile", pk=pk)
    return render_page(request, TEMPLATE, context, "profile")


def _shown(request: HttpRequest, asked: Asked) -> dict[str, Any]:
    """The profile of the rows as they are now, the work that makes it, or nothing when nobody may wait."""
    told = _told(asked, may_wait=is_partial(request) or "now" in request.GET)
    view = _view(request, asked, told) if told else None
    if not asked.is_large:
        return {"view": view}
    is_wanted = request.method == "POST" and view is None
    work = profile_start(asked=asked, user=person(request)) if is_wanted else work_of(asked)
    return {"view": view, "waiting": Waiting(work, asked, person(request))}


@login_required
@require_POST
def profile_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    work = profilings_of(machine_for(request, pk, Action.SEE)).active().first()
    if work:
        work_cancel(work=work_for(request, work.pk), user=person(request))
    return redirect("dashboards:profile", pk=pk)


@login_required
@require_GET
def associations_csv(request: HttpRequest, pk: int) -> HttpResponse:
    """The table beside the heatmap, whole."""
    machine = machine_for(request, pk, Action.SEE)
    try:
        view = _kept(request, machine)
    except DataError as error:
        return _refused(error)
    text = view.csv() if view else ""
    name = f"{slugify(machine.machine_name) or 'machine'}-associations.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)


@login_required
@require_GET
def column_csv(request: HttpRequest, pk: int, column_pk: int) -> HttpResponse:
    """The table beside the graph of one column."""
    machine = machine_for(request, pk, Action.SEE)
    column = get_object_or_404(machine.columns.defer("profile"), pk=column_pk)
    try:
        view = _kept(request, machine)
    except DataError as error:
        return _refused(error)
    if not (drawn := view.spread(column) if view else NO_ROWS):
        raise Http404
    return table_response(drawn, f"{slugify(machine.machine_name) or 'machine'}-{slugify(column.name) or 'column'}")


def _kept(request: HttpRequest, machine: Machine) -> ProfileView | None:
    """The profile for a file; None where there are no rows. Raises DataError when a worker has to make it first."""
    if not (asked := asked_of(machine)):
        return None
    if not (told := _told(asked, may_wait=True)):
        raise DataError(NOT_YET)
    return _view(request, asked, told)


def _refused(error: DataError) -> HttpResponse:
    return HttpResponse(sentence(error.notice), status=409, content_type="text/plain; charset=utf-8")


def _told(asked: Asked, *, may_wait: bool) -> dict[str, Any] | None:
    """What is known of the rows; None when it must be worked out and nobody may wait, or it takes a worker."""
    return asked.question.make() if may_wait and not asked.is_large else asked.question.look()


def _view(request: HttpRequest, asked: Asked, told: dict[str, Any]) -> ProfileView:
    may_edit = Action.EDIT in actions_of(user=person(request), machine=asked.machine)
    return ProfileView(asked.machine, asked.columns, told, may_edit=may_edit, page=request.GET.get("page"))
