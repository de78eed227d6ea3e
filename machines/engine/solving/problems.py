"""What could not be used, cell by cell and row by row, as a CSV file for people."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import polars as pl

from machines.engine.schema import DataType
from machines.engine.solving.answer import Answered
from machines.engine.solving.csv_cells import write_rows, write_titles
from machines.engine.solving.match import Match

MOST = 100_000  # lines
SHOWN = 200  # characters of a cell
SCHEMA = {"row": pl.Int64, "column": pl.String, "value": pl.String, "problem": pl.String}
WORDS = {
    DataType.FLOAT: "This is not a number, so the cell counts as empty.",
    DataType.DATE: "This is not a date, so the cell counts as empty.",
    DataType.TIME: "This is not a time of day, so the cell counts as empty.",
    DataType.DATETIME: "This is not a date with a time, so the cell counts as empty.",
}
BARE = "Nothing in this row could be used, so its answer rests on no value at all."
NEEDED = "The model needs this value, so the row has no answer."
SILENT = "The model gave no usable answer to this row."
MORE = "Further problems that are not listed: {count}."


@dataclass(frozen=True)
class Problems:
    """How many there are in all, how many cells of each column could not be read, how many rows have no answer."""

    count: int
    unreadable: dict[str, int]
    unanswered: int = 0


def find_problems(cells: pl.DataFrame, match: Match, answered: Answered, first: int) -> pl.DataFrame:
    """One line for each unreadable cell and each row with nothing to go by; `first` is the number of the first row."""
    whole = [_lines(answered.bare, None, None, BARE), _lines(answered.silent, None, None, SILENT)]
    lines = [pl.DataFrame(schema=SCHEMA), *_unreadable(cells, match, answered), *_needed(cells, answered), *whole]
    return pl.concat(lines).sort("row", maintain_order=True).with_columns(pl.col("row") + first)


def _unreadable(cells: pl.DataFrame, match: Match, answered: Answered) -> Iterator[pl.DataFrame]:
    for title, column in zip(match.titles, match.columns, strict=True):
        at = np.flatnonzero(answered.unreadable[title])
        if len(at):
            yield _lines(at, title, cells[title].gather(at).str.slice(0, SHOWN), WORDS[column.type])


def _needed(cells: pl.DataFrame, answered: Answered) -> Iterator[pl.DataFrame]:
    for title, lacks in answered.needed.items():
        at = np.flatnonzero(lacks)
        if len(at):
            yield _lines(at, title, cells[title].gather(at).str.slice(0, SHOWN), NEEDED)


def _lines(at: np.ndarray, title: str | None, values: pl.Series | None, problem: str) -> pl.DataFrame:
    told = {"row": at, "column": [title] * len(at), "value": values if len(at) else [], "problem": [problem] * len(at)}
    return pl.DataFrame(told, schema=SCHEMA)


def join_problems(parts: Sequence[Path], file: IO[bytes]) -> Problems:
    """Write the lines of all chunks, MOST at most, below a line of titles; a last line says how many more there are."""
    write_titles(list(SCHEMA), file)
    count, unanswered, unreadable = 0, 0, Counter[str]()
    for part in parts:
        lines = pl.read_parquet(part)
        write_rows(lines.head(max(0, MOST - count)), file)
        count += lines.height
        cells = lines.filter(pl.col("problem") != NEEDED)["column"].drop_nulls()
        unreadable.update(dict(cells.value_counts().iter_rows()))
        unanswered += lines.filter(pl.col("problem").is_in([NEEDED, SILENT]))["row"].n_unique()
    if count > MOST:
        more = MORE.format(count=count - MOST)
        write_rows(pl.DataFrame([[None], [None], [None], [more]], schema=SCHEMA), file)
    return Problems(count, dict(unreadable), unanswered)
