"""The different cells of one column with how often each occurs: all detection works on these, not on the rows."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from machines.engine.columns.arrays import find_missing
from machines.engine.columns.missing import missing_tokens
from machines.engine.schema import CellFormat, DataType

SAMPLE = 200
MANY = 1_000_000  # cells
SHOWN = 80  # characters of a cell that is shown


@dataclass(frozen=True)
class Cells:
    """`values` are the different filled cells in order of first occurrence, `counts` how often each occurs."""

    name: str
    values: pl.Series  # [distinct] text
    counts: NDArray[np.int64]  # [distinct]
    rows: int
    filled_rows: int  # rows up to the last filled cell
    values_as: dict[tuple[DataType, CellFormat], NDArray[np.float64]] = field(default_factory=dict)
    _missing: dict[frozenset[str], NDArray[np.bool_]] = field(default_factory=dict)

    @property
    def filled(self) -> int:
        return int(self.counts.sum())

    @property
    def distinct(self) -> int:
        return len(self.values)

    @cached_property
    def sample(self) -> pl.Series:
        """Up to SAMPLE different cells, spread over all of them."""
        return self.spread(SAMPLE)

    def spread(self, count: int) -> pl.Series:
        """Up to `count` different cells, spread over all of them."""
        return self.values.gather_every(max(1, -(-len(self.values) // count))) if len(self.values) else self.values

    def missing(self, type: DataType) -> NDArray[np.bool_]:
        """Which of the different cells say that there is no value. Shape [distinct]."""
        tokens = missing_tokens(type)
        if tokens not in self._missing:
            self._missing[tokens] = find_missing(self.values, type)
        return self._missing[tokens]

    @property
    def longest(self) -> int:
        """Characters of the longest cell."""
        return int(self.values.str.len_chars().to_numpy().max()) if self.distinct else 0

    def shown(self, count: int, type: DataType) -> tuple[str, ...]:
        """The first different cells with a value, cut to a readable length."""
        return tuple(cut(cell) for cell in self.values.filter(~pl.Series(self.missing(type))).head(count))


def collect(column: pl.Series) -> Cells:
    """Count the cells of a text column."""
    filled = column.drop_nulls()
    values, counts = _count(filled)
    last = column.is_not_null().reverse().arg_max() if len(filled) else None
    return Cells(column.name, values, counts, len(column), len(column) - (last or 0) if len(filled) else 0)


def _count(filled: pl.Series) -> tuple[pl.Series, NDArray[np.int64]]:
    """The different cells in order of first occurrence, and how often each occurs."""
    if len(filled) > MANY and _different(filled) > 0.3 * len(filled):
        return _count_many(filled)
    counted = pl.DataFrame({"cell": filled}).group_by("cell", maintain_order=True).len("count")
    return counted["cell"], counted["count"].to_numpy().astype(np.int64)


def _different(cells: pl.Series) -> int:
    """Roughly, to a percent or two."""
    return int(pl.DataFrame({"cell": cells}).select(pl.col("cell").approx_n_unique()).item())


def _count_many(filled: pl.Series) -> tuple[pl.Series, NDArray[np.int64]]:
    """The same by 64-bit hashes, in a third of the memory; among 10 million cells two agree by chance once in 10^5 files."""
    hashes = filled.hash().to_numpy()
    order = np.argsort(hashes)
    hashes = hashes[order]
    starts = np.flatnonzero(np.concatenate([[True], hashes[1:] != hashes[:-1]]))
    if len(starts) == len(filled):
        return filled, np.ones(len(filled), np.int64)
    first, counts = np.minimum.reduceat(order, starts), np.diff(starts, append=len(filled))
    del hashes, order, starts
    is_first = np.zeros(len(filled), dtype=np.bool_)
    is_first[first] = True
    return filled.filter(pl.Series(is_first)), counts[np.argsort(first)].astype(np.int64)


def cut(cell: str) -> str:
    return cell if len(cell) <= SHOWN else cell[: SHOWN - 1] + "…"
