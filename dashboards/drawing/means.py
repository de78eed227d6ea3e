"""Kind 10: means with their intervals, and the analysis of variance of the three factors they are drawn by."""

from collections.abc import Iterable
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import f as fisher
from scipy.stats import t as student

from dashboards.drawing.facets import MOST_FACETS
from dashboards.drawing.figure import MOST_LABELS, Drawing, Fields, Head, figures
from dashboards.drawing.groups import Groups, grouped, label_axis, legend
from machines.engine.errors import Notice, gettext_noop

Numbers = np.ndarray[Any, Any]
Effect = tuple[tuple[str, ...], float, int, float, float]  # factors, sum of squares, degrees of freedom, F, p
FACTORS = ("x", "hue", "col")
APART = 0.08  # between the labels of hue, so that their bars do not cover each other; labels of x stand 1 apart
MEANS = gettext_noop(
    "Points are the means of all %(rows)s rows; the mean lies in the bar with 95 %% confidence (Student). "
    "A group of one row has no bar."
)
MODEL = gettext_noop(
    "Analysis of variance with sums of squares of type II: each effect is tested beside all that do not contain it; "
    "%(rest)s degrees of freedom remain within the groups."
)
POOLED = gettext_noop("Rows of all labels of “%(column)s” are taken together in the analysis.")
EFFECT = gettext_noop("%(effect)s makes a difference: F(%(df)s, %(rest)s) = %(f)s, p %(p)s.")
NONE = gettext_noop("%(effect)s was not found to make a difference: F(%(df)s, %(rest)s) = %(f)s, p %(p)s.")
NO_TEST = gettext_noop("There is no analysis of variance: it needs groups of several rows that are not all the same.")


def three_way(frame: pl.LazyFrame, fields: Fields) -> Drawing:
    """Means of y per label of x and hue, in facets."""
    groups = grouped(frame, fields, "y", {"x": MOST_LABELS, "hue": MOST_LABELS, "col": MOST_FACETS, "row": MOST_FACETS})
    y = pl.col("y")
    found = groups.frame.group_by(groups.by).agg(
        pl.len().alias("rows"), y.mean().alias("mean"), y.var().fill_null(0).alias("var")
    )  # fmt: skip
    cells = [
        {**cell, "reach": _reach(cell["rows"], cell["var"])} for cell in groups.cells(found.collect(engine="streaming"))
    ]
    layout = groups.grid.layout(fields["x"], fields["y"], label_axis(groups.labels["x"])) | legend(fields)
    heads = (*groups.heads(fields), Head("rows", is_word=True),
             *(Head(title, unit=fields["y"].unit, is_word=True) for title in (gettext_noop("mean"), "from", "to")))  # fmt: skip
    rows = [[*groups.told(cell), cell["rows"], *figures([cell["mean"], *_ends(cell)])] for cell in cells]
    rules = (Notice(MEANS, {"rows": groups.rows}), *_analysis(cells, fields), *groups.rules)
    return Drawing(_traces(groups, cells), layout, heads, rows, rules)


def analysis(cells: list[dict[str, Any]], factors: tuple[str, ...]) -> tuple[list[Effect], int]:
    """Main effects and interactions from the `rows`, `mean` and `var` of groups, and the degrees of freedom left within.

    Type II (Langsrud 2003, doi 10.1023/A:1023260610025): an effect's sum of squares is what it explains beside all terms
    that do not contain it. Least squares on group means weighted by rows has the same differences of residual sums as on
    the rows themselves; the error is the variance within the groups. Without such variance there are no effects.
    """
    many, means = (np.array([cell[name] for cell in cells], float) for name in ("rows", "mean"))
    rest = int(many.sum()) - len(cells)
    within = float(((many - 1) * [cell["var"] for cell in cells]).sum())
    effects: list[Effect] = []
    # A spread that is only rounding is none: of equal rows floating point makes a variance of 1e-33.
    rounding = 1e-12 * float((np.sqrt(many) * abs(means)).max())
    if rest < 1 or not rounding < np.sqrt(within) < np.inf:
        return effects, rest
    codes = {factor: _contrasts([cell[factor] for cell in cells]) for factor in factors}
    terms = [term for size in range(1, len(factors) + 1) for term in combinations(factors, size)]
    centred = means - np.average(means, weights=many)
    for term in terms:
        others = [other for other in terms if not set(term) <= set(other)]
        without, with_it = (_residual(codes, kept, centred, many) for kept in (others, [*others, term]))
        df = with_it[1] - without[1]
        if df:
            explained = max(0.0, without[0] - with_it[0])
            f = explained / df / (within / rest)
            effects.append((term, explained, df, f, float(fisher.sf(f, df, rest))))
    return effects, rest


def _contrasts(labels: list[str]) -> Numbers:
    """Columns [cells, labels - 1] of 0 and 1 for all labels but the first."""
    known = sorted(set(labels))
    return np.array([[label == one for one in known[1:]] for label in labels], float)


def _residual(
    codes: dict[str, Numbers], terms: Iterable[tuple[str, ...]], y: Numbers, weights: Numbers
) -> tuple[float, int]:
    """The weighted residual sum of squares of a linear model with these terms, and its rank: empty cells lower it."""
    columns = [np.ones((len(y), 1))]
    for term in terms:
        product = np.ones((len(y), 1))
        for factor in term:
            product = (product[:, :, None] * codes[factor][:, None, :]).reshape(len(y), -1)
        columns.append(product)
    root = np.sqrt(weights)
    design = np.concatenate(columns, 1) * root[:, None]
    solution, _, rank, _ = np.linalg.lstsq(design, y * root, rcond=1e-10)
    return float(((y * root - design @ solution) ** 2).sum()), int(rank)


def _analysis(cells: list[dict[str, Any]], fields: Fields) -> list[Notice]:
    """The analysis in sentences, if there are three factors."""
    if not all(factor in fields for factor in FACTORS):
        return []
    effects, rest = analysis(cells if "row" not in fields else _pooled(cells), FACTORS)
    if not effects:
        return [Notice(NO_TEST)]
    told = [Notice(MODEL, {"rest": rest})]
    if "row" in fields:
        told.append(Notice(POOLED, {"column": fields["row"].name}))
    for term, _, df, f, p in effects:
        words = {"effect": " × ".join(f"“{fields[factor].name}”" for factor in term), "df": df, "rest": rest,
                 "f": f"{f:.3g}", "p": f"= {p:.2g}" if p >= 0.0001 else "< 0.0001"}  # fmt: skip
        told.append(Notice(EFFECT if p < 0.05 else NONE, words))
    return told


def _pooled(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Cells without regard to `row`: rows, mean and variance of all of them together."""
    rows, mean, square = pl.col("rows"), pl.col("mean"), (pl.col("rows") - 1) * pl.col("var")
    frame = pl.DataFrame(cells).with_columns(
        (rows * mean).sum().over(FACTORS).alias("sum"), rows.sum().over(FACTORS).alias("all")
    )
    middle = pl.col("sum") / pl.col("all")
    found = frame.group_by(FACTORS, maintain_order=True).agg(
        rows.sum(), middle.first().alias("mean"), (square + rows * (mean - middle) ** 2).sum().alias("square")
    )
    return found.with_columns((pl.col("square") / (rows - 1)).fill_nan(0).alias("var")).to_dicts()


def _reach(rows: int, variance: float) -> float | None:
    """Half of the 95 % interval of a mean."""
    return float(student.ppf(0.975, rows - 1) * np.sqrt(variance / rows)) if rows > 1 else None


def _ends(cell: dict[str, Any]) -> list[float | None]:
    reach = cell["reach"]
    return [None, None] if reach is None else [cell["mean"] - reach, cell["mean"] + reach]


def _traces(groups: Groups, cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    traces, middle = [], (len(groups.labels["hue"]) - 1) / 2
    for number, mine, about in groups.hues(cells):
        aside = APART * (number - middle)
        traces.append({
            "type": "scatter", "mode": "lines+markers", **about, "hoverinfo": "y+name",
            "x": figures(groups.labels["x"].index(cell["x"]) + aside for cell in mine),
            "y": figures(cell["mean"] for cell in mine),
            "error_y": {"type": "data", "array": figures(cell["reach"] for cell in mine), "thickness": 1.5, "width": 0},
            "marker": {"color": f"@{number}", "size": 7}, "line": {"color": f"@{number}", "width": 1.5},
        })  # fmt: skip
    return traces
