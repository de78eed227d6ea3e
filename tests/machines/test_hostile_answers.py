"""Kind 28 of the hostile files: models that pass their check and show only then what they are. None is a fault of the site.

Each is a real file and passes the real check, since it behaves until a value is above 1000, which no random row is. That a
model which remembers shows nobody the row of another is promised in test_uploaded_model.py.
"""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from machines.serving.locked.runner import Runner
from models import Machine
from tests.api.conftest import error_of, make_key
from tests.conftest import signed_in
from tests.machines.neighbour import answers_meanwhile
from tests.machines.uploaded import checked, upload
from tests.machines.views.pages import HTMX, page, url

pytestmark = pytest.mark.django_db

node, info = helper.make_node, helper.make_tensor_value_info
GOOD, BAD = 1.0, 2000.0
NOT_PROMISED = "The model answered something else than its file promised, so the answer is not shown."
STOPPED = "The model took too long to answer and was stopped."
MEMORY = "The model needed more memory than it may use and was stopped."


def weight(name, value):
    value = np.array(value)
    return numpy_helper.from_array(value.astype(np.float32) if value.dtype == float else value, name)


def model(*nodes, kind=TensorProto.FLOAT, **weights):
    """`x` [rows, 1] -> `y`. `bad`: whether any value is above 1000; `times`: 1 or 0 accordingly."""
    start = [
        node("ReduceMax", ["x"], ["most"], keepdims=0),
        node("Greater", ["most", "limit"], ["bad"]),
        node("Cast", ["bad"], ["times"], to=TensorProto.INT64),
    ]
    given, made = info("x", TensorProto.FLOAT, ["rows", 1]), info("y", kind, None)
    tensors = [weight(name, value) for name, value in {"limit": 1000.0, **weights}.items()]
    graph = helper.make_graph([*start, *nodes], "hostile", [given], [made], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def instead(value):
    return model(node("Where", ["bad", "other", "x"], ["y"]), other=value)


def label(text):
    """One of two texts for each row."""
    nodes = [
        node("Shape", ["x"], ["size"]),
        node("Expand", ["times", "size"], ["which"]),
        node("Gather", ["labels", "which"], ["y"]),
    ]
    return model(*nodes, kind=TensorProto.STRING, labels=np.array(["fine", text], dtype=object))


def fewer_rows():
    nodes = [node("LessOrEqual", ["x", "limit"], ["few"]), node("Reshape", ["few", "all"], ["kept"])]
    return model(*nodes, node("Compress", ["x", "kept"], ["y"], axis=0), all=np.array([-1]))


def wider_rows():
    nodes = [node("Mul", ["times", "wide"], ["more"]), node("Add", ["more", "one"], ["size"])]
    return model(*nodes, node("Tile", ["x", "size"], ["y"]), wide=np.array([0, 6]), one=np.array([1, 1]))


def endless():
    body = helper.make_graph(
        [node("Identity", ["go"], ["on"]), node("Sin", ["v"], ["w"])],
        "body",
        [info("i", TensorProto.INT64, []), info("go", TensorProto.BOOL, []), info("v", TensorProto.FLOAT, None)],
        [info("on", TensorProto.BOOL, []), info("w", TensorProto.FLOAT, None)],
    )
    turns = node("Mul", ["times", "many"], ["turns"])
    return model(turns, node("Loop", ["turns", "", "x"], ["y"], body=body), many=np.array(10**12))


def too_much():
    nodes = [
        node("Mul", ["times", "many"], ["more"]),
        node("ConstantOfShape", ["more"], ["nothing"]),
        node("ReduceSum", ["nothing"], ["sum"], keepdims=0),
    ]
    return model(*nodes, node("Add", ["x", "sum"], ["y"]), many=np.array([4 * 10**12]))


REFUSED = {
    "long_text": (lambda: label("x" * 10_000_000), NOT_PROMISED),
    "fewer_rows": (fewer_rows, NOT_PROMISED),
    "wider_rows": (wider_rows, NOT_PROMISED),
    "endless": (endless, STOPPED),
    "too_much": (too_much, MEMORY),
}


class Asked:
    """A model asked in every way there is: by form, by columns and by tensors."""

    def __init__(self, user, content):
        version = checked(upload(user, content))
        assert version.state == "ready", version.notice
        self.machine = Machine.objects.select_related("enc_dec_configuration").get(pk=version.machine_id)
        self.browser, self.program, self.pk = signed_in(user), make_key(user), version.machine_id

    def form(self, value, **more):
        return self.browser.post(url("predict", self.pk), {"c0": str(value)}, **more)

    def columns(self, value):
        return self.program.post(f"machines/{self.pk}/predict/", {"rows": [{"x1": value}]})

    def tensors(self, value):
        return self.program.post(f"models/{self.pk}/predict/", {"input_data": [value]})


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    """One second in place of ten: it is waited for four times."""
    monkeypatch.setitem(Runner.call.__kwdefaults__, "seconds", 1.0)


def test_it_works(point):
    """As long as it behaves it is a model like others."""
    asked = Asked(point, instead(np.nan))
    assert asked.tensors(GOOD).json() == {"prediction": [1.0]}
    assert asked.columns(GOOD).json() == {"predictions": [{"y": 1.0}], "warnings": []}
    assert "This model tells no range" in page(asked.form(GOOD)).text


@pytest.mark.parametrize("name", REFUSED)
def test_what_it_does_is_said_and_others_answer_meanwhile(point, name):
    make, told = REFUSED[name]
    asked = Asked(point, make())
    with answers_meanwhile():
        for response in (asked.tensors(BAD), asked.columns(BAD)):
            assert (response.status_code, error_of(response)["message"]) == (422, told)
        for headers in ({}, HTMX):
            response = asked.form(BAD, headers=headers)
            assert response.status_code == 422 and told in page(response).text
            assert page(response).one("input", name="c0")["value"] == str(BAD), "what was typed is kept"
    assert asked.tensors(GOOD).status_code == 200, "asked well, it answers again"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_none(point, value):
    asked = Asked(point, instead(value))
    with answers_meanwhile():
        bare, named, shown = asked.tensors(BAD), asked.columns(BAD), asked.form(BAD)
    assert bare.json()["prediction"] == [None] and "no numbers" in bare.json()["warnings"][0]
    assert named.json()["predictions"] == [{"y": None}] and "no usable answer" in named.json()["warnings"][0]
    assert shown.status_code == 200 and "The model gave no usable answer" in page(shown).text


def test_markup_is_text(point):
    asked, evil = Asked(point, label("<script>alert(1)</script>")), "<script>alert(1)</script>"
    with answers_meanwhile():
        bare, named, shown = asked.tensors(BAD), asked.columns(BAD), asked.form(BAD)
    assert bare.json() == {"prediction": [evil]} and bare["X-Content-Type-Options"] == "nosniff"
    assert named.json()["predictions"] == [{"y": evil}] and named["Content-Type"].startswith("application/json")
    assert "<script>alert" not in shown.content.decode() and evil in page(shown).text


def test_one_that_changes_its_answer_is_told_to_its_owner(point):
    noise = model(node("RandomNormalLike", ["x"], ["noise"]), node("Add", ["x", "noise"], ["y"]))
    asked = Asked(point, noise)
    with answers_meanwhile():
        answers = [asked.tensors(GOOD).json()["prediction"][0] for _ in range(2)]
        assert answers[0] != answers[1] and asked.columns(GOOD).status_code == asked.form(GOOD).status_code == 200
    shown = page(asked.browser.get(f"/models/{asked.pk}/"))
    assert "It does not always give the same answer to the same row." in shown.text
