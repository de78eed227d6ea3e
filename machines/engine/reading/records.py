"""Where each record of a clean text file ends and how many cells it has, found with numpy at about 100 MB/s.

Quotes are followed by parity: a byte is outside of quotes where an even number of quotes stands before it. That is exact
as long as every quote opens or closes a whole cell; otherwise the file is not `regular` and `repair.py` rewrites it.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from machines.engine.errors import DataError, gettext_noop
from machines.engine.reading.options import Limits

PIECE = 8_000_000
QUOTE, NEWLINE = ord('"'), ord("\n")


@dataclass(frozen=True)
class Records:
    """The records of a text file: `ends` are byte offsets after each line end, `cells` the number of cells of each."""

    path: Path
    delimiter: str
    ends: NDArray[np.int64]  # [records]
    cells: NDArray[np.int32]  # [records]
    regular: bool  # every quote opens or closes a whole cell
    open_quote: int | None  # byte offset of a quote that is never closed

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def starts(self) -> NDArray[np.int64]:
        return np.concatenate([[0], self.ends[:-1]]).astype(np.int64)

    @property
    def blank(self) -> NDArray[np.bool_]:
        """Records with nothing but delimiters."""
        return np.asarray((self.ends - self.starts) == self.cells)

    def line(self, record: int) -> int:
        """The line, counted from 1, on which a record begins."""
        return line_at(self.path, int(self.starts[record]))

    def rows(self, first: int, last: int) -> list[list[str]]:
        """The cells of records first..last-1; a blank line is an empty list."""
        first, last = max(first, 0), min(last, len(self))
        if first >= last:
            return []
        with self.path.open("rb") as file:
            file.seek(int(self.starts[first]))
            text = file.read(int(self.ends[last - 1] - self.starts[first])).decode("utf-8", "replace")
        return [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), delimiter=self.delimiter)]


def line_at(path: Path, offset: int) -> int:
    """The line, counted from 1, of the byte at `offset`."""
    line = 1
    with path.open("rb") as file:
        while offset > 0 and (piece := file.read(min(PIECE, offset))):
            line += piece.count(b"\n")
            offset -= len(piece)
    return line


def scan(path: Path, delimiter: str, limits: Limits) -> Records:
    """Find all records. Raises DataError for a record over `limits.row` bytes, naming its line."""
    scanner = _Scanner(ord(delimiter))
    for piece in _pieces(path):
        scanner.take(piece)
    ends = np.concatenate([*scanner.ends, np.empty(0, np.int64)]).astype(np.int64)
    cells = np.diff(np.concatenate([[0], *scanner.delimiters_before])).astype(np.int32) + np.int32(1)
    records = Records(path, delimiter, ends, cells, scanner.regular, scanner.opened if scanner.inside else None)
    if records.regular and records.open_quote is None:
        _refuse_long(records, limits)
    return records


def _pieces(path: Path) -> Iterator[NDArray[np.uint8]]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield np.frombuffer(piece, dtype=np.uint8)


def _refuse_long(records: Records, limits: Limits) -> None:
    long = np.flatnonzero(records.ends - records.starts > limits.row)
    if long.size:
        raise DataError(
            gettext_noop("The row in line %(line)s is longer than %(limit)s MB. Check its quotes and line ends."),
            line=records.line(int(long[0])),
            limit=limits.row / 1e6,
        )


class _Scanner:
    """State carried from one piece of the file to the next."""

    def __init__(self, delimiter: int) -> None:
        self.delimiter = delimiter
        self.inside = 0  # 1 within quotes
        self.before = NEWLINE  # the byte before this piece
        self.offset = 0
        self.opened = 0  # where the last quote opened
        self.delimiters = 0
        self.regular = True
        self.ends: list[NDArray[np.int64]] = []
        self.delimiters_before: list[NDArray[np.int64]] = []

    def take(self, piece: NDArray[np.uint8]) -> None:
        quote = piece == QUOTE
        newline, delimiter = piece == NEWLINE, piece == self.delimiter
        if self.inside or self.before == QUOTE or quote.any():
            state = (np.cumsum(quote, dtype=np.uint8) & 1) ^ self.inside  # after each byte
            self._check_quotes(piece, quote, state.astype(np.uint8))
            newline &= state == 0
            delimiter &= state == 0
            self.inside = int(state[-1])
        ends, marks = np.flatnonzero(newline), np.flatnonzero(delimiter)
        self.ends.append(ends + self.offset + 1)
        self.delimiters_before.append(np.searchsorted(marks, ends) + self.delimiters)
        self.delimiters += len(marks)
        self.offset += len(piece)
        self.before = int(piece[-1])

    def _check_quotes(self, piece: NDArray[np.uint8], quote: NDArray[np.bool_], state: NDArray[np.uint8]) -> None:
        """An opening quote follows a delimiter or line end, a closing one stands before one. Doubled quotes do both."""
        before = np.concatenate([[self.before], piece[:-1]]).astype(np.uint8)
        was_inside = np.concatenate([[self.inside], state[:-1]]).astype(np.uint8)
        opening = np.flatnonzero(quote & (was_inside == 0))
        after_closing = np.flatnonzero((before == QUOTE) & (was_inside == 0))
        allowed = np.array([self.delimiter, NEWLINE, QUOTE], dtype=np.uint8)
        if not np.isin(before[opening], allowed).all() or not np.isin(piece[after_closing], allowed).all():
            self.regular = False
        if opening.size:
            self.opened = self.offset + int(opening[-1])
