"""Which rows a machine is measured on: any rows, whole groups of rows, or those that come last.

Where rows of one person stand on both sides, or the past is answered with the future, figures are better than the machine:
see Kaufman et al. 2012, Leakage in Data Mining. A split says how rows belong together, and everything here keeps to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from machines.engine.errors import DataError, gettext_noop
from machines.engine.schema import Column, DataType, Role, Schema, Table

if TYPE_CHECKING:
    from machines.engine.prepare import Target

Rows: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]

VALIDATION_SHARE = 8  # where rows are not learned in folds, one row in so many validates
RARE_SHARE, RARE = 3, 200  # the same where fewer rows than that have another label than the most frequent one
LATEST_SHARE = 5  # the same where rows follow one another in time
MOST_VALIDATED = 10_000
LEAST_LATEST = 20
LEAST_PART = 4  # rows on either side
MOST_WEIGHED = 10_000  # groups, the largest, that are dealt by their size; more are dealt out in turn

ABSENT = gettext_noop("There is no column “%(column)s” to split the rows by. Choose another one.")
EMPTY = gettext_noop("“%(column)s” is empty in every row, so rows cannot be split by it. Choose another column.")
SAME = gettext_noop(
    "All rows have the same value in “%(column)s”, so there is nothing to measure on. Choose another column."
)
LOPSIDED = gettext_noop(
    "Nearly all rows have the same value in “%(column)s”: on one side too few would be left. Choose another column."
)
NO_ORDER = gettext_noop(
    "“%(column)s” holds text, which has no order in time. Give it the type of a number or a date, or choose another column."
)


ONE_ANSWER = gettext_noop(
    "Split by “%(column)s”, the rows to learn from all have the same answer in “%(output)s”. Choose another column."
)
IS_OUTPUT = gettext_noop("“%(column)s” is to be predicted, so rows cannot be split by it. Choose another column.")


class SplitKind(StrEnum):
    """Do several rows belong to the same person or time?"""

    ROWS = "rows"  # no: each row stands alone
    GROUP = "group"  # rows with the same value of a column belong together
    TIME = "time"  # rows follow one another in the order of a column


@dataclass(frozen=True)
class Split:
    """How rows belong together, and the column that tells."""

    kind: SplitKind = SplitKind.ROWS
    column: str | None = None

    def to_json(self) -> dict[str, str | None]:
        return {"kind": str(self.kind), "column": self.column}

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | None) -> "Split":
        """Read what `to_json` wrote; nothing at all means that each row stands alone."""
        return cls(SplitKind(data["kind"]), data.get("column")) if data else cls()


def check_split(split: Split, schema: Schema) -> None:
    """Raise DataError unless the split's column is there, is no output and, to follow in time, has an order."""
    if split.kind is SplitKind.ROWS:
        return
    column = next((column for column in schema.columns if column.name == split.column), None)
    if column is None:
        raise DataError(ABSENT, column=split.column or "")
    if column in schema.outputs:
        raise DataError(IS_OUTPUT, column=column.name)
    if split.kind is SplitKind.TIME and not column.type.is_numeric:
        raise DataError(NO_ORDER, column=column.name)


def columns_to_read(schema: Schema, split: Split) -> list[Column]:
    """The used columns and the one that tells how rows belong together, which may be ignored otherwise.

    Raises DataError as `check_split` does.
    """
    check_split(split, schema)
    return [_as_read(column, split) for column in schema.columns if column.is_used or column.name == split.column]


def deal(split: Split, table: Table, rows: Rows, target: "Target", folds: int, rng: np.random.Generator) -> Rows:
    """For each of `rows` the fold that validates it, -1 for those that only teach; `target` holds the answers of `rows`.

    One fold: about an eighth of the rows is in fold 0. Groups are in one fold whole, so there may be fewer folds than
    asked for. In time there is one fold whatever `folds` says: the latest fifth, to be answered by what came before.
    Raises DataError where the column cannot tell.
    """
    strata = alike(target)
    if split.kind is SplitKind.TIME:
        dealt = np.where(_latest(split, table, rows), 0, -1)
    elif folds > 1:
        dealt = part_of_each(split, table, rows, strata, folds, rng)
    else:
        dealt = np.where(_one_part(split, table, rows, strata, rng), 0, -1)
    if split.kind is not SplitKind.ROWS:
        _check_answers(split, target, dealt)
    return dealt


def spread(groups: Rows, parts: int, rng: np.random.Generator) -> Rows:
    """Deal rows into `parts` so that every group is spread evenly; return each row's part."""
    order = np.lexsort((rng.random(len(groups)), groups))
    dealt = np.empty(len(groups), np.int64)
    dealt[order] = np.arange(len(groups)) % parts
    return dealt


def alike(target: "Target") -> Rows:
    """Which rows have alike answers: those of a class, or of a tenth of the numbers."""
    return target.values if target.classes else bins(target.values)


def bins(values: NDArray[Any]) -> Rows:
    """Numbers as tenths of their order, 0 to 9."""
    edges = np.quantile(values, np.linspace(0.1, 0.9, 9))
    return np.searchsorted(edges, values).astype(np.int64)


def _as_read(column: Column, split: Split) -> Column:
    if column.is_used:
        return column
    type = DataType.LABEL if column.type in {DataType.IGNORE, DataType.JSON} else column.type
    return replace(column, type=type, role=Role.INPUT)


def _share(rows: Rows | Floats, share: int) -> int:
    """One row in how many, so that they are no more than MOST_VALIDATED."""
    return max(share, -(-len(rows) // MOST_VALIDATED))


def _one_part(split: Split, table: Table, rows: Rows, strata: Rows, rng: np.random.Generator) -> Mask:
    """An eighth of the rows, or a third where that would hold few of the rare labels; of groups what comes nearest to that."""
    rare = len(strata) - int(np.bincount(strata).max())
    parts = _share(rows, VALIDATION_SHARE if rare >= RARE else RARE_SHARE)
    dealt = part_of_each(split, table, rows, strata, parts, rng)
    nearest = np.abs(np.bincount(dealt) - len(rows) / parts).argmin() if split.kind is SplitKind.GROUP else 0
    return _two_sided(split, dealt == nearest)


def part_of_each(split: Split, table: Table, rows: Rows, strata: Rows, parts: int, rng: np.random.Generator) -> Rows:
    """The part of each row. Each part has about as many rows, and as many of each of `strata`, as far as groups allow."""
    if split.kind is SplitKind.ROWS:
        return spread(strata, parts, rng)
    groups = _groups(_cells(split, table, rows))
    count = int(groups.max()) + 1
    if count < 2:
        raise DataError(SAME, column=split.column)
    return _deal_groups(groups, strata, min(parts, count), rng)[groups]


def _deal_groups(groups: Rows, strata: Rows, parts: int, rng: np.random.Generator) -> Rows:
    """The part of each group: the largest first, each to where rows, and rows of groups with alike answers, are fewest."""
    sizes = np.bincount(groups)
    alike = bins(np.bincount(groups, strata) / sizes)
    order = np.lexsort((rng.random(len(sizes)), -sizes))
    part_of = np.empty(len(sizes), np.int64)
    part_of[order[MOST_WEIGHED:]] = spread(alike[order[MOST_WEIGHED:]], parts, rng)
    rows_of_alike = np.bincount(alike, sizes)
    load = np.zeros((len(rows_of_alike), parts))  # [alike, part] in shares of the rows that are alike
    total = np.zeros(parts)  # in shares of all rows
    for group in order[:MOST_WEIGHED]:
        size, kind = sizes[group], alike[group]
        part_of[group] = part = (total + load[kind]).argmin()
        total[part] += size / len(groups)
        load[kind, part] += size / rows_of_alike[kind]
    return part_of


def _groups(cells: NDArray[Any]) -> Rows:
    """Number the different values; each empty cell has a number of its own."""
    empty = _is_empty(cells)
    known = cells[~empty].tolist()
    number = {value: n for n, value in enumerate(dict.fromkeys(known))}
    groups = np.empty(len(cells), np.int64)
    groups[~empty] = [number[value] for value in known]
    groups[empty] = len(number) + np.arange(empty.sum())
    return groups


def _latest(split: Split, table: Table, rows: Rows) -> Mask:
    """The latest fifth of the rows whose moment is known, and nothing as late among the others.

    The border is the one between two moments that comes nearest to that: rows of one moment stay together.
    """
    values = _cells(split, table, rows)
    if values.dtype.kind != "f":
        raise DataError(NO_ORDER, column=split.column)
    known = np.sort(values[~np.isnan(values)])
    moments, begins = np.unique(known, return_index=True)
    if len(moments) < 2:
        raise DataError(SAME, column=split.column)
    later = len(known) - begins[1:]  # so many rows from each moment on; falling
    enough = max(1, int((later >= min(LEAST_LATEST, len(known) // 2)).sum()))
    wanted = len(known) / _share(known, LATEST_SHARE)
    return _two_sided(split, values >= moments[1 + np.abs(later[:enough] - wanted).argmin()])


def _cells(split: Split, table: Table, rows: Rows) -> NDArray[Any]:
    if split.column is None or split.column not in table:
        raise DataError(ABSENT, column=split.column or "")
    cells: NDArray[Any] = table[split.column][rows]
    if _is_empty(cells).all():
        raise DataError(EMPTY, column=split.column)
    return cells


def _is_empty(cells: NDArray[Any]) -> Mask:
    empty: Mask = np.isnan(cells) if cells.dtype.kind == "f" else cells == ""
    return empty


def _check_answers(split: Split, target: "Target", dealt: Rows) -> None:
    for fold in range(int(dealt.max()) + 1):
        learned = target.values[dealt != fold]
        if learned.min() == learned.max():
            raise DataError(ONE_ANSWER, column=split.column, output=target.column.name)


def _two_sided(split: Split, chosen: Mask) -> Mask:
    """Raise DataError where groups or moments leave too few rows on a side."""
    if split.kind is not SplitKind.ROWS and not LEAST_PART <= chosen.sum() <= len(chosen) - LEAST_PART:
        raise DataError(LOPSIDED, column=split.column)
    return chosen
