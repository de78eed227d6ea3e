"""Machines that are ready to answer, kept in memory up to a size; the one that was not asked longest goes first.

A process makes its own cache after it forked: sessions hold locks that do not survive a fork.
"""

import ctypes
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from machines.serving.predictor import Predictor

BYTES_PER_FILE_BYTE = 3.0  # what a session holds of a small network that has answered (benchmarks/inside.py)
LEAST_BYTES = 170 * 1024  # what even the smallest session holds
TRIM_AFTER = 8 * 1024 * 1024  # bytes let go of before memory is handed back to the system


@dataclass
class Cache:
    """Predictors by key, for several threads. A key names one version of one machine, so entries never go stale."""

    most_bytes: int = 256 * 1024 * 1024
    _entries: "OrderedDict[Hashable, tuple[Predictor, int]]" = field(default_factory=OrderedDict)
    _loading: dict[Hashable, threading.Lock] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _process: int = field(default_factory=os.getpid)
    _let_go: int = 0

    def get(self, key: Hashable, load: Callable[[], bytes]) -> Predictor:
        """Return the predictor of `key`, made from `load()` (the ONNX bytes) if need be, and then once only."""
        self._forget_parent()
        while True:
            with self._lock:
                if found := self._entries.get(key):
                    self._entries.move_to_end(key)
                    return found[0]
                loading = self._loading.setdefault(key, threading.Lock())
            with loading:
                if key not in self._entries:
                    return self._load(key, load)

    def drop(self, key: Hashable) -> None:
        """Forget a machine, for one that was deleted."""
        with self._lock:
            self._remove(key)
        self._give_back()

    @property
    def size(self) -> int:
        """What the kept sessions take, by estimate."""
        with self._lock:
            return sum(size for _, size in self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def _load(self, key: Hashable, load: Callable[[], bytes]) -> Predictor:
        try:
            file = load()
            predictor = Predictor(file)
        finally:
            with self._lock:
                self._loading.pop(key, None)
        with self._lock:
            self._entries[key] = predictor, max(LEAST_BYTES, int(len(file) * BYTES_PER_FILE_BYTE))
            self._evict()
        self._give_back()
        return predictor

    def _evict(self) -> None:
        total = sum(size for _, size in self._entries.values())
        while total > self.most_bytes and len(self._entries) > 1:
            total -= self._remove(next(iter(self._entries)))

    def _give_back(self) -> None:
        """Hand memory back now and then; outside of the lock, for it takes some milliseconds."""
        if self._let_go > TRIM_AFTER:
            self._let_go = 0
            trim()

    def _remove(self, key: Hashable) -> int:
        _, size = self._entries.pop(key, (None, 0))
        self._let_go += size
        return size

    def _forget_parent(self) -> None:
        if self._process != os.getpid():
            self._entries, self._loading, self._lock = OrderedDict(), {}, threading.Lock()
            self._process = os.getpid()


def trim() -> None:
    """Hand freed memory back to the system, where the C library can (glibc)."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):  # not glibc: nothing to do
        return
