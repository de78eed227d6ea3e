"""Which columns of a file a machine's inputs are, how that file writes them, and what the answers are called beside them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count

import polars as pl

from machines.engine.columns.cells import collect
from machines.engine.columns.formats import Habits, date_order, find_habits, is_unsure_number, number_format
from machines.engine.columns.profile import HEAD
from machines.engine.errors import DataError, Notice, Weight, gettext_noop
from machines.engine.reading import RawTable
from machines.engine.reading.append import fold
from machines.engine.reading.options import ReadOptions
from machines.engine.schema import CellFormat, Column, DataType, Schema
from machines.engine.solving.machine_file import output_names
from machines.serving.uploaded import AnyPredictor

NO_COLUMNS = gettext_noop("None of the machine's input columns is in the file. It needs %(names)s.")
ABSENT = gettext_noop("The input column “%(column)s” is not in the file, so it counts as missing in every row.")
MOST_NAMED = 8  # columns listed in a sentence
ENOUGH = 200_000  # cells that tell how a file writes a column


@dataclass(frozen=True)
class Match:
    """The machine's input columns that a file has: `titles` in the file, `columns` with how that file writes them."""

    titles: tuple[str, ...]
    columns: tuple[Column, ...]
    notices: list[Notice]


def match_titles(titles: Sequence[str], schema: Schema) -> Match:
    """Find the inputs without regard to case and blanks, written as the machine learned them.

    Raises DataError if none is there.
    """
    found = {column.name: _title(titles, column.name) for column in schema.inputs}
    absent = [name for name, title in found.items() if title is None]
    if len(absent) == len(found):
        raise DataError(NO_COLUMNS, names=", ".join(f"“{name}”" for name in absent[:MOST_NAMED]))
    pairs = [(title, column) for column in schema.inputs if (title := found[column.name]) is not None]
    notices = [Notice(ABSENT, {"column": name}, Weight.WARNING) for name in absent]
    return Match(tuple(title for title, _ in pairs), tuple(column for _, column in pairs), notices)


def match_inputs(raw: RawTable, schema: Schema) -> Match:
    """The same for a file, which may write its numbers and dates in a way of its own."""
    match = match_titles(raw.columns, schema)
    options = replace(raw.found, decimal=None, thousands=None, date_order=None)
    habits = find_habits(raw.head(HEAD).iter_columns(), options)
    pairs = zip(match.titles, match.columns, strict=True)
    columns = (replace(c, format=_format(raw.spread(title, ENOUGH), c, habits, options)) for title, c in pairs)
    return replace(match, columns=tuple(columns))


def _title(titles: Sequence[str], name: str) -> str | None:
    if name in titles:
        return name
    return next((title for title in titles if fold(title) == fold(name)), None)


def _format(cells: pl.Series, column: Column, habits: Habits, options: ReadOptions) -> CellFormat:
    """How this file writes a column; where its cells leave it open, as the file that the machine learned from."""
    if not column.type.is_numeric:
        return column.format
    counted = collect(cells)
    if column.type is DataType.FLOAT:
        format = number_format(counted, habits, options)
        return column.format if is_unsure_number(counted, format, habits) else format
    order = date_order(counted, habits, options)
    return column.format if order.is_open else CellFormat(date_order=order.order)


def answer_titles(predictor: AnyPredictor, titles: Sequence[str]) -> dict[str, str]:
    """What each column of the answers is called beside the file's own `titles`.

    An output `y` is called `y`, with `y:low`, `y:high` or `y:<class>`. Where the file has one of these already, without
    regard to case and blanks, all of them are called `y:answer`, `y:answer:low` ...; if it has those, too, `y:answer2`.
    """
    taken = {fold(title) for title in titles}
    called: dict[str, str] = {}
    for output in predictor.metadata["outputs"]:
        names = output_names(predictor.schema, output)
        stem = next(s for s in _stems(names[0]) if taken.isdisjoint(fold(s + n[len(names[0]) :]) for n in names))
        called |= {name: stem + name[len(names[0]) :] for name in names}
        taken |= {fold(called[name]) for name in names}
    return called


def _stems(name: str) -> Iterator[str]:
    yield from (name, f"{name}:answer")
    yield from (f"{name}:answer{number}" for number in count(2))
