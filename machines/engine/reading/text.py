"""CSV, TSV and other delimited text -> a raw table."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import polars as pl
from numpy.typing import NDArray

from machines.engine.errors import DataError, Notice, Weight, gettext_noop
from machines.engine.reading import dialect, repair
from machines.engine.reading.encoding import write_clean
from machines.engine.reading.layout import HEAD, TAIL, Layout, find_layout
from machines.engine.reading.options import Limits, ReadOptions
from machines.engine.reading.records import Records, line_at, scan
from machines.engine.reading.table import RawTable, clean_cells, new_folder
from machines.engine.reading.titles import Titles, make_titles, notes_about

PIECE = 4_000_000
UNEVEN_SHARE = 0.05  # of all rows may have too many or too few cells
UNEVEN_FEW = 2


@dataclass(frozen=True)
class _Body:
    """The rows of values, alone in `folder`/body.csv."""

    folder: Path
    delimiter: str
    layout: Layout
    titles: Titles
    rows: int


def read_text(path: Path, options: ReadOptions, limits: Limits) -> RawTable:
    """Read delimited text. Raises DataError naming the line where something cannot be read."""
    keeper = new_folder()
    folder = Path(keeper.name)
    encoding, notices = write_clean(path, folder / "clean.csv", options.encoding)
    records = _find_records(folder, _delimiter(folder / "clean.csv", options, limits), limits)
    layout = _find_layout(records, options)
    titles = make_titles(layout, limits)
    body = _Body(folder, records.delimiter, layout, titles, int(np.count_nonzero(_is_body(records, layout))))
    check_rows(body.rows, layout.width, limits)
    notices += [*notes_about(layout), *titles.notices, *_check_widths(records, layout)]
    _cut_body(records, layout, folder / "body.csv")
    columns = _write_table(body)
    if np.max(records.ends - records.starts) > limits.cell:
        _refuse_long_cells(folder / "table.parquet", columns, limits)
    found = replace(_found(options, layout), encoding=encoding, delimiter=records.delimiter)
    return RawTable(folder / "table.parquet", columns, body.rows, found, titles.descriptions, notices, keeper)


def _find_layout(records: Records, options: ReadOptions) -> Layout:
    head = records.rows(0, HEAD)
    if head and head[0] and head[0][0].lower() == "sep=":  # Excel's own hint, not a row
        head[0] = []
    return find_layout(head, records.rows(len(records) - TAIL, len(records)), options, complete=len(records) <= HEAD)


def _found(options: ReadOptions, layout: Layout) -> ReadOptions:
    return replace(
        options,
        skip_rows=layout.skip_rows,
        has_header=layout.titles is not None,
        has_description_row=layout.descriptions is not None,
    )


def _delimiter(path: Path, options: ReadOptions, limits: Limits) -> str:
    if options.delimiter is None:
        return dialect.find_delimiter(path, limits)
    if len(options.delimiter) != 1 or not options.delimiter.isascii() or options.delimiter in '"\n\r\0':
        raise DataError(gettext_noop("The delimiter must be one character, such as a comma or a tab."))
    return options.delimiter


def _find_records(folder: Path, delimiter: str, limits: Limits) -> Records:
    """Scan the clean file; rewrite it first where its quotes are irregular."""
    records = scan(folder / "clean.csv", delimiter, limits)
    if not records.regular:
        repair.rewrite(folder / "clean.csv", folder / "repaired.csv", delimiter, limits)
        records = scan(folder / "repaired.csv", delimiter, limits)
    if records.open_quote is not None:
        raise DataError(repair.UNCLOSED, line=line_at(records.path, records.open_quote))
    if len(records) > limits.rows + HEAD:
        raise DataError(
            gettext_noop("The file has %(count)s rows; at most %(limit)s can be read. Upload fewer rows."),
            count=len(records),
            limit=limits.rows,
        )
    return records


def _is_body(records: Records, layout: Layout) -> NDArray[np.bool_]:
    """Which records are rows of values. Shape [records]."""
    is_body = ~records.blank
    is_body[: layout.first] = False
    is_body[len(records) - layout.notes - layout.totals :] = False
    return is_body


def _check_widths(records: Records, layout: Layout) -> list[Notice]:
    """Few rows with too many or too few cells are cut or filled up, with a warning; many are refused."""
    at = np.flatnonzero(_is_body(records, layout))
    cells = records.cells[at]
    uneven = at[cells != layout.width]
    if not len(uneven):
        return []
    values = {"line": records.line(int(uneven[0])), "cells": int(records.cells[uneven[0]]), "width": layout.width}
    (common, count), *_ = Counter(cells.tolist()).most_common(1)
    if common < layout.width and (len(at) - count <= max(UNEVEN_FEW, 0.5 * len(at))) and cells.max() <= layout.width:
        template = gettext_noop(
            "Many rows end before the last column (first in line %(line)s); the rest was left empty."
        )
        return [Notice(template, values, Weight.WARNING)]
    if len(uneven) > max(UNEVEN_FEW, UNEVEN_SHARE * len(at)):
        raise DataError(
            gettext_noop(
                "%(count)s rows do not have %(width)s cells as the table does; the first is line %(line)s with"
                " %(cells)s. Check the delimiter and the quotes there."
            ),
            count=len(uneven),
            **values,
        )
    template = gettext_noop(
        "%(count)s rows did not have %(width)s cells (first: line %(line)s with %(cells)s);"
        " they were cut or filled up with empty cells."
    )
    return [Notice(template, {"count": len(uneven), **values}, Weight.WARNING)]


def _cut_body(records: Records, layout: Layout, target: Path) -> None:
    """Copy the rows of values alone."""
    keep = np.concatenate([[False], _is_body(records, layout), [False]])
    edges = np.flatnonzero(np.diff(keep.astype(np.int8)))
    with records.path.open("rb") as source, target.open("wb") as body:
        for first, last in zip(edges[0::2], edges[1::2], strict=True):
            start = int(records.starts[first]) if first < 2 else int(records.ends[first - 1])
            source.seek(start)
            _copy(source, body, int(records.ends[last - 1]) - start)
    records.path.unlink()


def _copy(source: BinaryIO, target: BinaryIO, size: int) -> None:
    while size > 0 and (piece := source.read(min(PIECE, size))):
        target.write(piece)
        size -= len(piece)


def _write_table(body: _Body) -> tuple[str, ...]:
    """body.csv -> table.parquet; returns the columns that are part of the table."""
    scan = pl.scan_csv(
        body.folder / "body.csv",
        separator=body.delimiter,
        has_header=False,
        schema=dict.fromkeys(body.titles.names, pl.String),
        truncate_ragged_lines=True,
    )
    path = body.folder / "table.parquet"
    scan.select(clean_cells()).sink_parquet(path, compression="zstd", compression_level=1, maintain_order=True)
    (body.folder / "body.csv").unlink()
    rows = pl.scan_parquet(path).select(pl.len()).collect().item()
    if rows != body.rows:
        raise DataError(
            gettext_noop("The file's rows could not be told apart: %(rows)s or %(others)s. Check its quotes."),
            rows=body.rows,
            others=rows,
        )
    return drop_empty_end(path, body.titles)


def drop_empty_end(path: Path, titles: Titles) -> tuple[str, ...]:
    """The columns without those at the right end that have neither title nor values."""
    names = list(titles.names)
    while len(names) > 1 and names[-1] in titles.untitled:
        last = pl.scan_parquet(path).select(pl.col(names[-1]).is_not_null().any()).collect().item()
        if last:
            break
        names.pop()
    return tuple(names)


def check_rows(rows: int, width: int, limits: Limits) -> None:
    """Raise DataError for no rows or too many."""
    if rows == 0:
        raise DataError(gettext_noop("The file has titles but no rows. Add rows below the titles."))
    if rows > limits.rows or rows * width > limits.cells:
        raise DataError(
            gettext_noop("The file has %(count)s rows of %(width)s cells; that is too many. Upload fewer rows."),
            count=rows,
            width=width,
        )


def _refuse_long_cells(path: Path, columns: Sequence[str], limits: Limits) -> None:
    longest = pl.scan_parquet(path).select(pl.col(columns).str.len_bytes().max()).collect().row(0)
    for column, size in zip(columns, longest, strict=True):
        if size is not None and size > limits.cell:
            raise DataError(
                gettext_noop("A cell of column “%(column)s” holds %(size)s kB; at most %(limit)s kB can be read."),
                column=column,
                size=size // 1000,
                limit=limits.cell // 1000,
            )
