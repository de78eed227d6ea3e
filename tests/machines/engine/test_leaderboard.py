"""Every candidate beside the blend: its loss, its interval and how it compares, beside scikit-learn's and plain loops."""

import json

import numpy as np
import pytest
from sklearn import metrics as reference

from machines.engine import leaderboard as tested
from machines.engine.blend import Blend
from machines.engine.candidates import Candidate
from machines.engine.leaderboard import leaderboard
from machines.engine.metrics import difference
from machines.engine.prepare import Target
from machines.engine.schema import Column, DataType
from tests.machines.engine.test_metrics import made_up

ROWS = np.arange(100, 500)  # the others are not measured, and no candidate answers them


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def candidate(name, answers, micros=1.0):
    every = np.full((600, answers.shape[1]), np.nan, np.float32)
    every[ROWS] = answers
    return Candidate(name, {0: every}, lambda g, names: {}, micros=micros, seconds=2 * micros)


def labels(rng, count=3, classes=3):
    """Candidates of falling quality, the truth, and a blend of the first two of them."""
    truth, chances = made_up(rng, classes)
    noisy = [(1 - 0.1 * n) * chances + 0.1 * n * rng.dirichlet(np.ones(classes), 400) for n in range(count)]
    target = Target(Column("y", DataType.LABEL), truth, tuple("abc"[:classes]))
    made = [candidate(f"c{n}", answers, 1.5 * (n + 1)) for n, answers in enumerate(noisy)]
    blend = Blend(target, 0, tuple(zip(made, (0.75, 0.25), strict=False)))
    return made, blend, 0.75 * noisy[0] + 0.25 * noisy[min(1, count - 1)], target


def close(value):
    return pytest.approx(value, rel=1e-5, abs=1e-6)  # float32 answers, six digits


def test_labels(rng):
    made, blend, answers, target = labels(rng)
    first, *others = leaderboard([made[2], made[0], made[1]], blend, answers, target, ROWS, 5)
    assert (first["name"], first["weight"], first["micros"], first["seconds"]) == ("blend", 1.0, 1.5 + 3.0, 9.0)
    assert first["value"] == close(reference.log_loss(target.values, answers))
    assert set(first["difference"].values()) == {0.0}
    assert [(line["name"], line["weight"], line["micros"], line["seconds"]) for line in others] == [
        ("c0", 0.75, 1.5, 3.0), ("c1", 0.25, 3.0, 6.0), ("c2", 0.0, 4.5, 9.0)
    ]  # fmt: skip
    for line, one in zip(others, made, strict=True):
        own = one.answers[0][ROWS].astype(np.float64)
        assert line["value"] == close(reference.log_loss(target.values, own / own.sum(1, keepdims=True)))
        assert line["low"] < line["value"] < line["high"]
        assert line["difference"] == close(difference(target.values, own, answers, 5).to_json())


def test_numbers_are_in_their_unit(rng):
    truth = rng.normal(size=400).astype(np.float32)
    target = Target(Column("y", DataType.FLOAT), truth, mean=1000.0, std=20.0)
    made = [candidate(f"c{n}", (truth + 0.2 * (n + 1) * rng.normal(size=400))[:, None]) for n in range(2)]
    actual, answers = truth * 20.0 + 1000, made[0].answers[0][ROWS] * 20.0 + 1000
    answers = np.hstack([answers, answers - 1e6, answers + 1e6])
    first, *others = leaderboard(made, Blend(target, 0, ((made[0], 1.0),)), answers, target, ROWS, 0)
    assert first["value"] == close(reference.root_mean_squared_error(actual, answers[:, 0])) == others[0]["value"]
    own = made[1].answers[0][ROWS, 0] * 20.0 + 1000
    assert others[1]["value"] == close(reference.root_mean_squared_error(actual, own))
    assert others[1]["difference"] == close(difference(actual, own, answers[:, 0], 0).to_json())


def test_intervals_hold_the_truth(rng):
    """The blend answers nothing but shares that are off; its loss is known."""
    expected, inside = -(0.3 * np.log(0.4) + 0.7 * np.log(0.6)), 0
    for seed in range(200):
        truth = (rng.random(400) < 0.3).astype(np.int64)
        target, answers = Target(Column("y", DataType.LABEL), truth, ("a", "b")), np.tile([0.6, 0.4], (400, 1))
        (only,) = leaderboard([], Blend(target, 0, ()), answers, target, ROWS, seed)
        inside += only["low"] <= expected <= only["high"]
    assert 0.9 <= inside / 200 <= 0.99


def test_of_very_many_the_best_and_all_in_the_blend_are_kept(rng, monkeypatch):
    monkeypatch.setattr(tested, "MOST_SHOWN", 4)
    made, _, answers, target = labels(rng, 9)
    blend = Blend(target, 0, ((made[8], 0.5), (made[7], 0.5)))
    told = leaderboard(made, blend, answers, target, ROWS, 0)
    assert [line["name"] for line in told] == ["blend", "c0", "c1", "c7", "c8"]


def test_pieces_add_up(rng, monkeypatch):
    made, blend, answers, target = labels(rng)
    whole = leaderboard(made, blend, answers, target, ROWS, 0)
    monkeypatch.setattr(tested, "PIECE", 33)
    assert leaderboard(made, blend, answers, target, ROWS, 0) == whole


def test_who_answers_another_output_is_not_compared(rng):
    made, blend, answers, target = labels(rng)
    other = Candidate("other", {1: made[0].answers[0]}, lambda g, names: {})
    assert "other" not in {line["name"] for line in leaderboard([*made, other], blend, answers, target, ROWS, 0)}


def test_certain_and_wrong_is_a_finite_loss(rng):
    truth = np.zeros(400, np.int64)
    target, wrong = Target(Column("y", DataType.LABEL), truth, ("a", "b")), np.tile([0.0, 1.0], (400, 1))
    told = leaderboard([candidate("c", wrong)], Blend(target, 0, ()), wrong, target, ROWS, 0)
    assert told[1]["value"] == close(-np.log(1e-7)) and json.dumps(told, allow_nan=False)
