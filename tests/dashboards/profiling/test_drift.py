"""The population stability index, counted by hand."""

from math import log

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from dashboards.profiling import matters
from dashboards.profiling.drift import drift, fresh, half_groups, part_groups
from tests.dashboards.profiling.tables import cells

SEED = 2
RNG = np.random.default_rng(SEED)


@pytest.fixture(autouse=True)
def _same_numbers():
    """Each test draws the same, whatever ran before."""
    RNG.bit_generator.state = np.random.default_rng(SEED).bit_generator.state


def index(before, after, places):
    """Row by row: half a row more in each place that any row is in."""
    told = [(sum(p == at for p in before), sum(p == at for p in after)) for at in places]
    told = [(old + 0.5, new + 0.5) for old, new in told if old + new]
    olds, news = sum(old for old, _ in told), sum(new for _, new in told)
    return sum((new / news - old / olds) * log((new / news) / (old / olds)) for old, new in told)


def place(value, ends):
    return "missing" if value != value else sum(value > end for end in ends)


def test_numbers_in_tenths_of_the_first_part(tmp_path):
    old, new = RNG.normal(0, 1, 1000), RNG.normal(0.7, 1, 600)
    new[:60] = np.nan
    ends = [sorted(old)[100 * tenth - 1] for tenth in range(1, 10)]
    found = drift(cells(tmp_path, [*old, *new]), part_groups([1000, 600]), 2)
    expected = index([place(v, ends) for v in old], [place(v, ends) for v in new], [*range(10), "missing"])
    assert found["index"] == pytest.approx(expected) and matters(found)
    assert found["before"] == pytest.approx([0.1] * 10 + [0]) and found["after"][-1] == pytest.approx(0.1)


def test_labels(tmp_path):
    old, new = ["a"] * 500 + ["b"] * 300 + ["c"] * 200, ["a"] * 100 + ["b"] * 300 + ["d"] * 100
    found = drift(cells(tmp_path, old + new, "LABEL"), part_groups([1000, 500]), 2)
    assert found["index"] == pytest.approx(index(old, new, "abcd")) and matters(found)
    assert found["labels"] == ["a", "b", "c", "d"]
    assert found["before"] == pytest.approx([0.5, 0.3, 0.2, 0, 0, 0])  # then the others, and what is missing


def test_the_farthest_part_is_told(tmp_path):
    parts = [RNG.normal(0, 1, 500), RNG.normal(0, 1, 500), RNG.normal(2, 1, 500)]
    assert drift(cells(tmp_path, np.concatenate(parts)), part_groups([500] * 3), 3)["group"] == 2


@pytest.mark.parametrize("rows", [12, 60, 2000])
def test_chance_alone_does_not_matter(tmp_path, rows):
    found = [drift(cells(tmp_path / str(n), RNG.normal(size=2 * rows)), part_groups([rows, rows]), 2) for n in range(8)]
    assert not any(matters(each) for each in found)


def test_one_part_says_nothing_and_dates_move_by_themselves(tmp_path):
    assert drift(cells(tmp_path, [1, 2, 3]), part_groups([3]), 1) is None
    dates = cells(tmp_path, ["2020-01-01"] * 9 + ["2024-01-01"] * 9, "DATE", name="d")
    assert drift(dates, part_groups([9, 9]), 2) is None


def test_texts_by_their_length(tmp_path):
    old, new = ["x" * n for n in RNG.integers(5, 50, 500)], ["x" * n for n in RNG.integers(40, 90, 500)]
    texts = cells(tmp_path, [*old, *new], "LANGUAGE", name="t").by_length()
    found = drift(texts, part_groups([500, 500]), 2)
    ends = [sorted(map(len, old))[50 * tenth - 1] for tenth in range(1, 10)]
    expected = index([place(len(t), ends) for t in old], [place(len(t), ends) for t in new], range(10))
    assert found["index"] == pytest.approx(expected) and found["is_length"] and matters(found)


def test_how_likely_it_is_by_chance(tmp_path):
    old, new = ["a"] * 60 + ["b"] * 40, ["a"] * 45 + ["b"] * 55
    found = drift(cells(tmp_path, old + new, "LABEL"), part_groups([100, 100]), 2)
    assert found["chance"] == pytest.approx(chi2_contingency([[60, 40], [45, 55]], correction=False).pvalue)
    twice = drift(cells(tmp_path / "three", old + old + new, "LABEL"), part_groups([100] * 3), 3)
    assert twice["chance"] == pytest.approx(2 * found["chance"])  # the worse of two


def test_labels_that_were_not_there_before(tmp_path):
    old, new = ["a"] * 50 + ["b"] * 50, ["a"] * 80 + ["B"] * 15 + [None] * 5
    found = fresh(cells(tmp_path, old + old + new, "LABEL"), part_groups([100] * 3), 3)
    assert found == {"column": "x", "group": 2, "share": pytest.approx(15 / 95), "rows": 15}
    names = [f"house {n}" for n in range(200)]  # of single things: always new
    assert fresh(cells(tmp_path, names, "LABEL", name="n"), part_groups([100, 100]), 2) is None
    assert fresh(cells(tmp_path, old + old, "LABEL", name="s"), part_groups([100, 100]), 2) is None


def test_halves_by_a_date(tmp_path):
    dates = cells(tmp_path, ["2020-01-03", None, "2020-01-01", "2020-01-04", "2020-01-02"], "DATE")
    assert half_groups(dates).tolist() == [1, -1, 0, 1, 0]


def test_an_empty_first_part(tmp_path):
    assert drift(cells(tmp_path, [None, None, 1, 2]), part_groups([2, 2]), 2) is None
    assert drift(cells(tmp_path, [1, 2], name="b"), part_groups([0, 2]), 2) is None
