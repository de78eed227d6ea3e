"""What a table's columns are: the types, the roles and how cells are written. The whole product speaks in these words."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any, Literal, TypeAlias

from numpy.typing import NDArray

DecimalMark: TypeAlias = Literal[".", ","]
DateOrder: TypeAlias = Literal["DMY", "MDY", "YMD"]

# A typed table: column name -> array of shape [rows].
# FLOAT: float64, NaN for missing. DATE, DATETIME: float64 seconds since 1970-01-01 UTC. TIME: float64 seconds of the day.
# LABEL, LANGUAGE: object array of str, "" for missing.
# The ONNX file of a machine takes exactly these arrays, reshaped to [rows, 1].
Table: TypeAlias = Mapping[str, NDArray[Any]]


class DataType(StrEnum):
    """The eight types of a column."""

    FLOAT = "FLOAT"
    LABEL = "LABEL"
    DATE = "DATE"
    TIME = "TIME"
    DATETIME = "DATETIME"
    LANGUAGE = "LANGUAGE"
    JSON = "JSON"
    IGNORE = "IGNORE"

    @property
    def is_numeric(self) -> bool:
        """Held as float64: numbers and moments."""
        return self in {DataType.FLOAT, DataType.DATE, DataType.TIME, DataType.DATETIME}

    @property
    def is_moment(self) -> bool:
        return self in {DataType.DATE, DataType.TIME, DataType.DATETIME}

    @property
    def is_text(self) -> bool:
        """Held as str: labels and sentences."""
        return self in {DataType.LABEL, DataType.LANGUAGE}

    @property
    def can_be_output(self) -> bool:
        return self in {DataType.FLOAT, DataType.LABEL}


class Role(StrEnum):
    """What a column is used as."""

    INPUT = "input"
    OUTPUT = "output"
    IGNORED = "ignored"


@dataclass(frozen=True)
class CellFormat:
    """How the cells of one column are written in the file."""

    decimal: DecimalMark = "."
    thousands: str = ""  # "", ",", ".", " " or "'"
    date_order: DateOrder = "YMD"


@dataclass(frozen=True)
class Column:
    """One column: its name as in the file, what it holds and what it is used as."""

    name: str
    type: DataType
    role: Role = Role.INPUT
    format: CellFormat = field(default_factory=CellFormat)
    zero_is_missing: bool = False  # FLOAT only: a cell 0 means "not measured"
    description: str = ""
    unit: str = ""

    @property
    def is_used(self) -> bool:
        return self.role is not Role.IGNORED and self.type not in {DataType.IGNORE, DataType.JSON}

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"type": str(self.type), "role": str(self.role)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Column":
        known = {name: data[name] for name in cls.__dataclass_fields__ if name in data}
        column = cls(**known | {"type": DataType(data["type"]), "format": CellFormat(**data.get("format", {}))})
        return replace(column, role=Role(data.get("role", Role.INPUT)))


@dataclass(frozen=True)
class Schema:
    """The columns of a table, in the file's order."""

    columns: tuple[Column, ...]

    @property
    def inputs(self) -> tuple[Column, ...]:
        return tuple(c for c in self.columns if c.is_used and c.role is Role.INPUT)

    @property
    def outputs(self) -> tuple[Column, ...]:
        return tuple(c for c in self.columns if c.is_used and c.role is Role.OUTPUT)

    def to_json(self) -> list[dict[str, Any]]:
        return [column.to_json() for column in self.columns]

    @classmethod
    def from_json(cls, data: list[dict[str, Any]]) -> "Schema":
        return cls(tuple(Column.from_json(item) for item in data))
