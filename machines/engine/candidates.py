"""Fits candidates under the clock and collects their out-of-fold answers, which alone decide how much each counts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from machines.engine.blend import loss_of
from machines.engine.encode import EncodedNames
from machines.engine.graph import Graph
from machines.engine.parameters import Parameters
from machines.engine.prepare import Target
from machines.engine.progress import Clock
from machines.engine.simple import Boosting, Floats, Forest, Linear, Simple
from machines.engine.training import Lesson, Teacher, make_plan

Maker: TypeAlias = Callable[[], Simple]
PATIENCE = 2  # steps without a better out-of-fold loss
MOST_CLASSES_BOOSTED = 20
MOST_CLASSES_IN_FOREST = 100


@dataclass
class Candidate:
    """A fitted model and what it answered for rows it had not seen: output number -> [rows, width], else NaN."""

    name: str
    answers: dict[int, Floats]
    write: Callable[[Graph, EncodedNames], dict[int, str]]
    spreads: Floats | None = None  # [rows, 2 * number outputs]


def fit_network(
    lesson: Lesson, parameters: Parameters, clock: Clock, until: float, seconds: float, seed: int, variant: int
) -> Candidate:
    """Train a network of all outputs, of a size that suits `seconds`, until `until` (share of the clock's time)."""
    plan = make_plan(lesson, parameters, seconds, variant)
    teacher = Teacher(plan, lesson, seed)
    teacher.teach(clock, until)
    means, spreads = teacher.out_of_fold()
    network = teacher.network

    def write(g: Graph, names: EncodedNames) -> dict[int, str]:
        tensors, network_spreads = network.write(g, names.numbers, names.marks)
        return dict(enumerate(tensors)) | ({-1: network_spreads} if network_spreads else {})

    return Candidate(f"network {variant}", dict(enumerate(means)), write, spreads)


def fit_simple(
    name: str, make: Maker, lesson: Lesson, x: Floats, output: int, clock: Clock, until: float
) -> Candidate | None:
    """Grow a model per fold to the lowest out-of-fold loss, then one on all rows. None if there was no time."""
    target = lesson.targets[output]
    grown = _grow_folds(make, x, target, lesson.folds, clock, until)
    if grown is None:
        return None
    models, answers, steps = grown
    model = models[0]
    if len(models) > 1:
        model = make()
        for _ in range(steps):
            model.grow(x, target, clock.tick)
    if not model.knows(target):
        return None
    return Candidate(name, {output: answers}, lambda g, names: {output: model.write(g, names.flat, steps)})


def simple_makers(target: Target, seed: int, seconds: float, effort: int) -> dict[str, Maker]:
    """The simple models worth trying for an output."""
    nodes = 16_000 if effort < 3 else 100_000
    makers: dict[str, Maker] = {"linear": lambda: Linear(seconds)}
    if target.width <= MOST_CLASSES_IN_FOREST:
        makers["forest"] = lambda: Forest(seed, nodes)
    if target.width <= MOST_CLASSES_BOOSTED:
        makers["boosting"] = lambda: Boosting(seed)
    return makers


def _grow_folds(
    make: Maker, x: Floats, target: Target, folds: NDArray[np.int64], clock: Clock, until: float
) -> tuple[list[Simple], Floats, int] | None:
    count = int(folds.max()) + 1
    models = [make() for _ in range(count)]
    train = [np.flatnonzero(folds != f) for f in range(count)]
    best, best_step, kept = np.inf, 0, None

    def go_on() -> bool:
        return clock.tick() and clock.until(until) > 0

    for step in range(1, models[0].steps + 1):
        answers = np.full((len(x), target.width), np.nan, np.float32)
        for f, model in enumerate(models):
            if not go_on():
                return (models, kept, best_step) if kept is not None else None
            model.grow(x[train[f]], target.take(train[f]), go_on)
            answers[folds == f] = model.predict(x[folds == f])
        loss = loss_of(answers, target)
        if loss < best:
            best, best_step, kept = loss, step, answers
        elif step - best_step >= PATIENCE:
            break
    return (models, kept, best_step) if kept is not None else None
