"""Kind 3: how many rows lie where, in hexagons over all rows, and both distributions beside it."""

from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from dashboards.drawing.facets import NOTHING
from dashboards.drawing.figure import ROWS, Drawing, Fields, Head, axis, digits_for, figures
from dashboards.drawing.marginals import apart, marginals
from dashboards.drawing.sampling import LEFT_OUT, complete
from machines.engine.errors import DataError, Notice, gettext_noop

ACROSS = 30  # hexagons from the lowest to the highest x
DOWN = 11  # and from the lowest to the highest y, two lines of them each: regular where a picture is 1.6 times as wide
LEVELS = 7  # colours
# A hexagon's corners about its centre, in widths on x and in distances of two lines on y.
CORNERS = np.array([[0.5, -1 / 6], [0.5, 1 / 6], [0, 1 / 3], [-0.5, 1 / 6], [-0.5, -1 / 6], [0, -1 / 3]])
COUNTED = gettext_noop(
    "All %(rows)s rows are counted, in %(hexagons)s hexagons. A colour stands for a range of counts."
)


def hexbin(frame: pl.LazyFrame, fields: Fields) -> Drawing:
    """Counts in hexagons (Carr, Littlefield, Nicholson and Littlefield 1987), coloured by level."""
    frame, rows, missing = complete(frame, "x", "y")
    if not rows:
        raise DataError(NOTHING)
    ends = frame.select(pl.min("x", "y").name.prefix("low "), pl.max("x", "y").name.prefix("high ")).collect().row(0)
    x_ends, y_ends = apart(ends[0], ends[2]), apart(ends[1], ends[3])
    centres, counts = hexagons(frame, x_ends, y_ends)
    size = np.array([(x_ends[1] - x_ends[0]) / ACROSS, (y_ends[1] - y_ends[0]) / DOWN])
    edges = levels(int(counts.max()))
    digits = digits_for(*x_ends), digits_for(*y_ends)
    fills = [
        _fill(centres[(counts >= low) & (counts < high)], size, digits, number, len(edges) - 1, _range(low, high))
        for number, (low, high) in enumerate(pairwise(edges))
    ]
    sides, layout = marginals(frame, fields)
    layout |= {"xaxis": {**layout["xaxis"], **axis(fields["x"])}, "yaxis": {**layout["yaxis"], **axis(fields["y"])}}
    most = np.lexsort((centres[:, 1], centres[:, 0], -counts))
    table = [
        [*cells]
        for cells in zip(
            figures(centres[most, 0], digits[0]), figures(centres[most, 1], digits[1]), counts[most].tolist(),
            figures(counts[most] / rows * 100, 3), strict=True,
        )
    ]  # fmt: skip
    heads = (
        *(Head(fields[place].name, fields[place].type, fields[place].unit) for place in ("x", "y")),
        Head("rows", is_word=True), Head("share", unit="%", is_word=True),
    )  # fmt: skip
    left_out = (Notice(LEFT_OUT, {"rows": missing}),) if missing else ()
    rules = (Notice(COUNTED, {"rows": rows, "hexagons": len(counts)}), *left_out)
    traces = [*(fill for fill in fills if fill["x"]), _bar(edges, x_ends, y_ends), *sides]
    return Drawing(traces, layout, heads, table, rules)


def hexagons(
    frame: pl.LazyFrame, x_ends: tuple[float, float], y_ends: tuple[float, float]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Centres [hexagons, 2] and counts [hexagons] of those that hold rows.

    Their centres are two grids of rectangles, one half a step aside and above. In each, the centre next to a row is found
    by rounding; the row belongs to the nearer of the two. On y a step is sqrt(3) times as long as on x, hence the 3.
    """
    x = (pl.col("x") - x_ends[0]) * (ACROSS / (x_ends[1] - x_ends[0]))
    y = (pl.col("y") - y_ends[0]) * (DOWN / (y_ends[1] - y_ends[0]))
    even = (x - x.round()) ** 2 + 3 * (y - y.round()) ** 2
    odd = (x - x.floor() - 0.5) ** 2 + 3 * (y - y.floor() - 0.5) ** 2
    places = [
        pl.when(even <= odd).then(2 * at.round()).otherwise(2 * at.floor() + 1).cast(pl.Int32).alias(name)
        for name, at in (("across", x), ("up", y))
    ]
    found = frame.group_by(places).len().sort("across", "up").collect()
    steps = found.select("across", "up").to_numpy() / 2
    size = [(x_ends[1] - x_ends[0]) / ACROSS, (y_ends[1] - y_ends[0]) / DOWN]
    return steps * size + [x_ends[0], y_ends[0]], found["len"].to_numpy().astype(np.int64)


def levels(most: int) -> list[int]:
    """From which count on each colour holds, and where the last ends: steps of equal ratio, as counts are skewed."""
    return sorted({round(edge) for edge in np.geomspace(1, most + 1, min(LEVELS, most) + 1)})


def _range(low: int, high: int) -> str:
    return f"{low}" if high == low + 1 else f"{low}–{high - 1}"


def _colour(number: int, count: int) -> str:
    """One of the palette's, the fuller the more rows there are: it suits light and dark."""
    return f"@0/{0.12 + 0.88 * (number + 1) / count:.2f}"


def _fill(
    centres: np.ndarray[Any, Any],
    size: np.ndarray[Any, Any],
    digits: tuple[int, int],
    number: int,
    count: int,
    name: str,
) -> dict[str, Any]:
    """The hexagons of one colour as one line with gaps."""
    corners = centres[:, None] + CORNERS * size
    gaps = np.full((len(centres), 1, 2), np.nan)  # `figures` makes None of them, where a path ends
    path = np.concatenate([corners, gaps], 1).reshape(-1, 2)
    return {
        "type": "scatter", "mode": "lines", "x": figures(path[:, 0], digits[0]), "y": figures(path[:, 1], digits[1]),
        "fill": "toself", "fillcolor": _colour(number, count), "line": {"width": 0}, "hoveron": "fills", "name": name,
        "hoverinfo": "name",
    }  # fmt: skip


def _bar(edges: list[int], x_ends: tuple[float, float], y_ends: tuple[float, float]) -> dict[str, Any]:
    """A trace that shows nothing but the colour bar, a step for each level."""
    count = len(edges) - 1
    steps = [[at / count, _colour(number, count)] for number in range(count) for at in (number, number + 1)]
    ticks = [_range(low, high) for low, high in pairwise(edges)]
    return {
        "type": "scatter", "mode": "markers", "x": [None], "y": [None], "hoverinfo": "skip",
        "marker": {
            "color": [0], "colorscale": steps, "cmin": -0.5, "cmax": count - 0.5, "showscale": True,
            "colorbar": {"title": {"text": ROWS}, "tickvals": [*range(count)], "ticktext": ticks},
        },
    }  # fmt: skip
