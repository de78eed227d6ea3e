"""Kinds 8 and 12: boxplots, standing side by side or lying with observations below them."""

from typing import Any

import numpy as np
import polars as pl

from dashboards.drawing.facets import MOST_FACETS
from dashboards.drawing.figure import MOST_LABELS, MOST_POINTS, Drawing, Field, Fields, Head, axis, figures
from dashboards.drawing.groups import MOST_ON_AXIS, Groups, grouped, label_axis, legend
from dashboards.drawing.order import quartiles
from dashboards.drawing.sampling import SEED, sampled
from machines.engine.errors import Notice, gettext_noop

REACH = 1.5  # of the distance between the quartiles
MOST_BEYOND = 50  # rows beyond the whiskers of one box that are drawn
MOST_LYING = 20  # labels below each other
OBSERVATIONS = 4_000
SIDE_BY_SIDE = 0.8  # width of all boxes of one label; labels stand 1 apart
BELOW = (0.24, 0.44)  # observations lie there below the middle of their box
TOO_WIDE = 100  # from the smallest to the largest number: more than this is drawn by powers of ten
BOXES = gettext_noop(
    "Boxes are the quartiles of all %(rows)s rows, the line in them is the median, the dashed one the mean; "
    "whiskers end at the furthest row within one and a half times the box (Tukey)."
)
BEYOND = gettext_noop("Of the %(rows)s rows beyond the whiskers the %(shown)s furthest are drawn.")
POWERS = gettext_noop("The axis goes by powers of ten: the numbers lie more than %(times)s times apart.")


def boxed(frame: pl.LazyFrame, by: list[str], value: str, most: int) -> pl.DataFrame:
    """One row per group: `rows`, `mean`, `q1`, `median`, `q3`, whiskers `low` and `high`, how many rows lie `beyond`,
    and the furthest of them as `points` [at most `most`].

    Quartiles by linear interpolation (Hyndman and Fan 1996, definition 7), whiskers after Tukey 1977, chapter 2: where
    interpolation leaves no row between the fence and the box, they end at the box.
    """
    y, reach = pl.col(value), REACH * (pl.col("q3") - pl.col("q1"))
    found = quartiles(frame, by, value)
    fences = found.lazy().select(*by, (pl.col("q1") - reach).alias("floor"), (pl.col("q3") + reach).alias("top"))
    fenced, is_in = frame.join(fences, on=by), y.is_between("floor", "top")
    ends = fenced.with_columns(pl.when(is_in).then(y).alias("inside")).group_by(by).agg(
        y.mean().alias("mean"), pl.col("inside").min().alias("low"), pl.col("inside").max().alias("high"),
        pl.col("inside").null_count().alias("beyond"),
    ).collect(engine="streaming")  # fmt: skip
    found = found.join(ends, on=by).with_columns(
        pl.min_horizontal("low", "q1").alias("low"), pl.max_horizontal("high", "q3").alias("high")
    )  # fmt: skip
    far = fenced.filter(~is_in).select(*by, value, (y - (pl.col("floor") + pl.col("top")) / 2).abs().alias("far"))
    points = far.group_by(by).agg(y.top_k_by("far", most).alias("points")).collect(engine="streaming")
    return found.join(points, on=by, how="left").with_columns(pl.col("points").fill_null([]))


def grouped_boxplots(frame: pl.LazyFrame, fields: Fields) -> Drawing:
    """Boxes of y per label of x, side by side for each of hue, in facets."""
    groups = grouped(
        frame, fields, "y", {"x": MOST_ON_AXIS, "hue": MOST_LABELS, "col": MOST_FACETS, "row": MOST_FACETS}
    )
    boxes = int(np.prod([len(labels) for labels in groups.labels.values()]))
    cells = groups.cells(boxed(groups.frame, groups.by, "y", min(MOST_BEYOND, MOST_POINTS // boxes)))
    traces = list[dict[str, Any]]()
    slot = SIDE_BY_SIDE / len(groups.labels["hue"])
    for number, mine, about in groups.hues(cells):
        aside = slot * (number - (len(groups.labels["hue"]) - 1) / 2)
        at = figures([groups.labels["x"].index(cell["x"]) + aside for cell in mine], 5)
        beyond = [figures(cell["points"]) for cell in mine]
        apart = [place for place, values in zip(at, beyond, strict=True) for _ in values]
        traces += [
            {**_box(mine, f"@{number}"), "x": at, "width": 0.85 * slot, **about, "hoverinfo": "y+name"},
            {"type": "scatter", "mode": "markers", "x": apart, "y": [value for values in beyond for value in values],
             "marker": {"color": f"@{number}", "size": 3}, **about, "showlegend": False, "hoverinfo": "y+name"},
        ]  # fmt: skip
    layout = groups.grid.layout(fields["x"], fields["y"], label_axis(groups.labels["x"]))
    layout |= legend(fields)
    return Drawing(traces, layout, _heads(groups, fields, fields["y"]), _rows(groups, cells), _rules(groups, cells))


def horizontal_boxplot(frame: pl.LazyFrame, fields: Fields) -> Drawing:
    """Boxes of x lying below each other, one per label of y, and observations chosen at random below them."""
    groups = grouped(frame, fields, "x", {"y": MOST_LYING})
    cells = groups.cells(boxed(groups.frame, groups.by, "x", 0))
    ends = groups.frame.select(pl.col("x").min().alias("low"), pl.col("x").max().alias("high")).collect()
    low, high = ends.row(0)
    is_wide = 0 < low * TOO_WIDE < high
    points, rule = sampled(groups.frame.select("x", "y"), groups.rows, OBSERVATIONS)
    places = {label: number for number, label in enumerate(groups.labels["y"])}
    aside = np.random.default_rng(SEED).uniform(*BELOW, len(points))
    at = [places[label] + step for label, step in zip(points["y"], aside, strict=True)]
    traces = [
        {**_box(cells, "@0"), "y": [places[cell["y"]] for cell in cells], "orientation": "h", "width": 0.4},
        {"type": "scattergl", "mode": "markers", "x": figures(points["x"]), "y": figures(at, 4),
         "marker": {"color": "@ink/0.35", "size": 3}, "hoverinfo": "x"},
    ]  # fmt: skip
    across = axis(fields["x"], **({"type": "log"} if is_wide else {}))
    layout = {"xaxis": across, "yaxis": axis(fields["y"], **label_axis(groups.labels["y"], is_turned=True)),
              "showlegend": False}  # fmt: skip
    powers = (Notice(POWERS, {"times": TOO_WIDE}),) if is_wide else ()
    rules = (Notice(BOXES, {"rows": groups.rows}), *rule, *powers, *groups.rules)
    return Drawing(traces, layout, _heads(groups, fields, fields["x"]), _rows(groups, cells), rules)


def _box(cells: list[dict[str, Any]], color: str) -> dict[str, Any]:
    """A trace with boxes that were computed here; rounded alike, so that no quartile passes another."""
    names = {"q1": "q1", "median": "median", "q3": "q3", "lowerfence": "low", "upperfence": "high", "mean": "mean"}
    ends = {theirs: figures(cell[ours] for cell in cells) for theirs, ours in names.items()}
    return {"type": "box", **ends, "marker": {"color": color, "size": 3}, "line": {"width": 1}, "boxpoints": False}


def _heads(groups: Groups, fields: Fields, field: Field) -> tuple[Head, ...]:
    titles = (gettext_noop("low whisker"), gettext_noop("first quartile"), gettext_noop("median"),
              gettext_noop("third quartile"), gettext_noop("high whisker"), gettext_noop("mean"))  # fmt: skip
    return (
        *groups.heads(fields),
        Head("rows", is_word=True),
        *(Head(title, unit=field.unit, is_word=True) for title in titles),
        Head(gettext_noop("rows beyond"), is_word=True),
    )


def _rows(groups: Groups, cells: list[dict[str, Any]]) -> list[list[Any]]:
    names = ("low", "q1", "median", "q3", "high", "mean")
    return [
        [*groups.told(cell), cell["rows"], *figures(cell[name] for name in names), cell["beyond"]] for cell in cells
    ]


def _rules(groups: Groups, cells: list[dict[str, Any]]) -> tuple[Notice, ...]:
    beyond, shown = sum(cell["beyond"] for cell in cells), sum(len(cell["points"]) for cell in cells)
    left_out = (Notice(BEYOND, {"rows": beyond, "shown": shown}),) if shown < beyond else ()
    return (Notice(BOXES, {"rows": groups.rows}), *left_out, *groups.rules)
