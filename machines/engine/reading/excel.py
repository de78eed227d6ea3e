"""The first filled sheet of an Excel file (.xlsx) -> a raw table. The archive is checked before it is unpacked."""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

import fastexcel
import polars as pl

from machines.engine.errors import DataError, Notice, gettext_noop
from machines.engine.reading.layout import HEAD, TAIL, Layout, Row, find_layout
from machines.engine.reading.options import Limits, ReadOptions
from machines.engine.reading.table import RawTable, clean_cells
from machines.engine.reading.text import check_rows
from machines.engine.reading.titles import Titles, make_titles, notes_about

CANNOT = gettext_noop(
    "The Excel file cannot be read. Open it in a spreadsheet program and save it again as .xlsx or CSV."
)
PIECE = 1_000_000
DIMENSION = re.compile(rb'<(?:\w+:)?dimension[^>]*\bref="[A-Z]{1,3}[0-9]+:([A-Z]{1,3})([0-9]{1,9})"')
PLACE = re.compile(rb"""(?<![\w:.-])r\s*=\s*["']([A-Za-z]*)([0-9]*)""")  # of a cell ("B7") or a row ("7"); not xmlns:r
STRINGS = re.compile(rb'\b(?:uniqueCount|count)="([0-9]{1,12})"')
ENTITIES = (b"<!DOCTYPE", b"<!ENTITY", b"<!doctype", b"<!entity")


def read_excel(path: Path, options: ReadOptions, limits: Limits) -> RawTable:
    """Read the first sheet with cells in it. Raises DataError for hostile or damaged archives."""
    check_archive(path, limits)
    frame, notices = _load(path)
    head, tail = _rows(frame.head(HEAD)), _rows(frame.tail(TAIL))
    layout = find_layout(head, tail, replace(options, delimiter=None), complete=frame.height <= HEAD)
    titles = make_titles(layout, limits)
    frame = _cut(frame, layout, titles)
    check_rows(frame.height, frame.width, limits)
    found = replace(
        options,
        encoding="utf-8",
        delimiter="",
        skip_rows=layout.skip_rows,
        has_header=layout.titles is not None,
        has_description_row=layout.descriptions is not None,
    )
    notices += [*notes_about(layout), *titles.notices]
    return RawTable.from_frame(frame, found=found, descriptions=titles.descriptions, notices=notices)


def _load(path: Path) -> tuple[pl.DataFrame, list[Notice]]:
    try:
        reader = fastexcel.read_excel(path)
        for name in reader.sheet_names:
            frame = reader.load_sheet(name, header_row=None, dtypes="string").to_polars()
            frame = frame.select(clean_cells())
            if frame.height and frame.width:
                template = gettext_noop("The file has %(count)s sheets; “%(name)s” was read.")
                notice = Notice(template, {"count": len(reader.sheet_names), "name": name})
                return frame, [notice] if len(reader.sheet_names) > 1 else []
    except (fastexcel.FastExcelError, ValueError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise DataError(CANNOT) from error
    raise DataError(gettext_noop("The Excel file has no filled cells. Add a header line and rows."))


def _rows(frame: pl.DataFrame) -> list[Row]:
    return [[cell or "" for cell in row] for row in frame.iter_rows()]


def _cut(frame: pl.DataFrame, layout: Layout, titles: Titles) -> pl.DataFrame:
    """The rows of values, without empty ones, under the titles."""
    frame = frame.select(frame.columns[: len(titles.names)])
    frame.columns = titles.names[: frame.width]
    frame = frame.slice(layout.first, max(0, frame.height - layout.first - layout.notes - layout.totals))
    frame = frame.filter(~pl.all_horizontal(pl.all().is_null()))
    while frame.width > 1 and frame.columns[-1] in titles.untitled and frame[frame.columns[-1]].is_null().all():
        frame = frame.drop(frame.columns[-1])
    return frame


def check_archive(path: Path, limits: Limits) -> None:
    """Raise DataError unless the archive is small when unpacked, holds no macros and declares no entities."""
    if path.stat().st_size > limits.excel_packed:
        raise DataError(
            gettext_noop("Excel files may have at most %(limit)s MB. Save it as CSV and upload that."),
            limit=limits.excel_packed // 1_000_000,
        )
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive, limits)
            for member in archive.infolist():
                if member.filename.lower().endswith((".xml", ".rels", ".vml")):
                    _check_xml(archive, member, limits)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, RuntimeError, NotImplementedError, OSError, EOFError) as error:
        raise DataError(CANNOT) from error


def _check_members(archive: zipfile.ZipFile, limits: Limits) -> None:
    members = archive.infolist()
    unpacked = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if len(members) > limits.excel_members or unpacked > limits.excel_unpacked:
        raise DataError(gettext_noop("The Excel file is too large when unpacked. Save it as CSV and upload that."))
    if unpacked > 1_000_000 and unpacked > limits.excel_ratio * max(1, packed):
        raise DataError(
            gettext_noop("The Excel file unpacks to far more than its size. Save it as CSV and upload that.")
        )
    names = {member.filename.lower() for member in members}
    if any(name.endswith("vbaproject.bin") for name in names):
        raise DataError(gettext_noop("Excel files with macros are not accepted. Save it as .xlsx without macros."))
    if "xl/workbook.xml" not in names:
        raise DataError(gettext_noop("This is a ZIP archive, not an Excel table. Upload the table itself."))


def _check_xml(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limits: Limits) -> None:
    """Look through one XML file as it unpacks; what the archive says about its size is not believed."""
    size, held, sheet = 0, b"", _Extent()
    with archive.open(member) as file:
        start = file.read(PIECE)
        _check_declared(member.filename, start[:8192], limits)
        for piece in _pieces(start, file):
            size += len(piece)
            text = held + piece
            if b"\0" in start[:64] or any(mark in text for mark in ENTITIES):
                raise DataError(gettext_noop("The Excel file declares document entities, which are not accepted."))
            if size > limits.excel_unpacked:
                raise DataError(gettext_noop("The Excel file is too large when unpacked. Save it as CSV."))
            if "worksheets/" in member.filename.lower():
                sheet.grow(text, limits)
            held = text[-64:]


class _Extent:
    """The rectangle that a sheet's cells span. Readers hold all of it in memory, even for a single cell far away."""

    def __init__(self) -> None:
        self.width = self.height = 1

    def grow(self, text: bytes, limits: Limits) -> None:
        places = set(PLACE.findall(text))
        self.width = max([self.width, *(_column_number(letters.upper()) for letters in {place[0] for place in places})])
        self.height = max([self.height, *(int(digits) for digits in {place[1] for place in places} if digits)])
        _check_extent(self.width, self.height, limits)


def _check_extent(width: int, height: int, limits: Limits) -> None:
    if height > limits.rows or width * height > limits.excel_cells:
        raise DataError(
            gettext_noop("The Excel sheet spans %(rows)s rows and %(columns)s columns; that is too many."),
            rows=height,
            columns=width,
        )


def _pieces(start: bytes, file: IO[bytes]) -> Iterator[bytes]:
    piece = start
    while piece:
        yield piece
        piece = file.read(PIECE)


def _check_declared(name: str, start: bytes, limits: Limits) -> None:
    """A sheet's declared size, and the declared number of shared strings."""
    if name.endswith("sharedStrings.xml"):
        if any(int(count) > limits.excel_cells for count in STRINGS.findall(start[:1000])):
            raise DataError(gettext_noop("The Excel file declares too many texts. Save it as CSV and upload that."))
    elif match := DIMENSION.search(start):
        _check_extent(_column_number(match[1]), int(match[2]), limits)


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number
