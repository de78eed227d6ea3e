"""Folders for the temporary files of a child process. They go with the child; those of a parent that was killed are swept.

Each holds a lock that its parent keeps: the system lets go of it when that process ends, however it ends.
"""

import fcntl
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from machines.serving.locked import folders

PREFIX, LOCK, FILES = "easyautoml-child-", ".lock", "files"
YOUNG_SECONDS = 60.0  # a folder may not have its lock yet


class Scratch:
    """One such folder, held until `remove`. `path`, for the child, lies inside: a locked one becomes the property of its

    user (nobody), who must be able to reach it, but neither to let go of the lock nor to pass for its parent.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        self.folder.chmod(0o711)
        self.path = self.folder / FILES
        self.path.mkdir(mode=0o700)
        self._lock = os.open(self.folder / LOCK, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def is_too_full(self, most_bytes: int) -> bool:
        return folders.is_too_full(self.path, most_bytes)

    def remove(self) -> None:
        folders.remove(self.folder)
        with suppress(OSError):  # removed twice
            os.close(self._lock)


def scratch_sweep(*, young: float = YOUNG_SECONDS) -> int:
    """Remove the folders whose parent is gone; return how many."""
    before = time.time() - young
    return sum(
        _is_left(folder, before) and _remove(folder) for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*")
    )


def _is_left(folder: Path, before: float) -> bool:
    with suppress(OSError):  # gone meanwhile, or somebody else's
        about = folder.lstat()
        return folder.is_dir() and not folder.is_symlink() and about.st_uid == os.geteuid() and about.st_mtime <= before
    return False


def _remove(folder: Path) -> bool:
    try:
        lock = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        folders.remove(folder)
    except OSError:
        return False  # its parent lives
    finally:
        os.close(lock)
    return not folder.exists()
