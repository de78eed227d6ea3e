"""A graph as pages show it: drawn, or the sentence that says why not; and its table as a file."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.text import slugify
from django.utils.translation import gettext

from dashboards.drawing.figure import words
from dashboards.graph_view import GraphView, graph_view
from dashboards.graph_words import fault_sentence
from dashboards.graphs import graph_drawn
from machines.engine.errors import DataError
from machines.engine.schema import DataType
from models import Graph

BOM = "\ufeff"  # spreadsheets take the file for UTF-8 by it
ALL = "all"  # asks for all rows, however long it takes to read them
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Shown:
    graph: Graph
    view: GraphView | None = None
    trouble: str = ""


def shown(request: HttpRequest, graph: Graph, points: int | None = None) -> Shown:
    """Draw a graph; with at most so many rows as points, if they are given.

    Of a large table that nobody has read yet it shows some rows, and asks for all of them at once (_shown.html).
    """
    is_quick = request.method == "GET" and ALL not in request.GET
    try:
        return Shown(graph, graph_view(graph_drawn(graph, points=points, is_quick=is_quick), graph.name))
    except DataError as error:
        return Shown(graph, trouble=fault_sentence(error))


def csv_response(graph: Graph) -> HttpResponse:
    """Return the table beside a graph as CSV, as a program reads it: moments in ISO 8601. Raises DataError."""
    return table_response(graph_drawn(graph), slugify(graph.name) or "graph")


def table_response(drawn: Mapping[str, Any], name: str) -> HttpResponse:
    """Return the table beside a drawn figure as a CSV file of that name."""
    figure, text = words(drawn, gettext), io.StringIO(BOM)
    text.seek(0, io.SEEK_END)
    writer, heads = csv.writer(text), figure["heads"]
    writer.writerow([_harmless(_titled(head)) for head in heads])
    writer.writerows([_cell(cell, head) for cell, head in zip(row, heads, strict=True)] for row in figure["rows"])
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)


def _titled(head: dict[str, Any]) -> str:
    return f"{head['title']} ({head['unit']})" if head.get("unit") else str(head["title"])


def _cell(cell: Any, head: dict[str, Any]) -> Any:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return _harmless(cell)
    kind = DataType(head["type"])
    if not kind.is_moment:
        return cell
    moment = datetime.fromtimestamp(cell, UTC).replace(tzinfo=None)
    if kind is DataType.TIME:
        return moment.time().isoformat(timespec="seconds")
    return moment.date().isoformat() if kind is DataType.DATE else moment.isoformat(sep=" ", timespec="seconds")


def _harmless(cell: str) -> str:
    """Put an apostrophe before what a spreadsheet would run as a formula."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell
