"""Answers that a child process works out in seconds: a few at a time, and kept by what they are about."""

import hashlib
import json
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from machines.child import ChildFailedError, run_child
from machines.engine.errors import DataError, Notice
from machines.engine.job import ROWS_GONE
from machines.engine.schema import Column

WAIT_SECONDS = 20.0
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Task:
    """A module that runs as a child: its limits, and what to say without an answer.

    `words` has a sentence for each `ChildFailedError.reason`. Each process of the site runs `at_once` of them.
    """

    module: str
    seconds: float
    memory_mb: int
    busy: str
    words: Mapping[str, str]
    threads: int = 1
    line_mb: int = 256
    at_once: int = 1
    _places: threading.BoundedSemaphore = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_places", threading.BoundedSemaphore(self.at_once))

    @contextmanager
    def place(self) -> Iterator[None]:
        """Wait for a place, then hold it. Raises DataError when others hold them for long."""
        if not self._places.acquire(timeout=WAIT_SECONDS):
            raise DataError(self.busy)
        try:
            yield
        finally:
            self._places.release()

    def run(self, request: dict[str, Any]) -> dict[str, Any]:
        """The child's last message. Raises DataError."""
        try:
            answer = run_child(
                self.module,
                request,
                seconds=self.seconds,
                memory_mb=self.memory_mb,
                threads=self.threads,
                niceness=5,
                line_mb=self.line_mb,
            )
        except ChildFailedError as error:
            logger.warning("%s failed (%s): %s", self.module, error.reason, error.details)
            raise DataError(self.words[error.reason]) from error
        if answer["kind"] == "error":
            notice = Notice.from_json(answer["error"])
            raise DataError(notice.template, **notice.values)
        return answer


@dataclass(frozen=True)
class Question:
    """A task about some rows; `about` is all else that its answer changes with. The task writes it to `path` as JSON."""

    task: Task
    parts: Sequence[Path]
    columns: Sequence[Column]
    folder: Path
    about: Sequence[object]

    @property
    def path(self) -> Path:
        """Where the answer is kept, or would be. Raises DataError when a part is gone."""
        try:
            parts = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in self.parts]
        except FileNotFoundError as error:
            raise DataError(ROWS_GONE) from error
        columns = [column.to_json() for column in self.columns]
        what = json.dumps([self.task.module, parts, columns, self.about], sort_keys=True)
        return self.folder / f"{hashlib.sha256(what.encode()).hexdigest()[:40]}.json"

    def look(self) -> dict[str, Any] | None:
        """What is kept; None if there is nothing (any more)."""
        try:
            told: dict[str, Any] = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return None
        return told

    def make(
        self, more: Callable[[], AbstractContextManager[dict[str, Any]]] = lambda: nullcontext({})
    ) -> dict[str, Any]:
        """The answer, worked out if it is not kept; `more` holds what else the task needs to. Raises DataError."""
        if (told := self.look()) is not None:
            return told
        with self.task.place():
            if (told := self.look()) is not None:  # somebody asked for the same meanwhile
                return told
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with more() as given:
                self.task.run(self.request | given)
            told = self.look()
        if told is None:
            raise DataError(ROWS_GONE)
        return told

    @property
    def request(self) -> dict[str, Any]:
        """What the task is asked."""
        return {
            "parts": [str(part) for part in self.parts],
            "columns": [column.to_json() for column in self.columns],
            "folder": str(self.folder),
            "path": str(self.path),
        }
