"""Text with stray quotes, rewritten with regular ones by the csv module. Slow (20 MB/s), so only for such files."""

import csv
from collections.abc import Iterator
from pathlib import Path

from machines.engine.errors import DataError, gettext_noop
from machines.engine.reading.options import Limits

UNCLOSED = gettext_noop("The quote that opens in line %(line)s is never closed. Close it, or remove it.")


def rewrite(source: Path, target: Path, delimiter: str, limits: Limits) -> None:
    """Write the rows of `source` to `target`, every cell quoted as the standard says. Lines keep their numbers."""
    csv.field_size_limit(limits.row)
    with source.open(encoding="utf-8", newline="\n") as raw, target.open("w", encoding="utf-8", newline="") as clean:
        writer = csv.writer(clean, delimiter=delimiter, lineterminator="\n")
        for row in _rows(_Lines(raw), delimiter, limits):
            writer.writerow(row)


class _Lines:
    """The lines of a file, remembering those of the row being read."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.lines = lines
        self.taken: list[str] = []
        self.size = 0
        self.first = 1  # number of the row's first line

    def __iter__(self) -> Iterator[str]:
        for line in self.lines:
            self.taken.append(line)
            self.size += len(line)
            yield line

    def next_row(self) -> None:
        self.first += len(self.taken)
        self.taken, self.size = [], 0


def _rows(lines: _Lines, delimiter: str, limits: Limits) -> Iterator[list[str]]:
    reader = csv.reader(_spaced(lines, delimiter), delimiter=delimiter)
    try:
        for row in reader:
            if len(lines.taken) > 1 or lines.taken[0].count('"') % 2:
                _refuse_unclosed(lines, delimiter)
            if lines.size > limits.row:
                raise DataError(gettext_noop("The row in line %(line)s is too long."), line=lines.first)
            yield row
            lines.next_row()
    except csv.Error as error:
        raise DataError(UNCLOSED, line=lines.first) from error


def _spaced(lines: _Lines, delimiter: str) -> Iterator[str]:
    """`a, "b"` means `a,"b"`: blanks before an opening quote are layout."""
    for line in lines:
        yield line.replace(f'{delimiter} "', f'{delimiter}"') if f'{delimiter} "' in line else line


def _refuse_unclosed(lines: _Lines, delimiter: str) -> None:
    """A cell over several lines, or one with an odd quote, must be well formed; else a quote was forgotten."""
    try:
        list(csv.reader(lines.taken, delimiter=delimiter, strict=True))
    except csv.Error as error:
        if len(lines.taken) > 1 or "end of data" in str(error):
            raise DataError(UNCLOSED, line=lines.first) from error
