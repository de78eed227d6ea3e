"""What is tried, in which order, what each costs, and how it is fitted."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import log2
from typing import Any, Protocol, TypeAlias

import numpy as np

from machines.engine.boosters import EXTRA, HAS_LIGHTGBM, Settings
from machines.engine.chosen import chosen
from machines.engine.encode import Encoded, EncodedNames
from machines.engine.folds import Folds, Sheet, count, once
from machines.engine.graph import Graph
from machines.engine.lesson import Lesson
from machines.engine.linear import Floats, GoOn, Linear
from machines.engine.parameters import Parameters
from machines.engine.plan import KINDS, MOST_IN_PIECES, SPEED, Kind, make_plan
from machines.engine.prepare import Target
from machines.engine.progress import SIMPLE_MODELS, Clock
from machines.engine.search import BOOSTING, NETWORKS, Search
from machines.engine.training import Teacher
from machines.engine.trees import Boosting, Forest

CELL = 3e-9  # seconds that a boosted tree takes per cell of its table, on one core
TREE = 4e-5  # and on top of that
SORTED = 1.2e-8  # seconds that a tree of a forest takes per row, feature it may split by and level
ROUNDS = 220  # that boosting usually takes
CHEAP, MOST_FOR_ONE = 0.06, 0.4  # shares of the time for learning: what costs less comes first; no network takes more
SEARCHES, SEARCHED_FOR_ONE = (2, 4, 12, 50, 150), 0.15  # rounds of each level; share of the time that a network takes
USUAL_RATE = 0.06
MANY_ROWS = 8_000
SKEWED = 0.5
MOST_CLASSES_IN_TREES = 100
MOST_CELLS = 60_000_000  # beyond which models that need all rows as one matrix are left out
# Lesson, clock, until which share of its time, and where to stop where no rows are left to tell (else 0).
Fit: TypeAlias = Callable[[Lesson, Clock, float, int], "Candidate | None"]


@dataclass
class Candidate:
    """A fitted model and what its folds answered for rows they had not seen: output number -> [rows, width], else NaN."""

    name: str
    answers: dict[int, Floats]
    write: Callable[[Graph, EncodedNames], dict[int, str]]  # output number -> tensor; -1 -> spreads
    spreads: Floats | None = None  # [rows, 2 * number outputs]
    predict: Callable[[Encoded], dict[int, Floats]] | None = None  # without a graph; not after a resumed training
    network: Mapping[str, Any] = field(default_factory=dict)  # how it was trained, see chosen
    stop: int = 1  # where fitting was best: a round, or the number of a penalty
    micros: float = 0.0  # microseconds that a row takes, about, if every output has such a model


@dataclass(frozen=True)
class Recipe:
    """A candidate that may be fitted, and what that takes on one usual core, by estimate."""

    name: str
    seconds: float
    fit: Fit
    is_network: bool = False
    tell: Callable[[float], None] | None = None  # the loss, for searches


class Model(Protocol):
    """A model of one output: one per fold, and the mean of them for rows to come. See trees.Boosting."""

    stop: int  # where fitting was best

    def fit(self, x: Sheet, target: Target, folds: Folds, go_on: GoOn, stop: int = 0) -> Floats | None: ...

    def predict(self, x: Floats) -> Floats: ...

    def write(self, g: Graph, x: str) -> str: ...

    @property
    def micros(self) -> float: ...


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
    if lesson.train.shape[1] > MANY_ROWS:  # pieces pay, and what is smooth does not
        networks = [*networks[1:3], networks[0], *networks[3:]]
    yield from networks[: 2 if count(lesson.folds) > 1 else 1]
    yield from [recipe for recipe in simple if recipe not in first]
    yield from networks[2 if count(lesson.folds) > 1 else 1 :]
    yield from _searched(lesson, parameters, SEARCHES[level - 1], seed, SEARCHED_FOR_ONE * seconds)


def fit_network(
    parameters: Parameters, kind: Kind, seed: int, seconds: float, name: str,
    lesson: Lesson, clock: Clock, until: float, stop: int = 0,
) -> Candidate:  # fmt: skip
    """Train a network of all outputs, of a size that suits `seconds`, until `until` (share of the clock's time)."""
    plan = make_plan(lesson, parameters, kind, seconds)
    teacher = Teacher(plan, lesson, seed)
    if not stop:
        clock.curve.begin(name)
    teacher.teach(clock, until, stop)
    means, spreads = teacher.out_of_fold()
    network = teacher.network

    def write(g: Graph, names: EncodedNames) -> dict[int, str]:
        tensors, network_spreads = network.write(g, names.numbers, names.marks)
        return dict(enumerate(tensors)) | ({-1: network_spreads} if network_spreads else {})

    return Candidate(
        name,
        dict(enumerate(means)),
        write,
        spreads,
        network.predict,
        chosen(plan, lesson.targets),
        teacher.stop,
        network.micros,
    )


def fit_simple(
    make: Callable[[], Model], output: int, with_codes: bool, name: str,
    lesson: Lesson, clock: Clock, until: float, stop: int = 0,
) -> Candidate | None:  # fmt: skip
    """Fit a model of one output, until `until`; None if there was no time."""
    clock.say(SIMPLE_MODELS)
    model = make()
    x = lesson.encoded.table if with_codes else once(lesson.encoded.flat())
    answers = model.fit(x, lesson.targets[output], lesson.folds, lambda: clock.tick() and clock.until(until) > 0, stop)
    if answers is None:
        return None

    def write(g: Graph, names: EncodedNames) -> dict[int, str]:
        x = names.table if with_codes else names.flat
        return {output: model.write(g, x)}

    def predict(encoded: Encoded) -> dict[int, Floats]:
        return {output: model.predict(encoded.table() if with_codes else encoded.flat())}

    micros = model.micros * len(lesson.targets)
    return Candidate(name, {output: answers}, write, predict=predict, stop=model.stop, micros=micros)


def _simple(lesson: Lesson, level: int, seed: int) -> Iterator[Recipe]:
    """The models of single outputs, in an order of their own."""
    if lesson.encoded.numbers.size + lesson.encoded.marks.size > MOST_CELLS:
        return
    nodes = 200_000 if level < 3 else 600_000
    for i, target in enumerate(lesson.targets):
        size = _Size(lesson, target)
        yield _recipe(f"linear {i}", i, False, size.linear(), Linear)
        if target.width > MOST_CLASSES_IN_TREES:
            continue
        yield _boosting(lesson, i, f"boosting 8 {i}", Settings(seed, 8))
        if HAS_LIGHTGBM:
            yield _boosting(lesson, i, f"boosting extra {i}", replace(EXTRA, seed=seed))
        yield _recipe(f"forest {i}", i, True, size.forest(40), lambda: Forest(seed, 40, nodes))
        yield _boosting(lesson, i, f"boosting 31 {i}", Settings(seed, 31))
        if _is_skewed(target):
            yield _boosting(lesson, i, f"boosting root {i}", Settings(seed, 24, root=True))
        if level > 2:
            plain = partial(Forest, seed, 40, nodes, random=False)
            yield _recipe(f"plain forest {i}", i, True, 2 * size.forest(40), plain)


def _searched(lesson: Lesson, parameters: Parameters, most: int, seed: int, seconds: float) -> Iterator[Recipe]:
    """Boosting and networks with settings that a search proposes: `most` times two and one."""
    networks = Search(seed, NETWORKS)
    boosters = {} if parameters.only_network else {i: Search(seed + i, BOOSTING) for i in _in_trees(lesson)}
    for n in range(1, most + 1):
        for i, search in boosters.items():
            for number in (2 * n - 1, 2 * n):
                settings, tell = search.boosting(seed + number, _is_skewed(lesson.targets[i]))
                yield replace(_boosting(lesson, i, f"searched boosting {number} {i}", settings), tell=tell)
        kind, tell = networks.network(f"searched network {n}")
        yield replace(_network(lesson, parameters, kind, seed + n, seconds), tell=tell)


def _in_trees(lesson: Lesson) -> list[int]:
    """The outputs that trees are grown for."""
    cells = lesson.encoded.numbers.size + lesson.encoded.marks.size
    few = [i for i, target in enumerate(lesson.targets) if target.width <= MOST_CLASSES_IN_TREES]
    return few if cells <= MOST_CELLS else []


def _is_skewed(target: Target) -> bool:
    """Whether it is a number that is never negative, with more small values than large ones: its root is easier to learn."""
    values = target.values
    if target.classes or values.min() + target.mean / target.std < 0:
        return False
    return float(np.mean((values - values.mean()) ** 3)) > SKEWED * float(values.std()) ** 3


def _boosting(lesson: Lesson, output: int, name: str, settings: Settings) -> Recipe:
    seconds = _Size(lesson, lesson.targets[output]).boosting(settings.leaves) * USUAL_RATE / settings.rate
    return _recipe(name, output, True, seconds, partial(Boosting, settings))


def _recipe(name: str, output: int, with_codes: bool, seconds: float, make: Callable[[], Model]) -> Recipe:
    return Recipe(name, seconds, partial(fit_simple, make, output, with_codes, name))


def _network(lesson: Lesson, parameters: Parameters, kind: Kind, seed: int, seconds: float) -> Recipe:
    plan = make_plan(lesson, parameters, kind, seconds)
    fit = partial(fit_network, parameters, kind, seed, seconds, kind.name)
    return Recipe(kind.name, plan.seconds, fit, is_network=True)


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
