"""Figures and their intervals, beside scikit-learn's."""

import numpy as np
import pytest
from sklearn import metrics as reference

from machines.engine.blend import blend_weights, temperature
from machines.engine.metrics import (
    auc,
    difference,
    label_metrics,
    macro_auc,
    number_metrics,
    reliability,
    residuals,
    wilson,
)
from machines.engine.prepare import Target
from machines.engine.schema import Column, DataType


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def made_up(rng, classes, rows=400):
    """Class numbers drawn from the chances that are stated."""
    chances = rng.dirichlet(np.ones(classes), rows)
    return (chances.cumsum(1) > rng.random((rows, 1))).argmax(1), chances


def same(value):
    return pytest.approx(value, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("mean", [0, 1e7])
def test_number_metrics(rng, mean):
    truth = mean + rng.normal(size=500)
    answer = truth + rng.normal(size=500) * 0.5
    found = number_metrics(truth, answer)
    assert found["rmse"].value == same(reference.root_mean_squared_error(truth, answer))
    assert found["mae"].value == same(reference.mean_absolute_error(truth, answer))
    assert found["r2"].value == same(reference.r2_score(truth, answer))
    assert all(m.low < m.value < m.high for m in found.values())


def test_a_truth_that_never_changes_explains_nothing():
    assert number_metrics(np.full(40, 3.0), np.full(40, 2.0))["r2"].value == 0


@pytest.mark.parametrize("classes", [2, 4])
def test_label_metrics(rng, classes):
    truth, chances = made_up(rng, classes)
    answer, found = chances.argmax(1), label_metrics(truth, chances)
    average = "binary" if classes == 2 else "macro"
    scores = chances[:, 1] if classes == 2 else chances
    assert found["roc_auc"].value == same(reference.roc_auc_score(truth, scores, multi_class="ovr"))
    assert found["log_loss"].value == same(reference.log_loss(truth, chances))
    assert found["accuracy"].value == same(reference.accuracy_score(truth, answer))
    assert found["balanced_accuracy"].value == same(reference.balanced_accuracy_score(truth, answer))
    assert found["f1"].value == same(reference.f1_score(truth, answer, average=average))
    assert ("pr_auc" in found) == (classes == 2)
    if classes == 2:
        assert found["pr_auc"].value == same(reference.average_precision_score(truth, chances[:, 1]))
    assert all(m.low < m.value < m.high for m in found.values())


def test_average_precision_counts_equal_scores_together(rng):
    truth, steps = rng.integers(0, 2, 300), rng.integers(0, 5, 300) / 4
    found = label_metrics(truth, np.stack([1 - steps, steps], 1))["pr_auc"]
    assert found.value == same(reference.average_precision_score(truth, steps))


def test_a_class_that_does_not_occur_is_left_out_of_means(rng):
    truth, chances = made_up(rng, 4)
    rows = truth != 2
    found, answer = label_metrics(truth[rows], chances[rows]), chances[rows].argmax(1)
    there = [0, 1, 3]
    assert found["balanced_accuracy"].value == same(
        reference.recall_score(truth[rows], answer, labels=there, average="macro")
    )
    assert found["f1"].value == same(reference.f1_score(truth[rows], answer, labels=there, average="macro"))
    areas = [reference.roc_auc_score(truth[rows] == k, chances[rows, k]) for k in there]
    assert found["roc_auc"].value == same(np.mean(areas))


@pytest.mark.parametrize("classes", [2, 3])
def test_all_right_on_few_rows_is_no_certainty(classes):
    truth = np.arange(30) % classes
    found = label_metrics(truth, np.eye(classes)[truth])
    for name in set(found) - {"log_loss", "ece"}:
        assert found[name].value == found[name].high == 1 and 0.6 < found[name].low < 0.95, name


def test_nothing_of_the_rarer_class_tells_nothing():
    found = label_metrics(np.zeros(30, np.int64), np.full((30, 2), 0.5))
    for name in ("roc_auc", "pr_auc"):
        assert (found[name].low, found[name].high) == (0, 1)


def test_macro_auc_of_two_classes_is_the_auc(rng):
    truth, chances = made_up(rng, 2)
    one, mean = auc(truth == 1, chances[:, 1]), macro_auc(truth, chances)
    assert (mean.value, mean.low, mean.high) == pytest.approx((one.value, one.low, one.high))


def test_macro_auc_interval_holds_the_truth(rng):
    def drawn(rows):
        truth = rng.integers(0, 3, rows)
        return truth, rng.normal(size=(rows, 3)) + np.eye(3)[truth]

    expected, inside = macro_auc(*drawn(200_000)).value, 0
    for _ in range(200):
        found = macro_auc(*drawn(150))
        inside += found.low <= expected <= found.high
    assert 0.9 <= inside / 200 <= 0.99


# Calibration


def test_calibration_error_of_known_bins():
    """Two chances, each far off by a known amount: every row of a chance lies in one bin."""
    stated = np.repeat([0.2, 0.7], [60, 40])
    truth = np.concatenate([np.arange(60) < 30, np.arange(40) < 20]).astype(np.int64)  # half of each came true
    found = label_metrics(truth, np.stack([1 - stated, stated], 1))["ece"]
    assert found.value == same(0.6 * 0.3 + 0.4 * 0.2) and found.low < found.value < found.high


def test_calibration_error_is_small_where_chances_are_true(rng):
    truth, chances = made_up(rng, 2, 20_000)
    sharp = chances**3 / (chances**3).sum(1, keepdims=True)
    assert label_metrics(truth, chances)["ece"].value < 0.02 < 0.08 < label_metrics(truth, sharp)["ece"].value


def test_calibration_error_lies_in_the_middle_of_its_range(rng):
    """Resampling alone adds error: taken as it comes, the range would lie above the value."""
    found = [label_metrics(*made_up(rng, 2, 200))["ece"] for _ in range(20)]
    assert 0.35 < np.mean([(m.value - m.low) / (m.high - m.low) for m in found]) < 0.65


@pytest.mark.parametrize("classes", [2, 5])
def test_reliability(rng, classes):
    truth, chances = made_up(rng, classes, 3000)
    points = reliability(truth, chances)
    assert len(points) == 10 and sum(point["rows"] for point in points) == 3000
    assert max(point["rows"] for point in points) <= 310
    assert all(point["low"] <= point["share"] <= point["high"] for point in points)
    assert sum(point["low"] <= point["chance"] <= point["high"] for point in points) >= 7
    assert [point["chance"] for point in points] == sorted(point["chance"] for point in points)


def test_reliability_of_few_rows_has_few_points(rng):
    assert len(reliability(*made_up(rng, 2, 50))) == 2
    assert len(reliability(np.array([1]), np.array([[0.3, 0.7]]))) == 1


def test_equal_chances_are_one_point():
    points = reliability(np.arange(400) % 2, np.full((400, 2), 0.5))
    assert [(p["chance"], p["share"], p["rows"]) for p in points] == [(0.5, 0.5, 400)]


def test_wilson():
    low, high = wilson(np.array([0.0, 0.5, 1.0]), np.array([10, 10, 10]))
    assert low == pytest.approx([0, 0.236593, 0.722467], abs=1e-6)  # Newcombe 1998
    assert high == pytest.approx([0.277533, 0.763407, 1], abs=1e-6)


# Beside the baseline, and what is left over


def test_difference_of_label_losses(rng):
    truth, chances = made_up(rng, 3)
    rates = np.tile(np.bincount(truth) / len(truth), (len(truth), 1))
    found = difference(truth, chances, rates)
    assert found.value == same(reference.log_loss(truth, chances) - reference.log_loss(truth, rates))
    assert found.low < found.value < found.high < 0


def test_difference_of_number_losses(rng):
    truth = rng.normal(size=400)
    good, fair = truth + rng.normal(size=400) * 0.3, truth + rng.normal(size=400) * 0.5
    errors = [reference.root_mean_squared_error(truth, answer) for answer in (good, fair)]
    assert difference(truth, good, fair).value == same(errors[0] - errors[1])
    assert difference(truth, fair, good).low > 0


def test_pairing_tells_more_than_two_intervals(rng):
    """Both models miss the same rows: apart, their ranges overlap; paired, the better one is seen."""
    truth, hard = rng.normal(size=200), rng.normal(size=200)
    better, worse = truth + hard, truth + 1.05 * hard
    apart = number_metrics(truth, better)["rmse"], number_metrics(truth, worse)["rmse"]
    assert apart[0].high > apart[1].low
    assert difference(truth, better, worse).high < 0


def test_the_same_answers_are_no_different(rng):
    truth, chances = made_up(rng, 2)
    found = difference(truth, chances, chances)
    assert (found.value, found.low, found.high) == (0, 0, 0)


def test_residuals(rng):
    truth = rng.normal(size=5000)
    found = residuals(truth, truth - 3)
    assert sum(found["counts"]) == 5000 and found["edges"][0] <= 3 <= found["edges"][-1]
    far = residuals(np.append(truth, 1e9), np.zeros(5001))
    assert len(far["counts"]) == 30 and len(far["edges"]) == 31 and sum(far["counts"]) == 5001
    assert -4 < far["edges"][0] < 0 < far["edges"][-1] < 4


def test_auc_counts_ties_half(rng):
    truth, score = rng.random(300) < 0.3, rng.integers(0, 5, 300).astype(float)
    assert auc(truth, score).value == pytest.approx(reference.roc_auc_score(truth, score))
    assert auc(np.zeros(5, bool), np.arange(5.0)).low == 0


def test_delong_interval_holds_the_truth(rng):
    inside = 0
    for _ in range(200):  # normal scores one deviation apart: the true AUC is 0.7602
        truth = rng.random(150) < 0.4
        found = auc(truth, rng.normal(size=150) + truth)
        inside += found.low <= 0.7602 <= found.high
    assert 0.9 <= inside / 200 <= 0.99


def test_calibration_undoes_overconfidence(rng):
    chance = rng.uniform(0.1, 0.9, 4000)
    truth = (rng.random(4000) < chance).astype(np.int64)
    target = Target(Column("y", DataType.LABEL), truth, ("a", "b"))
    sharp = np.stack([1 - chance, chance], 1) ** 2
    assert temperature(sharp / sharp.sum(1, keepdims=True), target) == pytest.approx(0.5, abs=0.1)


def test_blend_prefers_what_helps(rng):
    truth = rng.normal(size=500).astype(np.float32)
    target = Target(Column("y", DataType.FLOAT), truth)
    good = [(truth + rng.normal(size=500) * 0.5).astype(np.float32)[:, None] for _ in range(2)]
    useless = rng.normal(size=(500, 1)).astype(np.float32) * 3
    weights = blend_weights([*good, useless], target)
    assert weights[2] == 0 and weights[:2].min() > 0.3 and weights.sum() == pytest.approx(1)
