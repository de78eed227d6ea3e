"""Columns whose cells are JSON objects: they stay as they are, and each key becomes a column of its own beside them."""

from dataclasses import replace

import orjson
import polars as pl

from machines.engine.errors import Notice, gettext_noop
from machines.engine.reading.json_rows import flatten
from machines.engine.reading.options import Limits
from machines.engine.reading.table import RawTable
from machines.engine.reading.titles import make_unique

SAMPLE = 200  # rows looked at
MOST_KEYS = 100


def add_children(table: RawTable, limits: Limits) -> RawTable:
    """The table with a column `column_key` for each key of each column of JSON objects."""
    sample = table.head(SAMPLE)
    parents = [name for name in table.columns if _holds_objects(sample[name])]
    if not parents:
        return table
    frame = table.frame
    children = [child for name in parents for child in _children(frame[name])]
    children = children[: max(0, limits.columns - frame.width)]
    names = make_unique([*frame.columns, *(child.name for child in children)])
    frame = frame.hstack([child.alias(name) for child, name in zip(children, names[frame.width :], strict=True)])
    template = gettext_noop("Columns added for the values within %(names)s: %(count)s.")
    notice = Notice(template, {"count": len(children), "names": ", ".join(parents[:5])})
    whole = RawTable.from_frame(frame)
    return replace(whole, found=table.found, descriptions=table.descriptions, notices=[*table.notices, notice])


def read_json_cell(cell: str | None) -> object:
    """The value of a cell that holds JSON, or None."""
    if not cell or cell[0] not in "{[":
        return None
    try:
        return orjson.loads(cell)
    except orjson.JSONDecodeError:
        return None


def _holds_objects(cells: pl.Series) -> bool:
    filled = cells.drop_nulls()
    if filled.is_empty() or not filled[0].startswith("{"):
        return False
    objects = sum(isinstance(read_json_cell(cell), dict) for cell in filled)
    return objects >= 0.9 * len(filled)


def _children(cells: pl.Series) -> list[pl.Series]:
    rows = [flatten(value) if isinstance(value := read_json_cell(cell), dict) else {} for cell in cells]
    keys = list(dict.fromkeys(key for row in rows for key in row))[:MOST_KEYS]
    return [
        pl.Series(f"{cells.name}_{key}".replace("\0", ""), [row.get(key) for row in rows], dtype=pl.String)
        .str.replace_all("\0", "", literal=True)
        .str.strip_chars()
        .replace("", None)
        for key in keys
    ]
