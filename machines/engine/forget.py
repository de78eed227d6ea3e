"""Teaches "I don't know": some rows are learned a second time with part of their cells emptied.

A form may be left half empty. A machine that has only seen complete rows would take the median for an empty field and
be as sure as ever; one that has learned from incomplete rows gives the answer, and the doubt, that the rest allows.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from machines.engine.schema import Column, Table
from machines.engine.splits import Rows

SHARE = 0.25
MOST = 8_000  # copies
MOST_BESIDE = 8_000  # complete rows that are not measured


def rows_to_copy(count: int, rng: np.random.Generator) -> Rows:
    """Choose which of `count` rows get an incomplete copy."""
    return np.sort(rng.choice(count, min(MOST, int(SHARE * count)), replace=False))


def rows_to_keep(folds: NDArray[np.int64], rng: np.random.Generator) -> Rows:
    """Choose the complete rows that are learned beside the copies: all that are measured, and enough of the others."""
    others = np.flatnonzero(folds < 0)
    if len(others) > MOST_BESIDE:
        others = rng.choice(others, MOST_BESIDE, replace=False)
    return np.sort(np.append(np.flatnonzero(folds >= 0), others))


def incomplete(table: Table, columns: Sequence[Column], rows: Rows, rng: np.random.Generator) -> Table:
    """Return these rows of the table with cells emptied: in each row another share of them, from none to all."""
    empty = rng.random((len(rows), len(columns))) < rng.random((len(rows), 1))
    copies = {}
    for column, gone in zip(columns, empty.T, strict=True):
        cells = table[column.name][rows]
        copies[column.name] = np.where(gone, np.nan if column.type.is_numeric else "", cells).astype(cells.dtype)
    return copies


def says_something(cells: NDArray[Any]) -> bool:
    """Whether a column's cells differ at all; empty ones are all alike."""
    first = cells[0]
    return bool(((cells != first) & ~((cells != cells) & (first != first))).any())


def joined(first: Table, second: Table) -> Table:
    """Return the rows of two tables with the same columns, one below the other."""
    return {name: np.concatenate([cells, second[name]]) for name, cells in first.items()}
