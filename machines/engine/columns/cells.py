"""The different cells of one column with how often each occurs: all detection works on these, not on the rows."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

SAMPLE = 200
SHOWN = 80  # characters of a cell that is shown


@dataclass(frozen=True)
class Cells:
    """`values` are the different filled cells in order of first occurrence, `counts` how often each occurs."""

    name: str
    values: pl.Series  # [distinct] text
    counts: NDArray[np.int64]  # [distinct]
    rows: int
    filled_rows: int  # rows up to the last filled cell

    @property
    def filled(self) -> int:
        return int(self.counts.sum())

    @property
    def distinct(self) -> int:
        return len(self.values)

    @cached_property
    def sample(self) -> pl.Series:
        """Up to SAMPLE different cells, spread over all of them."""
        return self.values.gather_every(max(1, -(-len(self.values) // SAMPLE))) if len(self.values) else self.values

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        return self.values.str.len_chars().to_numpy().astype(np.int64)

    def shown(self, count: int) -> tuple[str, ...]:
        """The first different cells, cut to a readable length."""
        return tuple(cut(cell) for cell in self.values.head(count))


def collect(column: pl.Series) -> Cells:
    """Count the cells of a text column."""
    filled = column.drop_nulls()
    counted = pl.DataFrame({"cell": filled}).group_by("cell", maintain_order=True).len("count")
    last = column.is_not_null().reverse().arg_max() if len(filled) else None
    return Cells(
        column.name,
        counted["cell"],
        counted["count"].to_numpy().astype(np.int64),
        len(column),
        len(column) - (last or 0) if len(filled) else 0,
    )


def cut(cell: str) -> str:
    return cell if len(cell) <= SHOWN else cell[: SHOWN - 1] + "…"
