"""From encoded rows to blends: candidates are fitted while there is time, and what each output is answered from is chosen."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from machines.engine.blend import blend_weights, loss_of
from machines.engine.candidates import Candidate, Recipe, fit_network, recipes
from machines.engine.lesson import Lesson
from machines.engine.parameters import Parameters
from machines.engine.plan import KINDS, make_plan
from machines.engine.progress import Clock
from machines.engine.trials import Stage

BEGIN, DOUBT = 0.04, 0.08  # shares of the time: before it rows are read and encoded; for what answers incomplete rows
SLACK = 4.0  # times its estimate that a candidate may take, and SHARE of the time on top: on a busy computer all take longer
SHARE = 0.15
ENOUGH = 8  # candidates in a row that did not help
HELPS = 0.9985  # times the loss before
IN_PIECES = 1  # the kind of network that learns from incomplete rows


@dataclass(frozen=True)
class Study:
    """What is to be learned, and until when (share of the clock's time)."""

    lesson: Lesson
    trials: Stage  # what earlier attempts at it fitted
    parameters: Parameters
    clock: Clock
    level: int
    seed: int
    end: float


def learn(study: Study) -> list[Candidate]:
    """Fit candidates in their order while they fit into the time and, beyond the first of each kind, while they help.

    Whether one fits in is decided by estimates, so that the same seed gives the same machine; the clock only guards.
    """
    clock, found = study.clock, list[Candidate]()
    planned, spent, useless, best = (study.end - BEGIN) * clock.seconds, 0.0, 0, np.inf
    for recipe in recipes(study.lesson, study.parameters, study.level, study.seed, planned):
        is_late = spent + recipe.seconds > planned or clock.until(study.end) < 0.5 * recipe.seconds
        if is_late and not study.trials.knows(recipe.name) and not (recipe.is_network and _lacks(found, study.lesson)):
            continue
        candidate = _fitted(study, recipe)
        spent += recipe.seconds
        if candidate is None:
            continue
        found.append(candidate)
        loss = _loss(found, study.lesson)
        useless = 0 if loss < HELPS * best or _lacks(found, study.lesson) else useless + 1
        best = min(best, loss)
        if useless >= ENOUGH:
            break
    return found


def _lacks(found: list[Candidate], lesson: Lesson) -> bool:
    """Whether there is no machine without a network: every output needs an answer, numbers an interval too."""
    answered = {output for candidate in found for output in candidate.answers}
    has_spreads = any(candidate.spreads is not None for candidate in found)
    needs_spreads = any(not target.classes for target in lesson.targets) and not has_spreads
    return len(answered) < len(lesson.targets) or needs_spreads


def _loss(found: list[Candidate], lesson: Lesson) -> float:
    """The loss of what could be blended so far, all outputs together; without the last need, infinite."""
    total = 0.0
    for i, target in enumerate(lesson.targets):
        able = [candidate.answers[i][lesson.measured] for candidate in found if i in candidate.answers]
        if not able:
            return np.inf
        weights = blend_weights(able, target.take(lesson.measured))
        mixed = np.sum([w * answers for w, answers in zip(weights, able, strict=True)], axis=0)
        total += loss_of(mixed, target.take(lesson.measured))
    return total


def _fitted(study: Study, recipe: Recipe) -> Candidate | None:
    clock = study.clock
    now = clock.elapsed() / clock.seconds
    until = min(study.end, now + SLACK * recipe.seconds / clock.seconds + SHARE)
    return study.trials.candidate(recipe.name, clock, lambda: recipe.fit(clock, until))


def learn_doubt(study: Study) -> Candidate:
    """The network that answers rows emptier than usual: it has learned from incomplete copies of rows (see forget)."""
    seconds = DOUBT * study.clock.seconds
    plan = make_plan(study.lesson, study.parameters, KINDS[IN_PIECES], seconds)
    fit = partial(fit_network, study.lesson, study.parameters, KINDS[IN_PIECES], study.seed, seconds, "incomplete rows")
    doubt = _fitted(study, Recipe("incomplete rows", plan.seconds, fit))
    assert doubt, "a network is always fitted, however little time there is"
    return doubt
