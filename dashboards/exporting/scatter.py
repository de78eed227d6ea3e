"""Traces of points: lines, areas, dots and error bars as shapes."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from dashboards.exporting.colours import painted
from dashboards.exporting.shapes import Axes, Drawn, Point, Shape, UnsupportedError, many

DASHES = {"dot": "2 3", "dash": "6 4", "dashdot": "6 3 2 3", "longdash": "10 5"}
DIAMONDS = {2, 102, "diamond", "diamond-open", 17, "star"}  # a star is as pointed
STEPS = {"hv", "vh"}
FILLS = {None, "", "none", "tozeroy", "tozerox", "tonexty", "toself"}


def scatter(trace: Mapping[str, Any], before: Mapping[str, Any] | None, axes: Axes, drawn: Drawn, colour: str) -> None:
    """Add a trace to what is drawn. `before` is the trace before it, which an area may reach to."""
    points = axes.points(trace.get("x") or (), trace.get("y") or ())
    if trace.get("fill") not in FILLS:
        raise UnsupportedError(f"a fill {trace['fill']!r}")
    look, mode = line_look(trace, axes, colour), trace.get("mode", "lines")
    stretches = [_stepped(stretch, trace) for stretch in _stretches(points)]
    if trace.get("fill") in FILLS - {None, "", "none"}:
        _fill(trace, before, stretches, axes, drawn, colour)
    if "lines" in mode and look["stroke_width"]:
        drawn.shapes += [Shape(stretch, look) for stretch in stretches if len(stretch) > 1]
    drawn.shapes += _errors(trace, points, axes, colour)
    if "markers" in mode:
        drawn.shapes += _dots(trace, points, axes, colour)


def line_look(trace: Mapping[str, Any], axes: Axes, colour: str) -> dict[str, Any]:
    told = trace.get("line", {})
    stroke, opacity = painted(told.get("color", colour), axes.paint)
    return {
        "fill": "none", "stroke": stroke, "stroke_width": float(told.get("width", 2)),
        "stroke_opacity": opacity * float(trace.get("opacity", 1)), "stroke_dasharray": DASHES.get(told.get("dash", "")),
        "stroke_linejoin": "round",
    }  # fmt: skip


def _fill(
    trace: Mapping[str, Any],
    before: Mapping[str, Any] | None,
    stretches: list[list[Point]],
    axes: Axes,
    drawn: Drawn,
    colour: str,
) -> None:
    told = trace.get("fillcolor") or f"{trace.get('line', {}).get('color', colour)}/0.2"
    fill, opacity = painted(told, axes.paint)
    about = {"fill": fill, "fill_opacity": opacity, "stroke": "none"}
    kind = trace["fill"]
    if kind == "toself":
        drawn.shapes += [Shape(stretch, about, is_area=True) for stretch in stretches]
    elif kind == "tonexty" and before is not None:
        back = [point for point in axes.points(before["x"], before["y"]) if point]
        there = [point for stretch in stretches for point in stretch]
        drawn.shapes.append(Shape([*there, *reversed(_stepped(back, before))], about, is_area=True))
    else:
        along = 1 if kind != "tozerox" else 0
        drawn.grounds["xy"[along]].add(0.0)
        for stretch in stretches:
            feet = (
                [(stretch[-1][0], 0.0), (stretch[0][0], 0.0)]
                if along
                else [(0.0, stretch[-1][1]), (0.0, stretch[0][1])]
            )
            drawn.shapes.append(Shape([*stretch, *feet], about, is_area=True))


def _dots(trace: Mapping[str, Any], points: Sequence[Point | None], axes: Axes, colour: str) -> Iterator[Shape]:
    told, count = trace.get("marker", {}), len(points)
    if "coloraxis" in told or told.get("sizemode") == "area":
        raise UnsupportedError("points of many colours or sizes")
    colours = many(told.get("color"), count, trace.get("line", {}).get("color", colour))
    looks = zip(
        points, colours, many(told.get("size"), count, 6), many(told.get("opacity"), count, 1),
        many(told.get("symbol"), count, 0), strict=True,
    )  # fmt: skip
    for point, fill, size, opacity, symbol in looks:
        if point:
            shown, part = painted(fill, axes.paint)
            part *= float(opacity) * float(trace.get("opacity", 1))
            yield Shape([point], _dot_look(shown, part, symbol, axes), float(size) / 2, is_diamond=symbol in DIAMONDS)


def _dot_look(colour: str, opacity: float, symbol: Any, axes: Axes) -> dict[str, Any]:
    """Filled, or hollow with an edge."""
    is_hollow = symbol.endswith("-open") if isinstance(symbol, str) else 100 <= int(symbol) < 200
    if is_hollow:
        return {"fill": axes.paint("paper"), "stroke": colour, "stroke_opacity": opacity, "stroke_width": 1.5}
    return {"fill": colour, "fill_opacity": opacity}


def _errors(trace: Mapping[str, Any], points: Sequence[Point | None], axes: Axes, colour: str) -> Iterator[Shape]:
    """The error bars: lines from below to above."""
    for name, along in (("error_x", 0), ("error_y", 1)):
        told = trace.get(name)
        if not told or told.get("visible") is False:
            continue
        own = trace.get("marker", {}).get("color")
        stroke, opacity = painted(told.get("color") or (own if isinstance(own, str) else colour), axes.paint)
        about = {
            "fill": "none",
            "stroke": stroke,
            "stroke_opacity": opacity,
            "stroke_width": float(told.get("thickness", 2)),
        }
        values, reading = (trace.get("x") or (), axes.x) if along == 0 else (trace.get("y") or (), axes.y)
        above = many(told.get("array"), len(points))
        below = many(told.get("arrayminus"), len(points)) if told.get("arrayminus") is not None else above
        for point, value, less, more in zip(points, values, below, above, strict=False):
            if point is None:
                continue
            ends = [
                reading.coordinate(value + by) if isinstance(value, int | float) else None
                for by in (-(less or 0), more or 0)
            ]
            if None not in ends and ends[0] != ends[1]:
                yield Shape([_moved(point, along, end) for end in ends if end is not None], about)


def _moved(point: Point, along: int, to: float) -> Point:
    return (to, point[1]) if along == 0 else (point[0], to)


def _stretches(points: Sequence[Point | None]) -> list[list[Point]]:
    """The points between gaps."""
    found: list[list[Point]] = [[]]
    for point in points:
        if point is None:
            found.append([])
        else:
            found[-1].append(point)
    return [stretch for stretch in found if stretch]


def _stepped(stretch: list[Point], trace: Mapping[str, Any]) -> list[Point]:
    """Stairs in place of slopes, where the line is told to be some."""
    shape = trace.get("line", {}).get("shape")
    if shape not in STEPS:
        return stretch
    corners = [(b[0], a[1]) if shape == "hv" else (a[0], b[1]) for a, b in pairwise(stretch)]
    return [stretch[0], *(point for pair in zip(corners, stretch[1:], strict=True) for point in pair)]
