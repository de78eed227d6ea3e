"""Text cells + confirmed columns -> the typed arrays that everything else works on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from machines.engine.columns.arrays import Floats, find_missing, parse_moments, parse_numbers
from machines.engine.errors import DataError, gettext_noop
from machines.engine.schema import CellFormat, Column, DataType, Table


def parse_table(frame: pl.DataFrame, columns: Sequence[Column]) -> tuple[Table, dict[str, int]]:
    """The used columns as arrays of shape [rows] (see `schema.Table`), and for each the count of unreadable cells.

    Raises DataError when a used column is not in the frame.
    """
    table: dict[str, NDArray[Any]] = {}
    unreadable: dict[str, int] = {}
    known = set(frame.columns)
    for column in columns:
        if column.is_used:
            if column.name not in known:
                raise DataError(gettext_noop("The column “%(column)s” is missing."), column=column.name)
            table[column.name], unreadable[column.name] = parse_column(frame[column.name], column)
    return table, unreadable


def parse_column(cells: pl.Series, column: Column) -> tuple[NDArray[Any], int]:
    """One column as an array of shape [rows], and the count of cells that hold something unreadable."""
    values, unreadable = read_column(cells, column)
    return values, int(np.count_nonzero(unreadable))


def read_column(cells: pl.Series, column: Column) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """The same, and which cells hold something unreadable, of shape [rows]. Every text can be read as a text."""
    unreadable = np.zeros(len(cells), np.bool_)
    if column.type.is_text:
        return _parse_text(cells, find_missing(cells, column.type)), unreadable
    values = parse_cells(cells, column.type, column.format)
    unread = np.flatnonzero(np.isnan(values))  # no word for "missing" reads as a number or a moment
    if len(unread):
        unreadable[unread] = ~find_missing(cells.gather(unread), column.type)
    if column.zero_is_missing and column.type is DataType.FLOAT:
        values[values == 0] = np.nan
    return values, unreadable


def parse_cells(cells: pl.Series, type: DataType, format: CellFormat) -> Floats:
    """A text series read as a numeric type: float64 of shape [cells], NaN where it cannot be."""
    if type is DataType.FLOAT:
        return parse_numbers(cells, format)
    return parse_moments(cells, type, format)


def _parse_text(cells: pl.Series, missing: NDArray[np.bool_]) -> NDArray[Any]:
    text = cells.str.strip_chars().set(pl.Series(missing), "")
    return np.array(text.to_list(), dtype=object)
