"""The site's end: where the profile of a table is kept, and the child process that makes one. No rows are read here."""

import hashlib
import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from machines.child import ChildFailedError, run_child
from machines.engine.errors import DataError, Notice, gettext_noop
from machines.engine.schema import Column

MODULE = "dashboards.profiling.job"
SECONDS = 60.0
MEMORY_MB = 2048
THREADS = 2
WAIT_SECONDS = 20.0
VERSION = 2  # counts up when the same rows would be told in another way
WORDS = {
    "deadline": gettext_noop("This table is too large to be looked at in a minute. Ignore columns, or use fewer rows."),
    "memory": gettext_noop(
        "This table needs more memory than there is to look at it. Ignore columns, or use fewer rows."
    ),
    "crash": gettext_noop("These rows could not be looked at. Try again."),
}
BUSY = gettext_noop("Another table is being looked at right now. Try again in a minute.")
GONE = gettext_noop("The rows have just changed. Try again.")
_PLACE = threading.BoundedSemaphore(1)  # one at a time in each process of the site: it may take two cores for a minute


def kept(parts: Sequence[Path], columns: Sequence[Column], folder: Path) -> Path:
    """Where the profile of these rows and columns is, or would be. Raises DataError when a part is gone."""
    try:
        about = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in parts]
    except FileNotFoundError as error:
        raise DataError(GONE) from error
    what = json.dumps(["profile", VERSION, about, [column.to_json() for column in columns]], sort_keys=True)
    return folder / f"{hashlib.sha256(what.encode()).hexdigest()[:40]}.json"


def look(path: Path) -> dict[str, Any] | None:
    """The profile that is kept there; None if there is none (any more)."""
    try:
        told: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    return told


def make(parts: Sequence[Path], columns: Sequence[Column], folder: Path) -> dict[str, Any]:
    """The profile, made in a child process if it is not kept. Raises DataError."""
    path = kept(parts, columns, folder)
    if not _PLACE.acquire(timeout=WAIT_SECONDS):
        raise DataError(BUSY)
    try:
        told = look(path)  # somebody may have asked for the same meanwhile
        if told is None:
            _run(parts, columns, folder, path)
            told = look(path)
    finally:
        _PLACE.release()
    if told is None:
        raise DataError(GONE)
    return told


def _run(parts: Sequence[Path], columns: Sequence[Column], folder: Path, path: Path) -> None:
    request = {
        "parts": [str(part) for part in parts],
        "columns": [column.to_json() for column in columns],
        "folder": str(folder),
        "path": str(path),
    }
    try:
        answer = run_child(MODULE, request, seconds=SECONDS, memory_mb=MEMORY_MB, threads=THREADS, niceness=5)
    except ChildFailedError as error:
        raise DataError(WORDS.get(error.reason, WORDS["crash"])) from error
    if answer["kind"] == "error":
        notice = Notice.from_json(answer["error"])
        raise DataError(notice.template, **notice.values)
