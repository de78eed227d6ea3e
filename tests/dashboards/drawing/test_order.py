"""Places in sorted rows, beside sorting them."""

import numpy as np
import polars as pl
import pytest

from dashboards.drawing import order
from dashboards.drawing.order import order_statistics, quartiles


def places(rows):
    return {0, rows // 7, rows // 2, rows - 1} | set(range(rows - min(5, rows), rows))


@pytest.mark.parametrize("sample", [1_000_000, 2_000, 50], ids=["of all", "of some", "of few"])
@pytest.mark.parametrize("draw", ["standard_normal", "standard_cauchy", "ties", "sorted", "equal"])
def test_places_in_the_sorted_rows(monkeypatch, sample, draw):
    monkeypatch.setattr(order, "SAMPLE", sample)
    rng = np.random.default_rng(0)
    made = {
        "ties": lambda n: rng.poisson(3, n) * 1.0,
        "sorted": lambda n: np.arange(n) * 1.0,
        "equal": lambda n: np.full(n, 0.1),
    }
    y = made.get(draw, lambda n: getattr(rng, draw)(n))(20_000)
    frame = pl.DataFrame({"x": rng.choice(["a", "b", "c"], 20_000, p=[0.9, 0.0995, 0.0005]), "y": y})
    counts, found = order_statistics(frame.lazy(), ["x"], "y", places)
    assert counts["rows"].sum() == 20_000 and len(counts) == 3
    for label, rows, values in zip(counts["x"], counts["rows"], found, strict=True):
        expected = np.sort(frame.filter(pl.col("x") == label)["y"].to_numpy())
        assert len(expected) == rows and values == {place: expected[place] for place in places(rows)}


def test_a_place_that_was_missed_is_found_all_the_same(monkeypatch):
    monkeypatch.setattr(order, "SAMPLE", 2_000)
    monkeypatch.setattr(order, "_brackets", lambda sample, rows, places: [(7.0, 8.0)])
    y = np.random.default_rng(0).normal(size=9_000)
    found = quartiles(pl.LazyFrame({"x": ["a"] * 9_000, "y": y}), ["x"], "y").row(0)
    assert found == pytest.approx(("a", 9_000, *np.quantile(y, [0.25, 0.5, 0.75])))
