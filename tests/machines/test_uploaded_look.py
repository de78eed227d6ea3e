"""The pages of uploaded models in a real browser: no accessibility violation, no sideways scrolling."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.live_server_helper import LiveServer

from machines.serving import description
from machines.serving.signature import Signature
from models import User
from models.model_version import Framework, ModelFormat, VersionState
from tests.dashboards.test_look import SIZES, look
from tests.factories import make_version

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("files_as_they_lie"),
]

REPORT = {
    "seconds": 3.2,
    "opset": 20,
    "operators": {"MatMul": 3, "Add": 3, "Relu": 2, "Sigmoid": 1},
    "parameters": 17_921,
    "onnx_sha256": "0" * 64,
    "onnx_bytes": 73_000,
    "parity": {"batches": [3, 7], "worst": 6.1e-8},
    "why_native": None,
    "varies": False,
    "scanner": [],
    "notices": [],
    "is_locked": True,
}
SIGNATURE = {
    "inputs": [{"name": "measurements", "dtype": "float32", "shape": [8]}],
    "outputs": [{"name": "risk", "dtype": "float32", "shape": [1]}],
    "batch": None,
}
NAMES = ("Pregnancies", "Glucose", "BloodPressure", "SkinThickness", "Insulin", "BMI", "Pedigree", "Age")
INPUTS = [{"name": name, "low": 0, "high": 200, "unit": "mg/dl" if name == "Glucose" else ""} for name in NAMES]
OUTPUTS = [{"name": "Diabetes", "kind": "chance", "labels": ["no", "yes"]}]


def diabetes(alice: User, **kwargs: Any) -> Any:
    about = {
        "framework": Framework.TENSORFLOW, "format": ModelFormat.KERAS, "file_name": "diabetes.keras", "report": REPORT,
        "signature": SIGNATURE,
        "description": description.from_columns(Signature.from_json(SIGNATURE), {"inputs": INPUTS, "outputs": OUTPUTS}),
    }  # fmt: skip
    return make_version(owner=alice, machine_name="Diabetes risk", **about | kwargs)


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_models(
    chromium: Any, live_server: LiveServer, alice: User, alice_client: Client, width: int, scheme: str
) -> None:
    def at(name: str, *args: int) -> str:
        return live_server.url + reverse(f"uploaded:{name}", args=args)

    assert look(chromium, at("list"), alice_client, "models-empty", width, scheme) == []
    assert look(chromium, at("new"), alice_client, "models-new", width, scheme) == []
    model = diabetes(alice).machine
    make_version(
        model,
        state=VersionState.REFUSED,
        file_name="diabetes.pkl",
        notice={
            "template": "This is a whole module saved by pickle. Opening it would run its program. Save it as TorchScript: "
            'torch.jit.trace(model, example).save("model.pt")',
            "values": {},
            "weight": "warning",
        },
    )
    assert look(chromium, at("list"), alice_client, "models", width, scheme) == []
    assert look(chromium, at("detail", model.pk), alice_client, "model", width, scheme) == []
    assert look(chromium, at("inputs", model.pk), alice_client, "model-inputs", width, scheme) == []
    assert look(chromium, at("replace", model.pk), alice_client, "model-replace", width, scheme) == []
