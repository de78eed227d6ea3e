"""Kind 7: a straight line through all rows, with the band in which the mean lies, and both distributions beside it."""

import numpy as np
import polars as pl
from scipy.stats import t as student

from dashboards.drawing.figure import Drawing, Fields, Head, axis, figures
from dashboards.drawing.marginals import marginals
from dashboards.drawing.sampling import LEFT_OUT, complete, sampled
from machines.engine.errors import DataError, Notice, gettext_noop

SHOWN = 4_000  # rows that are drawn as points; the line is of all
STEPS = 60  # points of the line
FEW = gettext_noop("A line needs at least three rows with different values on x.")
LINE = gettext_noop("The line is of all %(rows)s rows; in the band lies the mean with 95 %% confidence.")


def regression(frame: pl.LazyFrame, fields: Fields) -> Drawing:
    """Ordinary least squares with the confidence band of the mean (Draper and Smith 1998, section 1.4)."""
    frame, rows, missing = complete(frame, "x", "y")
    x, y = pl.col("x"), pl.col("y")
    found = frame.select(
        x.min().alias("low"), x.max().alias("high"), x.mean().alias("x"), y.mean().alias("y"),
        x.var(ddof=0).alias("xx"), y.var(ddof=0).alias("yy"), pl.cov("x", "y", ddof=0).alias("xy"),
    ).collect().row(0, named=True)  # fmt: skip
    if rows < 3 or not found["xx"]:
        raise DataError(FEW)
    slope = found["xy"] / found["xx"]
    spread = np.sqrt(max(0.0, found["yy"] - slope * found["xy"]) * rows / (rows - 2))
    at = np.linspace(found["low"], found["high"], STEPS)
    line = found["y"] + slope * (at - found["x"])
    reach = student.ppf(0.975, rows - 2) * spread * np.sqrt(1 / rows + (at - found["x"]) ** 2 / (found["xx"] * rows))
    points, rule = sampled(frame, rows, SHOWN)
    sides, layout = marginals(frame, fields)
    traces = [
        {"type": "scattergl", "mode": "markers", "x": figures(points["x"]), "y": figures(points["y"]),
         "marker": {"color": "@0/0.45", "size": 5}, "name": ""},
        {"type": "scatter", "mode": "lines", "x": figures([*at, *at[::-1]]),
         "y": figures([*(line - reach), *(line + reach)[::-1]]), "fill": "toself", "fillcolor": "@1/0.25",
         "line": {"width": 0}, "hoverinfo": "skip"},
        {"type": "scatter", "mode": "lines", "x": figures(at), "y": figures(line), "line": {"color": "@1", "width": 2}},
        *sides,
    ]  # fmt: skip
    layout |= {"xaxis": {**layout["xaxis"], **axis(fields["x"])}, "yaxis": {**layout["yaxis"], **axis(fields["y"])}}
    heads = (
        Head(fields["x"].name, fields["x"].type, fields["x"].unit), Head(fields["y"].name, fields["y"].type, fields["y"].unit),
        Head("from", is_word=True), Head("to", is_word=True),
    )  # fmt: skip
    told = [*zip(*(figures(column) for column in (at, line, line - reach, line + reach)), strict=True)]
    left_out = (Notice(LEFT_OUT, {"rows": missing}),) if missing else ()
    rules = (Notice(LINE, {"rows": rows}), *rule, *left_out)
    return Drawing(traces, layout, heads, [[*cells] for cells in told], rules)
