"""Bare tensors over REST: several inputs and outputs, whole numbers, text, single values; and hostile answers."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from machines.forms.rows import RowsError
from machines.forms.tensors import answer_of, read_tensors
from machines.serving.signature import Signature
from models import Machine
from tests.api.conftest import error_of
from tests.factories import make_version

TYPES = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64, "str": TensorProto.STRING, "bool": TensorProto.BOOL}
Tensors = dict[str, tuple[str, list[int | None]]]


def signature_of(inputs: Tensors, outputs: Tensors) -> dict[str, Any]:
    told = {"inputs": inputs, "outputs": outputs}
    tensors = {k: [{"name": n, "dtype": d, "shape": s} for n, (d, s) in v.items()] for k, v in told.items()}
    return tensors | {"batch": None}


@pytest.fixture
def model_of(alice) -> Callable[..., Machine]:
    """Return a model of these inputs, nodes and outputs."""

    def make(inputs: Tensors, outputs: Tensors, *nodes: Any) -> Machine:
        def infos(tensors: Tensors) -> list[Any]:
            return [
                helper.make_tensor_value_info(n, TYPES[d], ["rows", *(size or f"any {n}" for size in s)])
                for n, (d, s) in tensors.items()
            ]

        graph = helper.make_graph(list(nodes), "graph", infos(inputs), infos(outputs))
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        signature = signature_of(inputs, outputs)
        return make_version(owner=alice, onnx=made.SerializeToString(), signature=signature).machine

    return make


def node(kind: str, inputs: str, outputs: str, **about: Any) -> Any:
    return helper.make_node(kind, inputs.split(), outputs.split(), **about)


def predict(program, model, data):
    return program.post(f"models/{model.pk}/predict/", json.dumps({"input_data": data}).encode())


@pytest.fixture
def two(model_of) -> Machine:
    """Of a and b their sum and their difference."""
    pair: Tensors = {"a": ("float32", [2]), "b": ("float32", [2])}
    out: Tensors = {"sum": ("float32", [2]), "less": ("float32", [2])}
    return model_of(pair, out, node("Add", "a b", "sum"), node("Sub", "a b", "less"))


def test_it_works(program, two):
    one = predict(program, two, {"a": [1, 2], "b": [3, 5]})
    assert one.json() == {"prediction": {"sum": [4, 7], "less": [-2, -3]}}
    many = predict(program, two, {"a": [[1, 2], [0, 0]], "b": [[3, 5], [1, 1]]})
    wanted = [{"sum": [4, 7], "less": [-2, -3]}, {"sum": [1, 1], "less": [-1, -1]}]
    assert many.json() == {"prediction": wanted}
    assert predict(program, two, [{"a": [1, 2], "b": [3, 5]}, {"a": [0, 0], "b": [1, 1]}]).json() == many.json()


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ([1, 2], "This model has several inputs. Send an object with a list for each of “a”, “b”."),
        ({"a": [1, 2]}, "“b” is missing. It takes “a”, “b”."),
        (
            {"a": [[1, 2], [1, 2]], "b": [[1, 2]]},
            "Send the same number of rows for each input. These came: “a” 2, “b” 1.",
        ),
        ({"a": [1, 2], "b": [[1, 2]]}, "Send the same number of rows for each input. These came: “a” 1, “b” 1."),
        ({"a": [1, 2], "b": [1]}, "“b” takes float32 of shape [2] for each row; found: [1]."),
    ],
)
def test_what_does_not_fit_is_named(program, two, sent, why):
    response = predict(program, two, sent)
    assert response.status_code == 422 and error_of(response)["message"] == why


def test_whole_numbers(program, model_of):
    model = model_of({"n": ("int64", [1])}, {"m": ("int64", [1])}, node("Add", "n n", "m"))
    assert predict(program, model, [2**40]).json() == {"prediction": [2**41]}
    for wrong in (1.5, True, "1", 2**70):
        assert predict(program, model, [wrong]).status_code == 422, wrong


def test_text_and_truth(program, model_of):
    text = model_of({"t": ("str", [2])}, {"same": ("str", [2])}, node("Identity", "t", "same"))
    assert predict(program, text, ["ä", "<b>"]).json() == {"prediction": ["ä", "<b>"]}
    assert predict(program, text, ["a", 1]).status_code == 422
    assert predict(program, text, ["a", "x" * 10_001]).status_code == 422
    truth = model_of({"t": ("bool", [1])}, {"not": ("bool", [1])}, node("Not", "t", "not"))
    assert predict(program, truth, [[True], [False]]).json() == {"prediction": [[False], [True]]}
    assert predict(program, truth, [1]).status_code == 422


def test_single_values_and_pictures(program, model_of):
    single = model_of({"v": ("float32", [])}, {"w": ("float32", [])}, node("Add", "v v", "w"))
    assert predict(program, single, [1, 2, 3]).json() == {"prediction": [2, 4, 6]}
    picture = model_of({"p": ("float32", [2, 2])}, {"q": ("float32", [2, 2])}, node("Neg", "p", "q"))
    assert predict(program, picture, [[1, 2], [3, 4]]).json() == {"prediction": [[-1, -2], [-3, -4]]}
    assert predict(program, picture, [[[1, 2], [3, 4]]]).json() == {"prediction": [[[-1, -2], [-3, -4]]]}


def test_any_length(program, model_of):
    model = model_of({"s": ("float32", [None])}, {"r": ("float32", [None])}, node("Neg", "s", "r"))
    for length in (1, 7):
        assert predict(program, model, [1] * length).json() == {"prediction": [-1] * length}


def test_what_is_no_number_becomes_null(program, model_of):
    model = model_of({"x": ("float32", [2])}, {"y": ("float32", [2])}, node("Div", "x x", "y"))
    told = predict(program, model, [0, 2]).json()
    assert told["prediction"] == [None, 1]
    assert told["warnings"] == ["“y” holds values that are no numbers (1); they are given as null."]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "uint8", "int32", "bool"])
def test_every_kind_of_answer_can_be_written(dtype):
    from api.formats import JsonRenderer

    array = np.ones((3, 2), dtype=dtype)[:, ::2]  # not contiguous
    assert JsonRenderer().render(answer_of({"y": array}, is_row=False))


def test_labels_of_odd_widths_fit():
    signature = Signature.from_json(signature_of({"x": ("float32", [0])}, {"y": ("float32", [1])}))
    feed, is_row = read_tensors(signature, {"input_data": [[], []]})
    assert feed["x"].shape == (2, 0) and not is_row


@pytest.mark.parametrize("deep", [60, 500])
def test_lists_in_lists_without_end(program, two, deep):
    for sent in ({"a": 1, "b": 1}, [1]):
        value: Any = sent
        for _ in range(deep):
            value = [value]
        response = predict(program, two, {"a": value, "b": value})
        assert response.status_code == 422 and error_of(response)


def test_ten_thousand_rows_are_read_at_once():
    """No step for each number: this many values take less than a second on any computer."""
    signature = Signature.from_json(signature_of({"x": ("float32", [100])}, {"y": ("float32", [1])}))
    feed, _is_row = read_tensors(signature, {"input_data": [[0.5] * 100] * 10_000})
    assert feed["x"].shape == (10_000, 100) and feed["x"].dtype == np.float32
    with pytest.raises(RowsError, match="row 10000"):
        read_tensors(signature, {"input_data": [[0.5] * 100] * 9_999 + [[0.5] * 99]})
