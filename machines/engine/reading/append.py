"""More rows for a table whose columns are known: the same columns, in any order, with cells that still parse."""

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from machines.engine.columns.parse import parse_column
from machines.engine.errors import DataError, Notice, Weight, gettext_noop
from machines.engine.reading.table import RawTable
from machines.engine.schema import Column, DataType

MOST_UNREADABLE = 0.05  # share of the filled cells of a column


def match_columns(table: RawTable, columns: Sequence[Column]) -> RawTable:
    """The table with exactly the columns of a schema, in its order and under its names.

    Titles match without regard to case and blanks. Raises DataError naming a missing, unknown or unreadable column.
    """
    by_title = {fold(name): name for name in table.columns}
    names = {column.name: by_title.get(fold(column.name)) for column in columns}
    within = tuple(f"{column.name}_" for column in columns if column.type is DataType.JSON and names[column.name])
    _refuse_missing([c for c in columns if names[c.name] is None and not c.name.startswith(within)])
    unknown = [name for name in table.columns if name not in names.values() and name not in table.added]
    if unknown:
        raise DataError(
            gettext_noop("The column “%(column)s” is not in the table so far. Remove it from the file."),
            column=unknown[0],
        )
    notices = [*table.notices]
    for column in columns:
        if column.is_used and (name := names[column.name]):
            notices += _check_cells(table.select([name])[name], column)
    frame = _arrange(table, names)
    return replace(RawTable.from_frame(frame), found=table.found, descriptions=table.descriptions, notices=notices)


def fold(name: str) -> str:
    """A title without case and blanks."""
    return "".join(name.casefold().split())


def _refuse_missing(missing: Sequence[Column]) -> None:
    """A column nobody uses may be absent, and so may a value within JSON."""
    needed = [column for column in missing if column.is_used]
    if needed:
        raise DataError(
            gettext_noop("The column “%(column)s” is missing in the file. Add it, or rename the one meant."),
            column=needed[0].name,
        )


def _check_cells(cells: pl.Series, column: Column) -> list[Notice]:
    _, unreadable = parse_column(cells, column)
    if not unreadable:
        return []
    filled = len(cells) - cells.null_count()
    values = {"column": column.name, "count": unreadable, "filled": filled, "type": str(column.type)}
    if unreadable > MOST_UNREADABLE * filled:
        raise DataError(
            gettext_noop(
                "%(count)s of %(filled)s cells of the column “%(column)s” cannot be read as %(type)s."
                " Write them as in the first file."
            ),
            **values,
        )
    template = gettext_noop("Unreadable cells in the column “%(column)s” count as empty: %(count)s.")
    return [Notice(template, values, Weight.WARNING)]


def _arrange(table: RawTable, names: dict[str, str | None]) -> pl.DataFrame:
    frame = table.frame
    return frame.select(
        pl.lit(None, pl.String).alias(new) if old is None else pl.col(old).alias(new) for new, old in names.items()
    )
