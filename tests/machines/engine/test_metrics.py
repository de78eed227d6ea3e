"""Figures and their intervals, beside scikit-learn's."""

import numpy as np
import pytest
from sklearn import metrics as reference

from machines.engine.blend import blend_weights, temperature
from machines.engine.metrics import auc, label_metrics, number_metrics
from machines.engine.prepare import Target
from machines.engine.schema import Column, DataType


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_number_metrics(rng):
    truth = rng.normal(size=500)
    answer = truth + rng.normal(size=500) * 0.5
    found = number_metrics(truth, answer)
    assert found["rmse"].value == pytest.approx(reference.root_mean_squared_error(truth, answer))
    assert found["mae"].value == pytest.approx(reference.mean_absolute_error(truth, answer))
    assert found["r2"].value == pytest.approx(reference.r2_score(truth, answer))
    assert all(m.low < m.value < m.high for m in found.values())


@pytest.mark.parametrize("classes", [2, 4])
def test_label_metrics(rng, classes):
    chances = rng.dirichlet(np.ones(classes), 400)
    truth = np.array([rng.choice(classes, p=p) for p in chances])
    found = label_metrics(truth, chances)
    assert found["log_loss"].value == pytest.approx(reference.log_loss(truth, chances))
    assert found["accuracy"].value == pytest.approx(reference.accuracy_score(truth, chances.argmax(1)))
    average = "binary" if classes == 2 else "macro"
    assert found["f1"].value == pytest.approx(reference.f1_score(truth, chances.argmax(1), average=average))
    assert ("roc_auc" in found) == (classes == 2)


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
