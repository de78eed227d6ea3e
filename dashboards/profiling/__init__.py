"""The data profile: what a person should know of their rows before believing in a machine. No Django here."""

from collections.abc import Mapping, Sequence
from typing import Any

from machines.engine.schema import Column, DataType, Role

MATTERS = 0.25  # of the population stability index: the usual mark of a change that matters
CHANCE = 0.001  # of rows that have not changed one column in a thousand looks as if it had
MOST_NAMED = 6


def is_used(column: Column) -> bool:
    return column.role is not Role.IGNORED and column.type is not DataType.IGNORE


def matters(found: Mapping[str, Any]) -> bool:
    """Whether a column has drifted: much, and not by chance."""
    return bool(found["index"] >= MATTERS and found["chance"] < CHANCE)


def named(names: Sequence[str]) -> str:
    """Columns in a sentence; of many the first."""
    return ", ".join(f"“{name}”" for name in names[:MOST_NAMED]) + (" …" if len(names) > MOST_NAMED else "")
