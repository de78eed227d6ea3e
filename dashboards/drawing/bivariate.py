"""Kind 5: rows as points, how many lie where in rectangles, and lines within which given shares of them lie."""

from typing import Any

import numpy as np
import polars as pl
from scipy.ndimage import gaussian_filter

from dashboards.drawing.facets import NOTHING
from dashboards.drawing.figure import ROWS, Drawing, Fields, Head, axis, digits_for, figures
from dashboards.drawing.marginals import apart
from dashboards.drawing.sampling import LEFT_OUT, complete, sampled
from machines.engine.errors import DataError, Notice, gettext_noop

SHOWN = 4_000  # rows that are drawn as points; all else is of all rows
BINS = 50  # rectangles from lowest to highest, on x and on y; fewer of few rows, else most would hold one
FEWEST = 10
GRID = 80  # places on x and on y at which the density is computed
CUT = 3.0  # bandwidths that the grid reaches beyond the rows
LINES = {"start": 0.1, "end": 0.9, "size": 0.2}
SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)  # of the rows that lie within each of these lines
COUNTED = gettext_noop("All %(rows)s rows are counted in rectangles.")
DENSITY = gettext_noop(
    "The lines are of a density with Gaussian kernels over all rows, their widths by Scott's rule: "
    "within them lie 10 %%, 30 %%, 50 %%, 70 %% and 90 %% of the rows."
)
FROM, TO = gettext_noop("%(column)s, from"), gettext_noop("%(column)s, to")
FLAT = gettext_noop("There are no lines of density: “%(column)s” has only one value.")
Ends = tuple[float, float]
Array = np.ndarray[Any, Any]


def bivariate(frame: pl.LazyFrame, fields: Fields) -> Drawing:
    """Points, a histogram of x and y, and lines of its density as regions of highest density (Hyndman 1996)."""
    frame, rows, missing = complete(frame, "x", "y")
    if not rows:
        raise DataError(NOTHING)
    found = frame.select(
        *(pl.col(place).min().alias(f"{place} low") for place in "xy"),
        *(pl.col(place).max().alias(f"{place} high") for place in "xy"),
        *(pl.col(place).std().alias(f"{place} spread") for place in "xy"),
    ).collect().row(0, named=True)  # fmt: skip
    ends = [apart(found[f"{place} low"], found[f"{place} high"]) for place in "xy"]
    bins = min(BINS, max(FEWEST, round(rows**0.5)))
    edges = [np.linspace(*end, bins + 1) for end in ends]
    digits = [digits_for(*end) for end in ends]
    counts = histogram_2d(frame, ends[0], ends[1], bins)
    points, rule = sampled(frame, rows, SHOWN)
    traces: list[dict[str, Any]] = [
        {"type": "scattergl", "mode": "markers", "x": figures(points["x"], digits[0]),
         "y": figures(points["y"], digits[1]), "marker": {"color": "@ink/0.35", "size": 3}, "name": ""},
        {"type": "heatmap", "x": figures(edges[0], digits[0]), "y": figures(edges[1], digits[1]),
         "z": [[count or None for count in line] for line in counts.tolist()], "colorscale": "@scale",
         "colorbar": {"title": {"text": ROWS}}, "name": ""},
    ]  # fmt: skip
    rules = [Notice(COUNTED, {"rows": rows}), *rule]
    flat = [place for place in "xy" if found[f"{place} low"] == found[f"{place} high"]]
    if flat:
        rules.append(Notice(FLAT, {"column": fields[flat[0]].name}))
    else:
        traces.append(_lines(*density(frame, rows, found), digits))
        rules.append(Notice(DENSITY, {"rows": rows}))
    if missing:
        rules.append(Notice(LEFT_OUT, {"rows": missing}))
    layout = {"xaxis": axis(fields["x"]), "yaxis": axis(fields["y"]), "showlegend": False}
    heads = (
        *(Head(end, fields[place].type, fields[place].unit, is_word=True, column=fields[place].name)
          for place in "xy" for end in (FROM, TO)),
        Head("rows", is_word=True), Head("share", unit="%", is_word=True),
    )  # fmt: skip
    return Drawing(traces, layout, heads, _table(counts, edges, digits, rows), tuple(rules))


def histogram_2d(frame: pl.LazyFrame, x_ends: Ends, y_ends: Ends, bins: int = BINS) -> Array:
    """Counts [bins on y, bins on x] as numpy.histogram2d has them, turned as a picture has them."""
    at = [
        ((pl.col(place) - low) / (high - low) * bins).floor().clip(0, bins - 1).cast(pl.Int32).alias(place)
        for place, (low, high) in (("x", x_ends), ("y", y_ends))
    ]
    found = frame.group_by(at).len().collect()
    counts = np.zeros((bins, bins), np.int64)
    counts[found["y"].to_numpy(), found["x"].to_numpy()] = found["len"].to_numpy()
    return counts


def density(frame: pl.LazyFrame, rows: int, found: dict[str, float]) -> tuple[Array, Array, Array, Array]:
    """Places on x [GRID] and on y [GRID], the density there [GRID on y, GRID on x], in 1 / (unit of x * unit of y), and rows.

    A product of Gaussian kernels with Scott's (1992) bandwidths, spread * rows ** (-1 / 6), but at least one step of the
    grid. The rows are spread over the four places around each (linear binning) and then smoothed (Wand 1994).
    """
    at, steps, widths = list[Array](), list[float](), list[float]()
    for place in "xy":
        width = found[f"{place} spread"] * rows ** (-1 / 6)
        low, high = found[f"{place} low"] - CUT * width, found[f"{place} high"] + CUT * width
        step = (high - low) / (GRID - 1)
        at, steps, widths = [*at, np.linspace(low, high, GRID)], [*steps, step], [*widths, max(1.0, width / step)]
    weights = _binned(frame, at, steps)
    smooth = gaussian_filter(weights, widths[::-1], mode="constant")
    return at[0], at[1], smooth / (rows * steps[0] * steps[1]), weights


def _binned(frame: pl.LazyFrame, at: list[Array], steps: list[float]) -> Array:
    """Rows [GRID on y, GRID on x], each shared out to the four places around it by how near they are."""
    parts = {place: (pl.col(place) - at[number][0]) / steps[number] for number, place in enumerate("xy")}
    cells = [part.floor().clip(0, GRID - 2).cast(pl.Int32).alias(f"{place} cell") for place, part in parts.items()]
    past = [part - part.floor().clip(0, GRID - 2) for part in parts.values()]
    right, up, both = past[0].sum().alias("right"), past[1].sum().alias("up"), (past[0] * past[1]).sum().alias("both")
    found = frame.group_by(cells).agg(pl.len().alias("all"), right, up, both).collect()
    i, j, whole, to_right, to_up, to_both = found.select("y cell", "x cell", "all", "right", "up", "both").to_numpy().T
    i, j, weights = i.astype(np.int64), j.astype(np.int64), np.zeros((GRID, GRID))
    weights[i, j] += whole - to_right - to_up + to_both
    weights[i, j + 1] += to_right - to_both
    weights[i + 1, j] += to_up - to_both
    weights[i + 1, j + 1] += to_both
    return weights


def shares(heights: Array, weights: Array) -> Array:
    """For each place the share of the rows that lie where the density is at least as high, between 0 and 1.

    Exact at SHARES and straight between them, so that the lines are as smooth as the density, with few rows, too.
    """
    order = np.argsort(-heights, axis=None, kind="stable")
    within = np.cumsum(weights.flat[order]) / weights.sum()
    at = heights.flat[order[np.searchsorted(within, SHARES).clip(0, order.size - 1)]]
    return np.interp(heights, [0, *at[::-1], heights.max()], [1, *SHARES[::-1], 0])


def _lines(x: Array, y: Array, heights: Array, weights: Array, digits: list[int]) -> dict[str, Any]:
    return {
        "type": "contour", "x": figures(x, digits[0]), "y": figures(y, digits[1]),
        "z": [figures(line, 4) for line in shares(heights, weights)], "autocontour": False,
        "contours": {"coloring": "none", **LINES}, "line": {"color": "@1", "width": 2}, "hoverinfo": "skip", "name": "",
    }  # fmt: skip


def _table(counts: Array, edges: list[Array], digits: list[int], rows: int) -> list[list[Any]]:
    """The rectangles with most rows: from and to on x and on y, rows, percent of all."""
    most = [place for place in np.argsort(-counts.ravel(), kind="stable") if counts.flat[place]]
    down, across = np.unravel_index(most, counts.shape)
    x, y = edges
    columns = [
        figures(x[across], digits[0]), figures(x[across + 1], digits[0]), figures(y[down], digits[1]),
        figures(y[down + 1], digits[1]), counts[down, across].tolist(), figures(counts[down, across] / rows * 100, 3),
    ]  # fmt: skip
    return [[*cells] for cells in zip(*columns, strict=True)]
