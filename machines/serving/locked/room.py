"""How many threads of the site may hold on to uploaded models at once: the rest of it must go on answering."""

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from weakref import WeakValueDictionary

from machines.serving.locked.errors import RunnerError

GLANCE_SECONDS = 0.05  # what every call may wait for room: a quick model makes it in much less


class Room:
    """Of `threads`, one owner's models hold half at most, and all models together three quarters."""

    def __init__(self, threads: int) -> None:
        self.share = max(1, threads // 2)
        self._all = threading.Semaphore(max(1, threads - threads // 4))
        self._owners: WeakValueDictionary[Hashable, threading.Semaphore] = WeakValueDictionary()
        self._lock = threading.Lock()

    @contextmanager
    def held(self, owner: Hashable) -> Iterator[None]:
        """Hold one place as long as it takes to answer. Raises RunnerError("busy")."""
        mine = self._of(owner)
        _take(mine)
        try:
            _take(self._all)
            try:
                yield
            finally:
                self._all.release()
        finally:
            mine.release()

    def _of(self, owner: Hashable) -> threading.Semaphore:
        with self._lock:
            found = self._owners.get(owner)
            if found is None:
                found = self._owners[owner] = threading.Semaphore(self.share)
            return found


def _take(places: threading.Semaphore) -> None:
    if not places.acquire(timeout=GLANCE_SECONDS):
        raise RunnerError("busy")
