"""CSV, TSV and other delimited text -> a raw table."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

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

PIECE = 8_000_000  # bytes
UNEVEN_SHARE = 0.05  # of all rows may have too many or too few cells
UNEVEN_FEW = 2
LEAST_HEAD, HEAD_CELLS = 120, 200_000  # rows looked at from the top, fewer of a wide table


def read_text(path: Path, options: ReadOptions, limits: Limits) -> RawTable:
    """Read delimited text. Raises DataError naming the line where something cannot be read."""
    keeper = new_folder()
    folder = Path(keeper.name)
    encoding, notices = write_clean(path, folder / "clean.csv", options.encoding)
    records = _find_records(folder, _delimiter(folder / "clean.csv", options, limits), limits)
    layout = _find_layout(records, options)
    titles = make_titles(layout, limits)
    rows = int(np.count_nonzero(_is_body(records, layout)))
    check_rows(rows, layout.width, limits)
    notices += [*notes_about(layout), *titles.notices, *_check_widths(records, layout)]
    _write_pieces(records, layout, titles, folder / "table")
    columns = drop_empty_end(folder / "table", titles)
    if np.max(records.ends - records.starts) > limits.cell:
        _refuse_long_cells(folder / "table", columns, limits)
    found = replace(_found(options, layout), encoding=encoding, delimiter=records.delimiter)
    return RawTable(folder / "table", columns, rows, found, titles.descriptions, notices, keeper)


def _find_layout(records: Records, options: ReadOptions) -> Layout:
    most = min(HEAD, max(LEAST_HEAD, HEAD_CELLS // int(records.cells[:HEAD].max(initial=1))))
    head = records.rows(0, most)
    if head and head[0] and head[0][0].lower() == "sep=":  # Excel's own hint, not a row
        head[0] = []
    return find_layout(head, records.rows(len(records) - TAIL, len(records)), options, complete=len(records) <= most)


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
                "Rows with another number of cells than %(width)s: %(count)s. The first is line %(line)s with"
                " %(cells)s cells. Check the delimiter and the quotes there."
            ),
            count=len(uneven),
            **values,
        )
    template = gettext_noop(
        "Rows with another number of cells than %(width)s were cut or filled up: %(count)s."
        " The first is line %(line)s with %(cells)s cells."
    )
    return [Notice(template, {"count": len(uneven), **values}, Weight.WARNING)]


def _write_pieces(records: Records, layout: Layout, titles: Titles, folder: Path) -> None:
    """The rows of values -> Parquet files in `folder`, a few MB at a time: a whole table may need much more memory."""
    folder.mkdir()
    for number, (text, rows) in enumerate(_body_pieces(records, _is_body(records, layout))):
        frame = _parse_piece(text, records.delimiter, titles.names)
        if frame.height != rows:
            raise DataError(
                gettext_noop("The file's rows could not be told apart: %(rows)s or %(others)s. Check its quotes."),
                rows=rows,
                others=frame.height,
            )
        frame.write_parquet(folder / f"{number:05}.parquet", compression="zstd", compression_level=1)


def _body_pieces(records: Records, is_body: NDArray[np.bool_]) -> Iterator[tuple[bytes, int]]:
    """Whole rows of about PIECE bytes, and how many."""
    first, last = int(np.argmax(is_body)), len(records)
    with records.path.open("rb") as file:
        file.seek(int(records.starts[first]))
        while first < last:
            start = file.tell()
            after = min(last, max(first + 1, int(np.searchsorted(records.ends, start + PIECE))))
            text, kept = file.read(int(records.ends[after - 1]) - start), is_body[first:after]
            if not kept.all():
                lengths = np.diff(records.ends[first:after], prepend=start)
                text = np.frombuffer(text, dtype=np.uint8)[np.repeat(kept, lengths)].tobytes()
            if text:
                yield text, int(np.count_nonzero(kept))
            first = after


def _parse_piece(text: bytes, delimiter: str, names: Sequence[str]) -> pl.DataFrame:
    """A line of plain cells goes before, because polars takes the width of the table from the first line."""
    frame = pl.read_csv(
        delimiter.join("x" for _ in names).encode() + b"\n" + text,
        separator=delimiter,
        has_header=False,
        schema=dict.fromkeys(names, pl.String),
        truncate_ragged_lines=True,
    )
    return frame.slice(1).select(clean_cells(may_hold_nul=False))


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
