"""The site's end of the process that draws: one per process of the site, asked one question at a time."""

import atexit
import json
import logging
import os
import resource
import threading
import time
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any

from machines.child import END, GIGABYTE, SPARE_MB, Child
from machines.engine.errors import DataError, Notice, gettext_noop
from machines.engine.job import OUT_OF_MEMORY

MODULE = "dashboards.drawing.job"
SECONDS = 15.0  # of one figure, and of waiting for those that were asked for before
MEMORY_MB = 800
IDLE_SECONDS = 300.0
THREADS = 2
LINE_MB = 8  # of an answer: a figure is below 1 MB
BUSY = gettext_noop("Many graphs are being drawn right now. Try again in a minute.")
TOO_LONG = gettext_noop("Drawing this took too long and was stopped. Try again, or choose other columns.")
CRASHED = gettext_noop("This graph could not be drawn. Try again, or choose other columns.")
logger = logging.getLogger(__name__)


class Drawer:
    """A process that stays, started when somebody asks and replaced when it dies. Safe to use from several threads.

    One that was not asked for `idle_seconds` is ended.
    """

    def __init__(
        self,
        module: str = MODULE,
        *,
        seconds: float = SECONDS,
        memory_mb: int = MEMORY_MB,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self.module, self.seconds, self.memory_mb, self.idle_seconds = module, seconds, memory_mb, idle_seconds
        self._begin()
        _DRAWERS.add(self)

    def drawn(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return what `dashboards.drawing.job` answers to a request of its shape: a figure. Raises DataError."""
        if not self._turn.acquire(timeout=self.seconds):
            raise DataError(BUSY)
        try:
            answer = self._ask(request)
        except BaseException:  # also what stops a web thread: an answer that nobody read is on its way
            self._end()
            raise
        finally:
            self._wait_for_idleness()
            self._turn.release()
        if answer["kind"] == "done":
            return dict(answer["figure"])
        notice = Notice.from_json(answer["error"])
        raise DataError(notice.template, **notice.values)

    def close(self) -> None:
        """End the process, whatever it is doing."""
        if self._timer is not None:
            self._timer.cancel()
        self._end()

    @property
    def pid(self) -> int | None:
        child = self._child
        return child.process.pid if child else None

    def _begin(self) -> None:
        """Know of no process. In a forked site the one that is known is the parent's, which goes on asking it."""
        self._turn = threading.Lock()
        self._child: Child | None = None
        self._timer: threading.Timer | None = None
        self._asked = time.monotonic()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the answer. Raises DataError when there is none; the process must be ended then."""
        child, deadline = self._sent(request), time.monotonic() + self.seconds
        while not (message := child.next_message()):
            if message is END:
                self._end()  # its last words may still be on their way
                self._tell(child, "ended")
                raise DataError(CRASHED)
            if time.monotonic() > deadline:
                self._tell(child, "was stopped: too slow")
                raise DataError(TOO_LONG)
            if _memory_mb(child) > self.memory_mb:
                self._tell(child, "was stopped: too much memory")
                raise DataError(OUT_OF_MEMORY)
        if child.errors:  # what it could not foresee, but survived
            self._tell(child, "says")
        return message

    def _sent(self, request: dict[str, Any]) -> Child:
        """Return a process that has the request: the one there is, or a new one if it has ended meanwhile."""
        child = self._child
        if child is not None and child.process.poll() is None:
            child.send(json.dumps(request))
            return child
        self._end()
        limits = {
            resource.RLIMIT_CORE: 0,  # it would hold the rows
            resource.RLIMIT_DATA: (self.memory_mb + SPARE_MB) * 2**20,
            resource.RLIMIT_FSIZE: 4 * GIGABYTE,
        }
        self._child = Child(self.module, request, threads=THREADS, limits=limits, line_mb=LINE_MB)
        return self._child

    def _tell(self, child: Child, what: str) -> None:
        logger.warning("The process that draws %s: %s", what, "".join(child.errors))
        child.errors = []

    def _wait_for_idleness(self) -> None:
        """Look again when it may be time to end; one timer is enough, however often somebody asks."""
        self._asked = time.monotonic()
        if self._child is not None and self._timer is None:
            self._start_timer(self.idle_seconds)

    def _start_timer(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._end_if_idle)
        self._timer.daemon = True
        self._timer.start()

    def _end_if_idle(self) -> None:
        with self._turn:
            self._timer = None
            left = self._asked + self.idle_seconds - time.monotonic()
            if left <= 0:
                self._end()
            elif self._child is not None:
                self._start_timer(left)

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.stop()


def _memory_mb(child: Child) -> float:
    """What it holds for itself, in MiB: not the files it has mapped, which the system may take from it at any time."""
    with suppress(OSError, ValueError):
        about = Path(f"/proc/{child.process.pid}/statm").read_text(encoding="ascii").split()
        return (int(about[1]) - int(about[2])) * os.sysconf("SC_PAGE_SIZE") / 2**20
    return 0.0


_DRAWERS: "weakref.WeakSet[Drawer]" = weakref.WeakSet()


def _after_fork() -> None:
    for drawer in _DRAWERS:
        drawer._begin()


def _close_all() -> None:
    for drawer in list(_DRAWERS):
        drawer.close()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(_close_all)
_DRAWER = Drawer()


def drawn(request: dict[str, Any]) -> dict[str, Any]:
    """Return the figure that `request` asks for, see `dashboards.drawing.job`. Raises DataError."""
    return _DRAWER.drawn(request)
