"""What one column alone tells of the output, compared with scikit-learn's trees."""

import numpy as np
import pytest
from scipy import stats
from sklearn.model_selection import cross_val_predict
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from dashboards.profiling.leaks import leaks, score_alone
from tests.dashboards.profiling.tables import cells

SEED = 11
RNG = np.random.default_rng(SEED)


@pytest.fixture(autouse=True)
def _same_numbers():
    """Each test draws the same, whatever ran before."""
    RNG.bit_generator.state = np.random.default_rng(SEED).bit_generator.state


ROWS = 4000


def test_a_number_for_a_number_as_a_tree_says(tmp_path):
    x = RNG.uniform(-3, 3, ROWS)
    y = np.sin(x) + RNG.normal(size=ROWS) * 0.4
    order = stats.rankdata(y)
    told = cross_val_predict(DecisionTreeRegressor(min_samples_leaf=20), x[:, None], order, cv=5)
    expected = 1 - ((order - told) ** 2).sum() / ((order - order.mean()) ** 2).sum()
    score = score_alone(cells(tmp_path, x), cells(tmp_path, y, name="y", role="output"))
    assert score == pytest.approx(expected, abs=0.03) and 0.5 < score < 0.95


def test_a_number_for_labels_as_a_tree_says(tmp_path):
    x = RNG.normal(size=ROWS)
    y = np.where(np.abs(x) + RNG.normal(size=ROWS) * 0.3 > 1, "far", "near")
    told = cross_val_predict(DecisionTreeClassifier(min_samples_leaf=20), x[:, None], y, cv=5)
    usual = max((y == "far").mean(), (y == "near").mean())
    expected = 1 - (told != y).mean() / (1 - usual)
    score = score_alone(cells(tmp_path, x), cells(tmp_path, y, "LABEL", name="y", role="output"))
    assert score == pytest.approx(expected, abs=0.05) and 0.4 < score < 0.9


@pytest.mark.parametrize("kind", ["as it is", "turned", "long tail", "gaps"])
def test_what_is_a_leak(tmp_path, kind):
    y = np.exp(RNG.normal(size=ROWS) * 3)
    given = {"as it is": y, "turned": -y, "long tail": y**3, "gaps": np.where(y > 1, np.nan, 1)}[kind]
    if kind == "gaps":  # that a value is missing tells it
        y = np.where(y > 1, "yes", "no")
    output = cells(tmp_path, y, "LABEL" if kind == "gaps" else "FLOAT", name="y", role="output")
    found = leaks([cells(tmp_path, given)], output)
    assert [(leak["column"], leak["output"]) for leak in found] == [("x", "y")] and found[0]["score"] > 0.99


def test_single_names_are_no_leak(tmp_path):
    names = [f"person {number}" for number in range(ROWS)]
    y = RNG.choice(["yes", "no"], ROWS)
    output = cells(tmp_path, y, "LABEL", name="y", role="output")
    assert score_alone(cells(tmp_path, names, "LABEL"), output) < 0.05


def test_a_good_input_is_no_leak(tmp_path):
    x = RNG.normal(size=ROWS)
    output = cells(tmp_path, x + RNG.normal(size=ROWS) * 0.5, name="y", role="output")
    assert leaks([cells(tmp_path, x)], output) == []


def test_labels_tell_numbers(tmp_path):
    town = RNG.choice(["a", "b", "c"], ROWS)
    y = np.array([{"a": 1.0, "b": 5.0, "c": 9.0}[name] for name in town])
    assert score_alone(cells(tmp_path, town, "LABEL"), cells(tmp_path, y, name="y", role="output")) == pytest.approx(1)


def test_too_few_rows_say_nothing(tmp_path):
    assert score_alone(cells(tmp_path, range(20)), cells(tmp_path, range(20), name="y", role="output")) is None
