"""The promise of docs: one file that bare ONNX Runtime runs, with names and shapes as written down."""

import json
import os
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from machines.engine.schema import Schema
from tests.machines.engine.tables import COLUMNS, make_table, strange_rows

OUTPUTS = ["price", "price:low", "price:high", "kind", "kind:Large, “grand”", "kind:small"]


@pytest.fixture(scope="module")
def bare(mixed):
    return ort.InferenceSession(mixed.onnx, providers=["CPUExecutionProvider"])


def feed(table):
    return {c.name: table[c.name].reshape(-1, 1) for c in COLUMNS}


def test_it_works(bare):
    answers = dict(zip(OUTPUTS, bare.run(OUTPUTS, feed(make_table(50, 7)[0])), strict=True))
    assert all(values.shape == (50, 1) for values in answers.values())
    assert set(answers["kind"].ravel()) <= {"Large, “grand”", "small"}
    assert np.allclose(answers["kind:small"] + answers["kind:Large, “grand”"], 1, atol=1e-5)
    assert (answers["price:low"] <= answers["price"]).all() and (answers["price"] <= answers["price:high"]).all()


def test_names_types_and_shapes(bare):
    assert [(i.name, i.type, i.shape[1]) for i in bare.get_inputs()] == [
        (c.name, "tensor(double)" if c.type.is_numeric else "tensor(string)", 1) for c in COLUMNS
    ]
    assert sorted(o.name for o in bare.get_outputs()) == sorted(OUTPUTS)


def test_the_checker_agrees(mixed):
    model = onnx.load_from_string(mixed.onnx)
    onnx.checker.check_model(model, full_check=True)
    assert {opset.domain for opset in model.opset_import} == {"", "ai.onnx.ml", "com.microsoft"}
    own = {node.op_type for node in model.graph.node if node.domain == "com.microsoft"}
    assert own == {"Tokenizer"}  # ONNX Runtime's own: the standard knows no characters


def test_any_cell_gets_an_answer(bare):
    for values in bare.run(None, feed(strange_rows())):
        assert values.dtype == object or np.isfinite(values).all()


def test_one_row_at_a_time_gives_the_same(bare):
    table = make_table(20, 3)[0]
    together = bare.run(["price"], feed(table))[0]
    alone = [bare.run(["price"], {k: v[i : i + 1] for k, v in feed(table).items()})[0][0] for i in range(20)]
    assert np.allclose(together, alone, rtol=1e-5)


def test_metadata_tells_a_form_what_it_needs(mixed):
    text = ort.InferenceSession(mixed.onnx).get_modelmeta().custom_metadata_map["easyautoml"]
    data = json.loads(text)
    assert data["version"] == 1 and data["seed"] == 0 and data["level"] == 1 and data["rows"] == 300
    assert Schema.from_json(data["columns"]).inputs == COLUMNS
    inputs = {item["name"]: item for item in data["inputs"]}
    assert inputs["size"]["low"] < inputs["size"]["median"] < inputs["size"]["high"]
    assert inputs["city"]["labels"] == ["Aarhus", "Ærø", "Łódź", "東京"]
    assert 0 < inputs["note"]["missing"] < 0.2
    assert max(inputs.values(), key=lambda item: item["importance"])["name"] == "size"
    price, kind = data["outputs"]
    assert price["task"] == "number" and price["low"] < price["mean"] < price["high"]
    assert kind["task"] == "binary" and sum(kind["rates"]) == pytest.approx(1)
    assert set(data["libraries"]) >= {"torch", "onnx", "numpy"} and data["created_at"].endswith("+00:00")


def test_the_locale_of_the_system_does_not_matter(mixed, tmp_path):
    file = tmp_path / "m.onnx"
    file.write_bytes(mixed.onnx)
    code = """
import sys, numpy as np, onnxruntime as ort
s = ort.InferenceSession(sys.argv[1])
feed = {i.name: np.array([["ÆRØ Good!"]], dtype=object) if "string" in i.type else np.array([[1.0]]) for i in s.get_inputs()}
print(repr(float(s.run(["price"], feed)[0][0, 0])))
"""
    answers = {
        subprocess.run(
            [sys.executable, "-c", code, file],
            env=os.environ | {"LC_ALL": name},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for name in ("C", "C.UTF-8", "tr_TR.UTF-8")
    }
    assert len(answers) == 1
