"""What nobody refers to any more leaves the storage: files of uploads and works that a crash left behind."""

import math
import os
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path, PurePath

from django.conf import settings

from machines import storage
from models import DataLinesOperation, Machine, ModelVersion, Work

AREAS = {"machines", "models", "works"}  # of folders that a row names, or a row for a file inside
INCOMING = "incoming"  # no row names what lies there
RECORDS = [
    (Machine, "source_path"),
    (DataLinesOperation, "path"),
    (Work, "folder"),
    (ModelVersion, "file_path"),
    (ModelVersion, "onnx_path"),
]


MOST_STRANGE, FEW = 0.5, 3  # share of folders that no row names; fewer than so many folders say nothing


class StrangeStorageError(Exception):
    """Most of the storage is unknown to this database: it belongs to another one, or a backup was half restored."""


@dataclass(frozen=True)
class Swept:
    files: int = 0
    bytes: int = 0

    def __add__(self, other: "Swept") -> "Swept":
        return Swept(self.files + other.files, self.bytes + other.bytes)


def storage_sweep(*, older_than: timedelta, is_dry_run: bool = False) -> Swept:
    """Remove what no row refers to and nobody has changed for so long; return how much it was.

    Half-made things have no row yet, so `older_than` must be longer than any upload or work writes without a pause.
    Links are removed, never followed. A dry run only counts. Raises StrangeStorageError, and removes nothing, when the
    database knows less than half of the machines' folders.
    """
    root, before = settings.STORAGE_ROOT.resolve(), time.time() - older_than.total_seconds()
    places = list(_places(root))  # before the rows are read: what gets its row meanwhile is among them
    recorded = _recorded()
    if not is_dry_run:
        _check_is_ours(places, recorded)
    swept = Swept()
    for place in places:
        if _is_orphan(place, recorded) and _changed(root / place) <= before:
            swept += _size(root / place) if is_dry_run else _remove(root / place)
    return swept


def _check_is_ours(places: list[PurePath], recorded: set[str]) -> None:
    folders = [place.as_posix() for place in places if place.parts[0] == "machines" and len(place.parts) == 2]
    strange = sum(folder not in recorded for folder in folders)
    if strange > max(FEW, MOST_STRANGE * len(folders)):
        raise StrangeStorageError(f"{strange} of {len(folders)} folders in machines/ belong to no machine")


def _places(root: Path) -> Iterator[PurePath]:
    """Every file in the storage, relative to it, and before them the folders of uploads, machines and works."""
    of_ours = {root / area for area in (*AREAS, INCOMING)}
    for folder, folders, files in os.walk(root):
        for name in (*(folders if Path(folder) in of_ours else ()), *files):
            yield PurePath(folder, name).relative_to(root)


def _recorded() -> set[str]:
    """The paths that rows name, and the folders of machines and works in which they lie."""
    recorded: set[str] = set()
    for model, field in RECORDS:
        for path in model._default_manager.exclude(**{field: ""}).values_list(field, flat=True).iterator():
            recorded |= {path, _folder(PurePath(path))}
    return recorded


def _folder(place: PurePath) -> str:
    return PurePath(*place.parts[:2]).as_posix()


def _is_orphan(place: PurePath, recorded: set[str]) -> bool:
    """Whether this goes as a whole. What lies in such a folder is none by itself: it goes with the folder."""
    area, *rest = place.parts
    if area == INCOMING:
        return len(rest) == 1
    if area in AREAS and _folder(place) not in recorded:
        return len(rest) == 1
    is_part = area == "machines" and place.suffix == ".parquet" and place.as_posix() not in recorded
    return bool(rest) and (place.name.startswith(".") or is_part)


def _below(place: Path) -> Iterator[os.stat_result]:
    """What is known of a file, or of a folder and everything in it, without following links."""
    walk = () if place.is_symlink() else os.walk(place)
    for path in (place, *(Path(folder, name) for folder, folders, files in walk for name in (*folders, *files))):
        with suppress(OSError):  # gone meanwhile
            yield path.lstat()


def _changed(place: Path) -> float:
    """When anything of it was changed last; for what is gone meanwhile, never long enough ago."""
    return max((about.st_mtime for about in _below(place)), default=math.inf)


def _size(place: Path) -> Swept:
    files = [about.st_size for about in _below(place) if not stat.S_ISDIR(about.st_mode)]
    return Swept(len(files), sum(files))


def _remove(place: Path) -> Swept:
    size = _size(place)
    with suppress(OSError):  # gone meanwhile, or not ours to remove
        if place.is_dir() and not place.is_symlink():
            storage.remove_folder(place)
        else:
            place.unlink()
    return Swept() if os.path.lexists(place) else size
