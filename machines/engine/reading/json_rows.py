"""JSON -> a raw table: an array of objects, an object that holds one array, or one object per line.

Objects are read one after the other, so that memory holds the cells and never the whole file. Numbers keep their
digits: they are taken over as written and never become floats here.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

import polars as pl

from machines.engine.columns.json_cells import flatten
from machines.engine.errors import DataError, gettext_noop
from machines.engine.reading.encoding import write_clean
from machines.engine.reading.options import MEGABYTE, Limits, ReadOptions
from machines.engine.reading.table import RawTable, clean_cells, new_folder
from machines.engine.reading.text import check_rows
from machines.engine.reading.titles import check_size, name_columns

BATCH = 20_000  # rows
PIECE = 1 << 20  # characters
WHOLE = 50 * MEGABYTE  # the largest single object
SHAPE = gettext_noop("The JSON file must be a list of objects, an object that holds one list, or one object per line.")
BROKEN = gettext_noop("The JSON is broken in line %(line)s. Check that it was saved completely.")

_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)


def read_json(path: Path, options: ReadOptions, limits: Limits) -> RawTable:
    """Read objects as rows; nested objects become columns `a_b`. Raises DataError on anything else."""
    keeper = new_folder()
    clean = Path(keeper.name) / "clean.json"
    encoding, notices = write_clean(path, clean, options.encoding)
    with clean.open(encoding="utf-8", newline="\n") as file:
        frame = _to_frame(_flat_rows(_items(file)), limits)
    check_rows(frame.height, frame.width, limits)
    titles = name_columns(frame.columns)
    frame.columns = titles.names
    found = replace(options, encoding=encoding, delimiter="", skip_rows=0, has_header=True, has_description_row=False)
    return RawTable.from_frame(frame, found=found, notices=[*notices, *titles.notices])


def _to_frame(rows: Iterator[dict[str, str | None]], limits: Limits) -> pl.DataFrame:
    frames, batch, names = [], [], dict[str, None]()
    count = 0
    for row in rows:
        names.update(dict.fromkeys(row))
        batch.append(row)
        if len(batch) == BATCH:
            count += BATCH
            check_size(list(names), limits)
            check_rows(count, len(names), limits)
            frames.append(_batch_frame(batch))
            batch = []
    check_size(list(names), limits)
    frames.append(_batch_frame(batch))
    frame = pl.concat(frames, how="diagonal").select(list(names)).select(clean_cells())
    return frame.filter(~pl.all_horizontal(pl.all().is_null())) if frame.width else frame


def _batch_frame(rows: list[dict[str, str | None]]) -> pl.DataFrame:
    names = dict.fromkeys(name for row in rows for name in row)
    return pl.DataFrame([pl.Series(name, [row.get(name) for row in rows], dtype=pl.String) for name in names])


def _flat_rows(items: Iterator[Any]) -> Iterator[dict[str, str | None]]:
    for item in items:
        if not isinstance(item, dict):
            raise DataError(SHAPE)
        yield flatten(item)


def _items(file: TextIO) -> Iterator[Any]:
    """The objects of the file, in whichever of the three shapes."""
    buffer = _Buffer(file)
    try:
        if buffer.peek() == "[":
            yield from _array(buffer)
        else:
            yield from _objects(buffer)
    except RecursionError as error:
        raise DataError(
            gettext_noop("The JSON is nested too deeply (near line %(line)s)."), line=buffer.line
        ) from error


def _array(buffer: "_Buffer") -> Iterator[Any]:
    buffer.take(1)
    while (mark := buffer.peek()) != "]":
        if mark == ",":
            buffer.take(1)
        elif not mark:
            raise DataError(BROKEN, line=buffer.line)
        else:
            yield buffer.decode()


def _objects(buffer: "_Buffer") -> Iterator[Any]:
    """One object that holds one list, or objects one after the other."""
    first = buffer.decode()
    if not buffer.peek():
        lists = [value for value in first.values() if _is_table(value)] if isinstance(first, dict) else []
        yield from lists[0] if len(lists) == 1 else [first]
        return
    yield first
    while buffer.peek():
        yield buffer.decode()


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


class _Buffer:
    """A text file read in pieces, decoded value by value."""

    def __init__(self, file: TextIO) -> None:
        self.file, self.text, self.at, self.line = file, "", 0, 1

    def peek(self) -> str:
        """The next character that is not blank; "" at the end."""
        while True:
            while self.at < len(self.text) and self.text[self.at] in " \t\n\r":
                self.take(1)
            if self.at < len(self.text):
                return self.text[self.at]
            if not self.fill():
                return ""

    def take(self, count: int) -> None:
        self.line += self.text.count("\n", self.at, self.at + count)
        self.at += count

    def fill(self, size: int = PIECE) -> bool:
        piece = self.file.read(size)
        self.text, self.at = self.text[self.at :] + piece, 0
        return bool(piece)

    def decode(self) -> Any:
        """The value that begins here. One cut off by the end of a piece is tried again with twice as much."""
        size = PIECE
        while True:
            try:
                value, end = _DECODER.raw_decode(self.text, self.at)
            except json.JSONDecodeError as error:
                if len(self.text) - self.at > WHOLE or not self.fill(size):
                    self.take(max(0, len(self.text[: error.pos].rstrip()) - self.at))
                    raise DataError(BROKEN, line=self.line) from error
                size *= 2
                continue
            if end < len(self.text) or not self.fill():  # "12" may go on in the next piece
                self.take(end - self.at)
                return value
