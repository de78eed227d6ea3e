"""What a file is: its name says one thing, its first bytes another, and both must agree."""

import re
from enum import StrEnum
from pathlib import Path, PurePath

from machines.engine.errors import DataError, gettext_noop
from machines.engine.reading.options import Limits


class Kind(StrEnum):
    """The families of files that can be read."""

    TEXT = "text"
    EXCEL = "excel"
    JSON = "json"
    PARQUET = "parquet"


KINDS = {
    ".csv": Kind.TEXT,
    ".tsv": Kind.TEXT,
    ".txt": Kind.TEXT,
    ".xlsx": Kind.EXCEL,
    ".json": Kind.JSON,
    ".jsonl": Kind.JSON,
    ".ndjson": Kind.JSON,
    ".parquet": Kind.PARQUET,
}

# First bytes -> what a person calls such a file.
SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", gettext_noop("a ZIP or Excel file")),
    (b"PK\x05\x06", gettext_noop("an empty ZIP file")),
    (b"PAR1", gettext_noop("a Parquet file")),
    (b"\x1f\x8b", gettext_noop("a gzip archive")),
    (b"BZh", gettext_noop("a bzip2 archive")),
    (b"\xfd7zXZ", gettext_noop("an xz archive")),
    (b"7z\xbc\xaf\x27\x1c", gettext_noop("a 7z archive")),
    (b"\x28\xb5\x2f\xfd", gettext_noop("a zstd archive")),
    (b"Rar!", gettext_noop("a RAR archive")),
    (b"\x89PNG", gettext_noop("a PNG picture")),
    (b"\xff\xd8\xff", gettext_noop("a JPEG picture")),
    (b"GIF8", gettext_noop("a GIF picture")),
    (b"%PDF", gettext_noop("a PDF document")),
    (b"\xd0\xcf\x11\xe0", gettext_noop("an old Office file")),
    (b"SQLite format 3", gettext_noop("an SQLite database")),
    (b"\x89HDF", gettext_noop("an HDF5 file")),
    (b"\x93NUMPY", gettext_noop("a NumPy file")),
    (b"ARROW1", gettext_noop("an Arrow file")),
    (b"\x7fELF", gettext_noop("a program")),
)
PICKLE = re.compile(rb"\x80[\x02-\x05]|\((?:dp|lp|i)[0-9]")
MARKUP = re.compile(rb"\s*<(?:!doctype html|html|head|body|\?xml)\b", re.IGNORECASE)


def find_kind(path: Path, name: str, limits: Limits) -> Kind:
    """The kind of the file at `path`, whose person calls it `name`. Raises DataError for anything else."""
    kind = _kind_of_name(name)
    size = path.stat().st_size
    if size == 0:
        raise DataError(gettext_noop("The file is empty. Upload a file with a header line and rows."))
    if size > limits.upload:
        raise DataError(
            gettext_noop("The file has %(size)s MB; at most %(limit)s MB can be read. Upload fewer rows."),
            size=round(size / 1e6),
            limit=round(limits.upload / 1e6),
        )
    _check_content(path, kind)
    return kind


def _kind_of_name(name: str) -> Kind:
    ending = PurePath(name.strip().lower()).suffix
    if ending == ".xls":
        raise DataError(gettext_noop("Old Excel files (.xls) cannot be read. Save it as .xlsx or CSV and upload that."))
    if ending in {".xlsm", ".xlsb"}:
        raise DataError(gettext_noop("Excel files with macros are not accepted. Save it as .xlsx and upload that."))
    if ending not in KINDS:
        raise DataError(
            gettext_noop("Files ending in “%(ending)s” cannot be read. Use CSV, TSV, TXT, XLSX, JSON or Parquet."),
            ending=ending[:20] or name[-20:],
        )
    return KINDS[ending]


def _check_content(path: Path, kind: Kind) -> None:
    with path.open("rb") as file:
        start = file.read(512)
    really = _name_content(start)
    expected = {Kind.EXCEL: "a ZIP or Excel file", Kind.PARQUET: "a Parquet file"}.get(kind)
    if really == expected:
        return
    if expected is None:
        raise DataError(
            gettext_noop("The file's name says %(kind)s, but it is %(really)s. Upload the table itself."),
            kind=str(kind),
            really=really,
        )
    raise DataError(
        gettext_noop("The file's name says %(kind)s, but its content is something else. Save it again as %(kind)s."),
        kind=str(kind),
    )


def _name_content(start: bytes) -> str | None:
    """What the first bytes give away, or None for plain text."""
    for signature, name in SIGNATURES:
        if start.startswith(signature):
            return name
    if PICKLE.match(start):
        return gettext_noop("a Python pickle")
    if MARKUP.match(start):
        return gettext_noop("a web page or XML")
    return gettext_noop("a tar archive") if start[257:262] == b"ustar" else None
