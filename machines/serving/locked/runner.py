"""Answers of uploaded models: the site's end of the locked runner."""

import os
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from numpy.typing import NDArray

from machines.serving.locked import wire
from machines.serving.locked.errors import RunnerError
from machines.serving.locked.lock import Limits, protection
from machines.serving.locked.processes import Process, Zygote
from machines.serving.locked.promised import answered, fed, nothing
from machines.serving.locked.room import Room
from machines.serving.signature import Signature

__all__ = ["ANSWER_SECONDS", "Hosted", "Runner", "RunnerError"]

ANSWER_SECONDS = 10.0  # of one call
LOOK_SECONDS = 1.0  # between two looks at how much memory all of them hold
IDLE_SPARE = 10  # seconds that a process waits longer than it may be asked: no question meets its end
LOADERS = {"onnx": "machines.serving.locked.onnx_loader"}
NATIVE = "machines.conversion.native"  # every other format; by name, since the site must not import it
WITHOUT_LOCK = frozenset({"onnx"})  # no code in it: served, in its own process, even where the system cannot lock


@dataclass(frozen=True)
class Hosted:
    """A model as the runner takes it. `loader` is "onnx", or the format of a model that answers natively."""

    loader: str
    content: Callable[[], bytes | memoryview]  # read only when no process holds the model yet
    signature: Signature
    owner: int | None = None  # whose it is: see Room; None stands alone


@dataclass
class _Place:
    """Where the process of one key lives. Who holds `turn` may ask it."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    process: Process | None = None
    used: float = 0.0

    @property
    def memory_mb(self) -> float:
        process = self.process  # another thread may empty the place meanwhile
        return process.memory_mb if process else 0.0

    def empty(self) -> None:
        if self.process is not None:
            self.process.end()
            self.process = None


class Runner:
    """The locked processes of this process, one per key. Safe to use from several threads, and after a fork.

    The key that was not asked longest loses its process when there are more than `most_processes`, or they hold more than
    `most_memory_mb` together. One that was not asked for `idle_seconds` ends by itself. `most_waiting` is how many threads
    the site has: see Room.
    """

    def __init__(
        self,
        *,
        most_processes: int = 16,
        most_memory_mb: int = 4096,
        idle_seconds: int = 300,
        most_waiting: int = 8,
        most_reply_mb: int = 64,
        limits: Limits | None = None,
        loaders: Mapping[str, str] | None = None,
    ) -> None:
        self.most_processes, self.most_memory_mb, self.most_waiting = most_processes, most_memory_mb, most_waiting
        self.most_reply = most_reply_mb * 2**20
        self.idle_seconds = idle_seconds
        self.limits = replace(limits or Limits(), idle_seconds=idle_seconds + IDLE_SPARE)
        self.loaders = LOADERS if loaders is None else loaders
        self._begin()
        _RUNNERS.add(self)

    def call(
        self,
        key: Hashable,
        hosted: Hosted,
        feed: Mapping[str, NDArray[Any]],
        *,
        seconds: float = ANSWER_SECONDS,
        fresh: bool = False,
    ) -> dict[str, NDArray[Any]]:
        """Return every output, [rows, ...], for `feed`, input name -> [rows, ...]. Raises RunnerError.

        `fresh`: by a process that nobody asked before and nobody will ask again, so that the model can remember nothing.
        """
        arrays, rows = fed(hosted.signature, feed)
        if not rows:
            return {tensor.name: nothing(tensor) for tensor in hosted.signature.outputs}
        request = wire.pack({}, arrays)
        owner = key if hosted.owner is None else hosted.owner
        with self._room.held(owner), self._turn(key, seconds) as place:
            try:
                if fresh:
                    place.empty()
                process, deadline = self._process(place, hosted, seconds)
                header, body = process.ask(request, most=self.most_reply, deadline=deadline)
                return answered(hosted.signature, header, body, rows)
            except BaseException as error:  # also what stops a web thread: a reply that nobody read is on its way
                if not isinstance(error, RunnerError) or error.reason != "input":
                    place.empty()
                raise
            finally:
                if fresh:
                    place.empty()

    def ready(self, loader: str = "onnx") -> None:
        """Start what the first call would wait for. Raises RunnerError."""
        self._zygote(loader).spawn(loader).end()

    def drop(self, key: Hashable) -> None:
        """End the process of a model that was replaced or deleted; a call that is under way ends first."""
        self.drop_where(lambda other: other == key)

    def drop_where(self, which: Callable[[Any], bool]) -> None:
        """End the processes of all keys that this is true of."""
        with self._lock:
            places = [self._places.pop(key) for key in list(self._places) if which(key)]
        for place in places:
            _empty_if_idle(place)

    def close(self) -> None:
        """End all of them."""
        with self._lock:
            places, zygotes = list(self._places.values()), list(self._zygotes.values())
            self._places.clear()
            self._zygotes.clear()
        for place in places:
            _empty_if_idle(place)
        for zygote in zygotes:
            zygote.end()

    def _begin(self) -> None:
        self._lock, self._room = threading.Lock(), Room(self.most_waiting)
        self._places: OrderedDict[Hashable, _Place] = OrderedDict()
        self._zygotes: dict[str, Zygote] = {}
        self._looked = 0.0

    def _forget_parent(self) -> None:
        """In a forked site: the processes are the parent's, which goes on using them. Ours start anew."""
        for place in self._places.values():
            if place.process is not None:
                place.process.forget()
        for zygote in self._zygotes.values():
            zygote.forget()
        self._begin()

    @contextmanager
    def _turn(self, key: Hashable, seconds: float) -> Iterator[_Place]:
        """Yield the key's place when nobody else asks its process. Raises RunnerError("busy")."""
        with self._lock:
            place = self._places.setdefault(key, _Place())
            self._places.move_to_end(key)
        if not place.turn.acquire(timeout=seconds):
            raise RunnerError("busy")
        try:
            yield place
        finally:
            place.used = time.monotonic()
            with self._lock:
                is_kept = self._places.get(key) is place
                if is_kept and place.process is None:
                    del self._places[key]
            if not is_kept:  # dropped or evicted meanwhile: nobody will find this process again
                place.empty()
            place.turn.release()
            self._evict()

    def _process(self, place: _Place, hosted: Hosted, seconds: float) -> tuple[Process, float]:
        """Return the process of `place`, loaded, and when its time is over. A zygote's start does not count."""
        now = time.monotonic()
        if place.process is not None and now - place.used < self.idle_seconds and not place.process.is_gone():
            return place.process, now + seconds
        place.empty()
        content = hosted.content()
        place.process = self._zygote(hosted.loader).spawn(hosted.loader)
        place.process.wait()
        deadline = time.monotonic() + seconds
        model = {"format": hosted.loader, "signature": hosted.signature.to_json()}
        place.process.ask(wire.pack(model, content=content), most=0, deadline=deadline)
        return place.process, deadline

    def _zygote(self, loader: str) -> Zygote:
        found = protection()
        if not found.is_whole and loader not in WITHOUT_LOCK:
            raise RunnerError("lock", found.why_not)
        module = self.loaders.get(loader, NATIVE)
        with self._lock:
            if module not in self._zygotes:
                stays = loader in WITHOUT_LOCK  # it is small, and a cold model shall not wait for it
                self._zygotes[module] = Zygote(module, is_locked=found.is_whole, limits=self.limits, stays=stays)
            return self._zygotes[module]

    def _evict(self) -> None:
        """End the processes that nobody asked for long, the longest first; never one that is being asked."""
        now, ended = time.monotonic(), []
        with self._lock:
            surplus, excess = len(self._places) - self.most_processes, self._excess_mb(now)
            for key, place in list(self._places.items()):
                if surplus <= 0 and excess <= 0 and now - place.used < self.idle_seconds:
                    break
                if place.turn.acquire(blocking=False):
                    del self._places[key]
                    ended.append(place)
                    surplus, excess = surplus - 1, excess - place.memory_mb
        for place in ended:
            place.empty()
            place.turn.release()

    def _excess_mb(self, now: float) -> float:
        """How much more all hold than they may together; looked at now and then, for a look at 16 takes 0.2 ms."""
        if now - self._looked < LOOK_SECONDS:
            return 0.0
        self._looked = now
        return sum(place.memory_mb for place in self._places.values()) - self.most_memory_mb


_RUNNERS: "weakref.WeakSet[Runner]" = weakref.WeakSet()


def _after_fork() -> None:
    for runner in _RUNNERS:
        runner._forget_parent()


os.register_at_fork(after_in_child=_after_fork)


def _empty_if_idle(place: _Place) -> None:
    """Whoever asks it right now will find it dropped, and end it then."""
    if place.turn.acquire(blocking=False):
        place.empty()
        place.turn.release()
