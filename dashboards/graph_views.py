"""A machine's page of graphs, one graph, and all graphs that a person sees."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from config.limits import at_most
from config.shortcuts import is_partial, render_page
from dashboards.graph_shown import csv_response, shown
from dashboards.graph_words import fault_sentence
from dashboards.graphs import graph_duplicate, graph_move, graphs_order
from dashboards.news import numbers
from machines.engine.errors import DataError
from machines.services.access import actions_of
from machines.views.access import machine_for, person
from machines.views.workspace import workspace_of
from models import Graph, Machine
from models.access import Action

PAGE_SIZE = 12
STEPS = {"up": -1, "down": 1}


def graph_for(request: HttpRequest, pk: int, graph_pk: int, action: Action) -> Graph:
    """Return a graph of a machine with which this person may do this."""
    graph: Graph = get_object_or_404(machine_for(request, pk, action).graphs.all(), pk=graph_pk)
    return graph


def to_list(graph: Graph) -> HttpResponse:
    """Lead to the graph's place on the page of its machine."""
    return redirect(f"{reverse('graphs:list', args=[graph.machine_id])}#graph-{graph.pk}")


@login_required
@require_GET
def everywhere(request: HttpRequest) -> HttpResponse:
    """Show the graphs of all machines that this person sees, machine by machine."""
    user, workspace = person(request), workspace_of(request)
    machines = workspace.of(Machine.objects.visible_to(user), user)
    graphs = Graph.objects.visible_to(user).filter(machine__in=machines.order_by().values("pk"))
    graphs = graphs.select_related("machine").defer(*(f"machine__{name}" for name in Machine.big_fields()))
    ordered = graphs.order_by("machine__machine_name", "machine_id", "position", "pk")
    page = Paginator(ordered, PAGE_SIZE).get_page(request.GET.get("page"))
    return render_page(request, "dashboards/graphs/everywhere.html", {"page": page, "workspace": workspace})


@login_required
@require_GET
def graph_list(request: HttpRequest, pk: int) -> HttpResponse:
    return _list_page(request, machine_for(request, pk, Action.SEE))


def _list_page(request: HttpRequest, machine: Machine) -> HttpResponse:
    may = actions_of(user=person(request), machine=machine)
    context = {"machine": machine, "graphs": machine.graphs.all(), "may": may}
    return render_page(request, "dashboards/graphs/list.html", context, partial="graphs")


@login_required
@require_GET
def show(request: HttpRequest, pk: int, graph_pk: int) -> HttpResponse:
    """Show one graph: a page of its own, or the part of a page that asks for it when it is scrolled to."""
    graph = graph_for(request, pk, graph_pk, Action.SEE)
    may = actions_of(user=person(request), machine=graph.machine)
    context = {"machine": graph.machine, "graph": graph, "shown": shown(request, graph), "may": may}
    return render_page(request, "dashboards/graphs/show.html", context, partial="drawn")


@login_required
@require_GET
def table(request: HttpRequest, pk: int, graph_pk: int) -> HttpResponse:
    """Send the table beside a graph as CSV."""
    graph = graph_for(request, pk, graph_pk, Action.SEE)
    try:
        return csv_response(graph)
    except DataError as error:
        messages.error(request, fault_sentence(error))
        return redirect("graphs:show", pk=pk, graph_pk=graph_pk)


@login_required
@require_POST
def order(request: HttpRequest, pk: int) -> HttpResponse:
    """Put the graphs in the order in which a person has dragged them."""
    machine = machine_for(request, pk, Action.EDIT)
    graphs_order(machine=machine, order=numbers(request.POST.getlist("ids")))
    return HttpResponse(status=204) if is_partial(request) else redirect("graphs:list", pk=pk)


@login_required
@require_POST
def move(request: HttpRequest, pk: int, graph_pk: int) -> HttpResponse:
    graph = graph_for(request, pk, graph_pk, Action.EDIT)
    graph_move(graph=graph, by=STEPS.get(request.POST.get("to", ""), 0))
    return _list_page(request, graph.machine) if is_partial(request) else to_list(graph)


@login_required
@require_POST
@at_most(60, seconds=600)
def duplicate(request: HttpRequest, pk: int, graph_pk: int) -> HttpResponse:
    graph = graph_for(request, pk, graph_pk, Action.EDIT)
    try:
        twin = graph_duplicate(graph=graph, user=person(request), name=_("%(name)s, copy") % {"name": graph.name})
    except DataError as error:
        messages.error(request, fault_sentence(error))
        return to_list(graph)
    messages.success(request, _("“%(name)s” stands at the end.") % {"name": twin.name})
    return to_list(twin)


@login_required
@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, pk: int, graph_pk: int) -> HttpResponse:
    graph = graph_for(request, pk, graph_pk, Action.EDIT)
    if request.method == "POST":
        graph.delete()
        messages.success(request, _("“%(name)s” is deleted.") % {"name": graph.name})
        return redirect("graphs:list", pk=pk)
    return render_page(request, "dashboards/graphs/delete.html", {"machine": graph.machine, "graph": graph})
