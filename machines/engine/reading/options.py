"""How a file is written, and how large a file may be."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from machines.engine.schema import DateOrder, DecimalMark

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class ReadOptions:
    """What a person says about a file. None means: find out. `RawTable.found` says how the file was read."""

    encoding: str | None = None
    delimiter: str | None = None
    decimal: DecimalMark | None = None
    thousands: str | None = None
    date_order: DateOrder | None = None
    has_header: bool | None = None
    has_description_row: bool | None = None
    skip_rows: int | None = None  # rows above the table, blank ones included

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "ReadOptions":
        return cls(**{name: data[name] for name in cls.__dataclass_fields__ if name in data})


@dataclass(frozen=True)
class Limits:
    """The largest things that are read. Sizes are in bytes."""

    upload: int = 200 * MEGABYTE
    columns: int = 5_000
    rows: int = 10_000_000
    row: int = 1 * MEGABYTE
    cell: int = 64_000
    header: int = 200  # characters
    excel_packed: int = 20 * MEGABYTE
    excel_unpacked: int = 500 * MEGABYTE
    excel_ratio: int = 100
    excel_members: int = 1_000
    excel_cells: int = 10_000_000  # of the rectangle that a sheet spans
    cells: int = 200_000_000  # rows times columns, whatever the file's kind


LIMITS = Limits()
