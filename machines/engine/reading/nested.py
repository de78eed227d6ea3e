"""Columns whose cells are JSON: they stay as they are, and each value within has a column of its own beside them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from machines.engine.columns.json_cells import read_json_cell, spread
from machines.engine.errors import Notice, Weight, gettext_noop
from machines.engine.reading.options import Limits
from machines.engine.reading.table import RawTable
from machines.engine.reading.titles import make_unique

SAMPLE = 200  # rows looked at
ENOUGH = 0.9  # share of the filled cells that are objects or lists
MOST_KEYS = 100  # columns made of one

ADDED = gettext_noop("Columns added for the values within %(names)s: %(count)s.")
CUT = gettext_noop(
    "The JSON of “%(column)s” has %(count)s different values; only the %(most)s most frequent have columns."
)
BROKEN = gettext_noop(
    "Cells of the column “%(column)s” that are no JSON count as empty: %(count)s, such as “%(example)s”."
)
SHOWN = 40  # characters of a broken cell


def add_children(table: RawTable, limits: Limits) -> RawTable:
    """The table with a column `column_key` for each value within each column of JSON; broken cells are empty there."""
    sample = table.head(SAMPLE)
    parents = [name for name in table.columns if _holds_json(sample[name])]
    if not parents:
        return table
    frame, notices = table.frame, [*table.notices]
    children: list[pl.Series] = []
    for name in parents:
        own, more = _children(frame[name], max(0, limits.columns - frame.width - len(children)))
        children += own
        notices += more
    names = make_unique([*frame.columns, *(child.name for child in children)])[frame.width :]
    frame = frame.hstack([child.alias(name) for child, name in zip(children, names, strict=True)])
    notices.append(Notice(ADDED, {"count": len(children), "names": ", ".join(parents[:5])}))
    whole = RawTable.from_frame(frame, added=tuple(names))
    return replace(whole, found=table.found, descriptions=table.descriptions, notices=notices)


def _holds_json(cells: pl.Series) -> bool:
    filled = cells.drop_nulls()
    read = sum(read_json_cell(cell) is not None for cell in filled)
    return 0 < read >= ENOUGH * len(filled)


def _children(cells: pl.Series, most: int) -> tuple[list[pl.Series], list[Notice]]:
    values = [read_json_cell(cell) for cell in cells]
    rows = [{} if value is None else spread(cells.name, value) for value in values]
    counts = Counter(key for row in rows for key in row)
    kept = {key for key, _ in counts.most_common(min(most, MOST_KEYS))}
    children = [_child(key, [row.get(key) for row in rows]) for key in counts if key in kept]
    notices = []
    if len(counts) > len(kept):
        about = {"column": cells.name, "count": len(counts), "most": len(kept)}
        notices.append(Notice(CUT, about, Weight.WARNING))
    if broken := [cell for cell, value in zip(cells, values, strict=True) if cell and value is None]:
        about = {"column": cells.name, "count": len(broken), "example": broken[0][:SHOWN]}
        notices.append(Notice(BROKEN, about, Weight.WARNING))
    return children, notices


def _child(name: str, cells: Sequence[str | None]) -> pl.Series:
    plain = pl.Series(name.replace("\0", ""), cells, dtype=pl.String).str.replace_all("\0", "", literal=True)
    return plain.str.strip_chars().replace("", None)
