"""The site's end: where the effects of a machine's columns are kept, and the child process that works them out."""

import hashlib
import json
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from machines.child import ChildFailedError, run_child
from machines.engine.errors import DataError, Notice, gettext_noop
from machines.engine.schema import Column

MODULE = "dashboards.effects.job"
SECONDS = 60.0
MEMORY_MB = 2048
THREADS = 2
WAIT_SECONDS = 20.0
VERSION = 2  # counts up when the same would be told in another way
WORDS = {
    "deadline": gettext_noop("Asking this machine so often takes longer than a minute."),
    "memory": gettext_noop("Asking this machine so often needs more memory than there is."),
    "crash": gettext_noop("This could not be worked out. Try again."),
}
BUSY = gettext_noop("Another machine is being asked right now. Try again in a minute.")
GONE = gettext_noop("The rows have just changed. Try again.")
_PLACE = threading.BoundedSemaphore(1)  # one at a time in each process of the site


@dataclass(frozen=True)
class Question:
    """Of which rows and which model; `model_key` changes with the model, whose bytes are read only when needed."""

    parts: Sequence[Path]
    columns: Sequence[Column]
    chosen: Sequence[str]
    model_key: str
    folder: Path

    @property
    def path(self) -> Path:
        """Where the answer is kept, or would be. Raises DataError when a part is gone."""
        try:
            about = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in self.parts]
        except FileNotFoundError as error:
            raise DataError(GONE) from error
        columns = [column.to_json() for column in self.columns]
        what = json.dumps(["effects", VERSION, about, columns, [*self.chosen], self.model_key], sort_keys=True)
        return self.folder / f"{hashlib.sha256(what.encode()).hexdigest()[:40]}.json"


def look(question: Question) -> dict[str, Any] | None:
    """What is kept; None if there is nothing (any more)."""
    try:
        told: dict[str, Any] = json.loads(question.path.read_bytes())
    except FileNotFoundError:
        return None
    return told


def make(question: Question, model: Callable[[], bytes]) -> dict[str, Any]:
    """The effects, worked out in a child process if they are not kept. Raises DataError."""
    told = look(question)
    if told is not None:
        return told
    if not _PLACE.acquire(timeout=WAIT_SECONDS):
        raise DataError(BUSY)
    try:
        told = look(question)  # somebody may have asked for the same meanwhile
        if told is None:
            _run(question, model())
            told = look(question)
    finally:
        _PLACE.release()
    if told is None:
        raise DataError(GONE)
    return told


def _run(question: Question, model: bytes) -> None:
    question.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
        file.write(model)
        file.flush()
        request = {
            "parts": [str(part) for part in question.parts],
            "columns": [column.to_json() for column in question.columns],
            "chosen": [*question.chosen],
            "model": file.name,
            "folder": str(question.folder),
            "path": str(question.path),
        }
        try:
            answer = run_child(MODULE, request, seconds=SECONDS, memory_mb=MEMORY_MB, threads=THREADS, niceness=5)
        except ChildFailedError as error:
            raise DataError(WORDS.get(error.reason, WORDS["crash"])) from error
    if answer["kind"] == "error":
        notice = Notice.from_json(answer["error"])
        raise DataError(notice.template, **notice.values)
