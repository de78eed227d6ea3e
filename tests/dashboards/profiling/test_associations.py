"""Each measure against an independent computation."""

import numpy as np
import pytest
from scipy import stats

from dashboards.profiling.associations import association, can_be_compared, matrix
from tests.dashboards.profiling.tables import cells

SEED = 5
RNG = np.random.default_rng(SEED)


@pytest.fixture(autouse=True)
def _same_numbers():
    """Each test draws the same, whatever ran before."""
    RNG.bit_generator.state = np.random.default_rng(SEED).bit_generator.state


ROWS = 400


def labels(many, rows=ROWS):
    return RNG.choice([f"label {number}" for number in range(many)], rows).astype(object)


def gaps(values):
    values = np.array(values, dtype=object)
    values[RNG.random(len(values)) < 0.15] = None
    return values


def complete(a, b):
    return zip(*[(x, y) for x, y in zip(a, b, strict=True) if x is not None and y is not None], strict=True)


def test_spearman_is_scipys(tmp_path):
    a = RNG.normal(size=ROWS).round(1)
    a, b = gaps(a), gaps((-(a**3) + RNG.normal(size=ROWS)).round(1))
    measure, value = association(cells(tmp_path, a), cells(tmp_path, b, name="y"))
    x, y = complete(a, b)
    assert measure == "spearman" and value == pytest.approx(stats.spearmanr(x, y).statistic) and value < -0.3


def test_moments_are_numbers(tmp_path):
    days = [f"2021-03-{1 + number % 28:02}" for number in range(ROWS)]
    b = [number % 28 + RNG.normal() for number in range(ROWS)]
    _, value = association(cells(tmp_path, days, "DATE"), cells(tmp_path, b, name="y"))
    assert value == pytest.approx(stats.spearmanr([n % 28 for n in range(ROWS)], b).statistic)


def test_eta_row_by_row(tmp_path):
    group = labels(4)
    numbers = np.array([int(label[-1]) + RNG.normal() * 2 for label in group])
    a, b = gaps(group), gaps(numbers)
    one, other = cells(tmp_path, a, "LABEL"), cells(tmp_path, b, name="y")
    x, y = complete(a, b)
    whole = sum((value - np.mean(y)) ** 2 for value in y)
    means = {label: np.mean([v for g, v in zip(x, y, strict=True) if g == label]) for label in set(x)}
    between = sum((means[label] - np.mean(y)) ** 2 for label in x)
    expected = ("eta", pytest.approx((between / whole) ** 0.5))
    assert association(one, other) == expected and association(other, one) == expected
    # the F test of scipy says the same in other words
    groups = [[v for g, v in zip(x, y, strict=True) if g == label] for label in set(x)]
    f, rows, k = stats.f_oneway(*groups).statistic, len(x), len(groups)
    assert association(one, other)[1] ** 2 == pytest.approx(f * (k - 1) / (f * (k - 1) + rows - k))


def bergsma(x, y):
    """After the paper, cell by cell."""
    rows, downs, acrosses = len(x), sorted(set(x)), sorted(set(y))
    chi = 0
    for down in downs:
        for across in acrosses:
            seen = sum(a == down and b == across for a, b in zip(x, y, strict=True))
            expected = x.count(down) * y.count(across) / rows
            chi += (seen - expected) ** 2 / expected
    k, r = len(downs), len(acrosses)
    phi = max(0, chi / rows - (k - 1) * (r - 1) / (rows - 1))
    return (phi / min(k - (k - 1) ** 2 / (rows - 1) - 1, r - (r - 1) ** 2 / (rows - 1) - 1)) ** 0.5


def test_cramer_after_bergsma(tmp_path):
    a = labels(3)
    b = np.where(RNG.random(ROWS) < 0.5, a, labels(5))
    a, b = gaps(a), gaps(b)
    x, y = complete(a, b)
    found = association(cells(tmp_path, a, "LABEL"), cells(tmp_path, b, "LABEL", name="y"))
    assert found == ("cramer", pytest.approx(bergsma(x, y)))
    table = stats.contingency.crosstab(x, y).count
    uncorrected = stats.contingency.association(table, "cramer")
    assert 0.2 < found[1] < uncorrected


def test_chance_alone_is_nothing(tmp_path):
    a, b = labels(8), labels(7)
    found = association(cells(tmp_path, a, "LABEL"), cells(tmp_path, b, "LABEL", name="y"))[1]
    uncorrected = stats.contingency.association(stats.contingency.crosstab(a, b).count, "cramer")
    assert found < 0.1 < uncorrected


def test_what_has_no_answer(tmp_path):
    number = cells(tmp_path, [1.0, 2.0, 3.0, 4.0, None, None])
    constant = cells(tmp_path, [1.0] * 6, name="y")
    apart = cells(tmp_path, [None, None, None, None, 1.0, 2.0], name="z")
    assert association(number, constant) == ("spearman", None) and association(number, apart) == ("spearman", None)


def test_who_takes_part(tmp_path):
    assert can_be_compared(cells(tmp_path, range(9)))
    assert can_be_compared(cells(tmp_path, ["a", "b"] * 9, "LABEL", name="b"))
    assert not can_be_compared(cells(tmp_path, [f"id {n}" for n in range(9)], "LABEL", name="c"))
    assert can_be_compared(cells(tmp_path, ["a", "bb"] * 9, "LANGUAGE", name="d").by_length())
    assert not can_be_compared(cells(tmp_path, ["a", "b"] * 9, "LANGUAGE", name="e").by_length())
    assert not can_be_compared(cells(tmp_path, [1] * 9, name="e"))


def test_the_strongest_pair_comes_first(tmp_path):
    a = RNG.normal(size=ROWS)
    three = [
        cells(tmp_path, v, name=n)
        for n, v in (("a", a), ("b", RNG.normal(size=ROWS)), ("c", -a + RNG.normal(size=ROWS) / 9))
    ]
    pairs = matrix(three)
    assert (pairs[0]["a"], pairs[0]["b"]) == ("a", "c") and pairs[0]["value"] < -0.9 and len(pairs) == 3
