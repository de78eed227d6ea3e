"""One column by itself, against numpy row by row."""

from collections import Counter

import numpy as np
import pytest

from dashboards.profiling.measures import measure
from tests.dashboards.profiling.tables import cells

SEED = 3
RNG = np.random.default_rng(SEED)


@pytest.fixture(autouse=True)
def _same_numbers():
    """Each test draws the same, whatever ran before."""
    RNG.bit_generator.state = np.random.default_rng(SEED).bit_generator.state


def test_numbers(tmp_path):
    values = RNG.normal(50, 10, 997).round(1)
    values[::10] = np.nan
    known = values[~np.isnan(values)]
    told = measure(cells(tmp_path, values))
    assert told["rows"] == 997 and told["missing"] == 100 and told["distinct"] == len(set(known))
    assert (told["low"], told["high"]) == (known.min(), known.max())
    assert told["mean"] == pytest.approx(known.mean())
    assert told["quantiles"] == pytest.approx(np.percentile(known, [5, 25, 50, 75, 95]))
    most = Counter(known).most_common(1)[0][1]
    assert told["top"][0][1] == most == int((known == told["top"][0][0]).sum())
    assert sum(told["histogram"]["counts"]) == len(known)


def test_outliers_row_by_row(tmp_path):
    values = np.append(RNG.normal(0, 1, 500), [50, -40, 50, 1e6])
    quarter, three = np.percentile(values, [25, 75])
    far = [
        value for value in values if value < quarter - 3 * (three - quarter) or value > three + 3 * (three - quarter)
    ]
    told = measure(cells(tmp_path, values))
    assert told["outliers"]["count"] == len(far) == 4
    assert told["outliers"]["examples"] == [1e6, 50, -40]
    assert told["histogram"]["edges"][-1] < 10  # a picture of the others


def test_half_of_one_number_has_no_outliers(tmp_path):
    assert measure(cells(tmp_path, [0] * 90 + [1, 2, 3, 400]))["outliers"]["count"] == 0


def test_labels_and_texts(tmp_path):
    values = [" north", "south", "north", None, "", "east", "north ", "south"]
    told = measure(cells(tmp_path, values, "LABEL"))
    assert told["missing"] == 2 and told["distinct"] == 3
    assert told["top"] == [["north", 3], ["south", 2], ["east", 1]]
    texts = ["one", "four and more", "six", None]
    assert measure(cells(tmp_path / "b", texts, "LANGUAGE"))["lengths"] == {
        "low": 3,
        "median": 3,
        "high": 13,
        "mean": 19 / 3,
    }


def test_what_never_comes_twice_has_no_most_frequent_values(tmp_path):
    assert measure(cells(tmp_path, range(10)))["top"] == []


def test_moments(tmp_path):
    told = measure(cells(tmp_path, ["2020-01-02", "2021-05-06", None], "DATE"))
    assert (told["low"], told["high"]) == (1577923200, 1620259200) and "outliers" not in told


@pytest.mark.parametrize("kind", ["FLOAT", "LABEL", "JSON", "IGNORE", "DATE"])
def test_nothing_at_all(tmp_path, kind):
    told = measure(cells(tmp_path, [None, None], kind))
    assert told["missing"] == 2 and told["distinct"] == 0 and told["type"] == kind
    assert measure(cells(tmp_path / "none", [], kind))["rows"] == 0
