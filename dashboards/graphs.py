"""Graphs of a machine: drawn, made, put in order, ended. `dashboards.drawer` computes what they show."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max

from dashboards.drawer import drawn
from dashboards.drawing.kinds import KINDS, PLACES, faults
from machines.engine.errors import DataError, gettext_noop
from machines.engine.schema import Column as EngineColumn
from machines.services.columns import to_engine
from machines.services.rows import drawn_folder, part_paths
from models import Graph, Machine, User
from models.graph import PALETTE

MOST_GRAPHS = 100  # of one machine: its page shows them all
NO_ROWS = gettext_noop("There are no rows to draw yet.")
TOO_MANY = gettext_noop("This machine has %(most)s graphs already. Delete one first.")


def columns_of(machine: Machine) -> list[EngineColumn]:
    """Return the columns that a graph may show, in their order, without their profiles."""
    return [to_engine(column) for column in machine.columns.defer("profile")]


def chosen_of(graph: Graph, names: Collection[str]) -> dict[str, str]:
    """Return place -> column of a graph, for the places of its kind; `names` are the columns there are."""
    chosen = {place: getattr(graph, place) or "" for place in KINDS[graph.graph_type]}
    if chosen.get("hue") == PALETTE and PALETTE not in names:
        chosen["hue"] = ""
    return chosen


def graph_drawn(
    graph: Graph, columns: Sequence[EngineColumn] | None = None, points: int | None = None, *, is_quick: bool = False
) -> Mapping[str, Any]:
    """Return the figure of a graph, saved or not, as `dashboards.drawer.drawn` does. Raises DataError.

    `points` is how many rows it may draw one by one, if that is fewer than its kind can; `is_quick`, whether some of the
    rows will do while nobody has read all of a large table.
    """
    parts = part_paths(graph.machine)
    if not parts:
        raise DataError(NO_ROWS)
    columns = columns_of(graph.machine) if columns is None else columns
    chosen = chosen_of(graph, {column.name for column in columns})
    for fault in faults(graph.graph_type, chosen, columns).values():
        raise DataError(fault.template, **fault.values)
    told = [column.to_json() for column in columns if column.name in chosen.values()]
    request = {"parts": [str(part) for part in parts], "columns": told, "kind": graph.graph_type, "chosen": chosen}
    return drawn(request | {"points": points, "is_quick": is_quick, "folder": str(drawn_folder(parts[0]))})


def graph_put(graph: Graph, *, kind: int, chosen: Mapping[str, str]) -> Graph:
    """Write a choice into a graph, and leave every other place empty. It is not saved."""
    graph.graph_type = kind
    for place in PLACES:
        setattr(graph, place, chosen.get(place) or None)
    return graph


@transaction.atomic
def graph_add(*, graph: Graph, user: User) -> Graph:
    """Save a new graph as the last one of its machine. Raises DataError when there are too many."""
    Machine.objects.select_for_update().only("pk").get(pk=graph.machine_id)  # one after the other
    others = Graph.objects.filter(machine=graph.machine_id)
    if others.count() >= MOST_GRAPHS:
        raise DataError(TOO_MANY, most=MOST_GRAPHS)
    last = others.aggregate(last=Max("position"))["last"]
    graph.position, graph.user = (0 if last is None else last + 1), user
    graph.save(force_insert=True)
    return graph


def graph_duplicate(*, graph: Graph, user: User, name: str) -> Graph:
    """Return a new graph that shows the same, at the end. Raises DataError."""
    twin = Graph(machine_id=graph.machine_id, graph_name=name[:200])
    chosen = {place: getattr(graph, place) for place in PLACES}
    return graph_add(graph=graph_put(twin, kind=graph.graph_type, chosen=chosen), user=user)


@transaction.atomic
def graphs_order(*, machine: Machine, order: Sequence[int]) -> None:
    """Put a machine's graphs in this order (their numbers); those that are not named stay behind, as they were."""
    places = {pk: place for place, pk in reversed(list(enumerate(order)))}
    graphs = sorted(machine.graphs.select_for_update(), key=lambda graph: places.get(graph.pk, len(order)))
    for position, graph in enumerate(graphs):
        graph.position = position
    Graph.objects.bulk_update(graphs, ["position"])


def graph_move(*, graph: Graph, by: int) -> None:
    """Move a graph up (-1) or down (1) by one place; the first stays first, the last stays last."""
    order = list(Graph.objects.filter(machine=graph.machine_id).values_list("pk", flat=True))
    at = order.index(graph.pk)
    order.insert(min(max(at + by, 0), len(order) - 1), order.pop(at))
    graphs_order(machine=graph.machine, order=order)
