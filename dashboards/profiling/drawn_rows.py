"""Of very long tables, rows at random: so that ten million rows are looked at in seconds, and in little memory."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

MOST_CELLS = 12_000_000  # a table with more is looked at in part
LEAST_ROWS = 20_000
ROW = "_row"


def most_rows(columns: int) -> int:
    return max(LEAST_ROWS, MOST_CELLS // max(1, columns))


def draw_rows(parts: Sequence[Path], rows: int, most: int, folder: Path) -> list[Path]:
    """The parts again with about `most` of their `rows`, in the same order, in `folder`; each row has the same chance."""
    lot = int(2**64 * most / rows)
    return [_drawn(path, number, lot, folder) for number, path in enumerate(parts)]


def _drawn(path: Path, number: int, lot: int, folder: Path) -> Path:
    drawn = folder / f"{number}.parquet"
    marked = pl.scan_parquet(path).with_row_index(ROW)
    # The lot of a row is the hash of its number: another one in each part, the same ones tomorrow.
    chosen = marked.filter(pl.col(ROW).hash(number + 1) < lot).drop(ROW)
    chosen.sink_parquet(drawn, compression="lz4", maintain_order=True)
    return drawn
