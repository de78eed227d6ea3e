"""Would more rows help? How well one quick model does that learns from fewer rows than there are.

Rows are answered by models that had not learned from them, as all figures are; labels are not turned into codes, for
these know the answers of all rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from machines.engine.blend import loss_of
from machines.engine.boosters import Settings
from machines.engine.candidates import Candidate, Model
from machines.engine.costs import Cost
from machines.engine.digits import short
from machines.engine.folds import PROBE, count, learned_from, once
from machines.engine.leaderboard import Asked, losses
from machines.engine.lesson import Lesson
from machines.engine.linear import PENALTIES, GoOn, Linear
from machines.engine.measure import answers_in_unit
from machines.engine.metrics import interval_of
from machines.engine.prepare import Target
from machines.engine.splits import bins
from machines.engine.trees import Boosting

Rows: TypeAlias = NDArray[np.int64]

PARTS = 16
SIZES = (1, 2, 4, 8, 16)  # of these parts
LEAST_ROWS = 20
LEAVES, RATE, ROUNDS = 8, 0.2, 200
LINEAR, BOOSTING = "linear", "boosting"
HARDLY = 1.1  # times the loss
FIT = 1.5e-3  # seconds that a fit of a few rows takes, on top of the estimate


@dataclass(frozen=True)
class Simple:
    """The model whose curve is drawn."""

    name: str  # linear | boosting
    make: Callable[[], Model]
    seconds: float  # of the whole curve, by estimate


def simple_model(
    lesson: Lesson, output: int, candidates: Sequence[Candidate], seed: int, seconds: float
) -> Simple | None:
    """Boosted trees, or the linear model where none of them was better, or where they take too long and hardly were.

    None where neither was fitted, or where the curve takes more than `seconds`.
    """
    linear, linear_loss, lowest = None, np.inf, np.inf
    rows, target = lesson.measured, lesson.targets[output].take(lesson.measured)
    for candidate in (c for c in candidates if output in c.answers):
        loss = loss_of(candidate.answers[output][rows], target)
        if candidate.name == f"{LINEAR} {output}":
            linear, linear_loss = candidate, loss
        elif BOOSTING in candidate.name and not candidate.others:
            lowest = min(lowest, loss)
    cost, found = Cost(lesson, lesson.targets[output]), list[Simple]()
    if lowest < linear_loss:
        settings = Settings(seed, LEAVES, RATE, codes=False)
        trees = partial(Boosting, settings, ROUNDS)
        found.append(Simple(BOOSTING, trees, _seconds(cost, lambda: cost.boosting(settings))))
    if linear is not None and linear_loss <= HARDLY * lowest:
        penalties = (PENALTIES[linear.stop - 1],)
        one = partial(Linear, penalties=penalties)
        found.append(Simple(LINEAR, one, _seconds(cost, lambda: cost.linear() / len(PENALTIES))))
    return next((simple for simple in found if simple.seconds <= seconds), None)


def learning_curve(
    lesson: Lesson, output: int, simple: Simple, part: Rows, seed: int, go_on: GoOn
) -> list[dict[str, float]]:
    """The loss on the rows measured, by how many rows were learned from; [] where `go_on` says no, or for too few rows.

    `part` deals the rows learned from into 16 parts; 1, 2, 4, 8 and all of them are learned from.
    """
    target, x = lesson.targets[output], lesson.encoded.flat()
    sizes, asked = list[int](), list[Asked]()
    for size in SIZES:
        rows, folds = _fewer(lesson.folds[: len(part)], part < size * (1 + part.max()) / PARTS)
        learned = [learned_from(folds, fold) for fold in range(count(folds))]
        known, most = target.take(rows), max(map(len, learned))
        if most < LEAST_ROWS or most in sizes or any(_says_nothing(known, own) for own in learned):
            continue
        answers = simple.make().fit(once(x[rows]), known, folds, go_on)
        if answers is None or not go_on():
            return []
        sizes.append(most)
        own = answers[np.isin(rows, lesson.measured)].astype(np.float64)
        asked.append(answers_in_unit(own, target).__getitem__)
    return _points(sizes, losses(asked, target.take(lesson.measured), seed)) if len(sizes) > 1 else []


def strata(lesson: Lesson, output: int, rows: int) -> Rows:
    """What every part of the first `rows` has alike: folds, and labels or tenths of numbers."""
    values = lesson.targets[output].values[:rows]
    kinds = values if lesson.targets[output].classes else bins(values)
    found: Rows = kinds + (lesson.folds[:rows] + 1) * (1 + kinds.max())
    return found


def _fewer(folds: Rows, kept: NDArray[np.bool_]) -> tuple[Rows, Rows]:
    """The rows of a smaller lesson and their folds: what is not kept is answered, if it is measured, and not learned from."""
    measured = folds >= 0
    kept = kept | measured if count(folds) == 1 else kept  # the one part that is measured teaches nobody
    rows = np.flatnonzero(kept | measured)
    return rows, np.where(kept, folds, PROBE - folds)[rows]


def _says_nothing(target: Target, rows: Rows) -> bool:
    return bool(target.classes) and len(np.unique(target.values[rows])) < 2


def _points(sizes: Sequence[int], found: NDArray[np.float64]) -> list[dict[str, Any]]:
    told = [interval_of(column).to_json() for column in found.T]
    return [{"rows": rows} | {k: short(v) for k, v in one.items()} for rows, one in zip(sizes, told, strict=True)]


def _seconds(cost: Cost, of: Callable[[], float]) -> float:
    """What all sizes take."""
    rows, total = cost.rows, 0.0
    for size in SIZES:
        cost.rows = rows * size // PARTS
        total += of() + FIT * cost.folds
    return total
