"""Rows that are there twice, and columns that say the same."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dashboards.drawing.typed import CELL, as_sent
from dashboards.profiling.cells import Cells

LEAST_ROWS = 20  # with a value, before columns are said to be the same
_STEP = np.uint64(0xBF58476D1CE4E5B9)


def repeated_rows(parts: Sequence[Path], names: Sequence[str], rows: int) -> dict[str, int]:
    """How many of all rows are one too many, and how many pairs are the same: letter by letter in these columns."""
    marks = np.zeros(rows, np.uint64)
    for name in names:
        cell = pl.col(CELL).str.strip_chars().hash(0)
        marks ^= as_sent(parts, name).select(cell).collect()[CELL].to_numpy()
        marks *= _STEP
        marks ^= marks >> np.uint64(29)
    marks.sort()
    ends = np.flatnonzero(np.append(marks[1:] != marks[:-1], True)) if rows else np.zeros(0, np.int64)
    counts = np.diff(ends, prepend=-1)
    return {"rows": int((counts - 1).sum()), "pairs": int((counts * (counts - 1) // 2).sum())}


class Repeats:
    """Hears of every column once; then knows which of them are the same."""

    def __init__(self) -> None:
        self.same_by_chance = 1.0  # two rows, if columns had nothing to do with each other
        self.keys: dict[str, list[str]] = {}

    def add(self, cells: Cells, *, is_used: bool) -> None:
        if is_used:
            self.same_by_chance *= _same_by_chance(cells)
        for key in _keys(cells):
            self.keys.setdefault(key, []).append(cells.column.name)

    def twins(self) -> list[list[str]]:
        """Groups of columns that say the same, in the order of the table."""
        groups: list[list[str]] = []
        for names in self.keys.values():
            if len(names) < 2:
                continue
            met = [group for group in groups if set(group) & set(names)]
            joined = list(dict.fromkeys([name for group in met for name in group] + names))
            groups = [group for group in groups if group not in met] + [joined]
        return groups


def _same_by_chance(cells: Cells) -> float:
    """The share of pairs of rows that are the same in this column."""
    rows = len(cells.codes)
    counts = np.append(cells.counts, rows - int(cells.counts.sum())).astype(np.float64)
    return float((counts * (counts - 1)).sum() / max(1, rows * (rows - 1)))


def _keys(cells: Cells) -> Iterator[str]:
    """Names that two columns share when one can be told from the other, row by row, gaps included."""
    if cells.distinct < 2 or len(cells.known) < LEAST_ROWS:
        return
    if 2 * cells.distinct <= len(cells.known):  # otherwise values come once, and any two columns match
        yield "again" + _digest(_by_first(cells))
    if cells.is_number:  # in the same order, or in the opposite one: in another unit, or as a logarithm
        turned = np.where(cells.codes < 0, -1, cells.distinct - 1 - cells.codes)
        yield "order" + min(_digest(cells.codes), _digest(turned))
    else:
        yield "text" + _digest(_by_first(cells)) + "|".join(cells.top[:3])


def _by_first(cells: Cells) -> NDArray[np.int64]:
    """Codes in the order in which values first come: the same for any two names of the same things."""
    rows = np.arange(len(cells.codes))[::-1]
    first = np.zeros(cells.distinct + 1, np.int64)
    first[cells.codes[::-1]] = rows  # the last one written stays: the first row
    place = np.empty(cells.distinct + 1, np.int64)
    place[np.argsort(first[:-1])] = np.arange(cells.distinct)
    place[-1] = -1  # what is missing
    return place[cells.codes]


def _digest(codes: NDArray[Any]) -> str:
    return hashlib.sha256(codes.astype(np.int32).tobytes()).hexdigest()
