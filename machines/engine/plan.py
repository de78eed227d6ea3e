"""How large a network is and how long it trains: chosen from the rows before the first step, by what a step costs."""

from dataclasses import dataclass, replace
from itertools import pairwise

from machines.engine.lesson import Lesson
from machines.engine.network import Shape
from machines.engine.parameters import Parameters

RATES = {"adam": 1.0, "sgd": 10.0, "rmsprop": 0.3}  # against adam's
LEAST_EPOCHS = 6
SPEED = 5.5e10  # floating-point operations per second of one core, for plans
STEP = 2.5e-4  # seconds that a step takes however small it is, per layer,
WEIGHT = 1.5e-9  # per weight,
NUMBER, NORMED = 0.7e-8, 1.7e-8  # and per number between layers, without and with batch normalisation
MOST_IN_PIECES = 256  # numbers beyond which they enter as they are


@dataclass(frozen=True)
class Kind:
    """A kind of network, among those that are tried."""

    name: str
    members: int
    widths: tuple[int, ...]
    pieces: int
    dropout: float
    rate: float  # for adam
    is_normed: bool
    decay: float = 1e-3  # of the matrices between layers
    sees_all: bool = True  # also the further marks of labels that are less frequent


KINDS = (
    Kind("network", 1, (128, 128), 0, 0.25, 3e-3, True),
    Kind("network in pieces", 1, (96, 96), 48, 0.25, 3e-3, True),
    Kind("ensemble network", 8, (96, 96), 24, 0.1, 1e-2, False),
)


@dataclass(frozen=True)
class Plan:
    """How to train one network."""

    shape: Shape
    pieces: int
    marks: int  # the first of all
    batch: int
    epochs: int
    rate: float
    decay: float
    parameters: Parameters
    seconds: float  # that it takes by estimate

    @property
    def made(self) -> str:
        """What a network is made of; the same again for the same network."""
        return repr(replace(self, seconds=0.0))


def make_plan(lesson: Lesson, parameters: Parameters, kind: Kind, seconds: float) -> Plan:
    """How a network of this kind is trained on this lesson; with fewer epochs if all would take more than `seconds`."""
    rows = lesson.train.shape[1]
    widths = parameters.shape or kind.widths
    pieces = min(kind.pieces, max(4, min(16, rows // 30), rows // 100))
    pieces = pieces if lesson.numbers.shape[1] <= MOST_IN_PIECES else 0
    batch = parameters.batch_size or (64 if rows < 4000 else 128 if rows < 12_000 else 256 if rows < 60_000 else 512)
    epochs = 60 if rows < 4000 else 40 if rows < 12_000 else 24 if rows < 60_000 else 12
    marks = lesson.marks.shape[1] - (0 if kind.sees_all else lesson.encoded.further)
    epoch = _step_seconds(lesson, kind, (inputs_of(lesson, pieces, marks), *widths), batch) * rows / batch
    if epochs * epoch > seconds:
        epochs = max(LEAST_EPOCHS, int(seconds / epoch))
    epochs = min(epochs, parameters.epochs or epochs)
    outputs = tuple(t.width for t in lesson.targets)
    numbers = tuple(i for i, t in enumerate(lesson.targets) if not t.classes)
    dropout = kind.dropout if parameters.dropout is None else parameters.dropout
    folds = lesson.train.shape[0]
    shape = Shape(folds, kind.members, widths, dropout, outputs, numbers, kind.is_normed)
    rate = parameters.learning_rate or kind.rate * RATES[parameters.optimizer]
    return Plan(shape, pieces, marks, batch, epochs, rate, kind.decay, parameters, epochs * epoch)


def inputs_of(lesson: Lesson, pieces: int, marks: int) -> int:
    """How many numbers a network is given per row."""
    return lesson.numbers.shape[1] * (1 + pieces) + marks


def _step_seconds(lesson: Lesson, kind: Kind, widths: tuple[int, ...], batch: int) -> float:
    """`widths` begin with that of the inputs."""
    sizes = (*widths, sum(t.width for t in lesson.targets))
    folds, weights = lesson.train.shape[0], sum(a * b for a, b in pairwise(sizes))
    rows = folds * kind.members * batch
    numbers = rows * sum(widths[1:]) * (NORMED if kind.is_normed else NUMBER)
    return STEP * len(sizes) + WEIGHT * folds * weights + numbers + 6.0 * weights * rows / SPEED
