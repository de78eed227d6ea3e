"""The effect of one column: of functions whose effect is known, and by the real child of a trained machine."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from dashboards.effects.asked import Effects
from dashboards.effects.effects import effects, values_of
from dashboards.effects.job import sample
from machines.engine.errors import DataError
from machines.engine.schema import Column, DataType, Role
from machines.serving.predictor import Answer, Predictor
from tests.machines.houses import HEADER, OUTPUTS, houses, table_rows

RNG = np.random.default_rng(5)
TABLE = {"a": RNG.normal(0, 1, 150), "b": RNG.normal(10, 4, 150), "c": np.array(["x", "y", "z"] * 50, object)}


def linear(table):
    chance = np.where(table["c"] == "x", 0.25, 0.75)
    return [
        Answer("price", 3 * table["a"] - 2 * table["b"]),
        Answer("risk", np.array(["no"] * len(chance), object), probabilities={"no": 1 - chance, "yes": chance}),
        Answer("sort", table["c"], probabilities={label: (table["c"] == label) * 1.0 for label in "xyz"}),
    ]


def test_a_linear_function_has_lines_of_its_slopes():
    values = [-2.0, 0.0, 1.0, 5.0]
    found = effects(linear, TABLE, {"a": values, "b": values})
    for column, other, slope, rest in (("a", "b", 3, -2), ("b", "a", -2, 3)):
        line = found["lines"][column][0]
        lines = slope * np.array(values)[:, None] + rest * TABLE[other]
        assert line["mean"] == pytest.approx(lines.mean(1), rel=1e-5)
        assert line["low"] == pytest.approx(np.quantile(lines, 0.1, axis=1), rel=1e-5)
        assert line["high"] == pytest.approx(np.quantile(lines, 0.9, axis=1), rel=1e-5)
        assert np.polyfit(values, line["mean"], 1)[0] == pytest.approx(slope, rel=1e-4)


def test_labels_are_followed_by_their_chances():
    found = effects(linear, TABLE, {"c": ["x", "y"]})
    assert [(each["output"], each["label"]) for each in found["answers"]] == [
        ("price", None), ("risk", "yes"), ("sort", "x"), ("sort", "y"), ("sort", "z"),
    ]  # fmt: skip
    price, risk, x, y, z = (line["mean"] for line in found["lines"]["c"])
    assert risk == [0.25, 0.75] and (x, y, z) == ([1, 0], [0, 1], [0, 0]) and price[0] == price[1]


@pytest.mark.parametrize("spread", ["few", "many", "skewed"])
def test_every_row_is_counted_at_its_nearest_value(spread):
    cells = {"few": RNG.integers(0, 9, 500), "many": RNG.normal(0, 1, 500), "skewed": np.exp(RNG.normal(0, 3, 500))}[
        spread
    ]
    cells = cells.astype(float)
    frame = pl.LazyFrame({"cell": [*cells.tolist(), None, None]})
    found = values_of(frame, "cell", Column("a", DataType.FLOAT, Role.INPUT))
    values = np.array(found["values"])
    assert len(values) <= 20 and values[0] == cells.min() and values[-1] == pytest.approx(cells.max())
    assert sum(found["counts"]) == 500
    edges = [-np.inf, *((values[1:] + values[:-1]) / 2), np.inf]
    assert found["counts"] == [int(((cells > low) & (cells <= high)).sum()) for low, high in pairwise(edges)]
    if spread == "few":
        assert found["counts"] == [int((cells == value).sum()) for value in values]


def test_labels_are_the_most_frequent_ones():
    cells = [f"l{number}" for number in range(30) for _ in range(number + 1)]
    found = values_of(pl.LazyFrame({"cell": [*cells, None]}), "cell", Column("c", DataType.LABEL, Role.INPUT))
    assert found["values"][:2] == ["l29", "l28"] and found["counts"][0] == 30 and len(found["values"]) == 20


@pytest.fixture
def asked(tmp_path):
    part = tmp_path / "part.parquet"
    pl.DataFrame({name: [row[at] for row in table_rows()] for at, name in enumerate(HEADER)}).write_parquet(part)
    columns = [Column.from_json(each) for each in Predictor(houses().onnx).metadata["columns"]]
    return Effects([part], columns, ["size", "city", "day"], "1", tmp_path / "drawn")


def test_the_child_answers_what_the_machine_does(asked):
    told = asked.make(lambda: houses().onnx)
    assert [each["name"] for each in told["columns"]] == ["size", "city", "day"] and told["rows"] == told[
        "asked"
    ] == 200
    assert {each["output"] for each in told["answers"]} == set(OUTPUTS)
    inputs = [column for column in asked.columns if column.role is Role.INPUT]
    table = sample(asked.parts, inputs, 200)
    predictor, size = Predictor(houses().onnx), told["columns"][0]
    price = next(at for at, each in enumerate(told["answers"]) if each["output"] == "price")
    for place in (0, len(size["values"]) - 1):
        changed = table | {"size": np.full(200, size["values"][place])}
        answers = {answer.name: answer for answer in predictor.predict(changed)}
        assert size["lines"][price]["mean"][place] == pytest.approx(answers["price"].values.mean(), rel=1e-4)
    assert size["lines"][price]["mean"][0] < size["lines"][price]["mean"][-1]  # larger houses cost more
    assert told["columns"][1]["counts"] == [50, 50, 50, 50]


def test_it_is_kept_by_rows_and_model(asked):
    told = asked.make(lambda: houses().onnx)
    assert asked.look() == told
    assert asked.make(lambda: pytest.fail("worked out again")) == told
    for other in ({"model_key": "2"}, {"chosen": ["city"]}):
        changed = Effects(**(vars(asked) | other))
        assert changed.question.path != asked.question.path and changed.look() is None
    asked.parts[0].unlink()
    with pytest.raises(DataError):
        asked.look()


def test_a_model_that_is_none_is_told_in_words(asked):
    with pytest.raises(DataError) as error:
        asked.make(lambda: b"no model")
    assert "could not be worked out" in str(error.value)


def test_the_sample_is_the_same_each_time_and_knows_missing_columns(tmp_path):
    first, second = tmp_path / "1.parquet", tmp_path / "2.parquet"
    pl.DataFrame({"a": [str(n) for n in range(600)], "c": ["x"] * 600}).write_parquet(first)
    pl.DataFrame({"a": [str(n) for n in range(600, 900)]}).write_parquet(second)
    columns = [Column("a", DataType.FLOAT, Role.INPUT), Column("c", DataType.LABEL, Role.INPUT)]
    one, two = (sample([first, second], columns, 900) for _ in range(2))
    assert len(one["a"]) == 200 == len(set(one["a"])) and one["a"].tolist() == two["a"].tolist() == sorted(one["a"])
    assert {label for label, number in zip(one["c"], one["a"], strict=True) if number >= 600} == {""}
