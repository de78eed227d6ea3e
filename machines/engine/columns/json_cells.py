"""Cells that hold JSON: the values within them, each with a name of its own. Light enough for the website: no polars."""

import json
import re
from typing import Any

import orjson

DEEPEST = 8  # levels that are flattened; deeper ones stay JSON text
MOST_APART = 4  # numbers of a list that have a name each, such as a place's latitude and longitude
NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")  # a reader may have left its digits as text


def read_json_cell(cell: str | None) -> dict[str, Any] | list[Any] | None:
    """The object or list that a cell holds, or None."""
    if not cell or cell[0] not in "{[":
        return None
    try:
        value: dict[str, Any] | list[Any] = orjson.loads(cell)
    except orjson.JSONDecodeError:
        return None
    return value


def flatten(item: dict[str, Any], before: str = "", depth: int = 0) -> dict[str, str | None]:
    """One object as cells: {"a": {"b": 1}} is {"a_b": "1"}. Lists stay JSON text."""
    cells: dict[str, str | None] = {}
    for key, value in item.items():
        name = f"{before}{key}"
        if isinstance(value, dict) and value and depth < DEEPEST:
            cells.update(flatten(value, f"{name}_", depth + 1))
        else:
            cells[name] = to_cell(value)
    return cells


def spread(name: str, value: Any) -> dict[str, str | None]:
    """All within a column `name` of JSON as cells: {"a": {"b": 1}} is {"name_a_b": "1"}, see `_spread_list` for lists."""
    cells: dict[str, str | None] = {}
    waiting = [(name, value, 0)]
    while waiting:
        name, value, depth = waiting.pop()
        if isinstance(value, dict) and depth < DEEPEST:
            waiting += [(f"{name}_{key}", inner, depth + 1) for key, inner in reversed(value.items())]
        elif isinstance(value, list):
            cells |= _spread_list(name, value)
        else:
            cells[name] = to_cell(value)
    return cells


def _spread_list(name: str, items: list[Any]) -> dict[str, str | None]:
    """A list as its length and its items: two to four numbers one by one, others as one text.

    [1.5, 2] is {"name_count": "2", "name_1": "1.5", "name_2": "2"}, and ["x", "y"] {"name_count": "2", "name_items": "x, y"}.
    """
    count: dict[str, str | None] = {f"{name}_count": str(len(items))}
    if 2 <= len(items) <= MOST_APART and all(NUMBER.fullmatch(str(item)) for item in items):
        return count | {f"{name}_{place}": str(item) for place, item in enumerate(items, 1)}
    text = ", ".join(text for item in items if (text := to_cell(item)))
    return count | {f"{name}_items": text} if text else count


def to_cell(value: Any) -> str | None:
    """A JSON value as the text of a cell."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:  # thousands of lists in lists
        return None
