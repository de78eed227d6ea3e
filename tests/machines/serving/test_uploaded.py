"""An uploaded model behind named columns: what it is given is what was described, and what it says is never believed."""

import numpy as np
import onnxruntime as ort
import pytest

from machines.serving.description import from_columns, propose
from machines.serving.predictor import answers_to_columns, session_options
from machines.serving.signature import Signature, Tensor
from machines.serving.uploaded import UploadedPredictor, unusual
from tests.factories import linear_onnx

ONE = (Tensor("y", "float32", (1,)),)


def signature(*inputs, outputs=ONE):
    return Signature(tuple(inputs), tuple(outputs))


class Model:
    """Remembers what it was given, and says what it was told to say."""

    def __init__(self, *said):
        self.said = said
        self.fed = []

    def __call__(self, feed):
        self.fed.append(feed)
        return {name: np.asarray(values) for name, values in self.said}


def predictor(described, model, *inputs, **kwargs):
    return UploadedPredictor(from_columns(signature(*inputs, **kwargs), described), model)


THREE = signature(Tensor("x", "float32", (3,)))


def floats(*values):
    return np.array(values, dtype=np.float64)


def texts(*values):
    return np.array(values, dtype=object)


def test_it_works():
    session = ort.InferenceSession(linear_onnx(), session_options(), providers=["CPUExecutionProvider"])
    model = UploadedPredictor(propose(THREE), lambda feed: {"y": session.run(["y"], dict(feed))[0]})
    (answer,) = model.predict({"x1": floats(1, 0), "x2": floats(1, 0), "x3": floats(1, 0)})
    assert answer.name == "y" and answer.values.tolist() == [6.5, 0.5]
    assert answer.low is None and answer.high is None and not answer.probabilities
    assert answers_to_columns([answer]) == {"y": [6.5, 0.5]}


def test_columns_fill_their_places_scaled_coded_and_filled():
    model = Model(("y", [[0.0], [0.0]]))
    described = [
        {"name": "colour", "type": "choice", "labels": ["r", "g", "b"], "encoding": "one_hot"},
        {"name": "size", "offset": 10, "scale": 4},
        {"name": "sex", "type": "choice", "labels": ["f", "m"], "fill": "m"},
        {"name": "age", "fill": 40},
    ]
    table = {"colour": texts("g", "b"), "size": floats(14, 2), "sex": texts("f", ""), "age": floats(np.nan, 20)}
    predictor(described, model, Tensor("x", "float32", (2, 3))).predict(table)
    (fed,) = model.fed
    assert fed["x"].shape == (2, 2, 3) and fed["x"].dtype == np.float32
    assert fed["x"].reshape(2, 6).tolist() == [[0, 1, 0, 1, 0, 40], [0, 0, 1, -2, 1, 20]]


@pytest.mark.parametrize(
    ("dtype", "sent", "given"),
    [("int64", 2.6, 3), ("int32", 1e300, 2**31 - 1), ("uint8", -5.0, 0), ("bool", 2.0, True), ("float16", 0.5, 0.5)],
)
def test_whole_numbers_and_others_are_given_as_the_tensor_holds_them(dtype, sent, given):
    model = Model(("y", [[0.0]]))
    predictor(["a"], model, Tensor("x", dtype, ())).predict({"a": floats(sent)})
    assert model.fed[0]["x"].shape == (1,) and model.fed[0]["x"].dtype == np.dtype(dtype)
    assert model.fed[0]["x"].tolist() == [given]


def test_a_number_too_large_for_32_bits_breaks_nothing():
    model = Model(("y", [[np.nan]]))
    (answer,) = predictor(["a"], model, Tensor("x", "float32", (1,))).predict({"a": floats(1e300)})
    assert np.isnan(answer.values[0])


def test_several_tensors_are_fed_by_name():
    model = Model(("y", [[0.0]]))
    described = ["city", "size", {"name": "note", "type": "text"}]
    tensors = Tensor("a", "int64", (1,)), Tensor("b", "float32", ()), Tensor("c", "str", ())
    predictor(described, model, *tensors).predict({"city": floats(3), "size": floats(1.5), "note": texts("Hi")})
    assert {name: values.tolist() for name, values in model.fed[0].items()} == {"a": [[3]], "b": [1.5], "c": ["Hi"]}


def test_rows_that_miss_what_the_model_needs_have_no_answer():
    model = Model(("y", [[1.0], [3.0]]))
    described = ["a", {"name": "sex", "type": "choice", "labels": ["f", "m"]}]
    found = predictor(described, model, Tensor("x", "float32", (2,)))
    table = {"a": floats(1, np.nan, 3, 4), "sex": texts("f", "f", "m", "x")}
    (answer,) = found.predict(table)
    assert len(model.fed[0]["x"]) == 2, "the model is not asked about the others"
    assert answer.values[[0, 2]].tolist() == [1, 3] and np.isnan(answer.values[[1, 3]]).all()
    assert {name: lacks.tolist() for name, lacks in found.needed(table, 4).items()} == {
        "a": [False, True, False, False],
        "sex": [False, False, False, True],
    }


def test_without_a_single_whole_row_the_model_is_not_asked():
    model = Model()
    (answer,) = predictor(["a"], model, Tensor("x", "float32", (1,))).predict({"a": floats(np.nan, np.nan)})
    assert np.isnan(answer.values).all() and len(answer.values) == 2 and model.fed == []


def test_no_rows_no_answers():
    (answer,) = UploadedPredictor(propose(THREE, None, {"y": "Sigmoid"}), Model()).predict({"x1": floats()})
    assert answer.values.tolist() == [] and set(answer.probabilities) == {"0", "1"}


def test_many_rows_are_asked_in_pieces():
    found = UploadedPredictor(propose(THREE), lambda feed: {"y": feed["x"].sum(axis=1, keepdims=True)})
    rows = np.arange(5000, dtype=np.float64)
    (answer,) = found.predict({"x1": rows, "x2": rows, "x3": rows})
    assert answer.values.tolist() == (3 * rows).tolist()


def read(kind, values, width=1, **words):
    """What becomes of an output [rows, width] that means this."""
    shape = Tensor("y", "str" if kind == "text" else "float32", (width,))
    described = {"inputs": ["a"], "outputs": [{"name": "out", "kind": kind} | words]}
    found = predictor(described, Model(("y", values)), Tensor("x", "float32", (1,)), outputs=(shape,))
    (answer,) = found.predict({"a": floats(*[1.0] * len(values))})
    return answer


AB, ABC = ["a", "b"], ["a", "b", "c"]


def test_numbers_are_scaled_back():
    assert read("number", [[2.0]], offset=100, scale=10).values.tolist() == [120]


@pytest.mark.parametrize(
    ("kind", "values", "label", "chance"),
    [
        ("chance", [[0.25]], "a", 0.25),
        ("logit", [[0.0]], "a", 0.5),
        ("logit", [[1e9]], "b", 1),
        ("logit", [[-1e9]], "a", 0),
    ],
)
def test_one_number_is_the_chance_of_the_second_label(kind, values, label, chance):
    answer = read(kind, values, labels=AB)
    assert answer.values.tolist() == [label]
    assert {name: values[0] for name, values in answer.probabilities.items()} == {"a": 1 - chance, "b": chance}


@pytest.mark.parametrize("values", [[[0.1, 0.7, 0.2]], np.log([[0.1, 0.7, 0.2]]) + 5])
def test_one_number_for_each_label(values):
    answer = read("chances" if np.sum(values) < 2 else "logits", values, 3, labels=ABC)
    assert answer.values.tolist() == ["b"]
    assert [chance[0] for chance in answer.probabilities.values()] == pytest.approx([0.1, 0.7, 0.2])


def test_the_number_of_a_label():
    assert read("index", [[1], [3], [-1], [0.5], [np.nan], [1e300]], labels=ABC).values.tolist() == ["b", *[""] * 5]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_no_answer(bad):
    assert np.isnan(read("number", [[bad]]).values[0])
    for kind, width in (("chance", 1), ("chances", 3), ("logits", 3)):
        answer = read(kind, [[bad] * width], width, labels=AB if width == 1 else ABC)
        assert answer.values.tolist() == [""] and all(np.isnan(chance[0]) for chance in answer.probabilities.values())


def test_no_chance_lies_outside_0_to_1():
    assert read("chance", [[1.004]], labels=AB).probabilities["b"].tolist() == [1.0]
    for far in (37.0, -0.5, 1e300):
        answer = read("chance", [[far]], labels=AB)
        assert answer.values.tolist() == [""] and np.isnan(answer.probabilities["b"]).all()


def test_chances_that_do_not_add_up_are_shown_as_they_are_and_said():
    answer = read("chances", [[0.9, 0.8, 0.1], [0.2, 0.2, 0.6]], 3, labels=ABC)
    assert answer.probabilities["b"].tolist() == [0.8, 0.2]
    (notice,) = unusual([answer])
    assert "do not add up to 100 % (rows: 1)" in str(notice)


def test_answers_that_are_none_are_said():
    assert "no usable answer for “out” (rows: 2)" in str(unusual([read("number", [[np.nan], [1], [np.inf]])])[0])
    assert unusual([read("number", [[1.0]])]) == []


def test_texts_are_cut_and_kept_as_text():
    answer = read("text", np.array([["<b>" + "x" * 5000], ["a\0b"]], dtype=object))
    assert len(answer.values[0]) == 200 and answer.values[0].startswith("<b>")
    assert answer.values[1] == "ab" and not answer.probabilities
