"""From encoded rows to blends: candidates are fitted while there is time, and what each output is answered from is chosen."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from machines.engine.blend import blend_weights, costs_of, loss_of
from machines.engine.candidates import Candidate, Recipe, fit_network
from machines.engine.folds import count
from machines.engine.lesson import Lesson
from machines.engine.parameters import Parameters
from machines.engine.plan import KINDS, make_plan
from machines.engine.progress import Clock
from machines.engine.recipes import recipes
from machines.engine.trials import Stage

BEGIN, DOUBT = 0.04, 0.08  # shares of the time: before it rows are read and encoded; for what answers incomplete rows
SLACK = 4.0  # times its estimate that a candidate may take, and SHARE of the time on top: on a busy computer all take longer
SHARE = 0.15
ENOUGH = (8, 15, 25, 40, 60)  # candidates in a row that did not help, by level
LEAST_STOP = 0.3  # of the estimate that a candidate is hoped to take because the last of its kind stopped so soon
UNKNOWN = 0.3  # seconds that count as they were estimated: the first candidates hardly take any
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
    by_clock: bool = False  # use what this computer is ahead of estimates, too: the machine is not the same each time

    def has_time(self, found: "Found", recipe: Recipe, *others: Recipe, sure: float = 0.5) -> bool:
        """Whether a candidate and these others still fit in: by estimate, if the clock has left the share `sure` of it.

        Or else by the clock, if it can be stopped when that turns out to be wrong.
        """
        planned, left = (self.end - BEGIN) * self.clock.seconds, self.clock.until(self.end)
        together = (recipe, *others)
        if found.spent + sum(one.seconds for one in together) <= planned and left >= sure * recipe.seconds:
            return True
        can = self.by_clock and recipe.took is not None
        return can and sum(one.seconds * found.pace(one) for one in together) <= left


@dataclass
class Found:
    """What was fitted, what it is made from, and the time that took by estimate."""

    candidates: list[Candidate] = field(default_factory=list)
    recipes: dict[str, Recipe] = field(default_factory=dict)
    spent: float = 0.0

    def pace(self, recipe: Recipe) -> float:
        """The share of its estimate, at most 1, that a candidate takes on this computer, as others tell that grow by rounds."""
        if recipe.took is None:
            return 1.0
        known = [c for c in self.candidates if c.name in self.recipes and _are_alike(self.recipes[c.name], recipe)]
        estimated = UNKNOWN + sum(self.recipes[candidate.name].seconds for candidate in known)
        return min(1.0, (UNKNOWN + sum(candidate.seconds for candidate in known)) / estimated)


def _are_alike(one: Recipe, other: Recipe) -> bool:
    """Whether both are networks, or both boosted trees."""
    return one.took is not None and other.took is not None and one.is_network == other.is_network


def learn(study: Study) -> Found:
    """Fit candidates in their order while they fit into the time and, beyond the first of each kind, while they help.

    Whether one fits in is decided by estimates, so that the same seed gives the same machine; the clock only guards, unless
    the study goes by it. They are corrected by the rounds that were needed, which are the same on every computer.
    Where one part of the rows is measured, time is left for what counts to be fitted once more (see `refit`), except for
    networks, which would take most of it.
    """
    found, stops, again, useless, best = Found(), dict[str, float](), list[Recipe](), 0, np.inf
    candidates, made = found.candidates, found.recipes
    is_one_part, seconds = count(study.lesson.folds) == 1, (study.end - BEGIN) * study.clock.seconds
    for recipe in recipes(study.lesson, study.parameters, study.level, study.seed, seconds):
        recipe = replace(recipe, seconds=recipe.seconds * stops.get(recipe.kind, 1.0))
        own = [recipe] if is_one_part and not recipe.is_network else []
        is_late = not study.has_time(found, recipe, *own, *again)
        if is_late and not study.trials.knows(recipe) and not (recipe.is_network and _lacks(candidates, study.lesson)):
            continue
        candidate = _fitted(study, recipe)
        if candidate is None:
            found.spent += recipe.seconds
            continue
        if recipe.took:
            took = recipe.took(candidate.stop)
            stops[recipe.kind] = max(LEAST_STOP, stops.get(recipe.kind, 1.0) * took / recipe.seconds)
            recipe = replace(recipe, seconds=took)
        found.spent += recipe.seconds
        candidates.append(candidate)
        made[recipe.name] = recipe
        if recipe.tell:
            recipe.tell(_blended([candidate], study.lesson, candidate.answers)[0])
        loss, parts = _blended(candidates, study.lesson, range(len(study.lesson.targets)))
        again = [made[name] for name in parts if is_one_part and not made[name].is_network]
        useless = 0 if loss < HELPS * best or _lacks(candidates, study.lesson) else useless + 1
        best = min(best, loss)
        if useless >= ENOUGH[study.level - 1]:
            break
    return found


def refit(study: Study, found: Found, wanted: Sequence[Candidate]) -> dict[int, Candidate]:
    """Where one part of the rows was measured: fit what is wanted once more, from all rows, for as long as was best.

    What weighs most per second comes first, as far as the time goes. Returned by `id` of what they stand for, with the answers of
    that: a figure is of models that had not seen the row.
    """
    again: dict[int, Candidate] = {}
    whole = study.lesson.whole()
    for candidate in wanted:
        recipe = found.recipes[candidate.name]
        if not study.has_time(found, recipe, sure=1.0):
            continue
        found.spent += recipe.seconds
        until = min(study.end, _until(study, recipe))
        last = replace(recipe, name=f"{candidate.name} from all rows", made=f"{recipe.made} {candidate.stop}")
        fit = partial(recipe.fit, whole, study.clock, until, candidate.stop)
        if fitted := study.trials.candidate(last, study.clock, fit):
            again[id(candidate)] = replace(candidate, write=fitted.write, predict=fitted.predict, micros=fitted.micros)
    return again


def _lacks(found: list[Candidate], lesson: Lesson) -> bool:
    """Whether there is no machine without a network: every output needs an answer, numbers an interval too."""
    answered = {output for candidate in found for output in candidate.answers}
    has_spreads = any(candidate.spreads is not None for candidate in found)
    needs_spreads = any(not target.classes for target in lesson.targets) and not has_spreads
    return len(answered) < len(lesson.targets) or needs_spreads


def _blended(found: list[Candidate], lesson: Lesson, outputs: Iterable[int]) -> tuple[float, set[str]]:
    """What could be blended so far: its loss, these outputs together, and its parts; infinite where one has no answer yet."""
    total, parts = 0.0, set[str]()
    for i in outputs:
        target = lesson.targets[i]
        can = [candidate for candidate in found if i in candidate.answers]
        if not can:
            return np.inf, parts
        able = [candidate.answers[i][lesson.measured] for candidate in can]
        weights = blend_weights(able, target.take(lesson.measured), costs_of(can))
        mixed = np.sum([w * answers for w, answers in zip(weights, able, strict=True)], axis=0)
        total += loss_of(mixed, target.take(lesson.measured))
        parts |= {candidate.name for candidate, weight in zip(can, weights, strict=True) if weight > 0}
    return total, parts


def _fitted(study: Study, recipe: Recipe) -> Candidate | None:
    clock = study.clock
    until = min(study.end, _until(study, recipe))
    return study.trials.candidate(recipe, clock, lambda: recipe.fit(study.lesson, clock, until, 0))


def _until(study: Study, recipe: Recipe) -> float:
    clock = study.clock
    return (clock.elapsed() + SLACK * recipe.seconds) / clock.seconds + SHARE


def learn_doubt(study: Study) -> Candidate:
    """The network that answers rows emptier than usual: it has learned from incomplete copies of rows (see forget)."""
    seconds = DOUBT * study.clock.seconds
    plan = make_plan(study.lesson, study.parameters, KINDS[IN_PIECES], seconds)
    fit = partial(fit_network, study.parameters, KINDS[IN_PIECES], study.seed, seconds, "incomplete rows")
    doubt = _fitted(study, Recipe("incomplete rows", plan.seconds, fit, f"{plan.made} {study.seed}"))
    assert doubt, "a network is always fitted, however little time there is"
    return doubt
