"""What may be fitted: models of one output and networks of all, and what comes out of fitting them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import torch

from machines.engine.chosen import chosen
from machines.engine.encode import Encoded, EncodedNames
from machines.engine.folds import Folds, Sheet, once
from machines.engine.graph import Graph
from machines.engine.lesson import Lesson
from machines.engine.linear import Floats, GoOn
from machines.engine.parameters import Parameters
from machines.engine.plan import Kind, make_plan
from machines.engine.prepare import Target
from machines.engine.progress import SIMPLE_MODELS, Clock
from machines.engine.training import Teacher

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
    seconds: float = 0.0  # that fitting it took
    others: "tuple[Candidate, ...]" = ()  # whose answers it learned from, see stacking

    def tensors(self, g: Graph, names: EncodedNames) -> dict[int, str]:
        """Write it into the graph, or say what it wrote before: several may have learned from its answers."""
        return g.once(id(self), lambda: self.write(g, names))


@dataclass(frozen=True)
class Recipe:
    """A candidate that may be fitted, and what that takes on one usual core, by estimate.

    Nobody knows before how soon fitting stops to help. `took` says it after: seconds, from where fitting was best. What it
    took is a hint for others of its `kind`.
    """

    name: str
    seconds: float
    fit: Fit
    made: str  # of what: the same again for the same candidate
    kind: str = ""
    took: Callable[[int], float] | None = None
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


def fit_network(
    parameters: Parameters, kind: Kind, seed: int, seconds: float, name: str,
    lesson: Lesson, clock: Clock, until: float, stop: int = 0,
) -> Candidate:  # fmt: skip
    """Train a network of all outputs, of a size that suits `seconds`, until `until` (share of the clock's time)."""
    torch.manual_seed(seed)  # of dropout: a candidate is the same whatever was fitted before
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

    about = chosen(plan, lesson.targets)
    answers = dict(enumerate(means))
    return Candidate(name, answers, write, spreads, network.predict, about, teacher.stop, network.micros)


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
