"""The whole profile of a table, column by column: only one is in memory at a time, and the few that are compared.

Very long tables are looked at in rows at random (drawn_rows.py); only how many rows there are, and how many of them are
there twice, is counted in all.
"""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboards.drawing.typed import row_counts
from dashboards.profiling import is_used
from dashboards.profiling.associations import association, can_be_compared, matrix
from dashboards.profiling.cells import Cells, read_cells
from dashboards.profiling.drawn_rows import draw_rows, most_rows
from dashboards.profiling.drift import Groups, drift, fresh, half_groups, part_groups
from dashboards.profiling.leaks import leaks
from dashboards.profiling.measures import measure
from dashboards.profiling.repeats import Repeats, repeated_rows
from dashboards.profiling.warnings import warnings
from machines.engine.schema import Column, DataType, Role

MOST_COMPARED = 40  # columns in the heatmap
MOST_COMPARED_ROWS = 200_000  # a share of them is right to 0.2 %, a correlation to 0.005
SEED = 7
Tell = Callable[[int, int], object]


def profile(
    parts: Sequence[Path], columns: Sequence[Column], folder: Path, tell: Tell = lambda at, of: None
) -> dict[str, Any]:
    """Everything the page shows, as JSON; `tell` hears how many columns are done, first 0, when all rows are counted."""
    rows, most = sum(row_counts(parts)), most_rows(len(columns))
    used = [column for column in columns if is_used(column)] or columns
    twice = repeated_rows(parts, [column.name for column in used], rows)
    with tempfile.TemporaryDirectory() as drawn:
        if rows > most:
            parts, folder = draw_rows(parts, rows, most, Path(drawn)), Path(drawn) / "typed"
        look = _Look(parts, folder)
        look.halve(columns)
        tell(0, len(columns))
        # Outputs first: the others are compared with them as they come.
        for at, column in enumerate(sorted(columns, key=lambda column: column.role is not Role.OUTPUT)):
            look.at(column)
            tell(at + 1, len(columns))
    return look.told(columns, rows, twice)


def _sample(rows: int) -> NDArray[np.int64] | None:
    """The rows that are compared; None for all of them."""
    if rows <= MOST_COMPARED_ROWS:
        return None
    return np.sort(np.random.default_rng(SEED).choice(rows, MOST_COMPARED_ROWS, replace=False))


class _Look:
    """Goes through the columns, and keeps what the next ones are compared with."""

    def __init__(self, parts: Sequence[Path], folder: Path) -> None:
        lengths = row_counts(parts)
        self.parts, self.folder, self.count, self.rows = parts, folder, len(parts), sum(lengths)
        self.sample, self.groups = _sample(self.rows), part_groups(lengths)
        self.repeats = Repeats()
        self.measures: dict[str, dict[str, Any]] = {}
        self.outputs: list[Cells] = []
        self.others: list[tuple[float, Cells]] = []
        self.leaks: list[dict[str, Any]] = []
        self.by_part: list[dict[str, Any]] = []
        self.by_half: list[dict[str, Any]] = []
        self.fresh: list[dict[str, Any]] = []
        self.halves: Groups | None = None
        self.date = ""
        self.left_out = 0
        self.alone: list[str] = []  # that cannot be compared

    def halve(self, columns: Sequence[Column]) -> None:
        """By the first column of dates that tells the rows apart."""
        for column in columns:
            if column.type in {DataType.DATE, DataType.DATETIME}:
                halves = half_groups(read_cells(self.parts, column, self.folder))
                if (halves == 1).any():
                    self.halves, self.date = halves, column.name
                    return

    def at(self, column: Column) -> None:
        cells = read_cells(self.parts, column, self.folder)
        self.measures[column.name] = measure(cells)
        self.repeats.add(cells, is_used=is_used(column))
        if found := fresh(cells, self.groups, self.count):
            self.fresh.append(found)
        measured = cells.by_length() if column.type in {DataType.LANGUAGE, DataType.JSON} else cells
        if found := drift(measured, self.groups, self.count):
            self.by_part.append(found)
        if self.halves is not None and (found := drift(measured, self.halves, 2)):
            self.by_half.append(found)
        self._leak(cells.at(self.sample))
        self._compare(measured.at(self.sample))

    def _leak(self, cells: Cells) -> None:
        for output in self.outputs:
            self.leaks += leaks([cells], output)

    def _compare(self, cells: Cells) -> None:
        if cells.column.role is Role.OUTPUT and cells.column.type.can_be_output:
            self.outputs.append(cells)
            return
        if not can_be_compared(cells):
            self.alone.append(cells.column.name)
            return
        strengths = [association(cells, output)[1] or 0.0 for output in self.outputs if can_be_compared(output)]
        self.others.append((max(map(abs, strengths), default=0.0), cells))
        if len(self.others) + len(self.outputs) > MOST_COMPARED:
            self.others.remove(min(self.others, key=lambda other: other[0]))
            self.left_out += 1

    def told(self, columns: Sequence[Column], rows: int, twice: dict[str, int]) -> dict[str, Any]:
        outputs = [cells for cells in self.outputs if can_be_compared(cells)]
        compared = [*outputs, *(cells for _, cells in sorted(self.others, key=lambda other: -other[0]))]
        compared = compared[:MOST_COMPARED]
        told = {
            "rows": rows,
            "looked": self.rows,
            "columns": [self.measures[column.name] for column in columns],
            "compared": [cells.column.name for cells in compared],
            "compared_rows": self.rows if self.sample is None else len(self.sample),
            "left_out": self.left_out,
            "alone": self.alone,
            "pairs": matrix(compared),
            "duplicates": twice | {"pairs_by_chance": rows * (rows - 1) / 2 * self.repeats.same_by_chance},
            "twins": self.repeats.twins(),
            "leaks": sorted(self.leaks, key=lambda leak: -leak["score"]),
            "by_part": sorted(self.by_part, key=lambda found: -found["index"]),
            "by_half": sorted(self.by_half, key=lambda found: -found["index"]),
            "fresh": sorted(self.fresh, key=lambda found: -found["share"]),
            "date": self.date,
            "parts": self.count,
        }
        return told | {"warnings": warnings(told)}
