"""Which rows can be learned from, and what the answers are."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from machines.engine.errors import DataError, Notice, Weight, gettext_noop
from machines.engine.oddities import odd_inputs, odd_output
from machines.engine.schema import Column, DataType, Schema, Table
from machines.engine.splits import Rows as Rows  # for those who import it from here

LEAST_ROWS = 20
MOST_CLASSES = 1000
MOST_LETTERS = 1000  # of a label that is predicted
FARTHEST, NEAREST = 1e100, 1e-100  # squares of larger numbers, and of smaller differences, are lost
PIECE = 10_000  # cells that are looked at together
CELLS_PER_SECOND = 600_000  # so many cells are read per second of the time allowed

NO_INPUTS = gettext_noop("No column is used as an input. Choose at least one column to predict from.")
NO_OUTPUTS = gettext_noop("No column is to be predicted. Choose at least one output.")
BAD_OUTPUT = gettext_noop("“%(column)s” holds %(type)s. Only numbers (FLOAT) and labels (LABEL) can be predicted.")
ABSENT = gettext_noop("The column “%(column)s” is not in the data.")
TWICE = gettext_noop("The name “%(column)s” would stand for two things in the machine. Rename that column.")
NAMELESS = gettext_noop("A column has no name. Name it, or ignore it.")
FEW_ROWS = gettext_noop("Rows with an answer in “%(column)s”: %(rows)s. At least %(least)s are needed.")
CONSTANT = gettext_noop("“%(column)s” is “%(value)s” in every row, so there is nothing to learn.")
NO_TEXT = gettext_noop("“%(column)s” holds half a character, which is no text, in row %(row)s. Correct it there.")
NO_NAME = gettext_noop("The name of the column “%(column)s” holds half a character, which is no text. Rename it.")
INFINITE = gettext_noop("“%(column)s” holds an infinite number, in row %(row)s. Correct it or leave the cell empty.")
BEYOND = gettext_noop(
    "“%(column)s” holds numbers from %(low)s to %(high)s, too large or too close together to reckon with. "
    "Give them in another unit."
)
LONG = gettext_noop(
    "“%(column)s” holds a text of %(letters)s characters. Only labels can be predicted, of %(most)s characters at most."
)
MANY_CLASSES = gettext_noop("“%(column)s” has %(classes)s different labels; at most %(most)s can be told apart.")
UNIQUE = gettext_noop("Nearly every row of “%(column)s” has a label of its own, so there is nothing to repeat.")
LEFT_OUT = gettext_noop("Rows without an answer in “%(column)s” were left out: %(rows)s.")
ONCE = gettext_noop("These labels of “%(column)s” occur only once and were left out: %(labels)s.")
SAMPLED = gettext_noop("Learned from %(used)s of %(rows)s rows, chosen at random, to keep to the time.")


@dataclass(frozen=True)
class Target:
    """One output: class numbers for labels, standardised numbers else."""

    column: Column
    values: NDArray[Any]  # [rows] int64 or float32
    classes: tuple[str, ...] = ()  # of labels, most frequent first
    counts: tuple[int, ...] = ()
    mean: float = 0.0
    std: float = 1.0

    @property
    def width(self) -> int:
        """Numbers the network gives for it."""
        return len(self.classes) or 1

    @property
    def task(self) -> str:
        return "number" if not self.classes else "binary" if len(self.classes) == 2 else "multiclass"

    def take(self, rows: Rows) -> "Target":
        return Target(self.column, self.values[rows], self.classes, self.counts, self.mean, self.std)


@dataclass(frozen=True)
class Prepared:
    """The rows to learn from and to measure on; row numbers refer to the table."""

    rows: Rows
    targets: tuple[Target, ...]  # of all rows of the table; left-out rows hold nonsense
    usable: int
    warnings: list[Notice] = field(default_factory=list)


def prepare(table: Table, schema: Schema, seconds: float, seed: int) -> Prepared:
    """Check the schema against the table and choose usable rows, as many as the time allows. Raises DataError."""
    check_names(table, schema)
    _check_texts(table, schema)
    rng = np.random.default_rng(seed)
    warnings: list[Notice] = []
    rows = usable_rows(table, schema, warnings)
    usable = len(rows)
    for column in schema.outputs:
        warnings += odd_output(column, table[column.name], rows)
    rows = _sample(rows, rows_in_time(table, schema, seconds), rng, warnings)
    rows = _repeated(table, schema, rows, warnings)
    targets = tuple(make_target(column, table[column.name], rows) for column in schema.outputs)
    warnings += odd_inputs(table, schema.inputs, rows)
    return Prepared(rows, targets, usable, warnings)


def check_names(table: Table, schema: Schema) -> None:
    """Raise DataError unless the schema can become a machine whose inputs and outputs all have names of their own."""
    if not schema.outputs:
        raise DataError(NO_OUTPUTS)
    if not schema.inputs:
        raise DataError(NO_INPUTS)
    for column in (*schema.inputs, *schema.outputs):
        if not column.name:
            raise DataError(NAMELESS)
        if column.name not in table:
            raise DataError(ABSENT, column=column.name)
    for column in schema.outputs:
        if not column.type.can_be_output:
            raise DataError(BAD_OUTPUT, column=column.name, type=str(column.type))


def _check_texts(table: Table, schema: Schema) -> None:
    """Raise DataError where a name or a cell holds half of a pair of surrogates: nothing can be written with it."""
    for column in schema.columns:
        if not _is_text(column.name):
            raise DataError(NO_NAME, column=column.name.encode(errors="replace").decode())
        cells = table[column.name] if column.is_used and column.type.is_text else ()
        if not all(_is_text("".join(cells[at : at + PIECE])) for at in range(0, len(cells), PIECE)):
            row = next(at for at, cell in enumerate(cells, start=1) if not _is_text(cell))
            raise DataError(NO_TEXT, column=column.name, row=row)


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_clashes(inputs: Sequence[str], outputs: Sequence[str]) -> None:
    """Raise DataError if a name occurs twice among the machine's inputs and outputs (`y:low`, `y:<class>` included)."""
    for name, times in Counter([*inputs, *outputs]).items():
        if times > 1:
            raise DataError(TWICE, column=name)


def usable_rows(table: Table, schema: Schema, warnings: list[Notice]) -> Rows:
    """Rows that have an answer in every output."""
    good = np.ones(len(table[schema.outputs[0].name]), bool)
    for column in schema.outputs:
        values = table[column.name]
        there = ~np.isnan(values) if column.type is DataType.FLOAT else values != ""
        _check_cells(column, values)
        if there.sum() < LEAST_ROWS:
            raise DataError(FEW_ROWS, column=column.name, rows=int(there.sum()), least=LEAST_ROWS)
        if not there.all():
            lost = {"rows": int((~there).sum()), "column": column.name}
            warnings.append(Notice(LEFT_OUT, lost, Weight.WARNING))
        good &= there
    if good.sum() < LEAST_ROWS:
        names = ", ".join(column.name for column in schema.outputs)
        raise DataError(FEW_ROWS, column=names, rows=int(good.sum()), least=LEAST_ROWS)
    return np.flatnonzero(good)


def _check_cells(column: Column, values: NDArray[Any]) -> None:
    """Raise DataError where an output's cells cannot be answers."""
    if column.type is not DataType.FLOAT:
        if (letters := max(map(len, values), default=0)) > MOST_LETTERS:
            raise DataError(LONG, column=column.name, letters=letters, most=MOST_LETTERS)
        return
    if np.isinf(values).any():
        raise DataError(INFINITE, column=column.name, row=int(np.isinf(values).argmax()) + 1)
    low, high = float(np.fmin.reduce(values, initial=np.inf)), float(np.fmax.reduce(values, initial=-np.inf))
    if low < high and (max(-low, high) > FARTHEST or high - low < NEAREST):
        raise DataError(BEYOND, column=column.name, low=low, high=high)


def make_target(column: Column, values: NDArray[Any], train: Rows) -> Target:
    """Turn an output's cells into class numbers, or numbers with mean 0 and deviation 1 on the rows to train on."""
    if column.type is DataType.FLOAT:
        known = values[train]
        if known.min() == known.max():
            raise DataError(CONSTANT, column=column.name, value=float(known[0]) + 0.0)  # -0.0 is 0
        mean, std = float(known.mean()), float(known.std()) or 1.0
        scaled = np.clip((values - mean) / std, -1e6, 1e6)
        return Target(column, scaled.astype(np.float32), mean=mean, std=std)
    counts = sorted(Counter(values[train]).items(), key=lambda item: (-item[1], item[0]))
    if len(counts) < 2:
        raise DataError(CONSTANT, column=column.name, value=counts[0][0])
    number = {label: i for i, (label, _) in enumerate(counts)}
    codes = np.array([number.get(label, 0) for label in values], np.int64)
    return Target(column, codes, tuple(number), tuple(count for _, count in counts))


def _effort(table: Table, schema: Schema) -> float:
    """How long a row takes to read, in number cells: labels count double, sentences by their length."""
    effort = 0.0
    for column in schema.inputs:
        words = np.mean([len(text) for text in table[column.name][:200]]) / 5 if column.type is DataType.LANGUAGE else 0
        effort += 1.0 if column.type.is_numeric else 2.0 + 2.0 * float(words)
    return effort


def rows_in_time(table: Table, schema: Schema, seconds: float) -> int:
    """How many rows like these can be learned from in the time."""
    return max(1000, int(CELLS_PER_SECOND * seconds / max(4, _effort(table, schema))))


def _sample(rows: Rows, most: int, rng: np.random.Generator, warnings: list[Notice]) -> Rows:
    if len(rows) <= most:
        return rows
    warnings.append(Notice(SAMPLED, {"used": most, "rows": len(rows)}, Weight.WARNING))
    return np.sort(rng.choice(rows, most, replace=False))


def _repeated(table: Table, schema: Schema, rows: Rows, warnings: list[Notice]) -> Rows:
    """Leave out rows whose label occurs once; refuse outputs with too many labels."""
    for column in schema.outputs:
        if column.type is DataType.FLOAT:
            continue
        counts = Counter(table[column.name][rows])
        once = [label for label, count in counts.items() if count == 1]
        if len(counts) > len(rows) / 2:
            raise DataError(UNIQUE, column=column.name)
        if len(counts) - len(once) > MOST_CLASSES:
            raise DataError(MANY_CLASSES, column=column.name, classes=len(counts), most=MOST_CLASSES)
        if once:
            shown = ", ".join(sorted(once)[:10]) + (" …" if len(once) > 10 else "")
            warnings.append(Notice(ONCE, {"column": column.name, "labels": shown}, Weight.WARNING))
            rows = rows[~np.isin(table[column.name][rows].astype(str), once)]
    return rows
