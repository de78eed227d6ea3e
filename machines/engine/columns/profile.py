"""Everything the website shows about a column before a person confirms it, made once when the file arrives."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from machines.engine.columns import flags
from machines.engine.columns.cells import Cells, collect
from machines.engine.columns.detect import Detected, detect
from machines.engine.columns.formats import Habits, date_order, find_habits, number_format
from machines.engine.columns.readings import Reading, read_as
from machines.engine.columns.roles import propose_roles
from machines.engine.errors import Notice
from machines.engine.reading.options import ReadOptions
from machines.engine.reading.table import RawTable
from machines.engine.schema import CellFormat, Column, DataType, Role

SAMPLES = 5
MOST_ZEROS = 0.6  # more is a habit of the quantity, such as "no loss"
HEAD = 2_000  # rows that show the file's habits


@dataclass(frozen=True)
class ColumnProfile:
    """One column: what it is proposed to be, why, and what it would be under every other type."""

    name: str
    type: DataType
    role: Role
    reason: Notice
    role_reason: Notice
    readings: Mapping[DataType, Reading]
    flags: tuple[Notice, ...] = ()
    is_id: bool = False
    is_preset_ignored: bool = False  # one of the flags speaks against using the column
    rows: int = 0
    missing: int = 0
    distinct: int = 0
    samples: tuple[str, ...] = ()
    zeros: int = 0
    zeros_suspect: bool = False
    empty_at_bottom: bool = False  # filled above, empty in the last rows: they wait for an answer
    description: str = ""

    @property
    def reading(self) -> Reading:
        """The reading under the proposed type."""
        return self.readings[self.type]

    @property
    def column(self) -> Column:
        """The column as proposed."""
        return self.column_as(self.type, self.role)

    def column_as(self, type: DataType, role: Role) -> Column:
        """The column under another type or role."""
        return Column(self.name, type, role, self.readings[type].format, description=self.description)

    def to_json(self) -> dict[str, Any]:
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return plain | {
            "type": str(self.type),
            "role": str(self.role),
            "reason": self.reason.to_json(),
            "role_reason": self.role_reason.to_json(),
            "flags": [flag.to_json() for flag in self.flags],
            "samples": list(self.samples),
            "readings": {str(type): reading.to_json() for type, reading in self.readings.items()},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "ColumnProfile":
        known = {name: data[name] for name in cls.__dataclass_fields__ if name in data}
        return cls(
            **known
            | {
                "type": DataType(data["type"]),
                "role": Role(data["role"]),
                "reason": Notice.from_json(data["reason"]),
                "role_reason": Notice.from_json(data["role_reason"]),
                "flags": tuple(Notice.from_json(flag) for flag in data["flags"]),
                "samples": tuple(data["samples"]),
                "readings": {DataType(type): Reading.from_json(item) for type, item in data["readings"].items()},
            }
        )


def profile_table(
    raw: RawTable, found: ReadOptions | None = None, on_column: Callable[[int], None] = lambda done: None
) -> list[ColumnProfile]:
    """Profile every column of a raw table and propose types and roles. `found` may hold what the person said.

    `on_column` hears how many columns have been looked at.
    """
    found = raw.found if found is None else found
    habits = find_habits(raw.head(HEAD).iter_columns(), found)
    profiles: list[ColumnProfile] = []
    for cells in _all_cells(raw):
        profiles.append(profile_column(cells, habits, found, raw.descriptions.get(cells.name, "")))
        on_column(len(profiles))
    return propose_roles(profiles, raw)


def _all_cells(raw: RawTable) -> Iterator[Cells]:
    """Column by column; a column's text is let go as soon as its cells are counted."""
    for block in raw.blocks():
        columns = block.get_columns()[::-1]
        del block
        while columns:
            yield collect(columns.pop())


def profile_column(cells: Cells, habits: Habits, found: ReadOptions, description: str = "") -> ColumnProfile:
    """One column by itself; its role is decided later, among its neighbours."""
    number = number_format(cells, habits, found)
    order = date_order(cells, habits, found)
    readings = _read_all(cells, number, CellFormat(number.decimal, number.thousands, order.order))
    detected = detect(cells, readings)
    reading = readings[detected.type]
    suspect = detected.type is DataType.FLOAT and has_suspect_zeros(cells, reading)
    profile = ColumnProfile(
        name=cells.name,
        type=detected.type,
        role=Role.INPUT,
        reason=detected.reason,
        role_reason=flags.USED,
        readings=readings,
        is_id=detected.is_id,
        rows=cells.rows,
        missing=reading.missing + reading.failed,
        distinct=reading.distinct,
        samples=cells.shown(SAMPLES, detected.type),
        zeros=readings[DataType.FLOAT].zeros,
        zeros_suspect=suspect,
        empty_at_bottom=0 < cells.filled == cells.filled_rows < cells.rows,
        description=description,
    )
    return _with_flags(profile, cells, detected, habits, order.is_open, order.is_mixed)


def _read_all(cells: Cells, number: CellFormat, moment: CellFormat) -> dict[DataType, Reading]:
    """The column under each type. LABEL and LANGUAGE hold the same text."""
    text = read_as(cells, DataType.LABEL, CellFormat())
    readings = {type: read_as(cells, type, moment) for type in DataType if type.is_moment}
    return {
        DataType.FLOAT: read_as(cells, DataType.FLOAT, number),
        DataType.LABEL: text,
        **readings,
        DataType.LANGUAGE: text,
        DataType.JSON: read_as(cells, DataType.JSON, number),
        DataType.IGNORE: read_as(cells, DataType.IGNORE, number),
    }


def _with_flags(
    profile: ColumnProfile, cells: Cells, detected: Detected, habits: Habits, is_open: bool, is_mixed: bool
) -> ColumnProfile:
    against = flags.against(profile, is_code=detected.is_code)
    notes = flags.notes(profile, cells, habits, is_open=is_open, is_mixed=is_mixed)
    return replace(profile, flags=(*against, *notes), is_preset_ignored=bool(against))


def has_suspect_zeros(cells: Cells, reading: Reading) -> bool:
    """Zeros far below all other values of a continuous, positive column: more likely "not measured" than 0.

    Far means three usual steps between neighbouring values; in a column of counts, 0 is one step below 1.
    """
    if (
        not 2 <= reading.zeros <= MOST_ZEROS * reading.read
        or reading.low != 0.0
        or reading.low_without_zero is None
        or reading.distinct <= 20
    ):
        return False
    values = np.unique(flags.sample_numbers(cells, reading.format))
    steps = np.diff(values[values > 0])
    return len(steps) >= 10 and reading.low_without_zero >= 3 * float(np.median(steps))
