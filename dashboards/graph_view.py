"""What a template shows of a drawn figure: its words, numbers and moments as the reader writes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any

from django.utils.translation import gettext

from config.formats import GROUP, MISSING, Formats, current_formats
from dashboards.drawing.figure import words
from machines.engine.schema import DataType
from machines.presenters import value_text
from machines.services.texts import sentence

DAY = 86_400_000  # milliseconds, as Plotly counts
STEP_OF_DAYS = 24 * DAY  # the longest between two ticks that is not a month
PARTS = {"D": "%d", "M": "%m", "Y": "%Y"}


@dataclass(frozen=True)
class Cell:
    """One cell of the table, or the title of a column."""

    text: str
    is_number: bool = False


@dataclass(frozen=True)
class Film:
    """The moments of a moving picture."""

    title: str
    labels: list[str]


@dataclass(frozen=True)
class GraphView:
    """One drawn graph, see templates/components/_graph.html."""

    title: str
    figure: dict[str, Any]  # what static/js/graphs.js draws
    heads: list[Cell]
    rows: list[list[Cell]]
    rules: list[str]
    film: Film | None = None
    is_sample: bool = False  # of some rows, while nobody has read all


def graph_view(drawn: Mapping[str, Any], title: str) -> GraphView:
    """Return what to show of a figure as `dashboards.drawer.drawn` gives it; the figure itself stays as it is."""
    drawn = words(drawn, gettext)
    types = [DataType(head["type"]) for head in drawn["heads"]]
    heads = [Cell(_titled(head), type.is_numeric) for head, type in zip(drawn["heads"], types, strict=True)]
    rows = [[_cell(value, type) for value, type in zip(row, types, strict=True)] for row in drawn["rows"]]
    figure = {"traces": [_trace(trace) for trace in drawn["traces"]], "layout": _layout(drawn["layout"])}
    rules, is_sample = [sentence(rule) for rule in drawn["rules"]], drawn.get("is_sample", False)
    return GraphView(title, figure, heads, rows, rules, _film(drawn["layout"]), is_sample)


def _titled(head: Mapping[str, str]) -> str:
    return f"{head['title']} ({head['unit']})" if head["unit"] else head["title"]


def _cell(value: Any, type: DataType) -> Cell:
    if value is None:
        return Cell(MISSING, type.is_numeric)
    return Cell(value_text(type, value), True) if type.is_numeric else Cell(str(value))


def _trace(trace: Mapping[str, Any]) -> dict[str, Any]:
    """Points as SVG: Plotly's WebGL makes code out of texts, which our CSP refuses."""
    return {**trace, "type": "scatter"} if trace["type"] == "scattergl" else dict(trace)


def _layout(layout: Mapping[str, Any]) -> dict[str, Any]:
    formats = current_formats()
    axes = {name: _axis(axis, formats) for name, axis in layout.items() if name.startswith(("xaxis", "yaxis"))}
    return {**layout, **axes, "separators": f"{formats.decimal_separator}{GROUP}"}


def _axis(axis: Mapping[str, Any], formats: Formats) -> dict[str, Any]:
    """An axis on which moments are written as the reader does."""
    if axis.get("type") != "date":
        return dict(axis)
    hour = "%I:%M{} %p" if formats.time_format == "12H" else "%H:%M{}"
    time, exact = hour.format(""), hour.format(":%S")
    if "tickformat" in axis:  # of the day, whichever it is
        return {**axis, "tickformat": time, "hoverformat": exact}
    day = _date(formats)
    stops = [
        (None, 59_999, f"{exact}\n{day}"), (60_000, DAY - 1, f"{time}\n{day}"), (DAY, STEP_OF_DAYS, day),
        ("M1", "M11", _date(formats, "MY")), ("M12", None, "%Y"),
    ]  # fmt: skip
    ticks = [{"dtickrange": [low, high], "value": pattern} for low, high, pattern in stops]
    return {**axis, "tickformatstops": ticks, "hoverformat": f"{day}{formats.datetime_separator}{time}"}


def _date(formats: Formats, parts: str = "DMY") -> str:
    """How d3 is told to write a date."""
    return formats.date_separator.join(PARTS[part] for part in formats.date_format if part in parts)


def _film(layout: Mapping[str, Any]) -> Film | None:
    for slider in layout.get("sliders", []):
        title = unescape(slider["currentvalue"]["prefix"]).removesuffix(": ")
        return Film(title, [unescape(step["label"]) for step in slider["steps"]])
    return None
