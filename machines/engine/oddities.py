"""What is odd about columns although one can learn from them: a person should know before believing in the machine."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from machines.engine.errors import Notice, Weight, gettext_noop
from machines.engine.forget import says_something
from machines.engine.schema import Column, DataType, Table
from machines.engine.splits import Rows

OWN = 0.95  # of the labels in a column, beyond which hardly one of them comes again
DENSE = 1.1  # a running number leaves out one number in eleven at most
FAR = 1e6  # times what lies between the quarters of all numbers
COMPARED = 1000  # cells of a column that are compared first
MOST_NAMED = 8

IDLE = gettext_noop(
    "These inputs tell nothing: they are empty, or hold the same or another value in every row: %(columns)s. "
    "You can leave them out."
)
ALIKE = gettext_noop("These inputs hold the same in every row: %(columns)s. One of them is enough.")
RUNNING = gettext_noop(
    "“%(column)s” looks like a running number from %(low)s to %(high)s. Such a number can hardly be told from other "
    "columns; predict another one."
)
FAR_OFF = gettext_noop(
    "“%(column)s” is %(value)s in row %(row)s, a million times farther off than usual. If that is a mistake, correct it "
    "and train again: such a number spoils the others."
)


def odd_inputs(table: Table, inputs: Sequence[Column], rows: Rows) -> list[Notice]:
    """Name the inputs that tell nothing, and those that repeat another one."""
    idle = [column for column in inputs if _is_idle(column, table[column.name][rows])]
    notices = [_warning(IDLE, columns=_names(idle))] if idle else []
    others = [column for column in inputs if column not in idle]
    return notices + [_warning(ALIKE, columns=_names(group)) for group in _alike(table, others, rows)]


def odd_output(column: Column, values: NDArray[Any], rows: Rows) -> list[Notice]:
    """Say of an output of numbers if it is a running number, or if one of its numbers is far from all others."""
    if column.type is not DataType.FLOAT:
        return []
    known = values[rows]
    low, high = float(known.min()), float(known.max())
    notices = []
    if len(known) - 1 <= high - low < DENSE * len(known) and _are_whole(known) and not _repeat(known - low):
        notices.append(_warning(RUNNING, column=column.name, low=int(low), high=int(high)))
    quarter, middle, three = np.quantile(known, [0.25, 0.5, 0.75])
    farthest = int(np.abs(known - middle).argmax())
    if three > quarter and abs(known[farthest] - middle) > FAR * (three - quarter):
        row, value = int(rows[farthest]) + 1, float(known[farthest])
        notices.append(_warning(FAR_OFF, column=column.name, row=row, value=value))
    return notices


def _are_whole(numbers: NDArray[np.float64]) -> bool:
    return bool((numbers == np.floor(numbers)).all())


def _repeat(numbers: NDArray[np.float64]) -> bool:
    """Whether any of these small whole numbers comes again."""
    return bool(np.bincount(numbers.astype(np.int64)).max() > 1)


def _is_idle(column: Column, cells: NDArray[Any]) -> bool:
    if column.zero_is_missing:
        cells = np.where(cells == 0, np.nan, cells)
    if not says_something(cells):
        return True
    filled = cells[cells != ""] if column.type is DataType.LABEL else ()
    return len(filled) > 1 and len(set(filled)) > OWN * len(filled)


def _alike(table: Table, columns: Sequence[Column], rows: Rows) -> Iterator[list[Column]]:
    """Groups of columns with the same cells in these rows; columns that differ early are told apart by a few cells."""
    for suspects in _by_key(table, columns, rows[:COMPARED]):
        yield from _by_key(table, suspects, rows)


def _by_key(table: Table, columns: Sequence[Column], rows: Rows) -> list[list[Column]]:
    groups: dict[Any, list[Column]] = {}
    for column in columns:
        cells = table[column.name][rows]
        key = cells.tobytes() if column.type.is_numeric else tuple(cells)
        groups.setdefault((column.zero_is_missing, column.type, hash(key)), []).append(column)
    return [group for group in groups.values() if len(group) > 1]


def _names(columns: Sequence[Column]) -> str:
    return ", ".join(column.name for column in columns[:MOST_NAMED]) + (" …" if len(columns) > MOST_NAMED else "")


def _warning(template: str, **values: Any) -> Notice:
    return Notice(template, values, Weight.WARNING)
