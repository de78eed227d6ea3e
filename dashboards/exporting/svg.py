"""A figure as one SVG, drawn without a browser: what the training report's pictures are in a file or on paper."""

from collections.abc import Mapping, Sequence
from typing import Any

from dashboards.exporting import overlay
from dashboards.exporting.bars import bars, heat
from dashboards.exporting.colours import Paint, light
from dashboards.exporting.frame import GAP, Frame, colour_bar, left_room, legend, level, lower_room, upright
from dashboards.exporting.scales import Kind, Reading, Scale, reach, reading
from dashboards.exporting.scatter import scatter
from dashboards.exporting.shapes import Axes, Drawn, UnsupportedError
from dashboards.exporting.ticks import ticks
from dashboards.exporting.xml import FONT, SIZE, element, letters
from dashboards.graph_view import GraphView

WIDTH, HEIGHT, MOST_HEIGHT = 640.0, 340.0, 860.0
EDGE = 6.0
BAR_ROOM = 84.0  # of a colour bar
PIXELS_PER_TICK = {"x": 78.0, "y": 48.0}
PIXELS_PER_LABEL = {"x": 24.0, "y": 15.0}
KINDS = {"scatter", "scattergl", "bar", "heatmap"}


def svg(view: GraphView, paint: Paint = light, key: str = "graph") -> str:
    """Return the picture. Raises UnsupportedError for what the report's figures never have: facets, films, boxes.

    `paint` gives the colours by their names in tokens.css; `key` makes the names of its parts unlike those of others.
    """
    layout, traces = (
        view.figure["layout"],
        [trace for trace in view.figure["traces"] if trace.get("visible", True) is True],
    )
    for trace in traces:
        if trace["type"] not in KINDS or trace.get("xaxis", "x") != "x" or trace.get("yaxis", "y") != "y" or view.film:
            raise UnsupportedError(f"a trace {trace['type']!r} on {trace.get('xaxis', 'x')}")
    about = {"x": layout.get("xaxis", {}), "y": layout.get("yaxis", {})}
    axes = Axes(_read(about["x"], traces, "x"), _read(about["y"], traces, "y"), paint)
    coloured = [(trace, f"@{at}") for at, trace in enumerate(traces)]
    drawn = _drawn(coloured, layout, axes)
    return _framed(view, coloured, drawn, axes, about, key)


def _read(told: Mapping[str, Any], traces: Sequence[Mapping[str, Any]], along: str) -> Reading:
    return reading(told, [value for trace in traces for value in trace.get(along) or ()])


def _drawn(traces: Sequence[tuple[Mapping[str, Any], str]], layout: Mapping[str, Any], axes: Axes) -> Drawn:
    drawn, before = Drawn(), None
    for trace, _colour in traces:
        if trace["type"] == "heatmap":
            heat(trace, axes, drawn)
    if of_bars := [(trace, colour) for trace, colour in traces if trace["type"] == "bar"]:
        bars(of_bars, layout, axes, drawn)
    for trace, colour in traces:
        if trace["type"] in ("scatter", "scattergl"):
            scatter(trace, before, axes, drawn, colour)
            before = trace
    return drawn


def _framed(
    view: GraphView,
    traces: Sequence[tuple[Mapping[str, Any], str]],
    drawn: Drawn,
    axes: Axes,
    about: Mapping[str, Any],
    key: str,
) -> str:
    layout = view.figure["layout"]
    names, top = legend(traces, layout, WIDTH - 2 * GAP, axes)
    heats = [trace for trace, _colour in traces if trace["type"] == "heatmap" and trace.get("showscale", True)]
    height = min(MOST_HEIGHT, float(layout.get("height") or HEIGHT)) + top
    low, high = {}, {}
    for along, name in enumerate("xy"):
        own = axes.x if name == "x" else axes.y
        low[name], high[name] = reach(about[name], own, drawn.coordinates(along), drawn.grounds[name])
    # The words of one axis decide on how much room there is for the other.
    flat = Scale(axes.y, low["y"], high["y"], height, top)
    beside = ticks(flat, about["y"], _most(flat, "y"))
    left, right = left_room(about["y"], beside), WIDTH - 3 * GAP - (BAR_ROOM if heats else 0)
    x = Scale(axes.x, low["x"], high["x"], left, right)
    below = ticks(x, about["x"], _most(x, "x"))
    frame = Frame(left, top + GAP, right, height - lower_room(about["x"], x, below))
    y = Scale(axes.y, low["y"], high["y"], frame.bottom, frame.top)
    paint = axes.paint
    shapes = [*overlay.ruled(layout, x, y, frame, paint), *(overlay.drawn(shape, x, y) for shape in drawn.shapes)]
    parts = [
        element("title", letters(view.title), id=f"{key}-name"),
        element("desc", letters(" ".join(view.rules)), id=f"{key}-about"),
        element("clipPath", _clip(frame), id=f"{key}-clip"),
        element("g", *names, transform=f"translate({GAP} 0)") if names else "",
        *upright(y, about["y"], frame, beside, paint),
        *level(x, about["x"], frame, below, paint),
        element("g", *shapes, clip_path=f"url(#{key}-clip)"),
        *(colour_bar(heats[0], WIDTH, frame, paint) if heats else ()),
        *overlay.notes(layout, x, y, frame, paint),
    ]
    return element(
        "svg", *parts, xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {WIDTH:g} {height:g}", width=WIDTH, height=height,
        role="img", aria_labelledby=f"{key}-name {key}-about", font_family=FONT, font_size=SIZE, fill=paint("ink-soft"),
    )  # fmt: skip


def _most(scale: Scale, along: str) -> int:
    """How many ticks there is room for."""
    apart = PIXELS_PER_LABEL if scale.reading.kind is Kind.CATEGORY else PIXELS_PER_TICK
    return max(2, int(abs(scale.end - scale.begin) / apart[along]))


def _clip(frame: Frame) -> str:
    """A little beyond the axes, so that dots on the edge are whole."""
    sides = {"x": frame.left - EDGE, "y": frame.top - EDGE}
    return element(
        "rect", **sides, width=frame.right - frame.left + 2 * EDGE, height=frame.bottom - frame.top + 2 * EDGE
    )
