"""How the values of one column spread: bars, and what they count as a table. Pages draw it, see `pictures`."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from dashboards.drawing.figure import ROWS, Drawing, Field, Head, axis, digits_for, figures, milliseconds, plain
from dashboards.profiling.discreet import LEAST_ROWS
from machines.engine.errors import Notice, gettext_noop
from machines.engine.schema import DataType

HEIGHT, BAR_HEIGHT, AROUND_BARS = 300, 26, 110  # pixels
VALUE = gettext_noop("value")
UP_TO = gettext_noop("Each bar counts the rows from its lower end to just below its upper end.")
LAST = gettext_noop("The last bar counts those at its upper end, too.")
DAYS = gettext_noop("Each bar counts the rows of whole days, the first and the last one included.")
WHOLE = gettext_noop("Each bar counts the rows of whole numbers, the first and the last one included.")
FAR = gettext_noop("Numbers that are far off are left out: %(count)s.")
MIDDLE = gettext_noop("Only the middle nine tenths are shown, and of them no bar of fewer than %(count)s rows.")
AGAIN = gettext_noop("Only the most frequent values that come again are shown. Rows with other ones: %(count)s.")
EACH = gettext_noop("Each bar counts the rows that hold a value.")
EMPTY = gettext_noop("Empty cells are left out, of the shares, too: %(count)s.")


class Bin(NamedTuple):
    """From `low` to `high`; the bar ends at `end`. `rows` is None where so few share it that nobody is told."""

    low: float
    high: float
    end: float
    rows: int | None


def spread(about: Mapping[str, Any]) -> dict[str, Any] | None:
    """The figure of a column as `measures.measure` tells it, or `discreet`; None where there is nothing to draw."""
    field = Field(about["name"], DataType(about["type"]), about["unit"])
    if field.type.is_numeric:
        shown = bins(about) if about["distinct"] > 1 else []
        return _of_bins(about, field, shown) if any(bin.rows for bin in shown) else None
    top = [(str(value), int(count)) for value, count in about["top"] if count > 1]
    return _of_values(about, field, top) if top else None


def bins(about: Mapping[str, Any]) -> list[Bin]:
    """The bins of a histogram. The discreet one has no more than the middle, whose ends are told anyway."""
    if "histogram" not in about:
        return []
    found = _bins(about)
    if "is_middle" not in about:
        return found
    inside = [bin for bin in found if "low" in about and about["low"] <= bin.low and bin.high <= about["high"]]
    return [bin._replace(rows=None) if 0 < (bin.rows or 0) < LEAST_ROWS else bin for bin in inside]


def _bins(about: Mapping[str, Any]) -> list[Bin]:
    """A bin of days or whole numbers has those from its first to its last one."""
    edges, counts, step = (about["histogram"][name] for name in ("edges", "counts", "step"))
    return [Bin(low, end - step, end, count) for (low, end), count in zip(pairwise(edges), counts, strict=True)]


def _of_bins(about: Mapping[str, Any], field: Field, shown: list[Bin]) -> dict[str, Any]:
    drawn = [bin for bin in shown if bin.rows]
    is_moment, step = field.type.is_moment, about["histogram"]["step"]
    # A day lasts until the next one; a whole number stands in the middle of its bar.
    middles = [(bin.low + (bin.end if is_moment else bin.high)) / 2 for bin in drawn]
    widths = [bin.end - bin.low for bin in drawn]
    digits = digits_for(shown[0].low, shown[-1].end)
    trace = {
        "type": "bar", "x": milliseconds(middles) if is_moment else figures(middles, digits),
        "width": milliseconds(widths) if is_moment else figures(widths), "y": [bin.rows for bin in drawn], **_MARKER,
    }  # fmt: skip
    layout = {"height": HEIGHT, "showlegend": False, "xaxis": axis(field), "yaxis": axis(ROWS, rangemode="tozero")}
    heads = [Head(word, field.type, field.unit, is_word=True) for word in ("from", "to")]
    cells = [[*figures([bin.low, bin.high], max(10, digits)), *_counted(about, bin.rows)] for bin in shown]
    is_discreet = "is_middle" in about
    if step:
        rules = [Notice(DAYS if is_moment else WHOLE)]
    else:
        rules = [Notice(UP_TO)] if is_discreet else [Notice(UP_TO), Notice(LAST)]
    if far := about.get("outliers", {}).get("count"):
        rules.append(Notice(FAR, {"count": far}))
    if is_discreet:
        rules.append(Notice(MIDDLE, {"count": LEAST_ROWS}))
    return Drawing([trace], layout, (*heads, *_COUNTED), cells, (*rules, *_empty(about))).to_json()


def _of_values(about: Mapping[str, Any], field: Field, top: list[tuple[str, int]]) -> dict[str, Any]:
    at, counts = [*range(len(top))], [count for _, count in top]
    trace = {"type": "bar", "orientation": "h", "x": counts, "y": at, "hoverinfo": "x", **_MARKER}
    # Places instead of labels: Plotly would lay two labels over each other that are the same when shortened.
    places = {"tickvals": at, "ticktext": [plain(value, 24) for value, _ in top], "autorange": "reversed"}
    layout = {
        "height": AROUND_BARS + BAR_HEIGHT * len(top), "showlegend": False, "bargap": 0.2,
        "xaxis": axis(ROWS, rangemode="tozero"), "yaxis": axis(field.title, **places),
    }  # fmt: skip
    others = _known(about) - sum(counts)
    rule = Notice(AGAIN, {"count": others}) if others else Notice(EACH)
    heads = (Head(VALUE, DataType.LABEL, is_word=True), *_COUNTED)
    cells = [[value, *_counted(about, count)] for value, count in top]
    return Drawing([trace], layout, heads, cells, (rule, *_empty(about))).to_json()


_MARKER = {"marker": {"color": "@0", "line": {"color": "@paper", "width": 1}}}
_COUNTED = (Head("rows", is_word=True), Head("share", unit="%", is_word=True))


def _counted(about: Mapping[str, Any], count: int | None) -> list[float | None]:
    """How many rows, and which share of those that are not empty that is, in percent."""
    return [None, None] if count is None else [count, float(f"{100 * count / _known(about):.4g}")]


def _known(about: Mapping[str, Any]) -> int:
    return int(about["rows"] - about["missing"])


def _empty(about: Mapping[str, Any]) -> list[Notice]:
    return [Notice(EMPTY, {"count": about["missing"]})] if about["missing"] else []
