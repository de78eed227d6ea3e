"""Which character parts the cells: each candidate reads the beginning, and the one with the most even rows wins."""

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from machines.engine.errors import DataError, gettext_noop
from machines.engine.reading.options import Limits

CANDIDATES = "\t;|,"  # on a tie the rarer character in plain text wins
SAMPLE = 256_000  # bytes


@dataclass(frozen=True)
class _Vote:
    delimiter: str
    evenness: float  # share of rows with the most common number of cells
    rows: int  # how many those are
    width: int


def find_delimiter(path: Path, limits: Limits) -> str:
    """The delimiter of a clean text file; "," for a file with one column."""
    text = _read_sample(path, limits)
    if text[:4].lower() == "sep=" and text[5:6] == "\n":
        return text[4]
    votes = [_vote(text, delimiter) for delimiter in CANDIDATES]
    usable = [vote for vote in votes if vote.width > 1 and vote.evenness >= 0.4]
    if not usable:
        return _delimiter_of_one_column(text)
    most = max(vote.rows for vote in usable)
    usable = [vote for vote in usable if vote.rows > 0.5 * most]
    best = max(vote.evenness for vote in usable)
    return next(vote.delimiter for vote in usable if vote.evenness >= best - 0.02)


def _read_sample(path: Path, limits: Limits) -> str:
    with path.open("rb") as file:
        sample = file.read(SAMPLE)
        if b"\n" not in sample:
            sample += file.read(limits.row)
    if b"\n" not in sample:
        raise DataError(
            gettext_noop("Line 1 is longer than %(limit)s MB. Check that the rows end with line breaks."),
            limit=limits.row / 1e6,
        )
    return sample[: sample.rfind(b"\n") + 1].decode("utf-8", "replace")


def _vote(text: str, delimiter: str) -> _Vote:
    """Titles above and notes below are lines of one cell; they do not count."""
    widths = [len(row) for row in _parse(text, delimiter) if any(row)]
    wide = [at for at, width in enumerate(widths) if width > 1]
    if not wide or _is_one_column(text, delimiter):
        return _Vote(delimiter, 0.0, 0, 1)
    widths = widths[wide[0] : wide[-1] + 1]
    width, count = max(Counter(widths).items(), key=lambda item: (item[1], item[0]))
    return _Vote(delimiter, count / len(widths), count, width)


def _is_one_column(text: str, delimiter: str) -> bool:
    """A title without commas over cells such as "Paris, France": the commas belong to the text."""
    first = text.lstrip("\n").split("\n", 1)[0]
    return delimiter == "," and "," not in first and text.count(", ") == text.count(",")


def _parse(text: str, delimiter: str) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        for row in csv.reader(text.splitlines(keepends=True), delimiter=delimiter, skipinitialspace=True):
            rows.append(row)
    except csv.Error:
        pass  # what was read until then decides
    return rows


def _delimiter_of_one_column(text: str) -> str:
    """Uneven rows: trust the header if it has delimiters at all. Else a character that parts nothing."""
    first = text.lstrip("\n").split("\n", 1)[0]
    counts = {delimiter: first.count(delimiter) for delimiter in CANDIDATES}
    best = max(counts, key=lambda delimiter: counts[delimiter])
    if counts[best] > 1:
        return best
    absent = [delimiter for delimiter in ",;\t|" if delimiter not in text]
    return absent[0] if absent and _vote(text, ",").width == 1 else ","
