"""Folders in which a stranger's program has written: how much it is, and away with it."""

import os
import stat
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

MOST_ENTRIES = 20_000
BLOCK = 512  # bytes, as the system counts them


def is_too_full(folder: Path, most_bytes: int) -> bool:
    """Whether more lies there than may, or something that cannot be looked into."""
    waiting, entries, size = [str(folder)], 0, 0
    while waiting:
        try:
            with os.scandir(waiting.pop()) as found:
                for entry in found:
                    about = entry.stat(follow_symlinks=False)
                    entries, size = entries + 1, size + about.st_blocks * BLOCK
                    if entries > MOST_ENTRIES or size > most_bytes:
                        return True
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except FileNotFoundError:  # gone meanwhile
            continue
        except OSError:
            return True
    return False


def remove(folder: Path) -> None:
    """Remove a folder whose writer is gone. What cannot be removed stays; nothing is raised.

    Folders in folders are lifted to the top first: `shutil.rmtree` gives up on a thousand of them in one another.
    """
    lifted = [folder]
    while lifted:
        place = lifted.pop()
        for entry in _entries(place):
            with suppress(OSError):
                if not stat.S_ISDIR(entry.lstat().st_mode):
                    entry.unlink()
                    continue
                entry.chmod(0o700)  # one may be made that its owner cannot read
                lifted.append(entry.rename(folder / uuid4().hex))
        if place != folder:
            with suppress(OSError):
                place.rmdir()
    with suppress(OSError):
        folder.rmdir()


def _entries(place: Path) -> list[Path]:
    try:
        return list(place.iterdir())
    except OSError:
        return []
