"""What is tried, in which order, what each costs, and how it is fitted."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import log2
from typing import Protocol, TypeAlias

from machines.engine.encode import Encoded, EncodedNames
from machines.engine.folds import Folds, Sheet, count, once
from machines.engine.graph import Graph
from machines.engine.lesson import Lesson
from machines.engine.linear import Floats, GoOn, Linear
from machines.engine.parameters import Parameters
from machines.engine.plan import KINDS, MOST_IN_PIECES, SPEED, Kind, make_plan
from machines.engine.prepare import Target
from machines.engine.progress import SIMPLE_MODELS, Clock
from machines.engine.training import Teacher
from machines.engine.trees import HAS_LIGHTGBM, Boosting, Forest

CELL = 3e-9  # seconds that a boosted tree takes per cell of its table, on one core
TREE = 4e-5  # and on top of that
SORTED = 1.2e-8  # seconds that a tree of a forest takes per row, feature it may split by and level
ROUNDS = 220  # that boosting usually takes
CHEAP, MOST_FOR_ONE = 0.06, 0.4  # shares of the time for learning: what costs less comes first; no network takes more
MOST_CLASSES_IN_TREES = 100
MOST_CELLS = 60_000_000  # beyond which models that need all rows as one matrix are left out
FITTED = Callable[[Clock, float], "Candidate | None"]  # clock, until which share of its time


@dataclass
class Candidate:
    """A fitted model and what its folds answered for rows they had not seen: output number -> [rows, width], else NaN."""

    name: str
    answers: dict[int, Floats]
    write: Callable[[Graph, EncodedNames], dict[int, str]]  # output number -> tensor; -1 -> spreads
    spreads: Floats | None = None  # [rows, 2 * number outputs]
    predict: Callable[[Encoded], dict[int, Floats]] | None = None  # without a graph; not after a resumed training


@dataclass(frozen=True)
class Recipe:
    """A candidate that may be fitted, and what that takes on one usual core, by estimate."""

    name: str
    seconds: float
    fit: FITTED
    is_network: bool = False


class Model(Protocol):
    """A model of one output: one per fold, and the mean of them for rows to come. See trees.Boosting."""

    def fit(self, x: Sheet, target: Target, folds: Folds, go_on: GoOn) -> Floats | None: ...

    def predict(self, x: Floats) -> Floats: ...

    def write(self, g: Graph, x: str) -> str: ...


Maker: TypeAlias = Callable[[int], Model]


def recipes(lesson: Lesson, parameters: Parameters, level: int, seed: int, seconds: float) -> Iterator[Recipe]:
    """What is worth trying, in order: what is cheap, for it adds most per second; networks; the rest; all that once more.

    `seconds` is the time for learning.
    """
    most = MOST_FOR_ONE * seconds
    simple = [] if parameters.only_network else list(_simple(lesson, level, seed))
    networks = [_network(lesson, parameters, kind, seed, most) for kind in KINDS]
    cheap = [recipe for recipe in simple if recipe.seconds < CHEAP * seconds]
    first = cheap or simple[:1]
    yield from first
    yield from networks[:2] if count(lesson.folds) > 1 else networks[1:2]
    yield from [recipe for recipe in simple if recipe not in first]
    yield from networks[2:] if count(lesson.folds) > 1 else [*networks[2:3], networks[0], *networks[3:]]
    for again in range(1, 3 if level < 4 else 20):
        yield from [_network(lesson, parameters, kind, seed + 10 * again, most, f" {again}") for kind in KINDS[:4]]
        if not parameters.only_network:
            yield from _boosted_again(lesson, seed + 10 * again, again)


def fit_network(
    lesson: Lesson, parameters: Parameters, kind: Kind, seed: int, seconds: float, name: str, clock: Clock, until: float
) -> Candidate:
    """Train a network of all outputs, of a size that suits `seconds`, until `until` (share of the clock's time)."""
    teacher = Teacher(make_plan(lesson, parameters, kind, seconds), lesson, seed)
    teacher.teach(clock, until)
    means, spreads = teacher.out_of_fold()
    network = teacher.network

    def write(g: Graph, names: EncodedNames) -> dict[int, str]:
        tensors, network_spreads = network.write(g, names.numbers, names.marks)
        return dict(enumerate(tensors)) | ({-1: network_spreads} if network_spreads else {})

    return Candidate(name, dict(enumerate(means)), write, spreads, network.predict)


def fit_simple(
    lesson: Lesson, make: Callable[[], Model], output: int, with_codes: bool, name: str, clock: Clock, until: float
) -> Candidate | None:
    """Fit a model of one output, until `until`; None if there was no time."""
    clock.say(SIMPLE_MODELS)
    model = make()
    x = lesson.encoded.table if with_codes else once(lesson.encoded.flat())
    answers = model.fit(x, lesson.targets[output], lesson.folds, lambda: clock.tick() and clock.until(until) > 0)
    if answers is None:
        return None

    def write(g: Graph, names: EncodedNames) -> dict[int, str]:
        x = names.table if with_codes else names.flat
        return {output: model.write(g, x)}

    def predict(encoded: Encoded) -> dict[int, Floats]:
        return {output: model.predict(encoded.table() if with_codes else encoded.flat())}

    return Candidate(name, {output: answers}, write, predict=predict)


def _simple(lesson: Lesson, level: int, seed: int) -> Iterator[Recipe]:
    """The models of single outputs, in an order of their own."""
    if lesson.encoded.numbers.size + lesson.encoded.marks.size > MOST_CELLS:
        return
    nodes = 200_000 if level < 3 else 600_000
    for i, target in enumerate(lesson.targets):
        size = _Size(lesson, target)
        yield _recipe(lesson, f"linear {i}", i, False, size.linear(), Linear)
        if target.width > MOST_CLASSES_IN_TREES:
            continue
        yield _recipe(lesson, f"boosting 8 {i}", i, True, size.boosting(8), lambda: Boosting(seed, 8))
        if HAS_LIGHTGBM:
            extra = partial(Boosting, seed, 64, 0.06, extra=True)
            yield _recipe(lesson, f"boosting extra {i}", i, True, size.boosting(64), extra)
        yield _recipe(lesson, f"forest {i}", i, True, size.forest(40), lambda: Forest(seed, 40, nodes))
        yield _recipe(lesson, f"boosting 31 {i}", i, True, size.boosting(31), lambda: Boosting(seed, 31))
        if level > 2:
            plain = partial(Forest, seed, 40, nodes, random=False)
            yield _recipe(lesson, f"plain forest {i}", i, True, 2 * size.forest(40), plain)


def _boosted_again(lesson: Lesson, seed: int, again: int) -> Iterator[Recipe]:
    """Boosting with other seeds and slower rates."""
    for i, target in enumerate(lesson.targets):
        if target.width <= MOST_CLASSES_IN_TREES:
            leaves, rate = ((12, 0.03), (48, 0.03), (6, 0.04), (96, 0.04))[again % 4]
            make = partial(Boosting, seed, leaves, rate)
            yield _recipe(
                lesson, f"boosting {leaves} {i} {again}", i, True, 2 * _Size(lesson, target).boosting(leaves), make
            )


def _recipe(
    lesson: Lesson, name: str, output: int, with_codes: bool, seconds: float, make: Callable[[], Model]
) -> Recipe:
    return Recipe(name, seconds, partial(fit_simple, lesson, make, output, with_codes, name))


def _network(lesson: Lesson, parameters: Parameters, kind: Kind, seed: int, seconds: float, suffix: str = "") -> Recipe:
    plan, name = make_plan(lesson, parameters, kind, seconds), kind.name + suffix
    fit = partial(fit_network, lesson, parameters, kind, seed, seconds, name)
    return Recipe(name, plan.seconds, fit, is_network=True)


def usual_seconds(rows: int, encoded: Encoded, targets: Sequence[Target], folds: int) -> float:
    """What boosting and a network take on so many rows, by estimate: the least that is worth calling a training."""
    numbers = int(encoded.numbers.shape[1])
    sums = sum(target.width if target.width > 2 else 1 for target in targets)
    weights = (numbers * (17 if numbers <= MOST_IN_PIECES else 1) + encoded.width - numbers + 96 + sums) * 96
    return rows * folds * (ROUNDS * sums * encoded.width * CELL * 2 + 24 * 6 * weights / SPEED)


class _Size:
    """What models of one output cost: seconds on one usual core, measured on some thirty tables."""

    def __init__(self, lesson: Lesson, target: Target) -> None:
        self.folds = count(lesson.folds)
        self.rows = int(lesson.train.shape[1])
        self.features = lesson.encoded.width
        # LightGBM bundles marks that exclude each other (Ke et al. 2017, section 4).
        self.bundles = (
            lesson.encoded.numbers.shape[1] + lesson.encoded.codes.shape[2] + lesson.encoded.marks.shape[1] / 6
        )
        self.sums = target.width if target.width > 2 else 1
        self.is_number = not target.classes

    def linear(self) -> float:
        passes = 1 if self.is_number else 3 * 60
        return 0.01 + self.folds * passes * self.rows * self.features * self.sums * 4 / 3e9

    def boosting(self, leaves: int) -> float:
        trees = ROUNDS * self.sums * self.folds
        per_tree: float = TREE * (1 + leaves / 16) + self.rows * self.bundles * CELL * (1 + leaves / 40)
        return trees * per_tree

    def forest(self, trees: int) -> float:
        tried = 0.6 * self.features if self.is_number else self.features**0.5
        return trees * self.folds * (5e-4 + self.rows * tried * log2(self.rows + 2) * SORTED)
