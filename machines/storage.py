"""Where the files of machines lie: one folder per machine under STORAGE_ROOT, with a name nobody can guess from outside."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4

from django.conf import settings


def new_folder() -> Path:
    """Make a folder that only this user of the computer can look into."""
    folder: Path = settings.STORAGE_ROOT / "machines" / uuid4().hex
    folder.mkdir(mode=0o700, parents=True)
    return folder


def absolute(path: str) -> Path:
    """Return the place of a recorded path; a path that leads out of the storage is an error of ours."""
    place: Path = (settings.STORAGE_ROOT / path).resolve()
    if not place.is_relative_to(settings.STORAGE_ROOT.resolve()):
        raise ValueError(f"{path} is not inside the storage")
    return place


def recorded(place: Path) -> str:
    """Return what to record in the database for a place in the storage."""
    return place.resolve().relative_to(settings.STORAGE_ROOT.resolve()).as_posix()


def write_whole(place: Path, chunks: Iterable[bytes]) -> None:
    """Write a file so that it is there whole or not at all: temporary name, fsync, rename, fsync of the folder."""
    temporary = place.with_name(f".{place.name}.{uuid4().hex}")
    try:
        with temporary.open("wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(place)
    finally:
        temporary.unlink(missing_ok=True)
    descriptor = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_folder(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
