"""The second level: what it learns from, whom it needs in the file, and when there is none."""

from dataclasses import replace

import numpy as np
import pytest

from machines.engine import fit as steps
from machines.engine.blend import MOST_MICROS, blend_weights, costs_of
from machines.engine.candidates import Candidate, Recipe
from machines.engine.encode import Encoded, EncodedNames
from machines.engine.fit import LEARN_UNTIL, fit
from machines.engine.folds import PROBE
from machines.engine.graph import Graph
from machines.engine.learn import DOUBT, Found, Study, learn
from machines.engine.learning_curve import simple_model
from machines.engine.lesson import Lesson
from machines.engine.parameters import Parameters
from machines.engine.prepare import Target
from machines.engine.progress import Clock
from machines.engine.schema import Column, DataType
from machines.engine.stacking import MOST_MICROS as MOST_BELOW
from machines.engine.stacking import stacked, stacking_share
from machines.engine.trials import Trials
from tests.machines.engine.tables import stubborn_table

ROWS = 600


def study_of(labels="abc", rows=ROWS, seconds=60.0, **options):
    """Rows in three folds whose label is their number's remainder."""
    classes = tuple(labels)
    values = np.arange(rows) % len(classes) if classes else np.arange(rows, dtype=np.float32)
    encoded = Encoded(
        np.zeros((rows, 1), np.float32), np.zeros((rows, 0), np.uint8), np.zeros((1, rows, 0), np.float32)
    )
    lesson = Lesson(encoded, (Target(Column("y", DataType.LABEL), values, classes),), np.arange(rows) // 7 % 3)
    given = {"lesson": lesson, "parameters": Parameters(), "clock": Clock(seconds)} | options
    return Study(trials=Trials().stage("first"), level=1, seed=0, end=0.9, **given)


def confused(study, name, seed, micros=10.0, kind=""):
    """A model that takes "a" for "b" and "b" for "a", and is sometimes wrong."""
    rng = np.random.default_rng(seed)
    truth = study.lesson.targets[0].values
    swapped = np.where(rng.random(len(truth)) < 0.1, rng.integers(0, 3, len(truth)), np.array([1, 0, 2])[truth])
    chances = np.full((len(truth), 3), 0.1, np.float32)
    chances[np.arange(len(truth)), swapped] = 0.8
    chances[study.lesson.folds == -1] = np.nan

    def write(g, names):
        return {0: g.add("Identity", names.numbers)}

    return Candidate(name, {0: chances}, write, predict=lambda encoded: {0: chances[: len(encoded)]}, micros=micros)


def found_of(*candidates, kinds=None):
    kinds = kinds or {}
    recipes = {c.name: Recipe(c.name, 1.0, lambda *args: None, c.name, kinds.get(c.name, "")) for c in candidates}
    return Found([*candidates], recipes, 1.0)


def loss(study, answers):
    rows = study.lesson.measured
    return -np.log(answers[rows, study.lesson.targets[0].values[rows]]).mean()


def test_what_others_confuse_is_put_right():
    study = study_of()
    others = [confused(study, "one", 1), confused(study, "two", 2)]
    (above,) = stacked(study, found_of(*others))
    assert loss(study, others[0].answers[0]) > 1.5 > 0.3 > loss(study, above.answers[0])
    assert above.name == "stacked boosting 0" and above.others == tuple(others) and above.micros > 0


def test_rows_without_answers_are_not_learned_from_and_probes_are_answered():
    study = study_of()
    folds = study.lesson.folds.copy()
    folds[:100], folds[100:150] = -1, PROBE - folds[100:150]
    study = replace(study, lesson=Lesson(study.lesson.encoded, study.lesson.targets, folds))
    (above,) = stacked(study, found_of(confused(study, "one", 1), confused(study, "two", 2)))
    assert np.isnan(above.answers[0][:100]).all() and np.isfinite(above.answers[0][100:]).all()
    target = study.lesson.targets[0]
    wrong = replace(target, values=np.where(np.arange(ROWS) < 100, 0, target.values))
    others = [confused(study, "one", 1), confused(study, "two", 2)]
    study = replace(study, lesson=replace(study.lesson, targets=(wrong,)))
    (same,) = stacked(study, found_of(*others))
    assert (same.answers[0][100:] == above.answers[0][100:]).all()


def test_whom_it_learns_from():
    """What a blend takes and the best of other kinds, never what is usual, and no more than a row has time for."""
    study = study_of()
    truth = study.lesson.targets[0].values
    best = confused(study, "best", 1, kind="network")
    best.answers[0][np.arange(ROWS), truth] += 0.9
    others = [confused(study, name, seed) for name, seed in (("like it", 2), ("forest", 3), ("usual 0", 4))]
    others.append(confused(study, "slow", 5, micros=MOST_BELOW))
    (above,) = stacked(study, found_of(best, *others, kinds={"best": "network", "like it": "network"}))
    assert [other.name for other in above.others] == ["best", "forest"]


def test_no_learning_curve_is_of_what_learned_from_others():
    """Which would have to learn anew each time from fewer rows: here the linear model is the best of all others."""
    study = study_of()
    linear, trees = confused(study, "linear 0", 1), confused(study, "boosting 8 0", 2)
    linear.answers[0][np.arange(ROWS), study.lesson.targets[0].values] += 0.5
    (above,) = stacked(study, found_of(linear, trees))
    candidates = [linear, trees, above]
    assert loss(study, above.answers[0]) < loss(study, linear.answers[0]) < loss(study, trees.answers[0])
    assert simple_model(study.lesson, 0, candidates, 0, 1e9).name == "linear"


def test_one_alone_is_nobody_to_learn_from():
    study = study_of()
    assert stacked(study, found_of(confused(study, "one", 1), confused(study, "usual 0", 2))) == []


def test_nobody_waits_for_it_who_wants_the_end():
    study = study_of()
    study.clock.finished = True
    assert stacked(study, found_of(confused(study, "one", 1), confused(study, "two", 2))) == []


@pytest.mark.parametrize(
    "options",
    [
        {"labels": "ab"},
        {"labels": ""},
        {"labels": [f"label {n}" for n in range(101)], "rows": 1010, "seconds": 1e6},
        {"seconds": 0.5},
        {"parameters": Parameters(only_network=True)},
    ],
    ids=["two labels", "a number", "labels that no trees are grown for", "no time", "a network was wished for"],
)
def test_there_is_none(options):
    assert stacking_share(study_of(**options)) == 0.0


def test_its_share_of_the_time():
    assert 0 < stacking_share(study_of(seconds=60)) == pytest.approx(stacking_share(study_of(seconds=120)) * 2)
    one_part = study_of()
    lesson = Lesson(one_part.lesson.encoded, one_part.lesson.targets, np.where(np.arange(ROWS) % 8, -1, 0))
    assert stacking_share(replace(one_part, lesson=lesson)) == 0.0


def test_others_are_written_once():
    study, written = study_of(), []
    others = [confused(study, "one", 1), confused(study, "two", 2)]
    for other in others:
        write = other.write
        other.write = lambda g, names, write=write, other=other: written.append(other.name) or write(g, names)
    (above,) = stacked(study, found_of(*others))
    g, names = Graph(), EncodedNames("x", None, "x", "x", None, None)
    tensors = [candidate.tensors(g, names) for candidate in (others[0], above, others[1])]
    assert written == ["one", "two"] and all(list(each) == [0] for each in tensors)


def test_a_row_takes_as_long_as_all_that_is_needed_for_it():
    """Of three equally good ones: the third needs the first, and both fit together where the second does not."""
    rng = np.random.default_rng(3)
    truth = rng.normal(size=400).astype(np.float32)
    parts = [(truth + rng.normal(size=400) * 0.5).astype(np.float32)[:, None] for _ in range(3)]
    target, half = Target(Column("y", DataType.FLOAT), truth), MOST_MICROS / 2
    first, second = (Candidate(str(i), {0: parts[i]}, lambda g, names: {}, micros=half + i) for i in range(2))
    third = Candidate("third", {0: parts[2]}, lambda g, names: {}, micros=half - 10, others=(first,))
    costs = costs_of([first, second, third])
    assert costs.sum(1).tolist() == [half, half + 1, MOST_MICROS - 10]
    weights = blend_weights(parts, target, costs)
    assert weights[0] > 0 and weights[1] == 0 and weights[2] > 0


def test_it_is_not_lost_where_all_else_took_a_little_longer(monkeypatch):
    """Then the same seed would not give the same machine on a busy computer."""

    def late(study):
        found = learn(study)
        study.clock.started -= (LEARN_UNTIL - DOUBT + 0.01) * study.clock.seconds - study.clock.elapsed()
        return found

    monkeypatch.setattr(steps, "learn", late)
    fitted = fit(*stubborn_table(), level=1, deadline=60, seed=0, parameters=Parameters(epochs=1, shape=(8,)))
    assert "stacked boosting 0" in [line["name"] for line in fitted.report.outputs[0].leaderboard]


def test_a_machine_has_it():
    """The file is checked by fit itself: it answers as its parts do."""
    parameters = Parameters(epochs=1, shape=(8,))
    fitted = fit(*stubborn_table(), level=1, deadline=600, seed=0, parameters=parameters)
    (output,) = fitted.report.outputs
    line = next(line for line in output.leaderboard if line["name"] == "stacked boosting 0")
    others = [one for one in output.leaderboard if one["name"] not in ("blend", line["name"])]
    assert line["weight"] > 0 and output.learning_curve_of in ("linear", "boosting")
    assert line["micros"] > min(one["micros"] for one in others)
