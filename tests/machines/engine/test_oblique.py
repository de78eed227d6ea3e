"""Trees that cut aslant: which numbers they add up, what that is good for, and that the file adds up the same."""

from dataclasses import replace

import numpy as np
import pytest

from machines.engine import oblique
from machines.engine.blend import loss_of
from machines.engine.boosters import Settings
from machines.engine.costs import Cost
from machines.engine.encode import Encoded
from machines.engine.folds import PROBE, once
from machines.engine.graph import Graph
from machines.engine.lesson import Lesson
from machines.engine.oblique import MOST_OF_PAIR, SLANTS, ObliqueBoosting, looked_at, slants_of
from machines.engine.parameters import Parameters
from machines.engine.prepare import Target
from machines.engine.recipes import recipes
from machines.engine.schema import Column, DataType
from machines.engine.solving.machine_file import OPERATORS
from machines.engine.trees import Boosting
from tests.machines.engine.test_models import run

FOLDS = np.arange(1200) % 3


def encoded_of(numbers):
    rows = len(numbers)
    return Encoded(numbers, np.zeros((rows, 0), np.uint8), np.zeros((1, rows, 0), np.float32))


def target_of(score, classes=1):
    if classes == 1:
        return Target(Column("y", DataType.FLOAT), (score / score.std()).astype(np.float32))
    codes = np.searchsorted(np.quantile(score, np.linspace(0, 1, classes + 1)[1:-1]), score)
    return Target(Column("y", DataType.LABEL), codes, tuple("abcde"[:classes]))


@pytest.fixture
def rows():
    return np.random.default_rng(0).normal(size=(1200, 5)).astype(np.float32)


@pytest.fixture
def coast(rows):
    """What lies along a border that runs aslant between numbers 1 and 3."""
    return np.sin(3 * (rows[:, 1] + rows[:, 3]))


def fitted(model, rows, target, folds=FOLDS):
    return model.fit(once(rows), target, folds, lambda: True)


@pytest.mark.parametrize("classes", [1, 2, 4])
def test_it_learns_a_border_that_runs_aslant_and_the_file_answers_the_same(rows, coast, classes):
    target = target_of(coast, classes)
    model = ObliqueBoosting(5, Settings(0), 60)
    found, usual = (fitted(each, rows, target) for each in (model, Boosting(Settings(0), 60)))
    assert loss_of(found, target) < 0.8 * loss_of(usual, target)
    g = Graph()
    there = run(g, model.write(g, "x"), {"x": rows}, classes)
    assert np.abs(model.predict(rows) - there).max() < 1e-5
    assert {node.op_type for node in g.nodes} <= OPERATORS


def test_each_fold_has_its_own_and_one_may_have_none(rows):
    """As where all of its rows have the same answer: the others' trees still find their sums in the file."""
    folds = np.where(np.arange(1200) < 300, 0, 1 + np.arange(1200) % 2)
    score = np.where(folds == 0, np.sin(3 * (rows[:, 0] + rows[:, 2])), 0.0)
    score[folds == 2] = np.sin(3 * (rows[:, 1] + rows[:, 3]))[folds == 2]
    model = ObliqueBoosting(5, Settings(0), 40)
    fitted(model, rows, target_of(score), np.where(folds == 0, -1, folds - 1))
    first = [(slants.first[0], slants.second[0]) for slants in model.slants]
    assert first == [(1, 3), (0, 2)]
    model = ObliqueBoosting(5, Settings(0), 40)
    fitted(model, rows, target_of(np.where(np.arange(1200) % 2, score, 0.0)), np.arange(1200) % 2)
    assert len(model.slants[0]) == SLANTS and not len(model.slants[1])
    g = Graph()
    there = run(g, model.write(g, "x"), {"x": rows}, 1)
    assert np.abs(model.predict(rows) - there).max() < 1e-5


def test_a_fold_knows_nothing_of_the_answers_of_its_rows(rows, coast):
    """Neither which sums would help them."""
    target = target_of(coast)
    own = FOLDS == 0
    values = np.where(own, np.sin(3 * (rows[:, 0] + rows[:, 2])), target.values).astype(np.float32)
    plain, other = (ObliqueBoosting(5, Settings(0), 20) for _ in range(2))
    answers = fitted(plain, rows, target), fitted(other, rows, replace(target, values=values))
    assert (plain.slants[0].first == other.slants[0].first).all()
    assert (plain.grown[0].scores(rows[own], 20) == other.grown[0].scores(rows[own], 20)).all()
    assert not np.array_equal(answers[0][~own], answers[1][~own])


def test_the_file_adds_up_to_the_last_digit(rows, coast):
    """Else a row near a border would be answered by another leaf."""
    slants = slants_of(rows, target_of(coast), 5)
    g = Graph()
    assert (run(g, slants.write(g, "x"), {"x": rows}, SLANTS) == slants(rows)[:, 5:]).all()


def test_numbers_that_matter_together_are_added_up_most(rows, coast):
    slants = slants_of(rows, target_of(coast), 5)
    first = (slants.first[0], slants.second[0])
    assert first == (1, 3) and np.sum((slants.first == 1) & (slants.second == 3)) == MOST_OF_PAIR
    assert len(slants.first) == SLANTS and slants.share > 0.5 and (slants.first < slants.second).all()


def test_where_all_matter_a_little_six_pairs_have_a_sum_and_a_difference_each():
    rows = np.random.default_rng(0).normal(size=(1200, 12)).astype(np.float32)
    slants = slants_of(rows, target_of(np.sin(2 * rows).sum(1)), 12)
    assert len(slants.first) == SLANTS and slants.share < 0.1
    assert len(set(zip(slants.first.tolist(), slants.second.tolist(), strict=True))) == SLANTS / 2
    weights = slants.weights * rows.std(0)[np.stack([slants.first, slants.second])]
    assert np.abs(weights) == pytest.approx(np.full(weights.shape, np.sqrt(0.5)), rel=1e-3)
    assert (weights.prod(0) < 0).tolist() == [False, True] * 6


def test_units_do_not_matter(rows, coast):
    """What is added up is counted in deviations."""
    far = rows * np.float32([1, 1024, 1, 0.125, 1])
    here, there = (slants_of(x, target_of(coast), 5) for x in (rows, far))
    assert (here.first == there.first).all() and (here.second == there.second).all()
    assert here(rows)[:, 5:] == pytest.approx(there(far)[:, 5:], rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("count", [2, 4, 6, 8])
def test_no_sum_is_of_one_number_alone(count):
    angles = np.array(oblique._angles(count))
    assert len(angles) == count and np.sum(angles < np.pi / 2) == count / 2
    assert np.abs(np.stack([np.sin(angles), np.cos(angles)])).min() > 0.3


def test_labels_are_no_amounts(rows, coast):
    """Nor are numbers of few values; with one amount left there is nothing to add up."""
    signs = (rows > 0).astype(np.float32)
    signs[:, 1] = rows[:, 1]
    assert not len(slants_of(signs, target_of(coast), 5)) and not len(slants_of(rows, target_of(coast), 1))
    assert slants_of(rows, target_of(coast), 4).first.max() < 4 > slants_of(rows, target_of(coast), 4).second.max()


def test_what_cannot_be_learned_has_none(rows):
    """Too few rows for any cut."""
    slants = slants_of(rows[:12], target_of(rows[:12, 0]), 5)
    assert len(slants) == slants.share == 0


def test_nobody_learns_from_a_probe(rows, coast):
    folds = FOLDS.copy()
    folds[:400] = PROBE - folds[:400]
    target = target_of(coast)
    strange = np.where(folds < 0, 1000 * rows[:, 0] * rows[:, 2], target.values).astype(np.float32)
    plain, probed = (ObliqueBoosting(5, Settings(0), 20) for _ in range(2))
    answers = fitted(plain, rows, target, folds), fitted(probed, rows, replace(target, values=strange), folds)
    assert (answers[0] == answers[1]).all()


def test_of_a_large_table_some_rows_tell(monkeypatch):
    monkeypatch.setattr(oblique, "MOST_CELLS", 3_000)
    assert len(set(looked_at(np.arange(10, 1210), 5).tolist())) == 600
    assert sorted(looked_at(np.arange(10, 60), 5).tolist()) == [*range(10, 60)]
    monkeypatch.setattr(oblique, "MOST_ROWS", 20)
    assert len(looked_at(np.arange(1200), 5)) == 20


def tried(numbers, score, parameters=None, seconds=60.0):
    folds = np.where(np.arange(len(score)) % 8, -1, 0)
    folds[-1] = PROBE
    lesson = Lesson(encoded_of(numbers), (target_of(score),), folds)
    return [*recipes(lesson, parameters or Parameters(), 2, 0, seconds)]


@pytest.mark.parametrize(("rows_are", "comes_first"), [("many", True), ("few", False)])
def test_of_many_rows_they_come_first_where_two_numbers_do_most(rows_are, comes_first):
    x = np.random.default_rng(0).normal(size=(10_000 if rows_are == "many" else 2_000, 5)).astype(np.float32)
    names = [recipe.name for recipe in tried(x, np.sin(3 * (x[:, 1] + x[:, 3])))]
    assert (names.index("boosting oblique 0") < names.index("boosting large 0")) is comes_first


def test_otherwise_they_come_after_others():
    x = np.random.default_rng(0).normal(size=(10_000, 5)).astype(np.float32)
    names = [recipe.name for recipe in tried(x, np.sin(2 * x).sum(1))]
    assert names.index("boosting 63 0") < names.index("boosting large 0") < names.index("boosting oblique 0")


def test_a_search_tries_them_too_and_they_are_the_same_again(rows, coast):
    made = {recipe.name: recipe.made for recipe in tried(rows, coast)}
    assert any("ObliqueBoosting" in made[f"searched boosting {number} 0"] for number in (1, 2))
    assert made == {recipe.name: recipe.made for recipe in tried(rows, coast)}


def test_there_are_none_without_lightgbm_nor_where_networks_are_wanted_alone(rows, coast, monkeypatch):
    assert not any("oblique" in recipe.name for recipe in tried(rows, coast, Parameters(shape=(8,), only_network=True)))
    monkeypatch.setattr("machines.engine.recipes.HAS_LIGHTGBM", False)
    names = {recipe.name for recipe in tried(rows, coast)}
    assert "boosting 8 0" in names and "boosting oblique 0" not in names


def test_looking_for_them_and_more_features_take_longer(rows, coast):
    lesson = Lesson(encoded_of(rows), (target_of(coast),), FOLDS)
    seconds = {recipe.name: recipe.seconds for recipe in recipes(lesson, Parameters(), 2, 0, 60.0)}
    plain, wide = Cost(lesson, lesson.targets[0]), Cost(lesson, lesson.targets[0], slants=SLANTS)
    assert seconds["boosting 8 0"] == plain.boosting(Settings(0, 8)) < wide.boosting(Settings(0, 8))
    look = wide.rounds(oblique.LOOK, oblique.LOOK_ROUNDS)
    assert seconds["boosting oblique 0"] == pytest.approx(look + wide.boosting(Settings(0, 8)))


def test_nobody_looks_for_them_in_a_wide_table_without_the_time(monkeypatch):
    x = np.random.default_rng(0).normal(size=(600, 700)).astype(np.float32)
    names = {recipe.name for recipe in tried(x, x[:, 0] + x[:, 1], seconds=300.0)}
    assert "boosting oblique 0" in names
    monkeypatch.setattr("machines.engine.recipes.slants_of", None)
    names = {recipe.name for recipe in tried(x, x[:, 0] + x[:, 1], seconds=1.0)}
    assert "boosting 8 0" in names and "boosting oblique 0" not in names


def test_what_trees_of_a_wide_table_take_grows_with_its_columns():
    """Of 2,000 columns, looking for a cut takes most of the time; few rows have few leaves to look for."""

    def seconds(rows, columns, leaves=31):
        numbers = np.zeros((rows, columns), np.float32)
        lesson = Lesson(encoded_of(numbers), (target_of(np.arange(rows)),), np.arange(rows) % 3)
        cost = Cost(lesson, lesson.targets[0])
        return cost.rounds(Settings(0, leaves), 100) - cost.rounds(Settings(0, leaves), 0)

    assert seconds(600, 2_000) > 20 * seconds(600, 60) > 20 * seconds(600, 20)
    assert seconds(60, 2_000) == pytest.approx(seconds(60, 2_000, 63), rel=0.5)
