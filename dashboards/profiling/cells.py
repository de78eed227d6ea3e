"""One column of all rows as numbers of its different values: everything a profile says is counted from these."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dashboards.drawing import typed
from dashboards.drawing.typed import CELL
from machines.engine.columns.arrays import find_missing
from machines.engine.schema import Column, DataType

Codes = NDArray[np.int32]
Floats = NDArray[np.float64]
MOST_TOP = 30  # values of a text column that are named
HASH, LENGTH, ROW = "hash", "length", "row"


@dataclass(frozen=True)
class Cells:
    """`codes` [rows] numbers each cell's value, -1 where it is missing; `counts` [distinct] says how often it comes.

    Numbers and moments: `values` [distinct], ascending, so that codes are in the order of values. Texts: the most
    frequent value has code 0, `top` names the first ones, `lengths` [known] are in characters.
    """

    column: Column
    codes: Codes
    counts: NDArray[np.int64]
    values: Floats | None = None
    top: list[str] = field(default_factory=list)
    lengths: NDArray[np.int64] | None = None

    @cached_property
    def known(self) -> Codes:
        return self.codes[self.codes >= 0]

    def known_of(self, rows: NDArray[np.bool_]) -> Codes:
        codes = self.codes[rows]
        return codes[codes >= 0]

    @property
    def is_number(self) -> bool:
        """Numbers and moments: what has an order."""
        return self.values is not None

    @property
    def distinct(self) -> int:
        return len(self.counts)

    def at(self, rows: NDArray[np.int64] | None) -> "Cells":
        """The same column in some of its rows; None means in all. `counts` stay those of all."""
        return self if rows is None else replace(self, codes=self.codes[rows], lengths=None)

    def by_length(self) -> "Cells":
        """Texts by how many letters they have: a number that can be compared with others."""
        assert self.lengths is not None
        values, inverse, counts = np.unique(self.lengths, return_inverse=True, return_counts=True)
        return Cells(self.column, _spread(self.codes >= 0, inverse), counts, values.astype(np.float64))

    def floats(self) -> Floats:
        """The numbers [rows], NaN where missing."""
        assert self.values is not None
        return np.append(self.values, np.nan)[self.codes]


def read_cells(parts: Sequence[Path], column: Column, folder: Path) -> Cells:
    """Read one column of all parts. JSON, and what is ignored, is read as text. Raises OSError if a part is gone."""
    if column.type.is_numeric:
        return _numbers(typed.frame(parts, {CELL: column}, folder), column)
    return _texts(typed.as_sent(parts, column.name), column)


def _numbers(frame: pl.LazyFrame, column: Column) -> Cells:
    values = frame.collect()[CELL].to_numpy().astype(np.float64)
    there = np.isfinite(values)
    distinct, inverse, counts = np.unique(values[there], return_inverse=True, return_counts=True)
    return Cells(column, _spread(there, inverse), counts, distinct)


def _texts(frame: pl.LazyFrame, column: Column) -> Cells:
    """By hashes of 64 bits: however long the texts are, and however many, memory holds a few numbers for each."""
    read_as = column.type if column.type.is_text else DataType.LANGUAGE
    schema = {HASH: pl.UInt64, LENGTH: pl.UInt32}
    told = frame.map_batches(lambda piece: _hashed(piece[CELL], read_as), schema=schema, streamable=True).collect()
    there = told[HASH].is_not_null().to_numpy()
    hashes = told[HASH].drop_nulls().to_numpy()
    _, first, inverse, counts = np.unique(hashes, return_index=True, return_inverse=True, return_counts=True)
    order = np.lexsort((first, -counts))  # most frequent first; of those as frequent, whichever came first
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    rows = np.flatnonzero(there)[first[order[:MOST_TOP]]]
    lengths = told[LENGTH].drop_nulls().to_numpy().astype(np.int64)
    return Cells(column, _spread(there, place[inverse]), counts[order], None, _texts_at(frame, rows), lengths)


def _hashed(cells: pl.Series, read_as: DataType) -> pl.DataFrame:
    text = cells.str.strip_chars()
    missing = pl.Series(find_missing(cells, read_as))
    hashes, lengths = text.hash(0).set(missing, None), text.str.len_chars().set(missing, None)
    return pl.DataFrame({HASH: hashes, LENGTH: lengths})


def _texts_at(frame: pl.LazyFrame, rows: NDArray[np.int64]) -> list[str]:
    wanted = pl.lit(pl.Series(rows, dtype=pl.UInt32)).implode()
    shown = frame.with_row_index(ROW).filter(pl.col(ROW).is_in(wanted))
    found = shown.with_columns(pl.col(CELL).str.strip_chars()).collect()
    texts: dict[int, Any] = dict(zip(found[ROW].to_list(), found[CELL].to_list(), strict=True))
    return [str(texts[int(row)]) for row in rows]


def _spread(there: NDArray[np.bool_], inverse: NDArray[Any]) -> Codes:
    codes = np.full(len(there), -1, np.int32)
    codes[there] = inverse
    return codes
