"""A few rows of text cells -> their answers, and what in them could not be used."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from machines.engine.columns.parse import read_column
from machines.engine.schema import Table
from machines.engine.solving.match import Match
from machines.serving.predictor import Predictor, answers_to_columns


@dataclass(frozen=True)
class Answered:
    """The answers to some rows, in their order."""

    answers: pl.DataFrame  # columns as predict_csv names them: float64 or text
    unreadable: Mapping[str, NDArray[np.bool_]]  # title in the file -> [rows]: cells that are not of their type
    bare: NDArray[np.intp]  # rows without any value to go by


def answer_rows(predictor: Predictor, match: Match, cells: pl.DataFrame) -> Answered:
    """Answer every row of text cells; a cell that cannot be read counts as missing."""
    table: dict[str, NDArray[Any]] = {}
    unreadable: dict[str, NDArray[np.bool_]] = {}
    for title, column in zip(match.titles, match.columns, strict=True):
        table[column.name], unreadable[title] = read_column(cells[title], column)
    return Answered(pl.DataFrame(answers_to_columns(predictor.predict(table))), unreadable, _bare(table, cells.height))


def _bare(table: Table, rows: int) -> NDArray[np.intp]:
    """Look at each further column only where all before it are missing."""
    left = np.arange(rows)
    for values in table.values():
        some = values[left]
        left = left[some == "" if some.dtype == object else np.isnan(some)]
    return left
