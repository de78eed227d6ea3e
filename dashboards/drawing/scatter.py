"""Kinds 1 and 6: points whose colour, size, symbol, facet and moment of a film tell of further columns."""

from math import inf, isnan
from typing import Any

import polars as pl

from dashboards.drawing.facets import NOTHING, Grid, faceted
from dashboards.drawing.figure import MOST_LABELS, OTHERS, Drawing, Field, Fields, Head, shortened
from dashboards.drawing.marks import Told, layout, legend, slider, traces
from dashboards.drawing.sampling import LEFT_OUT, complete, folded, sampled
from machines.engine.errors import DataError, Notice, gettext_noop

SHOWN = 5_000  # points; more would only hide each other, and a phone takes seconds to draw them
MOST_TRACES = 600
MOST_FRAMES = 12
LABELS = ("hue", "style", "col", "row", "animation_frame")  # as far as labels stand there
NUMBERS = ("x", "y", "hue", "size")
AREA = gettext_noop(
    "The area of a point is in proportion to “%(column)s”: the largest stands for %(most)s, and what would be too small "
    "to be seen is drawn a little larger."
)
NO_AREA = gettext_noop("Rows left out because “%(column)s” is not above zero, which no area can show: %(rows)s.")
NO_LOG = gettext_noop("Rows left out because x or y is not above zero, and these axes are logarithmic: %(rows)s.")
POSITIVE = gettext_noop("These axes are logarithmic, and no row has numbers above zero on both. Choose other columns.")
NO_SIZE = gettext_noop("No row has a number above zero in “%(column)s”. Choose another column for size.")

LOWEST, MEAN = gettext_noop("lowest %(column)s"), gettext_noop("mean %(column)s")
HIGHEST = gettext_noop("highest %(column)s")


def scatter(frame: pl.LazyFrame, fields: Fields) -> Drawing:
    """Kind 1: rows at random as points; what their colours, sizes and axes reach over is of all rows."""
    return _drawn(frame, fields, is_log=False)


def scatter_continuous(frame: pl.LazyFrame, fields: Fields) -> Drawing:
    """Kind 6: the same on logarithmic axes, with numbers as colours and as sizes."""
    return _drawn(frame, fields, is_log=True)


def _drawn(frame: pl.LazyFrame, fields: Fields, is_log: bool) -> Drawing:
    frame, rows, missing = complete(frame, *fields)
    rules = [Notice(LEFT_OUT, {"rows": missing})] if missing else []
    if not rows:
        raise DataError(NOTHING)
    if is_log:
        frame, rows = _kept(frame, rows, (pl.col("x") > 0) & (pl.col("y") > 0), Notice(NO_LOG), rules)
        if not rows:
            raise DataError(POSITIVE)
    if "size" in fields:
        name = fields["size"].name
        frame, rows = _kept(frame, rows, pl.col("size") > 0, Notice(NO_AREA, {"column": name}), rules)
        if not rows:
            raise DataError(NO_SIZE, column=name)
    frame, grid, labels = _folded(frame, fields, rules)
    groups = _groups(frame, fields)
    told = Told(fields, labels, _reach(groups, fields), grid, is_log)
    points, rule = sampled(frame, rows, SHOWN)
    if "size" in fields:
        rules.insert(0, Notice(AREA, {"column": fields["size"].name, "most": f"{told.reach['size'][1]:.4g}"}))
    heads, table = _table(groups, fields)
    picture, shape = traces(points, told), layout(told)
    if "animation_frame" in fields:
        shape["sliders"] = [slider(picture, told)]
    return Drawing([*picture, *legend(told)], shape, heads, table, (*rule, *rules))


def _kept(
    frame: pl.LazyFrame, rows: int, those: pl.Expr, rule: Notice, rules: list[Notice]
) -> tuple[pl.LazyFrame, int]:
    """The rows that can be drawn, how many they are, and the sentence about the others."""
    kept = int(frame.select(those.sum()).collect().item())
    if kept < rows:
        rules.append(Notice(rule.template, {**rule.values, "rows": rows - kept}))
    return frame.filter(those), kept


def _folded(
    frame: pl.LazyFrame, fields: Fields, rules: list[Notice]
) -> tuple[pl.LazyFrame, Grid, dict[str, list[str]]]:
    """Rare labels taken together. There are fewer moments of the film the more traces each has."""
    frame, grid, said = faceted(frame, fields)
    rules.extend(said)
    labels = dict[str, list[str]]()
    for place in ("hue", "style", "animation_frame"):
        if place in fields and not fields[place].type.is_numeric:
            most = MOST_LABELS
            if place == "animation_frame":
                most = min(MOST_FRAMES, MOST_TRACES // len(grid) // len(labels.get("hue", [""])))
            frame, labels[place], said = folded(frame, place, fields[place].name, most)
            rules.extend(said)
    labels["animation_frame"] = sorted(labels.get("animation_frame", []), key=_in_order)
    return frame, grid, labels


def _in_order(label: str) -> tuple[bool, float, str]:
    """A film goes by number where its labels are numbers, years for example, and else by letters; the rest comes last."""
    try:
        number = float(label)
    except ValueError:
        number = inf
    return label == OTHERS, inf if isnan(number) else number, label


def _groups(frame: pl.LazyFrame, fields: Fields) -> pl.DataFrame:
    """Of every combination of labels, the most frequent first: rows, and lowest, mean and highest of each number."""
    by, cells = _labels(fields), [pl.len().alias("rows")]
    for place in _numbers(fields):
        column = pl.col(place)
        cells += [
            column.min().alias(f"{place} low"),
            column.mean().alias(f"{place} mean"),
            column.max().alias(f"{place} high"),
        ]
    found = frame.group_by(by).agg(cells) if by else frame.select(cells)
    return found.sort(["rows", *by], descending=[True, *(False for _ in by)]).collect()


def _labels(fields: Fields) -> list[str]:
    return [place for place in LABELS if place in fields and not fields[place].type.is_numeric]


def _numbers(fields: Fields) -> list[str]:
    return [place for place in NUMBERS if place in fields and fields[place].type.is_numeric]


def _reach(groups: pl.DataFrame, fields: Fields) -> dict[str, tuple[float, float]]:
    """From where to where the numbers of all rows go."""
    ends = groups.select(pl.col("^.* low$").min(), pl.col("^.* high$").max()).row(0, named=True)
    return {place: (ends[f"{place} low"], ends[f"{place} high"]) for place in _numbers(fields)}


def _table(groups: pl.DataFrame, fields: Fields) -> tuple[tuple[Head, ...], list[list[Any]]]:
    heads = [Head(fields[place].name, fields[place].type) for place in _labels(fields)] + [Head("rows", is_word=True)]
    heads += [_head(words, fields[place]) for place in _numbers(fields) for words in (LOWEST, MEAN, HIGHEST)]
    told = groups.rows()
    return tuple(heads), [[shortened(cell) if isinstance(cell, str) else cell for cell in row] for row in told]


def _head(words: str, field: Field) -> Head:
    return Head(words, field.type, field.unit, is_word=True, column=shortened(field.name))
