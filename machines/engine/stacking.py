"""A second level: boosted trees that learn what the answers of other models mean together (stacking, Wolpert 1992).

They see answers for rows that the models had not learned from, and nothing else of a row. Of several labels this corrects
what no weighted mean can, as a forest that is too sure; of numbers and of two labels a weighted mean was as good.
"""

from collections.abc import Iterable
from functools import partial

import numpy as np

from machines.engine.blend import blend_weights, costs_of, loss_of
from machines.engine.boosters import Settings
from machines.engine.candidates import Candidate, fit_simple
from machines.engine.costs import MOST_CLASSES_IN_TREES, stacked_seconds
from machines.engine.encode import Encoded, EncodedNames
from machines.engine.folds import count
from machines.engine.graph import Graph
from machines.engine.learn import Found, Study
from machines.engine.lesson import Lesson
from machines.engine.linear import Floats
from machines.engine.prepare import Target
from machines.engine.trees import Boosting

MOST_SHARE = 0.16  # of the time
MOST_MICROS = 400.0  # that a row takes in those who are learned from: the file has to hold them all
LEAST = 0.02  # added to chances before their logarithm: one model is surer that something cannot be than their mean
MOST_ROUNDS = 300


def stacking_share(study: Study) -> float:
    """The share of the clock's time that a second level takes, by estimate; 0 if it is not worth it."""
    outputs, rows = [study.lesson.targets[i] for i in _outputs(study)], int(study.lesson.train.shape[1])
    share = share_of(outputs, rows, count(study.lesson.folds), study.clock.seconds)
    return share if share < MOST_SHARE else 0.0


def share_of(targets: Iterable[Target], rows: int, folds: int, seconds: float) -> float:
    """The share of so many seconds that the second level of these takes, learned from so many rows in each fold."""
    return sum(stacked_seconds(rows, target.width, folds) for target in targets) / seconds


def stacked(study: Study, found: Found) -> list[Candidate]:
    """Boosted trees that learn from what was found, one candidate for each output of several labels."""
    made = (_stacked(study, output, _others(study, found, output)) for output in _outputs(study))
    return [candidate for candidate in made if candidate]


def _outputs(study: Study) -> Iterable[int]:
    if count(study.lesson.folds) == 1 or study.parameters.only_network:
        return []
    return [i for i, target in enumerate(study.lesson.targets) if 2 < target.width <= MOST_CLASSES_IN_TREES]


def _others(study: Study, found: Found, output: int) -> list[Candidate]:
    """Whom to learn from: what a blend would take, then the best of every other kind."""
    rows = study.lesson.measured
    target = study.lesson.targets[output].take(rows)
    able = [c for c in found.candidates if output in c.answers and c.name != f"usual {output}"]
    answers = [c.answers[output][rows] for c in able]
    weights = blend_weights(answers, target, costs_of(able)).tolist() if able else []
    losses = [loss_of(own, target) for own in answers]
    chosen, kinds, micros = list[Candidate](), set[str](), 0.0
    for weight, _, candidate in sorted(zip(weights, losses, able, strict=True), key=lambda one: (-one[0], one[1])):
        kind = found.recipes[candidate.name].kind or candidate.name
        if (weight > 0 or kind not in kinds) and micros + candidate.micros <= MOST_MICROS:
            chosen.append(candidate)
            kinds.add(kind)
            micros += candidate.micros
    return chosen


def _stacked(study: Study, output: int, others: list[Candidate]) -> Candidate | None:
    """Boosted trees that learned from the answers of these; None without time, or with nobody to learn from."""
    if len(others) < 2:
        return None
    lesson, clock = study.lesson, study.clock
    rows = np.flatnonzero(lesson.folds != -1)  # the others have no answers
    encoded = _encoded(other.answers[output][rows] for other in others)
    targets = tuple(target.take(rows) for target in lesson.targets)
    above = Lesson(encoded, targets, lesson.folds[rows])
    make = partial(Boosting, _settings(study), MOST_ROUNDS)
    began = clock.elapsed()
    fitted = fit_simple(make, output, False, f"stacked boosting {output}", above, clock, study.end)
    if fitted is None:
        return None
    every = np.full((len(lesson.folds), lesson.targets[output].width), np.nan, np.float32)
    every[rows] = fitted.answers[output]

    def write(g: Graph, names: EncodedNames) -> dict[int, str]:
        x = g.concat([_write_features(g, other.tensors(g, names)[output]) for other in others], 1)
        return fitted.write(g, EncodedNames(x, None, x, x, None, None))

    def predict(encoded: Encoded) -> dict[int, Floats]:
        assert fitted.predict, "it was fitted just now"
        return fitted.predict(_encoded(other.predict(encoded)[output] for other in others if other.predict))

    can = all(other.predict for other in others)
    return Candidate(
        fitted.name, {output: every}, write, predict=predict if can else None, stop=fitted.stop, micros=fitted.micros,
        seconds=clock.elapsed() - began, others=tuple(others),
    )  # fmt: skip


def _settings(study: Study) -> Settings:
    return Settings(study.seed, leaves=8, rate=0.1, extra=True, least=20)


def _encoded(chances: Iterable[Floats]) -> Encoded:
    """What several answered, each [rows, classes], as the numbers of rows."""
    numbers = np.hstack([np.log(each + np.float32(LEAST)) for each in chances])
    rows = len(numbers)
    return Encoded(numbers, np.zeros((rows, 0), np.uint8), np.zeros((1, rows, 0), np.float32))


def _write_features(g: Graph, chances: str) -> str:
    return g.add("Log", g.add("Add", chances, g.floats(LEAST)))
