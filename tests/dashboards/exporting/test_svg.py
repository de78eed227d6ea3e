"""Figures without a browser: marks stand where the ticks beside them say, and no label becomes anything but words."""

import datetime as dt
import math

import pytest

from config.formats import Formats, use_formats
from dashboards.exporting.colours import light, on_scale, painted
from dashboards.exporting.shapes import UnsupportedError
from dashboards.exporting.svg import svg
from tests.dashboards.exporting.pictures import (
    ESCAPED,
    HOSTILE,
    all_of,
    centres,
    corners,
    drawn,
    path,
    points,
    view,
    words_at,
)  # fmt: skip

ENGLISH = Formats(decimal_separator=".")


@pytest.fixture(autouse=True)
def english():
    with use_formats(ENGLISH):
        yield


def between(ticks, value, read=float):
    """Where a value stands by two ticks of an axis: independent of how the axis was made."""
    (a, at_a), (b, at_b) = sorted((read(text), at) for text, at in ticks.items())[:: len(ticks) - 1]
    return at_a + (value - a) / (b - a) * (at_b - at_a)


def near(found, wished):
    return found == pytest.approx(wished, abs=0.03)


def test_points_stand_where_the_ticks_say():
    xs, ys = [1, 2.5, 7.25, 9.9], [0.2, 0.31, 0.05, 0.44]
    tree = drawn(view([points(xs, ys)], xaxis={"title": {"text": "size"}}, yaxis={"title": {"text": "risk"}}))
    across, up = words_at(tree, "x"), words_at(tree, "y")
    assert len(across) > 3 and len(up) > 3
    for (cx, cy), x, y in zip(centres(tree), xs, ys, strict=True):
        assert near(cx, between(across, x)) and near(cy, between(up, y))
    assert {"size", "risk", "A picture"} <= set("".join(tree.itertext()).split("\n")) | set(tree.itertext())


def test_more_is_higher_unless_reversed():
    ys = [0, 1, 2]
    ticks = {"tickvals": ys, "ticktext": ["first", "second", "third"]}
    upright, turned = (
        words_at(drawn(view([points(ys, ys)], yaxis={**ticks, **more})), "y")
        for more in ({}, {"autorange": "reversed"})
    )
    assert upright["first"] > upright["second"] > upright["third"]
    assert turned["first"] < turned["second"] < turned["third"]


def test_logarithms():
    tree = drawn(view([points([10, 300, 4000], [1, 2, 3])], xaxis={"type": "log"}))
    ticks = words_at(tree, "x")
    assert "100" in ticks and "1000" in ticks
    for (cx, _cy), x in zip(centres(tree), [10, 300, 4000], strict=True):
        assert near(cx, between(ticks, math.log10(x), lambda text: math.log10(float(text))))


def test_what_has_no_logarithm_is_left_out():
    tree = drawn(view([points([-1, 0, 10, 100, None, float("nan")], [1] * 6)], xaxis={"type": "log"}))
    assert len(centres(tree)) == 2


def test_moments():
    day = 86_400_000
    tree = drawn(view([points([0, 50 * day, 100 * day], [1, 2, 3])], xaxis={"type": "date"}))
    ticks = words_at(tree, "x")
    assert all(len(text.split("/")) == 3 for text in ticks)
    assert near(between({str(_days(text)): at for text, at in ticks.items()}, 50), centres(tree)[1][0])


@pytest.mark.parametrize(
    ("days", "shown"),
    [(1 / 24, "00:15"), (9, "03/01/1970"), (200, "01/04/1970"), (3000, "1974"), (40_000, "2000"), (10**9, "2000")],
)
def test_ticks_of_moments(days, shown):
    ticks = words_at(drawn(view([points([0, days * 86_400_000], [1, 2])], xaxis={"type": "date"})), "x")
    assert 2 < len(ticks) < 12
    assert days > 10**6 or shown in ticks


def _days(text):
    day, month, year = map(int, text.split("/"))
    return (dt.date(year, month, day) - dt.date(1970, 1, 1)).days


def test_error_bars():
    bars = {"type": "data", "symmetric": False, "array": [2, 1], "arrayminus": [1, 0.5], "color": "@1"}
    tree = drawn(view([points([5, 6], [0, 1], error_x=bars)]))
    ticks = words_at(tree, "x")
    ends = [path(line.get("d")) for line in all_of(tree, "path", stroke=light("c1"))]
    for ((left, _), (right, _)), low, high in zip(ends, [4, 5.5], [7, 7], strict=True):
        assert near(left, between(ticks, low)) and near(right, between(ticks, high))


def test_a_band_between_two_lines():
    edge = {"type": "scatter", "mode": "lines", "x": [0, 1, 2], "line": {"width": 0}}
    band = [{**edge, "y": [1, 2, 3]}, {**edge, "y": [2, 4, 6], "fill": "tonexty", "fillcolor": "@0/0.2"}]
    tree = drawn(view(band))
    shapes = all_of(tree, "path")
    assert len(shapes) == 1 and shapes[0].get("fill-opacity") == "0.2"  # lines of no width are not drawn
    up = words_at(tree, "y")
    heights = [y for _x, y in path(shapes[0].get("d"))]
    assert all(near(y, between(up, value)) for y, value in zip(heights, [2, 4, 6, 3, 2, 1], strict=True))


def test_hollow_dots_and_diamonds():
    marker = {"size": 10, "symbol": ["circle", "circle-open", "diamond"], "color": "@2"}
    tree = drawn(view([points([1, 2, 3], [1, 2, 3], marker=marker)]))
    full, hollow = all_of(tree, "circle", r="5")
    assert (full.get("fill"), full.get("stroke")) == (light("c2"), None)
    assert (hollow.get("fill"), hollow.get("stroke")) == (light("paper"), light("c2"))
    (diamond,) = all_of(tree, "path")
    across = [x for x, _y in path(diamond.get("d"))]
    assert near(max(across) - min(across), 10)


def test_a_gap_parts_a_line():
    tree = drawn(view([{"type": "scatter", "mode": "lines", "x": [0, 1, 2, 3, 4], "y": [1, 2, None, 3, 4]}]))
    assert [len(path(line.get("d"))) for line in all_of(tree, "path")] == [2, 2]


def test_stairs():
    tree = drawn(view([{"type": "scatter", "mode": "lines", "x": [0, 1], "y": [0, 1], "line": {"shape": "hv"}}]))
    a, corner, b = path(all_of(tree, "path")[0].get("d"))
    assert corner == (b[0], a[1])


@pytest.mark.parametrize("is_lying", [False, True])
def test_bars_begin_at_zero(is_lying):
    lengths = [3, -1, 2]
    sides = {"x": lengths, "y": [0, 1, 2], "orientation": "h"} if is_lying else {"x": [0, 1, 2], "y": lengths}
    tree = drawn(view([{"type": "bar", **sides}]))
    ticks = words_at(tree, "x" if is_lying else "y")

    def read(text):
        return float(text.replace("−", "-"))

    for (left, top, width, height), value in zip(corners(tree), lengths, strict=True):
        ends = (left, left + width) if is_lying else (top, top + height)
        assert near(sorted(ends), sorted((between(ticks, 0, read), between(ticks, value, read))))


def test_bars_beside_each_other_and_stacked():
    bars = [{"type": "bar", "x": ["a", "b"], "y": [1, 2]}, {"type": "bar", "x": ["a", "b"], "y": [3, 4]}]
    beside = corners(drawn(view(bars)))
    assert near(beside[0][0] + beside[0][2], beside[2][0])  # the first of the second begins where the first one ends
    stacked = corners(drawn(view(bars, barmode="stack")))
    assert near(stacked[0][0], stacked[2][0]) and near(stacked[2][1] + stacked[2][3], stacked[0][1])


def test_a_heatmap():
    matrix = {
        "type": "heatmap", "x": [0, 1], "y": [0, 1], "z": [[0, 1], [0.5, None]], "zmin": 0, "zmax": 1,
        "text": [["8", "9"], ["7", ""]], "texttemplate": "%{text}", "colorscale": "@scale",
    }  # fmt: skip
    ticks = {"tickvals": [0, 1], "ticktext": ["no", "yes"]}
    tree = drawn(view([matrix], xaxis=ticks, yaxis={**ticks, "autorange": "reversed"}))
    squares, shown = corners(tree), words_at(tree, "x")
    assert len(squares) == 3
    assert near(squares[0][0] + squares[0][2] / 2, shown["no"]) and near(
        squares[1][0] + squares[1][2] / 2, shown["yes"]
    )
    assert squares[0][1] < squares[2][1]  # reversed: the first row above
    fills = [box.get("fill") for box in all_of(all_of(tree, "g", clip_path="url(#graph-clip)")[0], "rect")]
    assert fills == [light("scale-0"), light("scale-3"), on_scale(0.5)]
    assert {"7", "8", "9"} <= set(tree.itertext())


def test_numbers_as_the_reader_writes_them():
    with use_formats(Formats(decimal_separator=",")):
        assert "0,4" in words_at(drawn(view([points([0, 1], [1, 2])])), "x")
    with use_formats(ENGLISH):
        assert "0.4" in words_at(drawn(view([points([0, 1], [1, 2])])), "x")
    shares = words_at(drawn(view([points([0, 1], [0, 1])], yaxis={"tickformat": ".0%", "range": [0, 1]})), "y")
    assert "0 %" in shares and "100 %" in shares


def test_hostile_words_are_words():
    shown = view(
        [points([0], [0], name=ESCAPED), {"type": "bar", "x": [ESCAPED, "b"], "y": [1, 2], "name": "two"}],
        title=HOSTILE, rules=[HOSTILE], showlegend=True, xaxis={"title": {"text": ESCAPED}},
        yaxis={"tickvals": [0, 1], "ticktext": [ESCAPED, "b"], "ticksuffix": ESCAPED},
        annotations=[{"x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper", "text": ESCAPED}],
    )  # fmt: skip
    text, tree = svg(shown), drawn(shown)
    assert "<script" not in text and not [part for part in tree.iter() if part.tag.endswith("script")]
    assert any("<script>alert(1)</script>" in part for part in tree.itertext())
    allowed = {"svg", "title", "desc", "clipPath", "rect", "g", "text", "line", "circle", "path"}
    assert {part.tag.rpartition("}")[2] for part in tree.iter()} <= allowed
    assert not [name for part in tree.iter() for name in part.attrib if name.startswith("on") or "href" in name]


def test_colours_of_a_stranger_are_not_painted():
    evil = '"/><script>'
    assert painted(evil, light)[0] == painted("@0", light)[0] == light("c0")
    assert "script" not in svg(view([points([0], [0], marker={"color": evil}, line={"color": evil, "dash": evil})]))


def test_read_aloud():
    tree = drawn(view([points([0], [0])], rules=["One.", "Two."]), key="board")
    about = {part.get("id"): part.text for name in ("title", "desc") for part in all_of(tree, name)}
    assert tree.get("role") == "img" and about == {"board-name": "A picture", "board-about": "One. Two."}
    assert tree.get("aria-labelledby").split() == [*about]


@pytest.mark.parametrize("traces", [[], [points([], [])], [points([5], [5])], [points([1e300, -1e300], [1e-300, 0])]])
def test_hardly_anything_to_draw(traces):
    text = svg(view(traces))
    assert "nan" not in text and "inf" not in text
    drawn(view(traces))


@pytest.mark.parametrize(
    "trace", [{"type": "pie"}, points([1], [1], xaxis="x2"), {**points([1], [1]), "fill": "tonextx"}],
)  # fmt: skip
def test_what_cannot_be_drawn_is_said(trace):
    with pytest.raises(UnsupportedError):
        svg(view([trace]))
