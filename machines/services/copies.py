"""Columns that repeat the output: looked for again when a person chooses another output."""

from typing import Any

from machines.engine.errors import DataError
from machines.services.columns import reading_of
from machines.services.reading import read_in_child
from machines.services.rows import part_paths
from models import Column, Machine
from models.column import ColumnRole


def copies_set_aside(*, machine: Machine, output: Column) -> list[str]:
    """Set inputs that say the same as this output to ignored, with the reason, and return their names.

    The rows are read in a child process; where they cannot be read, nothing is set aside.
    """
    inputs = [column for column in machine.columns.inputs() if reading_of(column)]
    parts = [str(path) for path in part_paths(machine)]
    if not (inputs and parts and reading_of(output)):
        return []
    request = {"kind": "copies", "parts": parts, "answer": _profile(output), "profiles": [_profile(c) for c in inputs]}
    try:
        found = {item["name"]: item for item in read_in_child(request)["copies"]}
    except DataError:
        return []
    for column in inputs:
        if column.name in found:
            column.role = ColumnRole.IGNORED
            column.profile["flags"] = found[column.name]["flags"]
            column.save(update_fields=["role", "profile"])
    return [column.name for column in inputs if column.name in found]


def _profile(column: Column) -> dict[str, Any]:
    """Return the column's profile under its present type and role."""
    present = {"type": column.type, "role": column.role, "distinct": reading_of(column).get("distinct", 0)}
    return {**column.profile, **present}
