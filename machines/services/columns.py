"""Columns: what the engine proposed, what the person changed, what is confirmed for training."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from machines.engine.columns.classes import are_classes
from machines.engine.errors import DataError, gettext_noop
from machines.engine.schema import CellFormat, DataType, Role, Schema
from machines.engine.schema import Column as EngineColumn
from models import Column, Machine

CHANGEABLE = ("type", "role", "description", "unit", "range_low", "range_high", "zero_is_missing", "format")


def column_from_profile(machine: Machine, position: int, profile: Mapping[str, Any]) -> Column:
    """Return the row for a profiled column, with the engine's proposal as its type, role and format."""
    column = Column(
        machine=machine,
        position=position,
        name=profile["name"],
        type=profile["type"],
        role=profile["role"],
        description=profile.get("description", ""),
        profile=dict(profile),
    )
    column.format = reading_of(column).get("format", {})
    return column


def reading_of(column: Column) -> dict[str, Any]:
    """Return what the column holds when read as its present type: counts, range, histogram; {} for JSON and IGNORE."""
    readings: dict[str, Any] = column.profile.get("readings", {})
    return dict(readings.get(column.type) or {})


def to_engine(column: Column) -> EngineColumn:
    """Return a column as the engine knows it, which has no tables."""
    return EngineColumn(
        name=column.name,
        type=DataType(column.type),
        role=Role(column.role),
        format=CellFormat(**column.format),
        zero_is_missing=column.zero_is_missing,
        description=column.description,
        unit=column.unit,
    )


def schema_of(machine: Machine) -> Schema:
    """Return the machine's columns as they are now, confirmed or not, in their order."""
    return Schema(tuple(to_engine(column) for column in machine.columns.all()))


def column_update(*, column: Column, changes: Mapping[str, Any]) -> Column:
    """Change type, role or texts of one column; a new type brings its own cell format and allowed roles with it.

    Few whole numbers become classes when their column is made the output, as when the file was read.
    """
    for name, value in changes.items():
        setattr(column, name, value)
    becomes_classes = changes.get("role") == Role.OUTPUT and "type" not in changes and _holds_classes(column)
    if becomes_classes:
        column.type = DataType.LABEL
    if becomes_classes or "type" in changes:
        column.format = reading_of(column).get("format", {})
        column.range_low = column.range_high = None  # a range of numbers is no range of days
    if column.type in {DataType.IGNORE, DataType.JSON}:
        column.role = Role.IGNORED
    if column.type != DataType.FLOAT:
        column.zero_is_missing = False
    column.save(
        update_fields=CHANGEABLE
    )  # not the profile, which is large; and never a column that was deleted meanwhile
    return column


def _holds_classes(column: Column) -> bool:
    readings = column.profile.get("readings", {})
    number, labels = readings.get(DataType.FLOAT), readings.get(DataType.LABEL)
    if column.type != DataType.FLOAT or not number or not labels:
        return False
    return are_classes(number["distinct"], number["median"], number["high"], (value for value, _count in labels["top"]))


@transaction.atomic
def columns_confirm(*, machine: Machine) -> Machine:
    """Check that the columns can be learned from and write them to the machine's own fields. Raises DataError."""
    columns = list(machine.columns.all())
    schema = Schema(tuple(to_engine(column) for column in columns))
    check_roles(schema)
    machine.dfr_columns_type_user_df = {column.name: str(column.type) for column in columns}
    machine.dfr_columns_description_user_df = {column.name: column.description for column in columns}
    machine.mdc_columns_name_input = machine.mdc_columns_name_input_user_df = _role_map(columns, Role.INPUT)
    machine.mdc_columns_name_output = machine.mdc_columns_name_output_user_df = _role_map(columns, Role.OUTPUT)
    machine.mdc_columns_data_type = machine.dfr_columns_type_user_df
    machine.mdc_columns_total_count = len(columns)
    machine.mdc_columns_input_count = len(schema.inputs)
    machine.mdc_columns_output_count = len(schema.outputs)
    _statistics_write(machine, columns)
    machine.columns_confirmed()
    machine.save()
    return machine


def check_roles(schema: Schema) -> None:
    """Raise DataError unless there is something to predict, and something to predict it from."""
    if not schema.outputs:
        raise DataError(gettext_noop("No column is an output. Choose what to predict: set one column to Output."))
    if not schema.inputs:
        raise DataError(gettext_noop("No column is an input. Set at least one column to Input."))
    for column in schema.outputs:
        if not column.type.can_be_output:
            raise DataError(
                gettext_noop("“%(column)s” is an output, so it must be a number or a label. Change its type."),
                column=column.name,
            )


def _role_map(columns: list[Column], role: Role) -> dict[str, bool]:
    return {column.name: column.role == role for column in columns}


# The machine's statistics field -> the key of a column's reading.
_STATISTICS = {
    "mean": "mean",
    "std_dev": "std",
    "min": "low",
    "max": "high",
    "median": "median",
    "quantile02": "q20",
    "quantile03": "q30",
    "quantile07": "q70",
    "quantile08": "q80",
}


def _statistics_write(machine: Machine, columns: list[Column]) -> None:
    profiles = {column.name: column.profile for column in columns if column.profile}
    machine.mdc_columns_unique_values_count = {name: profile.get("distinct") for name, profile in profiles.items()}
    machine.mdc_columns_missing_percentage = {
        name: round(100 * profile.get("missing", 0) / max(1, profile.get("rows", 0)), 3)
        for name, profile in profiles.items()
    }
    for field, key in _STATISTICS.items():
        values = {column.name: reading_of(column).get(key) for column in columns}
        setattr(
            machine, f"mdc_columns_values_{field}", {name: value for name, value in values.items() if value is not None}
        )
