"""Uploads that a real worker checks in its locked process, over a real connection."""

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from onnx import TensorProto, helper
from pytest_django.live_server_helper import LiveServer

from machines.api import uploads
from models import IdempotentCall, Machine, ModelVersion, Work
from tests.api.conftest import make_key
from tests.factories import linear_onnx, make_version
from tests.machines.jobs.workers import Fleet, database_url


class SeedClient:
    """A client as one writes it for the seed's map, in plain Python, and the header with the key."""

    def __init__(self, site: str, key: str) -> None:
        self.site, self.key = site, key

    def call(self, path: str, body: bytes | None = None, kind: str = "application/json", **headers: str) -> Any:
        given = {"Authorization": f"Bearer {self.key}", "Content-Type": kind} | headers
        try:
            request = Request(f"{self.site}/api/models/{path}", body, given)  # noqa: S310  (the live server)
            with urlopen(request, timeout=60) as response:  # noqa: S310  (the live server)
                return response.status, json.loads(response.read())
        except HTTPError as error:
            return error.code, json.loads(error.read())

    def upload(self, path: str = "upload/", *, file: bytes, file_name: str = "model.onnx", **fields: str) -> Any:
        line = uuid.uuid4().hex
        parts = [
            f'--{line}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
        ]
        head = f'--{line}\r\nContent-Disposition: form-data; name="file"; filename="{file_name}"\r\n'
        parts.append(f"{head}Content-Type: application/octet-stream\r\n\r\n".encode() + file)
        body = b"".join([*parts, f"\r\n--{line}--\r\n".encode()])
        return self.call(path, body, f"multipart/form-data; boundary={line}")

    def predict(self, pk: int, data: Any) -> Any:
        return self.call(f"{pk}/predict/", json.dumps({"input_data": data}).encode())


@pytest.fixture
def client_of_alice(alice, live_server: LiveServer) -> SeedClient:
    return SeedClient(live_server.url, make_key(alice).secret)


@pytest.fixture
def worker(transactional_db: None) -> Iterator[Fleet]:
    fleet = Fleet(database_url(), lease=20, pace={})
    fleet.start()
    yield fleet
    fleet.end()


def hostile_onnx() -> bytes:
    """A graph with an operator that is none of the standard's: it looks right until it is opened."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", 3]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Evil", ["x"], ["y"], domain="org.evil")], "graph", [x], [y])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("org.evil", 1)]
    content: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()
    return content


def test_it_works(client_of_alice, worker):
    """The seed's map, call by call: upload, list, details, predict."""
    status, told = client_of_alice.upload(name="model1", framework="onnx", file=linear_onnx())
    assert (status, told) == (201, {"id": told["id"], "status": "uploaded"})
    assert client_of_alice.call("")[1] == [{"id": told["id"], "name": "model1", "framework": "onnx"}]
    details = client_of_alice.call(f"{told['id']}/")[1]
    assert {"id": told["id"], "name": "model1", "framework": "onnx"}.items() <= details.items()
    assert client_of_alice.predict(told["id"], [1, 2, 3]) == (200, {"prediction": [14.5]})


def test_what_the_check_refuses_leaves_nothing(client_of_alice, worker, settings):
    status, told = client_of_alice.upload(name="evil", framework="onnx", file=hostile_onnx())
    assert status == 422 and told["error"]["code"] == "refused" and "Evil" in told["error"]["message"]
    assert not Machine.objects.exists() and not ModelVersion.objects.exists()
    assert soon(lambda: not files_of(settings.STORAGE_ROOT)), files_of(settings.STORAGE_ROOT)


def files_of(storage):
    return [path for path in storage.rglob("*") if path.is_file() and "works" not in path.parts]


def soon(is_so):
    """The site closes what came with a request after it has answered."""
    for _ in range(50):
        if is_so():
            return True
        time.sleep(0.1)
    return False


def test_a_refused_version_changes_nothing(client_of_alice, worker, alice):
    model = make_version(owner=alice).machine
    status, told = client_of_alice.upload(f"{model.pk}/versions/", framework="onnx", file=hostile_onnx())
    assert status == 422 and "Evil" in told["error"]["message"]
    assert [version.number for version in model.versions.all()] == [1]
    assert client_of_alice.predict(model.pk, [1, 2, 3]) == (200, {"prediction": [14.5]})


def test_described_inputs_come_back(client_of_alice, worker):
    columns = json.dumps([{"name": "Age", "unit": "years", "low": 0, "high": 120}, "Height", "Weight"])
    _status, told = client_of_alice.upload(name="a", framework="onnx", file=linear_onnx(), input_columns=columns)
    details = client_of_alice.call(f"{told['id']}/")[1]
    assert details["inputs"][0]["columns"] == ["Age", "Height", "Weight"]
    assert (details["columns"][0]["unit"], details["columns"][0]["high"]) == ("years", 120)


def test_a_check_that_takes_long(client_of_alice, transactional_db, monkeypatch):
    """Answered before, `checking` until the worker comes, 409 meanwhile."""
    monkeypatch.setattr(uploads, "WAIT_SECONDS", 0.2)
    status, told = client_of_alice.upload(name="slow", framework="onnx", file=linear_onnx())
    assert (status, told["status"]) == (201, "uploaded")
    assert client_of_alice.call(f"{told['id']}/")[1]["status"] == "checking"
    assert client_of_alice.predict(told["id"], [1, 2, 3])[0] == 409
    fleet = Fleet(database_url(), lease=20, pace={})
    fleet.start()
    end = time.monotonic() + 60
    while client_of_alice.call(f"{told['id']}/")[1]["status"] == "checking" and time.monotonic() < end:
        time.sleep(0.2)
    fleet.end()
    assert client_of_alice.predict(told["id"], [1, 2, 3]) == (200, {"prediction": [14.5]})


def test_nothing_of_a_call_without_a_key_stays(live_server, transactional_db):
    status, told = SeedClient(live_server.url, "eaml_wrong").upload(name="a", framework="onnx", file=linear_onnx())
    assert status == 401 and told["error"]["code"] == "authentication_failed"
    assert not (Machine.objects.exists() or Work.objects.exists() or IdempotentCall.objects.exists())
