"""Kind 9: violins, the density of a number per label; two labels of hue share a violin, half each."""

from typing import Any

import numpy as np
import polars as pl

from dashboards.drawing.figure import Drawing, Fields, Head, axis, figures, plain
from dashboards.drawing.groups import MOST_ON_AXIS, grouped, joined, label_axis, legend
from dashboards.drawing.order import quartiles
from dashboards.drawing.sampling import most_frequent
from machines.engine.errors import Notice, gettext_noop

Numbers = np.ndarray[Any, Any]
STEPS = 60  # points of an outline at equal distances, and as many at equal shares of the rows
FINEST = 500  # a kernel is at least this part of the range: a picture shows no finer
PER_KERNEL = 4  # bins in the width of a kernel: the density is then within about 0.5 % of the one of every row
WIDTH = 0.42  # half of a violin at its widest; labels stand 1 apart
SHAPE = gettext_noop(
    "The width shows how dense the %(rows)s rows are (Gaussian kernel, Scott's rule), between the lowest and the "
    "highest. Both halves of one label have the same scale. The lines are the quartiles."
)
TWO = gettext_noop("Of “%(column)s” the two most frequent labels are shown. Rows with others are left out: %(rows)s.")


def split_violins(frame: pl.LazyFrame, fields: Fields) -> Drawing:
    """Violins (Hintze and Nelson 1998, doi 10.1080/00031305.1998.10480559) of all rows."""
    rule: tuple[Notice, ...] = ()
    if "hue" in fields:
        frame, rule = _two(frame, fields["hue"].name)
    groups = grouped(frame, fields, "y", {"x": MOST_ON_AXIS, "hue": 2})
    y = pl.col("y")
    ends = groups.frame.group_by(groups.by).agg(y.min().alias("low"), y.max().alias("high"), y.std().alias("spread"))
    boxes = quartiles(groups.frame, groups.by, "y")
    found = ends.collect(engine="streaming").join(boxes, on=groups.by).with_columns(bandwidth())
    cells = groups.cells(found)
    bins = {
        tuple(cell[place] for place in groups.labels): cell
        for cell in groups.cells(binned(groups.frame, groups.by, found))
    }
    outlines = [_density(cell, bins[cell["x"], cell["hue"]]) for cell in cells]
    traces = _traces(cells, outlines, groups.labels["x"], groups.labels["hue"])
    names = ("low", "q1", "median", "q3", "high", "kernel")
    titles = (gettext_noop("lowest"), "first quartile", "median", "third quartile", gettext_noop("highest"),
              gettext_noop("width of the kernel"))  # fmt: skip
    words = (Head(title, unit=fields["y"].unit, is_word=True) for title in titles)
    heads = (*groups.heads(fields), Head("rows", is_word=True), *words)
    told = [[*groups.told(cell), cell["rows"], *figures(cell[name] for name in names)] for cell in cells]
    across = axis(fields["x"], **label_axis(groups.labels["x"]))
    layout = {"xaxis": across, "yaxis": axis(fields["y"]), **legend(fields)}
    return Drawing(traces, layout, heads, told, (Notice(SHAPE, {"rows": groups.rows}), *rule, *groups.rules))


def bandwidth() -> pl.Expr:
    """The kernel's standard deviation by Scott's rule (Scott 1992), 0 where all rows are the same."""
    scott = pl.col("spread").fill_null(0) * pl.col("rows").cast(pl.Float64).pow(-0.2)
    return pl.max_horizontal(scott, (pl.col("high") - pl.col("low")) / FINEST).alias("kernel")


def binned(frame: pl.LazyFrame, by: list[str], found: pl.DataFrame) -> pl.DataFrame:
    """Rows counted in narrow bins per group: `at` their means [bins], `many` how many lie there [bins]."""
    starts = found.lazy().select(*by, "low", pl.col("kernel") / PER_KERNEL)
    number = ((pl.col("y") - pl.col("low")) / pl.col("kernel")).fill_nan(0).floor().cast(pl.Int32)
    counted = (
        frame.join(starts, on=by).group_by(*by, number.alias("bin")).agg(pl.len().alias("many"), pl.col("y").mean())
    )
    return counted.sort("bin").group_by(by).agg("many", pl.col("y").alias("at")).collect(engine="streaming")


def kernel_density(at: Numbers, many: Numbers, width: float, where: Numbers) -> Numbers:
    """The density at `where` [steps] of rows counted in bins (Wand 1994, doi 10.1080/10618600.1994.10474656)."""
    near = np.exp(-0.5 * ((where[:, None] - at[None, :]) / width) ** 2)
    density: Numbers = near @ many / (many.sum() * width * np.sqrt(2 * np.pi))
    return density


def _density(cell: dict[str, Any], bins: dict[str, Any]) -> tuple[Numbers, Numbers]:
    """Where an outline has points, and the density there; steps stand closer where rows do."""
    if not 0 < cell["kernel"] < np.inf:  # all rows are the same, or too large for a variance: a line
        return np.array([cell["low"]]), np.array([1.0])
    at, many = np.array(bins["at"]), np.array(bins["many"], float)
    shares = np.interp(np.linspace(0, 1, STEPS), many.cumsum() / many.sum(), at)
    where = np.unique([*np.linspace(cell["low"], cell["high"], STEPS), *shares])
    return where, kernel_density(at, many, cell["kernel"], where)


def _traces(
    cells: list[dict[str, Any]], outlines: list[tuple[Numbers, Numbers]], labels: list[str], hues: list[str]
) -> list[dict[str, Any]]:
    """For each half the outlines of all labels, and over them the quartiles."""
    peaks = {
        label: max(d.max() for c, (_, d) in zip(cells, outlines, strict=True) if c["x"] == label) for label in labels
    }
    traces = list[dict[str, Any]]()
    for side, hue in enumerate(hues):
        left, right = (-1, 1) if len(hues) == 1 else ((-1, 0), (0, 1))[side]
        shapes, lines = list[tuple[Any, Any]](), list[tuple[Any, Any]]()
        for cell, (where, density) in zip(cells, outlines, strict=True):
            if cell["hue"] != hue:
                continue
            at, wide = labels.index(cell["x"]), WIDTH * density / peaks[cell["x"]]
            x, y = [*(at + right * wide), *(at + left * wide)[::-1]], [*where, *where[::-1]]
            shapes.append((figures([*x, x[0]], 5), figures([*y, y[0]])))
            for name in ("q1", "median", "q3"):
                reach = np.interp(cell[name], where, wide)
                lines.append((figures([at + left * reach, at + right * reach], 5), figures([cell[name]] * 2)))
        told = {"name": plain(hue), "legendgroup": str(side)}
        traces += [
            {"type": "scatter", "mode": "lines", **joined(shapes), **told, "fill": "toself",
             "fillcolor": f"@{side}/0.5", "line": {"color": f"@{side}", "width": 1}, "hoverinfo": "skip"},
            {"type": "scatter", "mode": "lines", **joined(lines), **told, "line": {"color": "@ink", "width": 1},
             "showlegend": False, "hoverinfo": "y+name"},
        ]  # fmt: skip
    return traces


def _two(frame: pl.LazyFrame, name: str) -> tuple[pl.LazyFrame, tuple[Notice, ...]]:
    """The rows of the two most frequent labels of hue, and of none: those are counted as missing later."""
    whole = frame.filter(pl.all_horizontal(pl.col("x", "y").is_not_null()))
    counts = whole.group_by("hue").len().drop_nulls().collect()
    if len(counts) <= 2:
        return frame, ()
    first, second = most_frequent(counts, "hue", 2)
    hue = pl.col("hue")
    is_either = (hue == first) | (hue == second)
    rest = int(counts.filter(~is_either)["len"].sum())
    return frame.filter(hue.is_null() | is_either), (Notice(TWO, {"column": name, "rows": rest}),)
