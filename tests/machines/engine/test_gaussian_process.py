"""Gaussian processes: what they learn, that a fold knows nothing of its own rows, and that the file answers the same."""

from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from machines.engine import gaussian_process
from machines.engine.blend import loss_of
from machines.engine.folds import PROBE, once
from machines.engine.gaussian_process import GOALS, GaussianProcess, Kernel, chosen, mean_of
from machines.engine.graph import Graph
from machines.engine.linear import Linear
from machines.engine.parameters import Parameters
from machines.engine.prepare import Target
from machines.engine.recipes import MOST_IN_PROCESS, recipes
from machines.engine.schema import Column, DataType
from machines.engine.solving.machine_file import OPERATORS
from tests.machines.engine.test_learn import rows_of
from tests.machines.engine.test_models import run, target_of

BOTH = pytest.mark.parametrize("goal", GOALS)


@pytest.fixture
def rows():
    return np.random.default_rng(0).normal(size=(240, 6)).astype(np.float32)


def fitted(rows, target, folds, goal="evidence", stop=0):
    model = GaussianProcess(0, goal, 100)
    return model, model.fit(once(rows), target, folds, lambda: True, stop)


@BOTH
@pytest.mark.parametrize("classes", [1, 2, 4])
def test_it_learns_what_bends_and_the_file_answers_the_same(rows, classes, goal):
    target, folds = target_of(rows, classes), np.arange(240) % 3
    model, answers = fitted(rows, target, folds, goal)
    straight = Linear().fit(once(rows), target, folds, lambda: True)
    assert loss_of(answers, target) < 0.7 * loss_of(straight, target)
    g = Graph()
    there = run(g, model.write(g, "x"), {"x": rows}, classes)
    assert np.abs(model.predict(rows) - there).max() < 1e-5
    assert answers.shape == there.shape == (240, classes) and not np.isnan(answers).any()


def test_a_file_may_hold_it(rows):
    """Else such a machine would be trained, and not admitted where files are answered."""
    model, _ = fitted(rows, target_of(rows, 3), np.arange(240) % 3)
    g = Graph()
    model.write(g, "x")
    assert {node.op_type for node in g.nodes} <= OPERATORS


@BOTH
@pytest.mark.parametrize("classes", [1, 3])
def test_a_fold_knows_nothing_of_the_answers_of_its_rows(rows, classes, goal, monkeypatch):
    """Neither its process nor its kernel: where they are shuffled, it answers the same. (How sure labels are, all folds tell.)"""
    monkeypatch.setattr(gaussian_process, "SURE", np.array([5.0]))
    folds = np.arange(240) % 3
    folds[:30] = PROBE - folds[:30]
    target, own = target_of(rows, classes), np.flatnonzero((folds == 0) | (folds == PROBE))
    values = target.values.copy()
    for same in (folds == 0, folds == PROBE):  # so that labels stay as frequent
        values[same] = np.random.default_rng(1).permutation(values[same])
    plain, shuffled = (fitted(rows, one, folds, goal)[1] for one in (target, replace(target, values=values)))
    assert np.abs(plain[own] - shuffled[own]).max() < 1e-6
    assert np.abs(np.delete(plain - shuffled, own, 0)).max() > 0.01


def test_it_is_the_same_whatever_the_threads(rows):
    found = []
    for threads in (1, 2):
        with threadpool_limits(limits=threads, user_api="blas"):
            model, _ = fitted(rows, target_of(rows, 1), np.arange(240) % 3)
        found.append(model.weights)
    assert (found[0] == found[1]).all()


def test_nobody_learns_from_a_probe(rows):
    folds = np.arange(240) % 3
    folds[:60] = PROBE - folds[:60]
    target = target_of(rows, 1)
    strange = replace(target, values=np.where(folds < 0, 1000.0, target.values).astype(np.float32))
    assert (fitted(rows, target, folds)[1] == fitted(rows, strange, folds)[1]).all()


@BOTH
def test_columns_that_say_nothing_hardly_count(rows, goal):
    x = rows.astype(np.float64)
    y = np.sin(2 * x[:, :1]) + 0.1 * x[:, 5:]
    kernel = chosen(x, y, GOALS[goal], lambda: True)
    assert kernel.reach[0] > 2 * max(kernel.reach[1:])


def test_noise_is_seen(rows):
    x, rng = rows.astype(np.float64), np.random.default_rng(1)
    loud, quiet = (
        chosen(x, x[:, :1] + dev * rng.normal(size=(240, 1)), GOALS["evidence"], lambda: True) for dev in (1, 0.01)
    )
    assert loud.noise > 100 * quiet.noise


def matrix(rows, classes):
    """A kernel's cells of 30 rows, and what there is to learn."""
    x, target = rows[:30].astype(np.float64), target_of(rows[:30], classes)
    y = np.eye(classes)[target.values] if classes > 1 else target.values[:, None].astype(np.float64)
    return Kernel(np.full(6, 0.5), 0.1, 0.1)(x, x) + 0.1 * np.eye(30), y - y.mean(0)


@BOTH
@pytest.mark.parametrize("classes", [1, 3])
def test_slopes_of_goals(rows, classes, goal):
    square, y = matrix(rows, classes)
    way = np.random.default_rng(2).normal(size=(30, 30))
    way += way.T

    def value(step):
        full = square + step * way
        return GOALS[goal](np.linalg.inv(full), y, np.linalg.slogdet(full)[1])

    by_difference = (value(1e-6)[0] - value(-1e-6)[0]) / 2e-6
    assert (value(0)[1] * way).sum() == pytest.approx(by_difference, rel=1e-4)


@pytest.mark.parametrize("classes", [1, 3])
def test_rows_left_out_are_left_out(rows, classes):
    """What comes from one inverse is what fitting without each row in turn gives."""
    square, y = matrix(rows, classes)
    errors = []
    for row in range(30):
        rest = np.delete(np.arange(30), row)
        errors.append(y[row] - square[row, rest] @ np.linalg.solve(square[np.ix_(rest, rest)], y[rest]))
    value, _ = GOALS["left out"](np.linalg.inv(square), y, 0.0)
    assert value == pytest.approx(15 * max(1, classes - 1) * np.log(np.square(errors).sum()))


@pytest.mark.parametrize("calls", [0, 1, 40])
def test_without_time_there_is_none(rows, calls):
    left = iter([True] * calls)
    model = GaussianProcess(0, "evidence", 100)
    assert model.fit(once(rows), target_of(rows, 1), np.arange(240) % 3, lambda: next(left, False)) is None


def test_numbers_too_far_apart_are_left_to_others(rows):
    far = rows.copy()
    far[:3] *= 1e18
    _, answers = fitted(far, target_of(rows, 1), np.arange(240) % 3)
    assert answers is None or np.isfinite(answers).all()


@pytest.mark.parametrize("classes", [1, 3])
def test_a_last_fit_of_all_rows_is_as_sure_as_the_first(rows, classes):
    target, folds = target_of(rows, classes), np.where(np.arange(240) % 4, -1, 0)
    folds[-20:] = PROBE
    first, answers = fitted(rows, target, folds)
    assert np.isnan(answers[folds == -1]).all() and not np.isnan(answers[folds != -1]).any()
    again, answers = fitted(rows, target, np.where(folds == 0, -1, folds), stop=first.stop)
    assert again.stop == first.stop and len(again.x) == 220 and len(first.x) == 165
    assert np.isnan(answers[:220]).all() and not np.isnan(answers[220:]).any()


def test_a_label_that_a_fold_has_not_met(rows):
    target = target_of(rows, 4)
    folds = np.where(target.values == 3, 0, 1 + np.arange(240) % 2)
    _, answers = fitted(rows, target, folds)
    assert np.isfinite(answers).all() and np.allclose(answers.sum(1), 1, atol=1e-5)


def test_the_mean_of_kernels_is_that_of_their_logarithms():
    mean = mean_of([Kernel(np.array([1.0, 4.0]), 0.01, 2.0), Kernel(np.array([4.0, 4.0]), 0.04, 8.0)])
    assert mean.reach == pytest.approx([2.0, 4.0]) and (mean.noise, mean.slope) == pytest.approx((0.02, 4.0))


def tried(lesson, seconds=60.0):
    return [recipe.name for recipe in recipes(lesson, Parameters(), 2, 0, seconds)]


def test_of_few_rows_one_comes_first_and_another_later():
    names = tried(rows_of(800))
    assert names.index("process by evidence 0") < names.index("boosting 8 0") < names.index("process by left out 0")
    labels = Target(Column("y", DataType.LABEL), np.arange(800) % 3, ("a", "b", "c"))
    names = tried(replace(rows_of(800), targets=(labels,)))
    assert names.index("process by left out 0") < names.index("boosting 8 0") < names.index("process by evidence 0")


@pytest.mark.parametrize(("rows", "has_one"), [(MOST_IN_PROCESS, True), (int(1.2 * MOST_IN_PROCESS), False)])
def test_of_many_rows_there_is_none(rows, has_one):
    assert ("process by evidence 0" in tried(rows_of(rows))) is has_one


def test_what_is_tried_is_called_the_same_in_every_process():
    """Else a training that goes on would not know what it fitted before: an address is another one each time."""
    assert not [r.made for r in recipes(rows_of(400), Parameters(), 4, 0, 60.0) if " at 0x" in r.made]
