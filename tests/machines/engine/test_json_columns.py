"""A column of JSON from the file to the answer: learned from, asked for by file and over REST."""

import csv
import json
import random

import pytest

from machines.engine.fit import fit
from machines.engine.parameters import Parameters
from machines.engine.schema import Role
from machines.engine.solving.machine_file import open_machine
from machines.engine.table_file import Wishes, load
from machines.forms.rows import read_rows
from tests.machines.engine.solving import Bench


def orders(rows, seed=0):
    rng = random.Random(seed)
    for _ in range(rows):
        size, tags = rng.uniform(1, 9), rng.sample(["red", "blue", "green"], 2)
        yield {
            "order": json.dumps({"size": {"cm": round(size, 2)}, "tags": tags}),
            "price": str(round(size * 10 + rng.gauss(), 1)),
        }


def write(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    return load(write(tmp_path_factory.mktemp("json") / "orders.csv", [*orders(120)]), Wishes(("price",)), 10, 0)


@pytest.fixture(scope="module")
def onnx(loaded):
    quick = Parameters(epochs=2, shape=(16,))
    return fit(loaded.table, loaded.schema, level=1, deadline=1, seed=0, parameters=quick).onnx


@pytest.fixture
def bench(tmp_path, onnx):
    bench = Bench(tmp_path)
    bench.machine.write_bytes(onnx)
    return bench


def test_it_works(loaded):
    assert {column.name for column in loaded.schema.inputs} >= {"order_size_cm", "order_tags_items"}
    assert next(column.role for column in loaded.schema.columns if column.name == "order") is Role.IGNORED


def test_a_file_to_answer_has_the_column_itself(bench):
    rows = [{"order": row["order"]} for row in orders(5, seed=1)]
    done = bench.solve(write(bench.folder / "rows.csv", rows))
    assert done["kind"] == "done"
    answers = bench.answers()
    assert [*answers[0]] == ["order", "price", "price:low", "price:high"]
    assert [row["order"] for row in answers] == [row["order"] for row in rows]
    assert len({row["price"] for row in answers}) > 1


def test_a_row_over_rest_has_the_value_its_text_or_the_values_within(bench):
    predictor, _ = open_machine(bench.machine)
    value = {"size": {"cm": 4.5}, "tags": ["red", "blue"], "unknown": 1}
    flat = {"order_size_cm": 4.5, "order_tags_items": "red, blue"}
    sent = [{"order": value}, {"order": json.dumps(value)}, flat, {"order": {"size": {"cm": 9}}} | flat]
    read = read_rows(predictor.metadata, {"rows": sent})
    assert read.table["order_size_cm"].tolist() == [4.5] * 4
    assert len(set(read.table["order_tags_items"])) == 1 and not read.warnings
    broken = read_rows(predictor.metadata, {"rows": [{"order": "{"}]})
    assert "order" in broken.warnings[0]
