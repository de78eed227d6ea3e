"""Rows at random, always the same ones, and labels folded to the most frequent."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import polars as pl

from dashboards.drawing.figure import MOST_LABELS, MOST_POINTS, OTHERS
from machines.engine.errors import Notice, gettext_noop

SEED = 7
SAMPLED = gettext_noop("%(shown)s of %(rows)s rows, chosen at random, so that the picture stays quick.")
_AT_MOST = ContextVar("at_most", default=MOST_POINTS)
LEFT_OUT = gettext_noop("Rows left out because a value is missing: %(rows)s.")
FOLDED = gettext_noop("Of “%(column)s” the %(most)s most frequent are shown, the rest is “others”.")


@contextmanager
def fewer_points(most: int) -> Iterator[None]:
    """Within it no more than so many rows are drawn as points: a preview has to be there at once."""
    before = _AT_MOST.set(most)
    try:
        yield
    finally:
        _AT_MOST.reset(before)


def complete(frame: pl.LazyFrame, *places: str) -> tuple[pl.LazyFrame, int, int]:
    """The rows that have a value on all these places; how many they are, and how many were left out."""
    schema = frame.collect_schema()
    is_there = [
        pl.col(place).is_finite() if schema[place].is_float() else pl.col(place).is_not_null() for place in places
    ]
    whole, kept = pl.len().alias("rows"), pl.all_horizontal(is_there)
    counts = frame.select(whole, kept.sum().alias("kept")).collect()
    rows, there = int(counts["rows"][0]), int(counts["kept"][0])
    return frame.filter(kept), there, rows - there


def sampled(frame: pl.LazyFrame, rows: int, most: int = MOST_POINTS) -> tuple[pl.DataFrame, tuple[Notice, ...]]:
    """At most `most` of so many rows, always the same for the same table, and the sentence that says so."""
    most = min(most, _AT_MOST.get())
    if rows <= most:
        return frame.collect(), ()
    drawn = frame.with_row_index("_row").with_columns(pl.col("_row").hash(SEED).alias("_lot"))
    # Those with a low enough lot are at least `most` for sure (ten standard deviations): only they need to be sorted.
    drawn = drawn.filter(pl.col("_lot") < min(2**64 - 1, int(2**64 * (most + 10 * most**0.5) / rows)))
    shown = drawn.bottom_k(most, by="_lot").sort("_row").drop("_row", "_lot").collect()
    return shown, (Notice(SAMPLED, {"shown": most, "rows": rows}),)


def folded(
    frame: pl.LazyFrame, place: str, name: str, most: int = MOST_LABELS
) -> tuple[pl.LazyFrame, list[str], tuple[Notice, ...]]:
    """The frame with all but the most frequent labels of a place as OTHERS; the labels, most frequent first."""
    counts = frame.group_by(place).len().drop_nulls().collect()
    labels = most_frequent(counts, place, most + 1)
    if len(labels) <= most:
        return frame, labels, ()
    kept = [label for label in labels if label != OTHERS][: most - 1]
    rule = Notice(FOLDED, {"column": name, "most": most - 1})
    return frame.with_columns(taken_together(place, kept)), [*kept, OTHERS], (rule,)


def most_frequent(counts: pl.DataFrame, place: str, most: int) -> list[str]:
    """At most so many of the labels that were counted as "len", in their order."""
    top = counts.top_k(most, by=["len", place], reverse=[False, True])
    return [str(label) for label in top.sort(["len", place], descending=[True, False])[place]]


def taken_together(place: str, kept: Sequence[str]) -> pl.Expr:
    """The labels of a place that are kept, all others as OTHERS, missing ones missing.

    Few labels as an Enum are grouped by several times as fast as texts, and compared with one by one than looked up.
    """
    column, kind = pl.col(place), pl.Enum([*kept, OTHERS])
    told = pl.lit(OTHERS, kind)
    for label in kept:
        told = pl.when(column == label).then(pl.lit(label, kind)).otherwise(told)
    return pl.when(column.is_not_null()).then(told).alias(place)
