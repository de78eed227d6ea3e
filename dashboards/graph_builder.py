"""Making a graph and changing one: a kind, its columns, and what comes of them at once."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from config.shortcuts import is_partial, render_page
from dashboards.drawing.kinds import KINDS
from dashboards.graph_forms import GraphForm
from dashboards.graph_presets import distinct_of, presets, ranked
from dashboards.graph_shown import Shown, csv_response, shown
from dashboards.graph_views import graph_for, to_list
from dashboards.graph_words import fault_sentence
from dashboards.graphs import chosen_of, columns_of, graph_add
from machines.engine.errors import DataError
from machines.engine.schema import Column
from machines.views.access import machine_for, person
from models import Graph, Machine
from models.access import Action
from models.graph import GRAPH_TYPES

MOST_AT_ONCE = 1_000_000  # rows
TABLE = "table"  # asks for the preview's table as CSV
PREVIEW_POINTS = 1_000  # a browser draws them in a tenth of a second; what is saved shows more


@login_required
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, pk: int) -> HttpResponse:
    return _built(request, Graph(machine=machine_for(request, pk, Action.EDIT)), _kind_of(request))


@login_required
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int, graph_pk: int) -> HttpResponse:
    graph = graph_for(request, pk, graph_pk, Action.EDIT)
    return _built(request, graph, None if "kinds" in request.GET else _kind_of(request) or graph.graph_type)


def _kind_of(request: HttpRequest) -> int | None:
    asked = (request.POST if request.method == "POST" else request.GET).get("kind", "")
    return int(asked) if asked in {str(kind) for kind in KINDS} else None


def _built(request: HttpRequest, graph: Graph, kind: int | None) -> HttpResponse:
    """Ask for a kind; then for columns, with a preview of them and its table as CSV; and save what is sent."""
    machine = graph.machine
    if kind is None:
        context = {"machine": machine, "graph": graph, "kinds": GRAPH_TYPES}
        return render_page(request, "dashboards/graphs/kinds.html", context)
    columns = columns_of(machine) if is_partial(request) else ranked(machine, columns_of(machine))
    form = GraphForm(kind, columns, _given(request, graph, kind, columns))
    is_saved = request.method == "POST" and "look" not in request.POST
    if is_saved and form.is_valid():
        try:
            return to_list(_saved(request, form, graph))
        except DataError as error:
            form.add_error(None, fault_sentence(error))
    if request.method == "GET" and TABLE in request.GET and form.is_valid():
        with suppress(DataError):  # the preview says why
            return csv_response(form.put(Graph(machine=machine)))
    context = {"machine": machine, "graph": graph, "kind": kind, "kind_name": dict(GRAPH_TYPES)[kind], "form": form}
    # The first graph of a large table takes a second or two: the page comes before, and asks for its preview.
    is_later = request.method == "GET" and not is_partial(request) and machine.rows_count > MOST_AT_ONCE
    context["csv"] = f"{request.path}?{urlencode({**form.sent, 'kind': kind, TABLE: 1})}"
    preview = None if is_later else _preview(request, form, machine)
    context |= {"shown": preview, "is_later": is_later, "is_told": is_saved}
    return render_page(request, "dashboards/graphs/build.html", context, partial="preview")


def _given(request: HttpRequest, graph: Graph, kind: int, columns: list[Column]) -> Mapping[str, Any]:
    """Return what was sent; or else what the graph shows, and where that does not fit, what suits it."""
    if request.method == "POST":
        return request.POST
    if set(KINDS[kind]) & set(request.GET):
        return request.GET
    names = {column.name for column in columns}
    kept = {place: name for place, name in chosen_of(graph, names).items() if name}
    if graph.pk and kind == graph.graph_type:
        return kept | {"graph_name": graph.graph_name}
    takes = {
        place: {column.name for column in columns if column.type in rule.takes} for place, rule in KINDS[kind].items()
    }
    fitting = {place: name for place, name in kept.items() if name in takes.get(place, ())}
    return presets(kind, columns, distinct_of(graph.machine)) | fitting | {"graph_name": graph.graph_name}


def _saved(request: HttpRequest, form: GraphForm, graph: Graph) -> Graph:
    form.put(graph)
    if not graph.pk:
        return graph_add(graph=graph, user=person(request))
    graph.save()
    return graph


def _preview(request: HttpRequest, form: GraphForm, machine: Machine) -> Shown | None:
    """Draw what the form says, as far as it is right."""
    if not form.is_valid():
        return None
    return shown(request, form.put(Graph(machine=machine)), PREVIEW_POINTS)
