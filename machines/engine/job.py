"""What every job in a process of its own shares: one line of JSON in, one line of JSON per event out.

A further line `finish` on stdin means "keep the best you have"; the end of stdin means that whoever asked is gone, and
the process ends at once. The last event is `done`, or `error` with a sentence for people.
"""

import os
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, TextIO, TypeAlias

import orjson

from machines.engine.errors import DataError, Notice, Weight, gettext_noop
from machines.engine.files import is_full

OUT_OF_MEMORY = gettext_noop("There was not enough memory for this table. Use fewer columns or rows.")
ROWS_GONE = gettext_noop("The rows have just changed. Try again.")
DISK_FULL = gettext_noop("The disk of the server is full. Ask who runs it to make room, then try again.")
GONE = 3  # exit status when the parent went away


class Parent:
    """Who asked: hears of progress, and may say "finish"."""

    def __init__(self, lines: TextIO) -> None:
        self.finish = threading.Event()
        threading.Thread(target=self._watch, args=(lines,), daemon=True).start()

    def tell(self, progress: Mapping[str, Any]) -> bool:
        """Pass progress on; return False once somebody said "finish now"."""
        emit({"kind": "progress", **progress})
        return not self.finish.is_set()

    def _watch(self, lines: TextIO) -> None:
        for line in lines:
            if line.strip() == "finish":
                self.finish.set()
        os._exit(GONE)


Run: TypeAlias = Callable[[dict[str, Any], Parent], Mapping[str, Any] | None]


def serve(run: Run) -> None:
    """Do the one job that stdin names, tell how it ended, and end the process. What `run` returns goes into `done`."""
    request = orjson.loads(sys.stdin.readline())
    emit(outcome(run, request, Parent(sys.stdin)))
    os._exit(0)  # the thread that waits for stdin would hold the process


def outcome(run: Run, request: dict[str, Any], parent: Parent) -> dict[str, Any]:
    """Return the last event. What nobody foresaw is raised: its traceback goes to stderr, and the job has crashed."""
    try:
        return {"kind": "done", **(run(request, parent) or {})}
    except DataError as error:
        return {"kind": "error", "error": error.notice.to_json()}
    except MemoryError:
        return failure(OUT_OF_MEMORY)
    except Exception as error:
        if not is_full(error):
            raise
        return failure(DISK_FULL)


def failure(template: str) -> dict[str, Any]:
    return {"kind": "error", "error": Notice(template, {}, Weight.WARNING).to_json()}


def emit(event: Mapping[str, Any]) -> None:
    """Write one event as one line."""
    out: BinaryIO = sys.stdout.buffer
    out.write(orjson.dumps(event, option=orjson.OPT_SERIALIZE_NUMPY) + b"\n")
    out.flush()
