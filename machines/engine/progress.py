"""How far a training is, and when it has to end: one clock that every step asks."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any, TypeAlias

from machines.engine.errors import Notice, gettext_noop

PAUSE = 0.3  # seconds between two reports
AFTER_FINISH = 1.2  # seconds that remain for writing the answer down after somebody said "finish now"
POINTS = 200  # most points of a loss curve

READING_COLUMNS = gettext_noop("Learning how to read the columns")
SIMPLE_MODELS = gettext_noop("Trying simple models")
NETWORK = gettext_noop("Training the network, round %(round)s")
MEASURING = gettext_noop("Measuring on rows it has never seen")
WRITING = gettext_noop("Writing the machine")
READY = gettext_noop("Ready")


@dataclass(frozen=True)
class Progress:
    """One report of a training that is under way. Losses are in the network's own unit, lower is better."""

    share: float  # 0..1 of the time it may take
    message: Notice
    training_loss: tuple[float, ...]  # see Curve.thinned
    validation_loss: tuple[float, ...]
    loss_rounds: tuple[int, ...]
    networks: tuple[tuple[str, int], ...]
    best_score: float | None  # lowest validation loss so far
    seconds_left: float

    def to_json(self) -> dict[str, Any]:
        return {
            "share": round(self.share, 4),
            "message": self.message.to_json(),
            "training_loss": list(self.training_loss),
            "validation_loss": list(self.validation_loss),
            "loss_rounds": list(self.loss_rounds),
            "networks": [list(network) for network in self.networks],
            "best_score": self.best_score,
            "seconds_left": round(self.seconds_left, 2),
        }


Listener: TypeAlias = Callable[[Progress], bool]


@dataclass
class Curve:
    """The loss curve: one point per round of the networks, which are trained one after another."""

    training: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    networks: list[tuple[str, int]] = field(default_factory=list)  # the name of each, and its first round, from 1

    def begin(self, network: str) -> None:
        """The rounds to come are those of another network."""
        self.networks.append((network, len(self.training) + 1))

    def add(self, training: float, validation: float) -> None:
        self.training.append(training)
        self.validation.append(validation)

    @property
    def best(self) -> float | None:
        return min(self.validation, default=None)

    def thinned(self) -> dict[str, Any]:
        """What is told of it: the losses of POINTS rounds or fewer (and the first of each network), and which those are."""
        rounds = len(self.training)
        step = max(1, -(-rounds // POINTS))
        begins = [0, *(first - 1 for _, first in self.networks), rounds]
        kept = [at for begin, end in pairwise(begins) for at in range(begin, end, step)]
        return {
            "training_loss": tuple(round(self.training[at], 6) for at in kept),
            "validation_loss": tuple(round(self.validation[at], 6) for at in kept),
            "loss_rounds": tuple(at + 1 for at in kept),
            "networks": tuple(self.networks),
        }

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self)).encode()  # not orjson: a loss may be infinite

    @classmethod
    def from_bytes(cls, content: bytes) -> "Curve":
        found = json.loads(content)
        return cls(found["training"], found["validation"], [(name, first) for name, first in found["networks"]])


class Clock:
    """The time a training may take; also knows when somebody said "finish now, keep the best"."""

    def __init__(self, seconds: float, listener: Listener | None = None) -> None:
        self.started = time.monotonic()
        self.seconds = max(0.1, seconds)
        self.end = self.started + self.seconds
        self.listener = listener
        self.finished = False
        self.curve = Curve()
        self._told = -PAUSE
        self._message = Notice(READING_COLUMNS)

    def resume(self, spent: float, curve: Curve) -> None:
        """Go on where an earlier attempt stood after so many seconds."""
        self.started -= spent
        self.end -= spent
        self.curve = curve

    def elapsed(self) -> float:
        return time.monotonic() - self.started

    def left(self) -> float:
        return self.end - time.monotonic()

    def until(self, share: float) -> float:
        """Seconds from now until `share` (0..1) of all the time has passed; 0 after "finish now"."""
        return 0.0 if self.finished else self.started + share * self.seconds - time.monotonic()

    def say(self, template: str, **values: Any) -> bool:
        """Set what is being done, report it, and return whether to go on."""
        self._message = Notice(template, values)
        return self.tick(at_once=True)

    def tick(self, at_once: bool = False) -> bool:
        """Report if it is time to, and return whether to go on (False once somebody said "finish now")."""
        if self.listener and (at_once or self.elapsed() - self._told >= PAUSE):
            self._told = self.elapsed()
            if not self.listener(self._progress()) and not self.finished:
                self.finished = True
                self.end = min(self.end, time.monotonic() + AFTER_FINISH)
        return not self.finished

    def done(self) -> None:
        """Report share 1."""
        self._message = Notice(READY)
        if self.listener:
            self.listener(self._progress(share=1.0))

    def _progress(self, share: float | None = None) -> Progress:
        curve = self.curve
        return Progress(
            share=share if share is not None else min(0.99, self.elapsed() / self.seconds),
            message=self._message,
            best_score=curve.best,
            seconds_left=max(0.0, self.left()) if share is None else 0.0,
            **curve.thinned(),
        )
