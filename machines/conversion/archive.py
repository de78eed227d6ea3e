"""Zip archives from strangers: looked through before anything is unpacked, and unpacked only within bounds."""

import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path, PurePosixPath

from machines.engine.errors import DataError, gettext_noop

MOST_MEMBERS = 5000
MOST_BYTES = 2**30  # unpacked, all members together
MOST_RATIO = 200  # unpacked to packed; weights rarely shrink to half
FREE_RATIO_BYTES = 2**20  # small members may shrink as much as they like: code and JSON do
CHUNK = 2**20
ENCRYPTED = 0x1

DAMAGED = gettext_noop(
    "This archive is damaged: “%(member)s” cannot be read. Save the model again and upload the new file."
)
BAD_NAME = gettext_noop("This archive holds a file that would land outside its folder: “%(member)s”.")
LINK = gettext_noop("This archive holds a link instead of a file: “%(member)s”.")
TWICE = gettext_noop("This archive holds “%(member)s” twice.")
LOCKED = gettext_noop("This archive is encrypted. Save it without a password.")
TOO_MANY = gettext_noop("This archive holds more than %(most)s files.")
TOO_LARGE = gettext_noop("Unpacked, this archive is larger than a model may be (%(most)s MB).")
BOMB = gettext_noop("“%(member)s” in this archive grows to more than %(most)s times its packed size.")


@contextmanager
def opened(content: bytes) -> Iterator[zipfile.ZipFile]:
    """Yield the archive once its list of members is found to be harmless. Raises DataError."""
    try:
        archive = zipfile.ZipFile(BytesIO(content))
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, EOFError) as error:
        raise DataError(DAMAGED, member="") from error
    with archive:
        _check_members(archive.infolist())
        yield archive


def read(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return one member, its checksum verified, never more than it declares. Raises DataError."""
    return b"".join(_chunks(archive, archive.getinfo(name)))


def unpack(archive: zipfile.ZipFile, folder: Path) -> None:
    """Write every member below `folder`."""
    for info in archive.infolist():
        place = folder / info.filename
        if info.is_dir():
            place.mkdir(parents=True, exist_ok=True)
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("xb") as file:
            for chunk in _chunks(archive, info):
                file.write(chunk)


def verify(archive: zipfile.ZipFile) -> None:
    """Read every member once: sizes and checksums hold. A library that reads the archive itself may skip that."""
    for info in archive.infolist():
        for _ in _chunks(archive, info):
            pass


def _chunks(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    try:
        with archive.open(info) as member:
            while chunk := member.read(CHUNK):
                yield chunk
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, OSError) as error:
        raise DataError(DAMAGED, member=_short(info.filename)) from error


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MOST_MEMBERS:
        raise DataError(TOO_MANY, most=MOST_MEMBERS)
    if sum(info.file_size for info in members) > MOST_BYTES:
        raise DataError(TOO_LARGE, most=MOST_BYTES // 2**20)
    seen: set[str] = set()
    for info in members:
        _check_member(info)
        if info.filename.rstrip("/") in seen:
            raise DataError(TWICE, member=_short(info.filename))
        seen.add(info.filename.rstrip("/"))


def _check_member(info: zipfile.ZipInfo) -> None:
    name = info.orig_filename
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name or ":" in name or len(name) > 500:
        raise DataError(BAD_NAME, member=_short(name))
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise DataError(LINK, member=_short(name))
    if info.flag_bits & ENCRYPTED:
        raise DataError(LOCKED)
    if info.file_size > FREE_RATIO_BYTES and info.file_size > MOST_RATIO * max(1, info.compress_size):
        raise DataError(BOMB, member=_short(name), most=MOST_RATIO)


def _short(name: str) -> str:
    return name.replace("\0", "")[:100]
