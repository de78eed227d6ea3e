"""What lies over the axes: the shapes of the traces, and the lines and notes of the layout, in pixels."""

from collections.abc import Mapping
from typing import Any

from dashboards.exporting.colours import Paint, painted
from dashboards.exporting.frame import LINE, Frame
from dashboards.exporting.scales import Scale
from dashboards.exporting.scatter import DASHES
from dashboards.exporting.shapes import Box, Shape
from dashboards.exporting.xml import dot, element, lines, path, width, words


def drawn(shape: Shape | Box, x: Scale, y: Scale) -> str:
    """One shape as an element."""
    if isinstance(shape, Box):
        return _box(shape, x, y)
    points = [(x.pixel(across), y.pixel(up)) for across, up in shape.points]
    if shape.radius:
        return dot(*points[0], shape.radius, is_diamond=shape.is_diamond, **shape.about)
    return element("path", d=path(points) + ("Z" if shape.is_area else ""), **shape.about)


def _box(shape: Box, x: Scale, y: Scale) -> str:
    left, right = sorted((x.pixel(shape.corner[0]), x.pixel(shape.other[0])))
    top, bottom = sorted((y.pixel(shape.corner[1]), y.pixel(shape.other[1])))
    about, gap = dict(shape.about), shape.gap / 2
    ink = about.pop("color", None)
    box = element(
        "rect", x=left + gap, y=top + gap, width=right - left - 2 * gap, height=bottom - top - 2 * gap, **about
    )
    texts = lines(shape.words) if shape.words else []
    if max(map(width, texts), default=0) > right - left:
        return box
    first = (top + bottom) / 2 + 4 - (len(texts) - 1) * LINE / 2
    return box + "".join(
        words(text, (left + right) / 2, first + at * LINE, text_anchor="middle", fill=ink)
        for at, text in enumerate(texts)
    )


def ruled(layout: Mapping[str, Any], x: Scale, y: Scale, frame: Frame, paint: Paint) -> list[str]:
    """The lines and rectangles of the layout."""
    found = []
    for told in layout.get("shapes", ()):
        across = [_place(told.get(end), told.get("xref", "x"), x, frame.left, frame.right) for end in ("x0", "x1")]
        up = [_place(told.get(end), told.get("yref", "y"), y, frame.bottom, frame.top) for end in ("y0", "y1")]
        if None in across or None in up or told.get("type") not in ("line", "rect"):
            continue
        stroke, opacity = painted(told.get("line", {}).get("color", "@soft"), paint)
        wide, dash = float(told.get("line", {}).get("width", 1)), DASHES.get(told.get("line", {}).get("dash", ""))
        about = {"stroke": stroke, "stroke_opacity": opacity, "stroke_width": wide, "stroke_dasharray": dash}
        (x0, x1), (y0, y1) = [at or 0.0 for at in across], [at or 0.0 for at in up]
        if told["type"] == "line":
            found.append(element("line", x1=x0, x2=x1, y1=y0, y2=y1, **about))
        else:
            fill, part = painted(told.get("fillcolor", "@soft/0.1"), paint)
            sides = {"x": min(x0, x1), "y": min(y0, y1), "width": abs(x1 - x0), "height": abs(y1 - y0)}
            found.append(element("rect", **sides, fill=fill, fill_opacity=part, **(about if wide else {})))
    return found


def notes(layout: Mapping[str, Any], x: Scale, y: Scale, frame: Frame, paint: Paint) -> list[str]:
    """The words that the layout lays over the picture, at a point or at a share of the picture."""
    found = []
    for note in layout.get("annotations", ()):
        across = _place(note.get("x", 0.5), note.get("xref", "x"), x, frame.left, frame.right)
        up = _place(note.get("y", 0.5), note.get("yref", "y"), y, frame.bottom, frame.top)
        if across is None or up is None:
            continue
        ink = painted(note.get("font", {}).get("color", "@ink"), paint)[0]
        anchor = {"left": "start", "right": "end"}.get(note.get("xanchor", ""), "middle")
        for at, text in enumerate(lines(note.get("text", ""))):
            found.append(words(text, across, up + 4 + at * LINE, text_anchor=anchor, fill=ink))
    return found


def _place(value: Any, of: str, scale: Scale, begin: float, end: float) -> float | None:
    if of == "paper":
        return begin + float(value) * (end - begin)
    coordinate = scale.reading.coordinate(value)
    return None if coordinate is None or not scale.holds(coordinate) else scale.pixel(coordinate)
