"""ROC and PR curves from a few thresholds, beside scikit-learn's from all."""

import numpy as np
import pytest
from sklearn import metrics as reference

from machines.engine.operating import operating


def made_up(rows=5000, rare=0.1, seed=0):
    rng = np.random.default_rng(seed)
    truth = (rng.random(rows) < rare).astype(np.int64)
    chance = 1 / (1 + np.exp(-(rng.normal(size=rows) + 1.5 * truth - 2)))
    return truth, np.stack([1 - chance, chance], 1)


def rates(told):
    found, false = np.append(0, told["found"]), np.append(0, told["false"])
    return found / told["positives"], false / (told["rows"] - told["positives"])


def farthest(x, y, line_x, line_y):
    """How far the farthest of some 1,000 points lies from a line through others."""
    step = -(-len(x) // 1000)
    points, corners = np.stack([x, y], 1)[::step, None], np.stack([line_x, line_y], 1)
    begins, ways = corners[:-1], np.diff(corners, axis=0)
    along = ((points - begins) * ways).sum(2) / np.maximum(np.square(ways).sum(1), 1e-12)
    nearest = begins + np.clip(along, 0, 1)[..., None] * ways
    return np.sqrt(np.square(points - nearest).sum(2)).min(1).max()


def test_counts_are_those_of_a_plain_loop():
    truth, chances = made_up(150)
    (told,) = operating(truth, chances, ("no", "yes"))
    assert (told["label"], told["rows"], told["positives"]) == ("yes", 150, truth.sum())
    assert len(told["at"]) == 150 and told["at"] == sorted(told["at"], reverse=True)
    for at, found, false in zip(told["at"], told["found"], told["false"], strict=True):
        reached = [t for t, chance in zip(truth, chances[:, 1], strict=True) if float(f"{chance:.6g}") >= at]
        assert (found, false) == (sum(reached), len(reached) - sum(reached))


@pytest.mark.parametrize("rare", [0.5, 0.1, 0.01])
@pytest.mark.parametrize("rows", [300, 10_000, 100_000])
def test_the_curves_lose_nothing_visible(rows, rare):
    truth, chances = made_up(rows, rare)
    (told,) = operating(truth, chances, ("no", "yes"))
    recall, fall = rates(told)
    assert len(told["at"]) <= 200 and (recall[-1], fall[-1]) == (1, 1)
    assert np.trapezoid(recall, fall) == pytest.approx(reference.roc_auc_score(truth, chances[:, 1]), abs=0.002)
    all_fall, all_recall, _ = reference.roc_curve(truth, chances[:, 1], drop_intermediate=False)
    assert farthest(all_fall, all_recall, fall, recall) < 0.015
    precision = np.array(told["found"]) / (np.array(told["found"]) + told["false"])
    all_precision, all_recall, _ = reference.precision_recall_curve(truth, chances[:, 1])
    assert farthest(all_recall[:-1], all_precision[:-1], recall[1:], precision) < 0.03
    averaged = np.diff(recall) @ precision
    assert averaged == pytest.approx(reference.average_precision_score(truth, chances[:, 1]), abs=0.01)


def test_rows_of_the_same_chance_are_counted_together():
    truth, steps = np.arange(12) % 2, np.repeat([0.9, 0.5, 0.1], 4)
    (told,) = operating(truth, np.stack([1 - steps, steps], 1), ("no", "yes"))
    assert (told["at"], told["found"], told["false"]) == ([0.9, 0.5, 0.1], [2, 4, 6], [2, 4, 6])
    nobody_knows = operating(truth, np.full((12, 2), 0.5), ("no", "yes"))
    assert (nobody_knows[0]["at"], nobody_knows[0]["found"], nobody_knows[0]["false"]) == ([0.5], [6], [6])


@pytest.mark.parametrize("classes", [3, 8])
def test_several_classes_each_against_the_rest(classes):
    rng = np.random.default_rng(1)
    truth = rng.integers(0, classes, 900)
    chances = rng.dirichlet(np.ones(classes), 900) * 0.6 + 0.4 * np.eye(classes)[truth]
    told = operating(truth, chances, "abcdefgh"[:classes])
    assert [one["label"] for one in told] == list("abcdefgh"[:classes])
    for k, one in enumerate(told):
        recall, fall = rates(one)
        assert np.trapezoid(recall, fall) == pytest.approx(reference.roc_auc_score(truth == k, chances[:, k]), abs=2e-3)


def test_nothing_where_nothing_can_be_told():
    nine = np.full((18, 9), 1 / 9)
    assert operating(np.arange(18) % 9, nine, "abcdefghi") == []
    assert operating(np.zeros(9, np.int64), np.full((9, 2), 0.5), "ab") == []
    absent = operating(np.arange(9) % 2, np.full((9, 3), 1 / 3), "abc")
    assert [one["label"] for one in absent] == ["a", "b"]


def test_tiny_chances_keep_their_order():
    truth, chance = np.array([0, 1, 1, 0]), np.array([1e-9, 1.2e-7, 1.3e-7, 0.0])
    (told,) = operating(truth, np.stack([1 - chance, chance], 1), "ab")
    assert (told["at"], told["found"], told["false"]) == ([1.3e-7, 1.2e-7, 1e-9, 0.0], [1, 2, 2, 2], [0, 0, 1, 2])
