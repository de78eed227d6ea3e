"""A raw table: every cell as text, kept in Parquet files of its own until it is stored or forgotten."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from machines.engine.errors import Notice
from machines.engine.reading.options import ReadOptions

BLOCK = 10_000_000  # cells held in memory at once


@dataclass(frozen=True)
class RawTable:
    """What a file said. Cells are stripped text, None where empty; `found` says how the file was read."""

    path: Path  # a folder of Parquet files: one text column for each of `columns`, perhaps others
    columns: tuple[str, ...]
    rows: int
    found: ReadOptions = field(default_factory=ReadOptions)
    descriptions: dict[str, str] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    keeper: Any = None  # the temporary folder; it is removed with the table
    added: tuple[str, ...] = ()  # columns that the file does not have itself, see reading.nested

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of the folder, whose rows lie one below the other."""
        return tuple(sorted(self.path.glob("*.parquet")))

    @property
    def frame(self) -> pl.DataFrame:
        """All cells at once."""
        return self.select(self.columns)

    def select(self, columns: Sequence[str]) -> pl.DataFrame:
        """Some columns of all rows."""
        return pl.read_parquet(self.path, columns=list(columns)).select(columns)

    def blocks(self) -> Iterator[pl.DataFrame]:
        """All columns, a few at a time, so that a wide or long table never lies in memory as a whole."""
        step = max(1, BLOCK // max(1, self.rows))
        for at in range(0, len(self.columns), step):
            yield self.select(self.columns[at : at + step])

    def spread(self, column: str, cells: int) -> pl.Series:
        """About so many cells of a column, from all over the table; all of them if it has no more."""
        step = max(1, self.rows // cells)
        return pl.concat([pl.read_parquet(file, columns=[column])[column].gather_every(step) for file in self.files])

    def head(self, rows: int) -> pl.DataFrame:
        return pl.read_parquet(self.path, columns=list(self.columns), n_rows=rows).select(self.columns)

    @classmethod
    def from_frame(cls, frame: pl.DataFrame, **about: Any) -> "RawTable":
        """A raw table of a frame of text columns; `about` are the other fields."""
        keeper = new_folder()
        path = Path(keeper.name) / "table"
        path.mkdir()
        frame.write_parquet(path / "0.parquet", compression="zstd", compression_level=1)
        return cls(path, tuple(frame.columns), frame.height, keeper=keeper, **about)


def new_folder() -> "tempfile.TemporaryDirectory[str]":
    """A private folder that goes when nobody refers to it any more."""
    return tempfile.TemporaryDirectory(prefix="reading-")


def clean_cells(*, may_hold_nul: bool = True) -> pl.Expr:
    """Strip every cell; what is empty then is None. NUL, which no database keeps, goes: only text files are free of it."""
    cells = pl.all().str.replace_all("\0", "", literal=True) if may_hold_nul else pl.all()
    stripped = cells.str.strip_chars()
    return pl.when(stripped != "").then(stripped)
