"""What an owner says of a model's tensors: proposed sensibly, read strictly, and kept only where it fits."""

import json

import pytest

from machines.engine.errors import DataError
from machines.engine.schema import Schema
from machines.serving.description import check, fits, from_columns, is_of_tensors, propose
from machines.serving.signature import Signature, Tensor

EIGHT = Signature((Tensor("dense_input", "float32", (8,)),), (Tensor("out", "float32", (1,)),))
NAMES = ["Pregnancies", "Glucose", "BloodPressure", "SkinThickness", "Insulin", "BMI", "Pedigree", "Age"]
SIGMOID = {"out": "Sigmoid"}


def one(dtype="float32", shape=(1,), outputs=None):
    return Signature((Tensor("x", dtype, shape),), outputs or (Tensor("y", "float32", (1,)),))


def test_it_works():
    found = propose(EIGHT, None, SIGMOID)
    assert found["has_form"] and found["is_uploaded"]
    assert [item["name"] for item in found["inputs"]] == [f"x{number}" for number in range(1, 9)]
    assert all(item["required"] and item["type"] == "FLOAT" for item in found["inputs"])
    (output,) = found["outputs"]
    assert (output["name"], output["classes"], output["interval"]) == ("y", ["0", "1"], False)
    assert [column.name for column in Schema.from_json(found["columns"]).outputs] == ["y"]
    assert json.loads(json.dumps(found)) == found


def test_a_number_is_proposed_where_nothing_tells_of_chances():
    assert propose(EIGHT)["reads"][0]["kind"] == "number"


def test_softmax_means_the_chances_of_as_many_labels():
    signature = one(outputs=(Tensor("y", "float32", (3,)),))
    (read,) = propose(signature, None, {"y": "Softmax"})["reads"]
    assert (read["kind"], read["labels"], read["width"]) == ("chances", ["0", "1", "2"], 3)
    assert [read["name"] for read in propose(signature)["reads"]] == ["y1", "y2", "y3"]


def test_several_tensors_keep_their_names():
    inputs = (Tensor("city", "int64", (1,)), Tensor("sizes", "float32", (2,)), Tensor("a:0/b", "str", ()))
    found = propose(Signature(inputs, (Tensor("y", "str", ()),)))
    assert [(item["name"], item["type"]) for item in found["inputs"]] == [
        ("city", "FLOAT"), ("sizes1", "FLOAT"), ("sizes2", "FLOAT"), ("x3_", "LANGUAGE"),
    ]  # fmt: skip
    assert found["inputs"][0]["whole"] and not found["inputs"][1]["whole"]
    assert found["reads"][0]["kind"] == "text"


@pytest.mark.parametrize("shape", [(28, 28), (None,), (None, 3), (201,)])
def test_pictures_and_sequences_have_no_form(shape):
    found = propose(one(shape=shape))
    assert not found["has_form"] and found["inputs"] == found["columns"] == []
    with pytest.raises(DataError, match="more values than a form"):
        from_columns(one(shape=shape), ["a"])
    check(found, one(shape=shape))


def sample(**more):
    return {name: ["1", "5", "3.5"] for name in NAMES} | more


def test_a_sample_names_what_goes_in_and_comes_out():
    found = propose(EIGHT, sample(Outcome=["ill", "well", "ill"]), SIGMOID)
    assert [item["name"] for item in found["inputs"]] == NAMES
    assert (found["inputs"][0]["low"], found["inputs"][0]["high"]) == (1, 5)
    assert (found["outputs"][0]["name"], found["outputs"][0]["classes"]) == ("Outcome", ["ill", "well"])


def test_texts_of_a_sample_are_choices_by_number_or_one_by_one():
    cells = {"colour": ["red", "green", "blue", ""], **{name: ["1"] for name in NAMES[:7]}}
    by_number = propose(EIGHT, cells)
    assert by_number["inputs"][0]["labels"] == ["blue", "green", "red"]
    assert by_number["feeds"][0]["parts"][0]["encoding"] == "index"
    one_by_one = propose(one(shape=(10,)), cells)
    assert [part["width"] for part in one_by_one["feeds"][0]["parts"]][:2] == [3, 1]


@pytest.mark.parametrize("cells", [{}, {"a": ["1"]}, {"a\0": ["1"]}, {name: [] for name in "abc"}])
def test_a_sample_that_does_not_fit_is_left_alone(cells):
    assert propose(EIGHT, cells)["inputs"][0]["name"] == "x1"


def test_what_the_owner_says_becomes_the_form():
    said = [
        {"name": "Sex", "type": "choice", "labels": ["f", "m"], "fill": "f"},
        {"name": "BMI", "unit": "kg/m²", "low": 10, "high": 60, "offset": 32, "scale": 8, "description": "Body mass"},
    ]
    found = from_columns(
        one(shape=(2,)), {"inputs": said, "outputs": [{"name": "Risk", "kind": "logit", "labels": [0, 1]}]}
    )
    sex, bmi = found["inputs"]
    assert (sex["type"], sex["labels"], sex["required"]) == ("LABEL", ["f", "m"], False)
    assert (bmi["unit"], bmi["low"], bmi["high"], bmi["description"]) == ("kg/m²", 10, 60, "Body mass")
    assert found["outputs"][0]["classes"] == ["0", "1"]
    assert from_columns(one(shape=(2,)), found["words"]) == found


def test_names_alone_are_enough():
    assert [item["name"] for item in from_columns(EIGHT, NAMES)["inputs"]] == NAMES
    assert from_columns(EIGHT, {"inputs": NAMES})["outputs"][0]["name"] == "y"


WRONG = [
    (NAMES[:7], "Age|Pedigree.*last|takes 8"),
    ([*NAMES, "One"], "“One” would be one too many"),
    ([*NAMES[:7], "bmi"], "“bmi” stands there twice"),
    ([*NAMES[:7], ""], "number 8 has no name"),
    ([*NAMES[:7], 5], "as an object"),
    ([*NAMES[:7], {"name": "A\0"}], "must be text"),
    ([*NAMES[:7], {"name": "A", "colour": 1}], "“colour” is not known"),
    ([*NAMES[:7], {"name": "A", "low": "x"}], "“low” must be a number"),
    ([*NAMES[:7], {"name": "A", "low": True}], "“low” must be a number"),
    ([*NAMES[:7], {"name": "A", "low": float("inf")}], "“low” must be a number"),
    ([*NAMES[:7], {"name": "A", "low": 10**400}], "“low” must be a number"),
    ([*NAMES[:7], {"name": "A", "low": 2, "high": 1}], "lies above"),
    ([*NAMES[:7], {"name": "A", "scale": 0}], "scale cannot be 0"),
    ([*NAMES[:7], {"name": "A", "type": "picture"}], "“picture” is not known"),
    ([*NAMES[:7], {"name": "A", "type": "text"}], "“A”: the model takes text here, or numbers"),
    ([*NAMES[:7], {"name": "A", "type": "choice", "labels": ["a"]}], "at least two labels"),
    ([*NAMES[:7], {"name": "A", "type": "choice", "labels": ["a", "a"]}], "different texts"),
    ([*NAMES[:7], {"name": "A", "type": "choice", "labels": "ab"}], "as a list"),
    ([*NAMES[:7], {"name": "A", "type": "choice", "labels": ["a", "b"], "fill": "c"}], "must be one of its labels"),
    ([*NAMES[:7], {"name": "A", "type": "choice", "labels": ["a", "b"], "encoding": "one_hot"}], "one too many"),
    ("Glucose", "as a list"),
    ({"outputs": []}, "as a list"),
    ({"inputs": NAMES, "outputs": ["y", "z"]}, "“z” would be one too many"),
    ({"inputs": NAMES, "outputs": [{"name": "Age"}]}, "“Age” stands there twice"),
    ({"inputs": NAMES, "outputs": [{"name": "y", "kind": "text"}]}, "takes text here, or numbers"),
    ({"inputs": NAMES, "outputs": [{"name": "y", "kind": "chance", "labels": ["a", "b", "c"]}]}, "two labels"),
]


@pytest.mark.parametrize(("said", "words"), WRONG)
def test_what_does_not_fit_is_refused_by_name(said, words):
    with pytest.raises(DataError, match=words):
        from_columns(EIGHT, said)


def test_nothing_is_cut_in_two_by_the_end_of_a_tensor():
    two = Signature((Tensor("a", "float32", (2,)), Tensor("b", "float32", (2,))), (Tensor("y", "float32", (1,)),))
    wide = {"name": "Colour", "type": "choice", "labels": ["r", "g"], "encoding": "one_hot"}
    assert from_columns(two, [wide, "x", "y2"])
    with pytest.raises(DataError, match="“Colour” would fill the end of one tensor"):
        from_columns(two, ["x", wide, "y2"])


def test_a_description_holds_for_another_version_only_where_it_fits():
    found = from_columns(EIGHT, NAMES)
    assert fits(found, Signature((Tensor("other", "float32", (4, 2)),), EIGHT.outputs))
    assert not fits(found, one())
    assert not fits(found, one(shape=(28, 28)))
    assert not fits(propose(one(shape=(28, 28))), EIGHT)


def test_shapes_for_a_file_without_any_are_no_description():
    assert is_of_tensors([{"name": "x", "shape": [8]}])
    assert not is_of_tensors(NAMES) and not is_of_tensors(None) and not is_of_tensors({"inputs": []})
