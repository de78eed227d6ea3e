"""A few rows of text cells -> their answers, and what in them could not be used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from machines.engine.columns.parse import read_column
from machines.engine.schema import Table
from machines.engine.solving.match import Match
from machines.serving.predictor import Answer, answers_to_columns
from machines.serving.uploaded import AnyPredictor, UploadedPredictor, is_nothing

NONE = np.zeros(0, dtype=np.intp)


@dataclass(frozen=True)
class Answered:
    """The answers to some rows, in their order."""

    answers: pl.DataFrame  # columns as predict_csv names them: float64 or text
    unreadable: Mapping[str, NDArray[np.bool_]]  # title in the file -> [rows]: cells that are not of their type
    bare: NDArray[np.intp]  # rows without any value to go by
    needed: Mapping[str, NDArray[np.bool_]]  # title in the file -> [rows]: cells without which there is no answer
    silent: NDArray[np.intp]  # rows to which an uploaded model gave no usable answer


def answer_rows(predictor: AnyPredictor, match: Match, cells: pl.DataFrame) -> Answered:
    """Answer every row of text cells; a cell that cannot be read counts as missing."""
    table: dict[str, NDArray[Any]] = {}
    unreadable: dict[str, NDArray[np.bool_]] = {}
    for title, column in zip(match.titles, match.columns, strict=True):
        table[column.name], unreadable[title] = read_column(cells[title], column)
    answers = predictor.predict(table)
    frame = pl.DataFrame(answers_to_columns(answers)).fill_nan(None)
    if not isinstance(predictor, UploadedPredictor):
        return Answered(frame, unreadable, _bare(table, cells.height), {}, NONE)
    titles = {column.name: title for title, column in zip(match.titles, match.columns, strict=True)}
    needed = {titles[name]: lacks for name, lacks in predictor.needed(table, cells.height).items() if name in titles}
    return Answered(frame, unreadable, NONE, needed, _silent(answers, needed))


def _silent(answers: Sequence[Answer], needed: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.intp]:
    """The rows that have all that is needed and yet an answer that is none."""
    nothing = np.logical_or.reduce([is_nothing(answer) for answer in answers])
    return np.flatnonzero(nothing & ~np.logical_or.reduce([*needed.values(), np.zeros_like(nothing)]))


def _bare(table: Table, rows: int) -> NDArray[np.intp]:
    """Look at each further column only where all before it are missing."""
    left = np.arange(rows)
    for values in table.values():
        some = values[left]
        left = left[some == "" if some.dtype == object else np.isnan(some)]
    return left
