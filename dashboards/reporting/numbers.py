"""Of numbers: predicted against actual, how far off they are, and whether their ranges hold."""

from itertools import pairwise

from django.utils.translation import gettext as _

from config.formats import MISSING, current_formats
from dashboards.drawing.figure import Head, figures
from dashboards.reporting.page import Section, Table
from dashboards.reporting.parts import DASH, Told, cells, errors, picture, section, straight
from machines.engine.errors import Notice, gettext_noop
from machines.figures import figure

POINTS = gettext_noop(
    "%(shown)s of %(rows)s rows that it had not learned from. On the dashed line the answer is right."
)
RANGES = gettext_noop("Bars are the ranges in which the truth should lie nine times in ten.")
OFF = gettext_noop(
    "Each bar counts the rows that were so far off: right of 0 the answer was too low, left of it too high."
)
SPREAD = gettext_noop(
    "Rows are taken together by predicted value, about as many in each group. Nine in ten should lie inside."
)


def fit(number: int, output: Told) -> Section | None:
    """Predicted against actual."""
    points = output.get("points") or []
    if not points:
        return None
    key, title = f"fit-{number}", _("Predicted and actual")
    predicted, actual = [point[0] for point in points], [point[1] for point in points]
    ranged = [point for point in points if len(point) == 4]  # reports from before have none
    trace = {
        "type": "scatter", "mode": "markers", "x": figures(predicted), "y": figures(actual), "showlegend": False,
        "marker": {"color": "@0", "size": 6, "opacity": 0.7},
    }  # fmt: skip
    if len(ranged) == len(points):
        low, high = [point[2] for point in points], [point[3] for point in points]
        trace["error_x"] = {**errors(predicted, low, high, "@0/0.25"), "width": 0}
    ends = [min(*predicted, *actual), max(*predicted, *actual)]
    layout = {
        "showlegend": False, "xaxis": {"title": {"text": _("Predicted")}}, "yaxis": {"title": {"text": _("Actual")}}
    }  # fmt: skip
    heads = [Head(_("Predicted")), Head(_("Actual")), *([Head(_("90 % from")), Head(_("to"))] if ranged else [])]
    rows = [figures(point[: len(heads)]) for point in points]
    rules = [Notice(POINTS, {"shown": len(points), "rows": output.get("rows") or len(points)})]
    rules += [Notice(RANGES)] if ranged else []
    traces = [straight(ends, ends, _("right")), trace]
    return section(
        key,
        title,
        [],
        [picture(key, _("Each row measured"), traces, layout, heads, rows, rules)],
        output=output["name"],
    )


def residuals(number: int, output: Told) -> Section | None:
    found = output.get("residuals")
    if not found:
        return None
    key, title = f"residuals-{number}", _("How far off it is")
    edges, counts = found["edges"], found["counts"]
    spans = [*pairwise(edges)]
    trace = {
        "type": "bar", "x": figures([(low + high) / 2 for low, high in spans]), "y": counts, "marker": {"color": "@0"},
        "width": figures([high - low for low, high in spans]), "showlegend": False,
    }  # fmt: skip
    layout = {
        "showlegend": False, "bargap": 0.02, "xaxis": {"title": {"text": _("Actual minus predicted")}},
        "yaxis": {"title": {"text": _("Rows")}},
    }  # fmt: skip
    heads = (Head(_("from")), Head(_("to")), Head(_("Rows")))
    rows = [[*figures([low, high]), count] for (low, high), count in zip(spans, counts, strict=True)]
    drawn = picture(key, _("Errors and how often they occur"), [trace], layout, heads, rows, [Notice(OFF)])
    return section(key, title, [], [drawn], output=output["name"])


def spread(number: int, output: Told) -> Section | None:
    """Coverage and width of ranges by predicted value."""
    bins = output.get("spread") or []
    if not bins:
        return None
    key, title, formats = f"spread-{number}", _("Do its ranges hold?"), current_formats()
    names = [f"{figure(b['low'], b['high'] - b['low'])}{DASH}{figure(b['high'], b['high'] - b['low'])}" for b in bins]
    places = [*range(len(bins))]
    trace = {
        "type": "bar", "x": places, "y": figures([b["covered"] for b in bins]), "marker": {"color": "@0"},
        "text": [formats.percent(b["covered"]) for b in bins], "showlegend": False,
    }  # fmt: skip
    ends = [-0.5, len(bins) - 0.5]
    ticks = {"tickvals": places, "ticktext": names}
    layout = {
        "showlegend": True, "xaxis": {**ticks, "title": {"text": _("Predicted")}},
        "yaxis": {"tickformat": ".0%", "range": [0, 1.02], "title": {"text": _("Truth inside its range")}},
    }  # fmt: skip
    heads = (Head(_("from")), Head(_("to")), Head(_("Rows")), Head(_("Truth inside its range")), Head(_("Mean width")))
    rows = [[*figures([b["low"], b["high"]]), b["rows"], *figures([b["covered"], b["width"]])] for b in bins]
    traces = [trace, straight(ends, [0.9, 0.9], _("nine in ten"))]
    width = [figure(b["width"], b["high"] - b["low"]) if b["width"] is not None else MISSING for b in bins]
    table = Table(
        _("Width of its ranges"),
        cells(_("Predicted"), _("Rows"), _("Truth inside its range"), _("Mean width")),
        [cells(name, formats.number(b["rows"]), formats.percent(b["covered"]), wide)
         for name, b, wide in zip(names, bins, width, strict=True)],
    )  # fmt: skip
    drawn = picture(key, _("Ranges that held the truth"), traces, layout, heads, rows, [Notice(SPREAD)])
    return section(key, title, [], [drawn], [table], output["name"])
