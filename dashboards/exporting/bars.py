"""Traces of bars and of squares as boxes."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from dashboards.exporting.colours import filled, is_dark, painted
from dashboards.exporting.scales import Kind
from dashboards.exporting.shapes import Axes, Box, Drawn, Shape, UnsupportedError, many
from dashboards.exporting.xml import line

Bar = Mapping[str, Any]


def bars(traces: Sequence[tuple[Bar, str]], layout: Mapping[str, Any], axes: Axes, drawn: Drawn) -> None:
    """Add all traces of bars, each with its colour: beside each other, over each other or stacked, as the layout says."""
    mode, beside = layout.get("barmode", "group"), [0 if "base" in trace else 1 for trace, _colour in traces]
    lying = {trace.get("orientation", "v") == "h" for trace, _colour in traces}
    if len(lying) > 1:
        raise UnsupportedError("bars in two directions")
    is_lying, unit = lying == {True}, _unit([trace for trace, _colour in traces], axes)
    room = unit * (1 - float(layout.get("bargap", 0.2)))
    groups, tops, number = max(1, sum(beside)), dict[tuple[float, bool], float](), 0
    for (trace, colour), counts in zip(traces, beside, strict=True):
        part = room / groups if mode == "group" and counts else room
        offset = -room / 2 + part * number if mode == "group" and counts else -part / 2
        number += counts
        _bars(
            trace,
            colour,
            (offset, part),
            is_lying,
            tops if mode in ("stack", "relative") and counts else None,
            axes,
            drawn,
        )


def _unit(traces: Sequence[Bar], axes: Axes) -> float:
    """The least distance between two bars' middles."""
    middles = {
        at
        for trace in traces
        for value in trace["y" if trace.get("orientation") == "h" else "x"]
        if (at := (axes.y if trace.get("orientation") == "h" else axes.x).coordinate(value)) is not None
    }
    return min((b - a for a, b in pairwise(sorted(middles))), default=1.0)


def _bars(
    trace: Bar,
    colour: str,
    place: tuple[float, float],
    is_lying: bool,
    tops: dict[tuple[float, bool], float] | None,
    axes: Axes,
    drawn: Drawn,
) -> None:
    along, across = (axes.x, axes.y) if is_lying else (axes.y, axes.x)
    values, places = (trace["x"], trace["y"]) if is_lying else (trace["y"], trace["x"])
    if along.kind is not Kind.LINEAR:
        raise UnsupportedError("bars on an axis without a zero")
    count, marker = len(values), trace.get("marker", {})
    colours, bases = many(marker.get("color"), count, colour), many(trace.get("base"), count, 0)
    widths, offsets = many(trace.get("width"), count), many(trace.get("offset"), count)
    drawn.grounds["x" if is_lying else "y"].add(0.0)
    for at in range(count):
        value, middle = along.coordinate(values[at]), across.coordinate(places[at])
        if value is None or middle is None:
            continue
        wide = place[1] if widths[at] is None else widths[at]
        begin = middle + (offsets[at] if offsets[at] is not None else place[0] if widths[at] is None else -wide / 2)
        foot = float(bases[at] or 0)
        if tops is not None:
            foot = tops.get((middle, value < 0), 0.0)
            tops[middle, value < 0] = foot + value
        corner, other = (begin, foot), (begin + wide, foot + value)
        if is_lying:
            corner, other = (foot, begin), (foot + value, begin + wide)
        fill, opacity = painted(colours[at], axes.paint)
        opacity *= float(many(marker.get("opacity"), count, 1)[at]) * float(trace.get("opacity", 1))
        drawn.shapes.append(Box(corner, other, {"fill": fill, "fill_opacity": opacity}))
        drawn.shapes += _error(trace, at, begin + wide / 2, foot + value, is_lying, axes)


def _error(trace: Bar, at: int, middle: float, end: float, is_lying: bool, axes: Axes) -> Iterator[Shape]:
    told = trace.get("error_x" if is_lying else "error_y")
    if not told or told.get("visible") is False:
        return
    more = many(told.get("array"), at + 1)[at] or 0
    less = many(told["arrayminus"], at + 1)[at] or 0 if told.get("arrayminus") is not None else more
    if more or less:
        stroke, opacity = painted(told.get("color") or "@ink", axes.paint)
        about = {
            "fill": "none",
            "stroke": stroke,
            "stroke_opacity": opacity,
            "stroke_width": float(told.get("thickness", 1.5)),
        }
        ends = [end - less, end + more]
        yield Shape([(to, middle) if is_lying else (middle, to) for to in ends], about)


def heat(trace: Bar, axes: Axes, drawn: Drawn) -> None:
    """Add a square for each number, coloured from few to many."""
    scale = trace.get("colorscale", "@scale")
    if scale != "@scale" and not isinstance(scale, list):
        raise UnsupportedError("squares of other colours")
    low, high = heat_range(trace)
    texts = trace.get("text") if "text" in str(trace.get("texttemplate", "")) else None
    xs, ys = trace.get("x") or range(len(trace["z"][0])), trace.get("y") or range(len(trace["z"]))
    for row, y in enumerate(axes.y.coordinate(value) for value in ys):
        for column, x in enumerate(axes.x.coordinate(value) for value in xs):
            value = trace["z"][row][column]
            if value is None or x is None or y is None:
                continue
            fill, opacity = filled(scale, (value - low) / (high - low) if high > low else 1.0, axes.paint)
            about = {"fill": fill, "fill_opacity": opacity}
            words = line(texts[row][column]) if texts else ""
            if words:
                about["color"] = "#ffffff" if is_dark(fill) else "#1b2430"
            drawn.shapes.append(Box((x - 0.5, y - 0.5), (x + 0.5, y + 0.5), about, words, float(trace.get("xgap", 0))))
    for name, reading in (("x", axes.x), ("y", axes.y)):
        count = len(xs if name == "x" else ys)
        drawn.grounds[name] |= {-0.5, count - 0.5} if reading.kind is not Kind.LOG else set()


def heat_range(trace: Bar) -> tuple[float, float]:
    """The numbers at the ends of the colours."""
    found = [value for row in trace["z"] for value in row if value is not None]
    return (
        float(trace.get("zmin", min(found, default=0.0))),
        float(trace.get("zmax", max(found, default=1.0))),
    )
