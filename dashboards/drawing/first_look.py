"""A first look at a large table that nobody has read yet: some of its rows, read now, so that nobody waits for all."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from dashboards.drawing import typed
from machines.engine.schema import Column, DataType

MOST_ROWS = 2_000_000  # that are read while somebody waits
SHOWN_ROWS = 200_000  # of more than these
SEED = 11
ROW = "row"


def is_wanted(parts: Sequence[Path], columns: Mapping[str, Column], folder: Path) -> bool:
    """Whether `typed.frame` of these columns would take more than a moment."""
    return sum(typed.row_counts(typed.unread(parts, columns.values(), folder))) > MOST_ROWS


def first_look(parts: Sequence[Path], chosen: Mapping[str, Column]) -> tuple[pl.DataFrame, int]:
    """About SHOWN_ROWS of the rows, always the same ones and each as likely as any other, as `typed.frame` has them; and
    how many rows there are. Nothing is kept.
    """
    rows, columns = sum(typed.row_counts(parts)), [*dict.fromkeys(chosen.values())]
    lot = min(2**64 - 1, int(2**64 * SHOWN_ROWS / max(1, rows)))
    texts = pl.concat([_drawn(part, number, columns, lot) for number, part in enumerate(parts)])
    read = {column: _typed(texts[str(number)], column) for number, column in enumerate(columns)}
    return pl.DataFrame({place: read[column] for place, column in chosen.items()}), rows


def _drawn(part: Path, number: int, columns: Sequence[Column], lot: int) -> pl.DataFrame:
    """The columns of some rows of a part as texts, called by their numbers. Part by part: memory."""
    marked = typed.texts(part, {str(place): each.name for place, each in enumerate(columns)}).with_row_index(ROW)
    # The lot of a row is the hash of its number: another one in each part, the same ones tomorrow.
    return marked.filter(pl.col(ROW).hash(SEED + number) < lot).drop(ROW).collect()


def _typed(cells: pl.Series, column: Column) -> pl.Series:
    if column.type.is_numeric:
        return typed.numbers(cells, column)
    words = typed.words(cells, column)
    is_told_apart = column.type is DataType.LABEL and words.n_unique() <= typed.MOST_LABELS
    return words.cast(pl.Categorical) if is_told_apart else words
