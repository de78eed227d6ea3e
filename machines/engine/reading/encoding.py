"""Any text file -> UTF-8 with "\\n" line ends and nothing else strange in it, piece by piece."""

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from machines.engine.errors import DataError, Notice, Weight, gettext_noop

PIECE = 4_000_000
# The longer marks first: UTF-32's begins like UTF-16's.
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
NOT_IN_CP1252 = bytes([0x81, 0x8D, 0x8F, 0x90, 0x9D])


def write_clean(source: Path, target: Path, encoding: str | None) -> tuple[str, list[Notice]]:
    """Write `source` as clean UTF-8 to `target`; returns the encoding used. Raises DataError on NUL or bad bytes."""
    used = _checked(encoding) if encoding else find_encoding(source)
    with source.open("rb") as raw, target.open("wb") as clean:
        _copy(raw, clean, used)
    return used, _notices(used) if encoding is None else []


def find_encoding(path: Path) -> str:
    """A byte-order mark, UTF-16's zeros, strict UTF-8, or else Western European."""
    with path.open("rb") as file:
        start = file.read(4096)
    for mark, name in MARKS:
        if start.startswith(mark):
            return name
    if wide := _find_wide(start):
        return wide
    if _decodes(path, "utf-8"):
        return "utf-8"
    return "latin-1" if any(byte in piece for piece in _pieces(path) for byte in NOT_IN_CP1252) else "cp1252"


def _find_wide(start: bytes) -> str | None:
    """UTF-16 without a mark: every second byte of plain letters is zero."""
    even, odd = start[0::2].count(0), start[1::2].count(0)
    half = len(start) // 2
    if half < 2 or max(even, odd) < 0.4 * half or min(even, odd) > 0.05 * half:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _checked(encoding: str) -> str:
    try:
        "".encode(encoding)  # refuses codecs that are no text encoding, such as "zip"
    except (LookupError, UnicodeError) as error:
        raise DataError(gettext_noop("There is no encoding “%(encoding)s”."), encoding=encoding[:40]) from error
    return "utf-8" if codecs.lookup(encoding).name == "utf-8-sig" else encoding


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for piece in _pieces(path):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def _copy(raw: BinaryIO, clean: BinaryIO, encoding: str) -> None:
    """Decode, cut the mark, unify the line ends. A final line end is added where it is absent."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line, held, last = 1, b"", b""
    while True:
        piece = raw.read(PIECE)
        data = held + _decode(decoder, piece, line)
        held = b"\r" if data.endswith(b"\r") and piece else b""  # the "\n" of a "\r\n" may come next
        data = data[: len(data) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if clean.tell() == 0:
            data = data.removeprefix(codecs.BOM_UTF8)
        _refuse_nul(data, line)
        clean.write(data)
        line, last = line + data.count(b"\n"), data[-1:] or last
        if not piece:
            break
    if last != b"\n":
        clean.write(b"\n")


def _decode(decoder: codecs.IncrementalDecoder, piece: bytes, line: int) -> bytes:
    try:
        return decoder.decode(piece, final=not piece).encode("utf-8")
    except UnicodeError as error:
        bad = piece[: error.start] if isinstance(error, UnicodeDecodeError) else b""
        raise DataError(
            gettext_noop("Line %(line)s holds bytes that are not in the chosen encoding. Choose another encoding."),
            line=line + bad.count(b"\n"),
        ) from error


def _refuse_nul(data: bytes, line: int) -> None:
    at = data.find(b"\0")
    if at >= 0:
        raise DataError(
            gettext_noop("Line %(line)s holds a NUL byte, so this is not a plain text table. Export it again as CSV."),
            line=line + data.count(b"\n", 0, at),
        )


def _notices(encoding: str) -> list[Notice]:
    if encoding not in {"cp1252", "latin-1"}:
        return []
    template = gettext_noop("The file is not in UTF-8; it was read as Western European. Check accented letters.")
    return [Notice(template, {}, Weight.WARNING)]
