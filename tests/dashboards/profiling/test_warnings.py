"""Tables that deserve a warning, and tables that do not."""

import numpy as np
import pytest

from machines.engine.errors import Notice
from tests.dashboards.profiling.tables import profiled, warned

SEED = 1
RNG = np.random.default_rng(SEED)


@pytest.fixture(autouse=True)
def _same_numbers():
    """Each test draws the same, whatever ran before."""
    RNG.bit_generator.state = np.random.default_rng(SEED).bit_generator.state


ROWS = 600


def table(**more):
    """A calm table: an input that helps, one of labels, and an output."""
    size = RNG.normal(50, 9, ROWS)
    calm = {"size": size, "town": RNG.choice(["a", "b", "c"], ROWS).tolist(), "price": size + RNG.normal(0, 9, ROWS)}
    return {name: list(values) for name, values in (calm | more).items()}


COLUMNS = {"size": ("FLOAT",), "town": ("LABEL",), "price": ("FLOAT", "output")}


def told_of(tmp_path, *tables, **columns):
    return profiled(tmp_path, COLUMNS | columns, *tables)


def test_a_calm_table_is_left_in_peace(tmp_path):
    told = told_of(tmp_path, table())
    assert warned(told) == []
    assert told["rows"] == ROWS and [about["name"] for about in told["columns"]] == ["size", "town", "price"]
    assert told["compared"] == ["price", "size", "town"]  # the output, then what has most to do with it


def test_two_calm_uploads(tmp_path):
    told = told_of(tmp_path, table(), table())
    assert warned(told) == [] and told["parts"] == 2 and len(told["by_part"]) == 3


def test_a_leak_comes_first(tmp_path):
    rows = table(constant=[1] * ROWS)
    rows["tax"] = [value * 1.2 for value in rows["price"]]
    told = told_of(tmp_path, rows, tax=("FLOAT",), constant=("FLOAT",))
    assert warned(told) == [("leak", "tax"), ("constant", "constant")]
    assert "“tax” alone tells “price”" in str(Notice.from_json(told["warnings"][0]["notice"]))


def test_an_ignored_leak_is_none(tmp_path):
    rows = table()
    rows["tax"] = [value * 1.2 for value in rows["price"]]
    assert warned(told_of(tmp_path, rows, tax=("FLOAT", "ignored"))) == []


def test_rows_there_twice(tmp_path):
    rows = {name: values + values[:30] for name, values in table().items()}
    told = told_of(tmp_path, rows)
    assert warned(told) == [("duplicates",)] and told["duplicates"]["rows"] == 30 == told["duplicates"]["pairs"]


def test_few_labels_must_come_again(tmp_path):
    rows = {name: RNG.choice(["a", "b"], ROWS).tolist() for name in "xyz"}
    told = profiled(tmp_path, {"x": ("LABEL",), "y": ("LABEL",), "z": ("LABEL", "output")}, rows)
    assert told["duplicates"]["rows"] == ROWS - 8 and warned(told) == []


def test_duplicates_across_uploads(tmp_path):
    first = table()
    told = told_of(tmp_path, first, {name: values[:50] + values[:10] for name, values in first.items()})
    assert told["duplicates"]["rows"] == 60 and told["duplicates"]["pairs"] == 50 + 2 * 10


@pytest.mark.parametrize("kind", ["unit", "turned", "words", "same text"])
def test_twins(tmp_path, kind):
    rows = table()
    if kind in {"unit", "turned"}:
        rows["other"], type = [value * (2.2 if kind == "unit" else -1) for value in rows["size"]], "FLOAT"
    elif kind == "words":
        rows["other"], type = [{"a": "Rome", "b": "Oslo", "c": "Bern"}[name] for name in rows["town"]], "LABEL"
    else:
        rows["other"], type = rows["town"], "LABEL"
    told = told_of(tmp_path, rows, other=(type,))
    pair = ["size" if type == "FLOAT" else "town", "other"]
    assert told["twins"] == [pair] and warned(told) == [("twins", *pair)]


def test_different_names_of_every_row_are_no_twins(tmp_path):
    rows = table(one=[f"a{n}" for n in range(ROWS)], two=[f"b{n * 7 % ROWS}" for n in range(ROWS)])
    told = told_of(tmp_path, rows, one=("LABEL",), two=("LABEL",))
    assert told["twins"] == [] and warned(told) == [("single", "one"), ("single", "two")]


def test_gaps_make_a_difference(tmp_path):
    rows = table()
    rows["other"] = [None if at % 50 == 0 else name for at, name in enumerate(rows["town"])]
    assert told_of(tmp_path, rows, other=("LABEL",))["twins"] == []


def test_what_drifts_between_uploads(tmp_path):
    later = table()
    later["size"] = [value * 2.54 for value in later["size"]]
    told = told_of(tmp_path, table(), later)
    assert warned(told) == [("parts", "size")] and told["by_part"][0]["group"] == 1
    assert "upload 2" in str(Notice.from_json(told["warnings"][0]["notice"]))


def test_what_drifts_with_a_date(tmp_path):
    days = [f"2021-{1 + at * 12 // ROWS:02}-15" for at in range(ROWS)]
    rows = table(day=days)
    rows["size"] = [value + (30 if at > ROWS // 2 else 0) for at, value in enumerate(rows["size"])]
    told = told_of(tmp_path, rows, day=("DATE",))
    assert told["date"] == "day" and warned(told) == [("halves", "size")]


def test_gaps_outliers_and_rare_labels(tmp_path):
    rows = table(risk=["yes"] * (ROWS - 4) + ["no"] * 4)
    rows["size"][7] = 99_999
    rows["town"] = [None] * (ROWS // 2 + 1) + rows["town"][ROWS // 2 + 1 :]
    rows["price"][:5] = [None] * 5
    told = told_of(tmp_path, rows, risk=("LABEL", "output"))
    assert warned(told) == [("answer", "price"), ("rare", "risk"), ("sparse", "town"), ("outliers", "size")]
    assert all(str(Notice.from_json(warning["notice"])) for warning in told["warnings"])


def test_at_most_forty_are_compared_those_of_the_output_first(tmp_path):
    columns = {f"noise{n}": ("FLOAT",) for n in range(50)}
    told = told_of(tmp_path, table(**{name: RNG.normal(size=ROWS) for name in columns}), **columns)
    assert len(told["compared"]) == 40 and told["compared"][:2] == ["price", "size"] and told["left_out"] == 13
    assert len(told["pairs"]) == 40 * 39 / 2


@pytest.mark.parametrize("rows", [0, 1])
def test_hardly_any_rows(tmp_path, rows):
    assert warned(told_of(tmp_path, {name: values[:rows] for name, values in table().items()})) == []
