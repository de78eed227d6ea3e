"""Figures made by hand, and what an SVG of one holds."""

from xml.etree import ElementTree

from dashboards.exporting.svg import svg
from dashboards.graph_view import Cell, GraphView

NAMESPACE = "{http://www.w3.org/2000/svg}"
HOSTILE = "</text><script>alert(1)</script>\x00\ufffe&\"'#import $x$"
ESCAPED = HOSTILE.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")  # as `figure.plain` does


def view(traces, title="A picture", rules=("Each row once.",), **layout):
    heads, rows = [Cell("name"), Cell("value", True)], [[Cell("a"), Cell("1", True)]]
    return GraphView(title, {"traces": traces, "layout": layout}, heads, rows, list(rules))


def points(x, y, **more):
    return {"type": "scatter", "mode": "markers", "x": x, "y": y, **more}


def drawn(shown, **more):
    """The SVG as a tree: it must be XML."""
    return ElementTree.fromstring(svg(shown, **more))  # noqa: S314  # text that our own code has just written


def all_of(tree, name, **about):
    found = tree.iter(NAMESPACE + name)
    return [part for part in found if all(part.get(key.replace("_", "-")) == value for key, value in about.items())]


def words_at(tree, along):
    """The words of an axis -> their pixel: x those below, y those at the left (which end at the axis)."""
    anchors = {"x": "middle", "y": "end"}
    return {
        part.text: float(part.get(along)) - (4 if along == "y" else 0)
        for part in all_of(tree, "text", text_anchor=anchors[along])
        if part.get("fill") is None and part.get("transform") is None
    }


def centres(tree):
    return [(float(dot.get("cx")), float(dot.get("cy"))) for dot in all_of(tree, "circle")]


def corners(tree):
    """left, top, width, height of each bar or square."""
    clipped = next(group for group in all_of(tree, "g") if group.get("clip-path"))
    return [tuple(float(box.get(side)) for side in ("x", "y", "width", "height")) for box in all_of(clipped, "rect")]


def path(text):
    return [tuple(map(float, point.split())) for point in text.strip("MZ").split("L")]
