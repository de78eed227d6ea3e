"""Frames -> lines of CSV that no spreadsheet runs."""

import csv
import re
from collections.abc import Sequence
from io import StringIO
from typing import IO

import polars as pl

from machines.engine.columns.numbers import number_pattern
from machines.engine.schema import CellFormat

FORMULA = "^[=+\\-@\t\r\0＝＋－＠]"  # what makes a spreadsheet run a cell
NUMBER = "|".join(number_pattern(format) for format in (CellFormat(".", ","), CellFormat(",", ".")))
_formula, _number = re.compile(FORMULA), re.compile(NUMBER)


def write_titles(titles: Sequence[str], file: IO[bytes]) -> None:
    line = StringIO()
    csv.writer(line, lineterminator="\n").writerow(map(escape, titles))
    file.write(line.getvalue().encode())


def write_rows(frame: pl.DataFrame, file: IO[bytes]) -> None:
    """Write one line per row; what is missing is an empty cell."""
    columns = (_escaped(column) if column.dtype == pl.String else column for column in frame.get_columns())
    pl.DataFrame(list(columns)).write_csv(file, include_header=False)


def escape(cell: str) -> str:
    """A text as a cell that no spreadsheet runs (ASVS 5.0, 1.2.10). A number such as -3.5 or -3,5 stays as it is."""
    return f"'{cell}" if _formula.match(cell) and not _number.fullmatch(cell) else cell


def _escaped(cells: pl.Series) -> pl.Series:
    """The same for a whole column: most have no such cell."""
    if not cells.str.contains(FORMULA).any():
        return cells
    cell = pl.col(cells.name)
    runs = cell.str.contains(FORMULA) & ~cell.str.contains(NUMBER)
    return cells.to_frame().select(pl.when(runs).then("'" + cell).otherwise(cell).alias(cells.name)).to_series()
