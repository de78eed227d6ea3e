"""Alarms: a column that tells too much, rows that tell too little."""

import numpy as np
import pytest

from machines.engine.alarms import doubts, leaks
from machines.engine.errors import Weight
from machines.engine.metrics import Metric
from machines.engine.prepare import make_target
from machines.engine.report import OutputReport
from machines.engine.schema import Column, DataType, Role

ROWS = 1200


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def columns(table, **types):
    return [Column(name, types.get(name, DataType.FLOAT)) for name in table]


def alarms(table, answer, seconds=30, **types):
    """The sentences about these inputs and this answer."""
    output = Column("answer", DataType.FLOAT if answer.dtype.kind == "f" else DataType.LABEL, Role.OUTPUT)
    rows = np.arange(len(answer))
    found = leaks(table, columns(table, **types), make_target(output, answer, rows), rows, seconds, seed=0)
    assert all(notice.weight is Weight.WARNING for notice in found)
    return [notice.values["input"] for notice in found]


def labels(numbers):
    return np.array([f"label {n}" for n in numbers], dtype=object)


def test_it_works(rng):
    """The time of discharge tells who died; age does not."""
    died = rng.random(ROWS) < 0.2
    table = {"age": rng.normal(60 + 10 * died, 10), "discharged": np.where(died, np.nan, rng.uniform(1e9, 2e9, ROWS))}
    output = Column("died", DataType.LABEL, Role.OUTPUT)
    target = make_target(output, labels(died), np.arange(ROWS))
    found = leaks(table, columns(table, discharged=DataType.DATETIME), target, np.arange(ROWS), 30, 0)
    assert [str(notice) for notice in found] == [
        "“discharged” alone tells “died” almost exactly. If “discharged” is only known afterwards, do not use it."
    ]


def test_a_number_in_another_unit(rng):
    price = np.exp(rng.normal(10, 1.5, ROWS))  # a few are very far out
    table = {"with_tax": 1.2 * price, "near": price * np.exp(rng.normal(0, 0.2, ROWS))}
    assert alarms(table, price) == ["with_tax"]


def test_whether_there_is_an_amount_is_not_the_amount(rng):
    amount = np.where(rng.random(ROWS) < 0.05, rng.exponential(100, ROWS), 0)
    assert alarms({"sent": (amount > 0).astype(float)}, amount) == []


def test_one_of_many_labels(rng):
    kind = rng.integers(0, 20, ROWS)
    codes = rng.permutation(20)[kind]
    table = {"code": labels(codes), "often": labels(np.where(rng.random(ROWS) < 0.05, 0, codes))}
    assert alarms(table, labels(kind), code=DataType.LABEL, often=DataType.LABEL) == ["code"]


def test_a_threshold_in_a_number(rng):
    x = rng.normal(size=ROWS)
    grade = np.digitize(x, [-1, 0.3, 1.2])
    assert alarms({"x": x, "blurred": x + rng.normal(0, 0.2, ROWS)}, labels(grade)) == ["x"]


def test_the_rows_number_of_a_sorted_file():
    assert alarms({"number": np.arange(ROWS, dtype=float)}, labels(np.arange(ROWS) < 300)) == ["number"]


def test_chance_alone_never_alarms(rng):
    table = {f"x{i}": rng.normal(size=60) for i in range(500)}
    assert alarms(table, labels(np.arange(60) < 12)) == []
    assert alarms(table, rng.normal(size=60)) == []


def test_one_class_nearly_always_is_no_leak(rng):
    """Always the first of three labels is right in 99.7 % of rows, whatever the column holds."""
    kind = np.zeros(ROWS, int)
    kind[:4] = [1, 1, 2, 2]
    assert alarms({"x": rng.normal(size=ROWS)}, labels(kind)) == []


def test_what_tells_much_but_not_all_is_no_leak(rng):
    ill = rng.random(ROWS) < 0.35
    assert alarms({"glucose": rng.normal(110 + 60 * ill, 28)}, labels(ill)) == []


def test_rows_and_infinite_cells_as_they_are(rng):
    """Only the rows asked for are looked at; here those in which the column tells the answer."""
    ill = rng.random(ROWS) < 0.5
    result = np.where(ill, np.inf, 0.0)
    result[600:] = rng.choice([np.inf, -np.inf, np.nan], 600)
    target = make_target(Column("ill", DataType.LABEL, Role.OUTPUT), labels(ill), np.arange(ROWS))
    inputs = columns({"result": result})
    assert len(leaks({"result": result}, inputs, target, np.arange(600), 30, 0)) == 1
    assert leaks({"result": result}, inputs, target, np.arange(600, ROWS), 30, 0) == []


def test_sentences_too_little_time_and_too_few_rows_are_left_alone(rng):
    answer = labels(rng.random(ROWS) < 0.5)
    assert alarms({"note": answer}, answer, note=DataType.LANGUAGE) == []
    assert alarms({"same": answer}, answer, same=DataType.LABEL, seconds=0) == []
    assert alarms({"same": answer[:40]}, answer[:40], same=DataType.LABEL) == []


def test_five_are_enough(rng):
    answer = labels(rng.random(ROWS) < 0.5)
    table = {f"copy{i}": answer for i in range(9)}
    assert len(alarms(table, answer, **dict.fromkeys(table, DataType.LABEL))) == 5


# Too small to tell


def measured(rows, low, high):
    score = {"log_loss": Metric(0.5, 0.4, 0.6)}
    gap = Metric((low + high) / 2, low, high)
    return OutputReport("ill", "binary", score, "linear", {"linear": score}, {}, rows=rows, difference=gap)


def test_too_small_to_tell():
    (found,) = doubts(measured(154, -0.02, 0.01))
    assert str(found) == "With 154 rows it cannot be told whether the machine is better than a simple rule at “ill”."


@pytest.mark.parametrize(("rows", "low", "high"), [(154, -0.03, -0.01), (154, 0.01, 0.03), (1000, -0.02, 0.01)])
def test_what_can_be_told(rows, low, high):
    assert doubts(measured(rows, low, high)) == []


def test_reports_without_the_pair_are_not_doubted():
    score = {"rmse": Metric(1.0, 0.9, 1.1)}
    output = OutputReport("price", "number", score, "mean", {"mean": score}, {})
    assert doubts(output) == [] and output.to_json()["difference"] is None


def test_a_report_says_everything_as_json():
    told = measured(154, -0.02, 0.01).to_json()
    assert told["difference"] == {"value": -0.005, "low": -0.02, "high": 0.01} and told["rows"] == 154
    assert told["baseline"] == told["baselines"]["linear"] == {"log_loss": {"value": 0.5, "low": 0.4, "high": 0.6}}
