"""Where the files of machines lie: one folder per machine under STORAGE_ROOT, with a name nobody can guess from outside."""

import mmap
import shutil
from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4

from django.conf import settings

from machines.engine.files import sync, whole


def new_folder(area: str = "machines") -> Path:
    """Make a folder that only this user of the computer can look into."""
    folder: Path = settings.STORAGE_ROOT / area / uuid4().hex
    folder.mkdir(mode=0o700, parents=True)
    for parent in (folder.parent, settings.STORAGE_ROOT):
        sync(parent)
    return folder


def new_incoming() -> Path:
    """Return a place for a file that is kept only until it was read; what a crash leaves there is swept."""
    folder = settings.STORAGE_ROOT / "incoming"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / uuid4().hex


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
    """Write a file so that it is there whole or not at all."""
    with whole(place) as temporary, temporary.open("wb") as file:
        file.writelines(chunks)


def move(place: Path, target: Path) -> None:
    """Give a whole file its lasting place within the storage."""
    place.rename(target)
    sync(target.parent)


def mapped(place: Path) -> memoryview:
    """Return the bytes of a file that nobody changes any more; the system reads them when they are looked at.

    Raises FileNotFoundError.
    """
    with place.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def remove_folder(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
