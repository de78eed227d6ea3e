"""Files that are there whole or not at all, and what a full disk looks like."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_NUMBER = re.compile(r"\(os error (\d+)\)")  # how polars says it, in an error of its own


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`. What was written there is called `path` once all of it is on the disk.

    When anything fails nothing new is there, and what was called `path` before still is.
    """
    temporary = path.with_name(f".{uuid4().hex}.part")
    try:
        yield temporary
        sync(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync(path.parent)


def write_safely(path: Path, content: bytes | memoryview) -> None:
    """Give the file its name only when all of it is on the disk."""
    with whole(path) as temporary:
        temporary.write_bytes(content)


def sync(path: Path) -> None:
    """Make sure that a file, or the names in a folder, survive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_full(error: BaseException) -> bool:
    """Return whether this was raised because there is no room on a disk, or in a quota."""
    number = error.errno if isinstance(error, OSError) else None
    said = _NUMBER.search(str(error))
    return (number or (int(said[1]) if said else None)) in FULL
