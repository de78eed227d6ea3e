"""Kind 2: the mean along x as a line, with the band in which the mean lies with 95 % confidence."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import t as student

from dashboards.drawing.facets import NOTHING, Grid, faceted
from dashboards.drawing.figure import (
    MOST_LABELS,
    Drawing,
    Field,
    Fields,
    Head,
    digits_for,
    figures,
    milliseconds,
    plain,
    shortened,
)
from dashboards.drawing.sampling import LEFT_OUT, complete, folded
from machines.engine.errors import DataError, Notice, gettext_noop

MOST_VALUES = 200  # of x that each have a point of their own
STEPS = 120  # at most, where x has more
FEWEST_STEPS, ROWS_A_STEP = 12, 20  # where there are few rows: means of one row each would only jump up and down
ROOM = 0.5  # beyond the means, in their reach: the bands of two or three rows may be many times as wide
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
MOST_LINES = 200
MOST_MEANS = 6_000  # points of all lines together; each has two more in its band
DAY = 86_400
LENGTHS = (  # what polars cuts by, about how many seconds, the sentence; each at most six times the one before
    ("1s", 1, gettext_noop("Each point is the mean of one second.")),
    ("5s", 5, gettext_noop("Each point is the mean of five seconds.")),
    ("30s", 30, gettext_noop("Each point is the mean of half a minute.")),
    ("1m", 60, gettext_noop("Each point is the mean of one minute.")),
    ("5m", 300, gettext_noop("Each point is the mean of five minutes.")),
    ("15m", 900, gettext_noop("Each point is the mean of a quarter of an hour.")),
    ("1h", 3_600, gettext_noop("Each point is the mean of one hour.")),
    ("6h", 21_600, gettext_noop("Each point is the mean of six hours.")),
    ("1d", DAY, gettext_noop("Each point is the mean of one day.")),
    ("1w", 7 * DAY, gettext_noop("Each point is the mean of one week, drawn at its Monday.")),
    ("1mo", 30.4369 * DAY, gettext_noop("Each point is the mean of one month, drawn at its first day.")),
    ("1q", 91.3107 * DAY, gettext_noop("Each point is the mean of one quarter, drawn at its first day.")),
    ("1y", 365.2425 * DAY, gettext_noop("Each point is the mean of one year, drawn at its first day.")),
    ("5y", 1_826.2125 * DAY, gettext_noop("Each point is the mean of five years, drawn at their first day.")),
    ("20y", 7_304.85 * DAY, gettext_noop("Each point is the mean of twenty years, drawn at their first day.")),
    ("100y", 36_524.25 * DAY, gettext_noop("Each point is the mean of a hundred years, drawn at their first day.")),
)
CUT = gettext_noop("“%(column)s” is cut into %(steps)s steps of equal width; each point is the mean of one of them.")
BAND = gettext_noop("In the band lies the mean with 95 % confidence. Where there is only one row, there is no band.")
BEYOND = gettext_noop("Some bands, of few rows, reach beyond the picture. Their ends are in the table.")
FEWER = gettext_noop("The %(shown)s lines with the most rows are shown, of %(lines)s.")


def timeseries(frame: pl.LazyFrame, fields: Fields) -> Drawing:
    """Mean and Student's interval of the mean for each x, line and facet: mean ± t(0.975, n - 1) · s / √n."""
    keys = [place for place in ("hue", "style", "col", "row") if place in fields]
    frame, rows, missing = complete(frame, "x", "y", *keys)
    if not rows:
        raise DataError(NOTHING)
    frame, grid, rules = faceted(frame, fields)
    labels: dict[str, list[str]] = {"hue": [], "style": []}
    for place, most in (("hue", MOST_LABELS), ("style", len(DASHES))):
        if place in keys:
            frame, labels[place], said = folded(frame, place, fields[place].name, most)
            rules = (*rules, *said)
    step, cut = steps(frame, fields["x"])
    lines, fewer = _lines(means(frame, step, keys), keys)
    traces = [trace for line in lines for trace in _traces(line, fields, grid, labels)]
    _name_once(traces, any(labels.values()))
    left_out = (Notice(LEFT_OUT, {"rows": missing}),) if missing else ()
    heads = (
        *(Head(fields[place].name, fields[place].type) for place in keys),
        Head(fields["x"].name, fields["x"].type, fields["x"].unit), Head(fields["y"].name, unit=fields["y"].unit),
        *(Head(word, is_word=True) for word in ("from", "to", "rows")),
    )  # fmt: skip
    reach, beyond = _reach(lines)
    named = " · ".join(fields[place].title for place in ("hue", "style") if labels[place])
    layout = {**grid.layout(fields["x"], fields["y"], y_more=reach), "showlegend": bool(named)}
    layout["legend"] = {"title": {"text": named}}
    told = (*cut, Notice(BAND), *beyond, *fewer, *rules, *left_out)
    return Drawing(traces, layout, heads, _told(lines, keys), told)


def _reach(lines: list[pl.DataFrame]) -> tuple[dict[str, Any], tuple[Notice, ...]]:
    """From where to where y goes, if bands have to be cut for the means to be seen, and the sentence that says so."""
    found = pl.concat([line.select("mean", "low", "high") for line in lines])
    ends = found.select(pl.min("mean").alias("a"), pl.max("mean").alias("b"), pl.min("low"), pl.max("high")).row(0)
    lowest, highest = ends[:2]
    room = ROOM * (highest - lowest)
    low, high = (lowest, highest) if ends[2] is None else (min(lowest, ends[2]), max(highest, ends[3]))
    if not room or (low >= lowest - room and high <= highest + room):
        return {}, ()
    edge = 0.05 * room  # so that no mean lies on the frame
    return {"range": [max(low, lowest - room) - edge, min(high, highest + room) + edge]}, (Notice(BEYOND),)


def steps(frame: pl.LazyFrame, field: Field) -> tuple[pl.Expr, tuple[Notice, ...]]:
    """Where on x the mean of a row stands: at its own x, or where its step does; and the sentence that says so."""
    x = pl.col("x")
    told = frame.select(
        x.min().alias("low"), x.max().alias("high"), x.approx_n_unique().alias("about"), pl.len()
    ).collect()
    low, high, about, rows = told.row(0)
    if about < 2 * MOST_VALUES and frame.select(x.n_unique()).collect().item() <= MOST_VALUES:
        return x, ()
    if not field.type.is_moment:
        count = min(STEPS, max(FEWEST_STEPS, rows // ROWS_A_STEP))
        width = (high - low) / count
        step = low + (((x - low) / width).floor().clip(0, count - 1) + 0.5) * width
        return step, (Notice(CUT, {"column": field.name, "steps": count}),)
    # Two to spare: calendar months are not equally long, and the first and the last may be cut.
    fitting = (length for length in LENGTHS if (high - low) / length[1] <= STEPS - 2)
    every, _, sentence = next(fitting, LENGTHS[-1])
    moment = (x.floor() * 1000).cast(pl.Int64).cast(pl.Datetime("ms"))
    return moment.dt.truncate(every).dt.epoch("ms") / 1000, (Notice(sentence),)


def means(frame: pl.LazyFrame, step: pl.Expr, keys: Sequence[str]) -> pl.DataFrame:
    """One row per line and step: keys, x, rows, mean, low and high of its 95 % interval (null of one row), by x."""
    y = pl.col("y")
    found = frame.group_by(*keys, step.alias("x")).agg(
        pl.len().alias("rows"), y.mean().alias("mean"), y.var(ddof=1).alias("spread")
    ).sort("x").collect()  # fmt: skip
    rows = found["rows"].to_numpy()
    factor = pl.Series(student.ppf(0.975, np.maximum(rows - 1, 1)) / np.sqrt(rows))
    reach = factor * found["spread"].sqrt()  # null of one row, as its spread is
    return found.with_columns(low=found["mean"] - reach, high=found["mean"] + reach)


def _lines(found: pl.DataFrame, keys: list[str]) -> tuple[list[pl.DataFrame], tuple[Notice, ...]]:
    """One frame per line, those with the most rows first, as many as a picture can hold."""
    lines = found.partition_by(keys, maintain_order=True) if keys else [found]
    lines.sort(key=lambda line: (-line["rows"].sum(), line.row(0)[: len(keys)]))
    total = np.cumsum([len(line) for line in lines])
    shown = min(MOST_LINES, int((total <= MOST_MEANS).sum()))
    fewer = (Notice(FEWER, {"shown": shown, "lines": len(lines)}),) if shown < len(lines) else ()
    return lines[:shown], fewer


def _traces(line: pl.DataFrame, fields: Fields, grid: Grid, labels: dict[str, list[str]]) -> list[dict[str, Any]]:
    """The line of a frame of `means`, over its band."""
    first = line.row(0, named=True)
    color = labels["hue"].index(first["hue"]) if labels["hue"] else 0
    dash = DASHES[labels["style"].index(first["style"])] if labels["style"] else DASHES[0]
    name = ", ".join(plain(str(first[place])) for place in ("hue", "style") if labels[place])
    group = f"{color}, {dash}"  # different labels may be the same when shortened
    shared = {"type": "scatter", "name": name, "legendgroup": group, **grid.axes(first.get("col"), first.get("row"))}
    band: dict[str, list[Any]] = {"x": [], "y": []}
    for run in _runs(line):
        at, gap = _at(run, fields["x"]), [None] if band["x"] else []
        band["x"] += [*gap, *at, *at[::-1]]
        band["y"] += [*gap, *_apart(run["low"]), *_apart(run["high"])[::-1]]
    drawn = {
        **shared, "mode": "lines" if len(line) > 1 else "markers", "x": _at(line, fields["x"]),
        "y": _apart(line["mean"]), "line": {"color": f"@{color}", "width": 2, "dash": dash},
        "marker": {"color": f"@{color}"},
    }  # fmt: skip
    if not band["x"]:
        return [drawn]
    look = {"mode": "lines", "fill": "toself", "fillcolor": f"@{color}/0.2", "line": {"width": 0}, "hoverinfo": "skip"}
    return [{**shared, **band, **look, "showlegend": False}, drawn]


def _runs(line: pl.DataFrame) -> list[pl.DataFrame]:
    """The stretches of a line that have a band."""
    stretches = line.with_columns(pl.col("low").is_null().rle_id().alias("run")).filter(pl.col("low").is_not_null())
    return stretches.partition_by("run", maintain_order=True)


def _at(line: pl.DataFrame, field: Field) -> list[Any]:
    return milliseconds(line["x"]) if field.type.is_moment else _apart(line["x"])


def _apart(values: pl.Series) -> list[float | None]:
    """Numbers with as many digits as keep them apart."""
    low, high = values.min(), values.max()
    return figures(values, digits_for(low, high) if isinstance(low, float) and isinstance(high, float) else 6)


def _name_once(traces: list[dict[str, Any]], has_names: bool) -> None:
    """Name each line in the legend once, however many facets show it."""
    named = set[str]()
    for trace in traces:
        if "showlegend" not in trace:
            trace["showlegend"] = has_names and trace["legendgroup"] not in named
            named.add(trace["legendgroup"])


def _told(lines: list[pl.DataFrame], keys: list[str]) -> list[list[Any]]:
    """The table beside the picture: the means of each line."""
    found = pl.concat([line.select(*keys, "x", "mean", "low", "high", "rows") for line in lines])
    return [[shortened(cell) if isinstance(cell, str) else cell for cell in cells] for cells in found.rows()]
