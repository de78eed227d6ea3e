"""Where little was seen and how wrong answers are there, beside plain loops."""

import numpy as np
import pytest
from scipy import stats

from machines.engine import regions as tested
from machines.engine.measure import points, spread
from machines.engine.prepare import Target
from machines.engine.regions import parted, regions
from machines.engine.schema import Column, DataType

DAY = 86_400.0
F = Column("x", DataType.FLOAT)
L = Column("x", DataType.LABEL)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def labels(truth, answered):
    """Right and wrong answers of two classes, as measure has them."""
    return np.eye(2)[answered], Target(Column("y", DataType.LABEL), truth, ("a", "b"))


def names(found):
    return [(part["kind"], part["low"], part["high"], part["label"]) for part in found.bins]


def holds(part, cell):
    if cell == "" or cell != cell:
        return part["kind"] == "missing"
    if isinstance(cell, str):
        return part["label"] == cell
    low, high = (-np.inf if part["low"] is None else part["low"], np.inf if part["high"] is None else part["high"])
    return part["kind"] == "range" and low <= cell < high


def test_shares_answered_wrong_by_ranges_of_a_number(rng):
    cells = np.where(rng.random(3000) < 0.1, np.nan, rng.normal(50, 10, 3000))
    cells[0] = 1e9
    measured, truth, answered = np.arange(500, 2500), *rng.integers(0, 2, (2, 2000))
    found = parted(F, cells)
    (told,) = regions([found], measured, *labels(truth, answered))
    assert told["column"] == "x" and [part["kind"] for part in told["bins"]] == ["range"] * 8 + ["missing"]
    first, *_, last, _missing = told["bins"]
    assert first["low"] is None and last["high"] is None
    edges = [part["high"] for part in told["bins"][:7]]
    assert np.diff(edges) == pytest.approx(np.full(6, np.diff(edges).mean()), rel=1e-3)
    low, high = np.nanquantile(cells, [0.01, 0.99])
    assert (first["high"], last["low"]) == pytest.approx((low + (high - low) / 8, high - (high - low) / 8), rel=1e-3)
    for part in told["bins"]:
        own = [row for row, cell in enumerate(cells[measured]) if holds(part, cell)]
        wrong = [int(truth[row] != answered[row]) for row in own]
        assert part["rows"] == sum(holds(part, cell) for cell in cells) and part["measured"] == len(own)
        assert part["error"] == pytest.approx(np.mean(wrong), rel=1e-5)
        exact = stats.binomtest(sum(wrong), len(wrong)).proportion_ci(method="wilson")
        assert (part["error_low"], part["error_high"]) == pytest.approx((exact.low, exact.high), rel=1e-4)


def test_how_far_off_numbers_are_by_labels(rng):
    cells = rng.choice(["", *"abcdefghij"], 2000, p=[0.1, 0.3, 0.2, 0.1, *[0.05] * 5, 0.04, 0.01]).astype(object)
    target = Target(Column("y", DataType.FLOAT), rng.normal(size=2000).astype(np.float32), mean=40.0, std=5.0)
    actual = target.values.astype(np.float64) * 5 + 40
    answers = np.repeat((actual + rng.normal(0, 2, 2000))[:, None], 3, 1)
    (told,) = regions([parted(L, cells)], np.arange(2000), answers, target)
    kinds = [part["kind"] for part in told["bins"]]
    assert kinds == ["label"] * 8 + ["rest", "missing"] and {"a", "b", "c"} == {b["label"] for b in told["bins"][:3]}
    shown = {part["label"] for part in told["bins"]}
    for part in told["bins"]:
        own = cells == ("" if part["kind"] == "missing" else part["label"])
        own = ~np.isin(cells, ["", *(shown - {None})]) if part["kind"] == "rest" else own
        off = np.abs(answers[own, 0] - actual[own])
        reach = 1.959964 * off.std(ddof=1) / len(off) ** 0.5
        assert part["rows"] == part["measured"] == own.sum()
        expected = (off.mean(), off.mean() - reach, off.mean() + reach)
        assert (part["error"], part["error_low"], part["error_high"]) == pytest.approx(expected, rel=1e-4)


def test_whole_numbers_and_days_are_not_split():
    flags = parted(F, np.array([0.0, 1.0] * 50))
    assert names(flags) == [("range", None, 1.0, None), ("range", 1.0, None, None)]
    few = parted(F, np.repeat(np.arange(1.0, 6.0), 20))
    assert [(part["low"], part["rows"]) for part in few.bins] == [(None, 20), (2, 20), (3, 20), (4, 20), (5, 20)]
    days = parted(Column("x", DataType.DATE), DAY * (19_000 + np.arange(400.0)))
    assert len(days.bins) <= 8 and all(part["high"] % DAY == 0 for part in days.bins[:-1])
    hours = parted(Column("x", DataType.TIME), np.arange(0, DAY, 60))
    assert len(hours.bins) == 8 and sum(part["rows"] for part in hours.bins) == 1440


def test_thin_ranges_show():
    """Nobody between 2 and 8: ranges there are told, with no row and no error."""
    cells = np.concatenate([np.linspace(0, 2, 50), np.linspace(8, 10, 50)])
    (told,) = regions([parted(F, cells)], np.arange(100), *labels(np.zeros(100, int), np.zeros(100, int)))
    empty = [part for part in told["bins"] if not part["rows"]]
    assert len(told["bins"]) == 8 and len(empty) >= 4
    assert {(part["measured"], part["error"], part["error_low"], part["error_high"]) for part in empty} == {
        (0, None, None, None)
    }


def test_what_never_changes_is_one_range_and_what_is_missing_apart():
    assert names(parted(F, np.full(30, 7.0))) == [("range", None, None, None)]
    assert names(parted(F, np.full(30, np.nan))) == [("missing", None, None, None)]
    zeros = Column("x", DataType.FLOAT, zero_is_missing=True)
    assert [(p["kind"], p["rows"]) for p in parted(zeros, np.array([0.0, np.inf, 3, 3, 3])).bins] == [
        ("range", 3), ("missing", 2)
    ]  # fmt: skip
    assert names(parted(L, np.array(["a"] * 30, object))) == [("label", None, None, "a")]


def test_few_rows_that_are_alike_are_no_certainty(rng):
    target = Target(Column("y", DataType.FLOAT), np.zeros(103, np.float32))
    answers = np.repeat(np.append(rng.normal(0, 9, 100), [1.0, 1.0, 1.0])[:, None], 3, 1)
    cells = np.array(["many"] * 100 + ["few"] * 2 + ["one"], object)
    (told,) = regions([parted(L, cells)], np.arange(103), answers, target)
    for part in told["bins"][1:]:
        assert part["error"] == 1 and part["error_high"] > 3 and part["error_low"] == 0


def test_of_very_many_rows_some_tell_the_bins_and_all_are_counted(rng, monkeypatch):
    monkeypatch.setattr(tested, "MOST_LOOKED_AT", 50)
    cells = rng.choice(["a", "b"], 999, p=[0.8, 0.2]).astype(object)
    assert [(p["label"], p["rows"]) for p in parted(L, cells).bins] == [
        (label, int((cells == label).sum())) for label in "ab"
    ]
    numbers = parted(F, rng.normal(size=999))
    assert sum(part["rows"] for part in numbers.bins) == 999


# Intervals


def test_spread(rng):
    """Intervals twice as wide on the right as they need to be, and half as wide on the left."""
    predicted = np.sort(rng.uniform(1000, 1010, 2000))
    reach = np.where(predicted < 1005, 0.5, 2.0) * 1.645
    answers = np.stack([predicted, predicted - reach, predicted + reach], 1)
    actual = predicted + rng.normal(size=2000)
    target = Target(Column("y", DataType.FLOAT), ((actual - 1000) / 3).astype(np.float32), mean=1000.0, std=3.0)
    told = spread(answers, target)
    assert len(told) == 10 and sum(part["rows"] for part in told) == 2000
    for part in told:
        own = (predicted >= part["low"] - 1e-4) & (predicted <= part["high"] + 1e-4)
        inside = (actual >= answers[:, 1]) & (actual <= answers[:, 2])
        assert part["rows"] == pytest.approx(own.sum(), abs=2)
        assert part["covered"] == pytest.approx(inside[own].mean(), abs=0.011)
        assert part["width"] == pytest.approx((2 * reach[own]).mean(), rel=0.02)
    assert told[0]["covered"] < 0.7 and told[-1]["covered"] > 0.97
    assert len(spread(answers[:50], target.take(np.arange(50)))) == 2
    alike = np.full((100, 3), 5.0)
    assert [part["rows"] for part in spread(alike, target.take(np.arange(100)))] == [100]


def test_points_have_their_interval_and_their_differences():
    """Large numbers that hardly differ keep what tells them apart."""
    target = Target(Column("y", DataType.FLOAT), np.linspace(-1, 1, 1001, dtype=np.float32), mean=1e7, std=0.5)
    actual = target.values.astype(np.float64) * 0.5 + 1e7
    answers = actual[:, None] + np.array([0.01, -0.2, 0.3])
    told = np.array(points(answers, target))
    assert told.shape == (334, 4)
    assert told[:, [0, 2, 3]] == pytest.approx(answers[::3], rel=0, abs=1e-6)
    assert told[:, 1] == pytest.approx(actual[::3], rel=0, abs=1e-6)
