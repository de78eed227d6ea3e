"""The training report: how good a machine is, what it was chosen from, and what it cannot know."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from config.shortcuts import is_partial, render_page
from dashboards.effects.asked import Effects
from dashboards.graph_shown import table_response
from dashboards.report_controls import Control, control_of
from dashboards.reporting import discreet
from dashboards.reporting.build import inputs_of, report_page
from dashboards.reporting.choice import Choice, choice_of
from dashboards.reporting.importance import ranked
from dashboards.reporting.learning import rounds
from dashboards.reporting.page import ReportPage, Section
from machines.engine.errors import DataError
from machines.engine.job import ROWS_GONE
from machines.engine.schema import DataType, Role
from machines.services.access import actions_of
from machines.services.columns import to_engine
from machines.services.rows import drawn_folder, part_paths
from machines.services.texts import sentence
from machines.services.training import latest_work
from machines.views.access import machine_for, person
from models import Machine, NNModel
from models.access import Action

TEMPLATE = "dashboards/report/report.html"
MOST_COLUMNS = 12  # whose effect is worked out
EFFECT = "effect"  # key of the section that is worked out when somebody gets to it


@dataclass(frozen=True)
class Shown:
    """A section with what can be chosen in it."""

    section: Section
    control: Control | None = None
    is_waiting: bool = False  # it asks for itself when somebody gets to it


@login_required
@require_GET
def report(request: HttpRequest, pk: int) -> HttpResponse:
    """The page at once; the effects of columns when somebody gets to them. To HTMX one section, `part`."""
    machine = machine_for(request, pk, Action.SEE)
    if machine.machine_is_uploaded_model:
        return redirect("uploaded:detail", pk=pk)
    may = actions_of(user=person(request), machine=machine)
    part, error, effects = request.GET.get("part", ""), "", None
    try:
        effects = effects_of(machine, may, may_wait=part == EFFECT or "now" in request.GET)
    except DataError as fault:
        error = sentence(fault.notice)
    page = report_page(machine, choice_of(request.GET), effects, may)
    if page is None:
        return redirect("machines:training", pk=pk)
    shown = _shown(machine, page, request, effects)
    if effects is None and machine.rows_count and not error:
        shown.insert(_place(shown), Shown(Section(EFFECT, _("Effect of one column")), is_waiting=True))
    is_several = len(page.outputs) > 1
    if is_partial(request):
        shown = [each for each in shown if each.section.key == part]
    context = {"machine": machine, "page": page, "shown": shown, "error": error, "query": _query(request)}
    context["is_several"] = is_several
    return render_page(request, TEMPLATE, context, "section")


@login_required
@require_GET
def table(request: HttpRequest, pk: int, key: str) -> HttpResponse:
    """The table beside one picture as CSV."""
    machine = machine_for(request, pk, Action.SEE)
    may = actions_of(user=person(request), machine=machine)
    try:
        effects = effects_of(machine, may, may_wait=True) if key.startswith(EFFECT) else None
    except DataError as error:
        return HttpResponse(sentence(error.notice), status=409, content_type="text/plain; charset=utf-8")
    page = report_page(machine, choice_of(request.GET, key), effects, may)
    drawn = page.drawn(key) if page else None
    if drawn is None:
        raise Http404
    return table_response(drawn, f"{slugify(machine.machine_name) or 'machine'}-{key}")


@login_required
@require_GET
def training_table(request: HttpRequest, pk: int) -> HttpResponse:
    """How the networks of the newest training learned, as far as it has come, as CSV."""
    machine = machine_for(request, pk, Action.SEE)
    work = latest_work(machine)
    section = rounds((work.curve if work else None) or {})
    if section is None:
        raise Http404
    (drawn,) = section.drawn.values()
    return table_response(drawn, f"{slugify(machine.machine_name) or 'machine'}-training")


def effects_of(machine: Machine, may: discreet.May, *, may_wait: bool) -> dict[str, Any] | None:
    """The effects of the columns that tell most, as much as somebody may know who `may` do these things.

    None without rows or model, or when nobody may wait. Raises DataError.
    """
    parts, model = part_paths(machine), machine.training_nn_model_id
    if not parts or model is None:
        return None
    columns = [to_engine(column) for column in machine.columns.defer("profile")]
    places = {name: place for place, (name, _share) in enumerate(ranked(machine.training_report or {}))}
    inputs = [column for column in columns if column.role is Role.INPUT and column.type is not DataType.LANGUAGE]
    chosen = sorted((column.name for column in inputs), key=lambda name: places.get(name, len(places)))[:MOST_COLUMNS]
    key = f"{model} {machine.training_date_time_machine_model}"
    asked = Effects(parts, columns, chosen, key, drawn_folder(parts[0]))
    told = asked.make(lambda: _bytes(model)) if may_wait else asked.look()
    return discreet.effects(told, inputs_of(machine), may) if told else None


def _bytes(model: int) -> bytes:
    content = NNModel.objects.values_list("nn_model", flat=True).filter(pk=model).first()
    if content is None:
        raise DataError(ROWS_GONE)
    return bytes(content)


def _shown(machine: Machine, page: ReportPage, request: HttpRequest, effects: dict[str, Any] | None) -> list[Shown]:
    choice: Choice = choice_of(request.GET)
    outputs = machine.training_report["outputs"]
    return [Shown(section, control_of(section.key, outputs, choice, request.GET, effects)) for section in page.sections]


def _place(shown: list[Shown]) -> int:
    """Where the section stands that is not there yet, see reporting.build."""
    after = ("thin", "outside", "rounds", "training")
    return next(place for place, each in enumerate(shown) if each.section.key.startswith(after))


def _query(request: HttpRequest) -> str:
    """What was chosen, for the addresses of tables."""
    query = request.GET.copy()
    for name in ("part", "now"):
        query.pop(name, None)
    return query.urlencode()
