"""Uploading models over REST: the form, what is wrong with it, how much, how often. With checks: test_uploads_checked."""

import pickle
import time
import tracemalloc
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from machines.api import uploads
from models import Machine, ModelVersion, Work
from models.model_version import VersionState
from tests.api.conftest import error_of, make_key
from tests.api.forms import linear_form, upload
from tests.factories import linear_onnx, make_version


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    """No worker runs here: whoever waited for a check would wait for ever."""
    monkeypatch.setattr(uploads, "WAIT_SECONDS", 0)


def files_of(settings):
    return [path for path in settings.STORAGE_ROOT.rglob("*") if path.is_file()]


def test_it_works(program):
    response = upload(program)
    version = ModelVersion.objects.get()
    assert response.status_code == 201
    assert response.json() == {"id": version.machine_id, "status": "uploaded"}
    assert (version.machine.machine_name, version.framework, version.file_name) == ("Linear", "onnx", "linear.onnx")
    assert (bytes(version.file), version.state) == (linear_onnx(), VersionState.CHECKING)
    assert version.machine.machine_owner_user == version.uploaded_by == program.key.user
    told = program.get(f"models/{version.machine_id}/").json()
    assert told["status"] == "checking", "longer than the call waits: the details say so"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": "__demo__"}, "name"),
        ({"framework": None}, "framework"),
        ({"framework": "caffe"}, "framework"),
        ({"file": None}, "file"),
        ({"file": "linear.onnx"}, "file"),
        ({"file": b""}, "file"),
        ({"input_columns": "["}, "input_columns"),
        ({"input_columns": "[NaN]"}, "input_columns"),
        ({"input_columns": '["\\u0000"]'}, "input_columns"),
        ({"layers": "[" * 60 + "]" * 60}, "layers"),
        ({"layers": "x"}, "layers"),
    ],
)
def test_what_cannot_be_read_is_named(program, wrong, field):
    response = upload(program, **wrong)
    assert response.status_code == 400, response.content
    error = error_of(response)
    assert error["code"] == "malformed" and list(error["fields"]) == [field]
    assert not Machine.objects.exists()


def test_everything_wrong_is_named_at_once(program):
    response = program.client.post("/api/models/upload/", {})
    assert set(error_of(response)["fields"]) == {"name", "framework", "file"}


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/x-www-form-urlencoded"])
def test_it_takes_a_form_with_a_file(program, kind):
    response = program.client.post("/api/models/upload/", b"{}", content_type=kind)
    assert response.status_code == 415 and "multipart/form-data" in error_of(response)["message"]


def test_a_form_that_is_none(program):
    response = program.client.post("/api/models/upload/", b"nothing", content_type="multipart/form-data; boundary=x")
    assert response.status_code == 400 and error_of(response)


def test_a_file_that_broke_off(program, settings):
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.onnx"\r\n\r\n' + linear_onnx()
    given = {"CONTENT_LENGTH": str(len(body) + 999), "wsgi.input": BytesIO(body)}
    response = program.client.post("/api/models/upload/", body, "multipart/form-data; boundary=x", **given)
    assert response.status_code == 400 and error_of(response)
    assert not Machine.objects.exists() and not files_of(settings)


def test_too_large(program, settings):
    settings.MODEL_UPLOAD_LIMIT_BYTES = 1_000_000
    response = upload(program, file=b"\x08\x08" + bytes(1_000_000))
    assert response.status_code == 413
    assert error_of(response)["message"].startswith("This file is larger than 1 MB.")
    assert not Machine.objects.exists() and not files_of(settings)


def test_far_too_large_is_not_read(program, settings):
    settings.MODEL_UPLOAD_LIMIT_BYTES = settings.UPLOAD_LIMIT_BYTES = 1_000_000
    for announced in (11_000_001, 999_000_000_000):
        given = {"content_type": "multipart/form-data; boundary=x", "CONTENT_LENGTH": str(announced)}
        response = program.client.post("/api/models/upload/", b"--x", **given)
        assert response.status_code == 413 and error_of(response)


def test_files_do_not_lie_in_memory(program, settings):
    large = SimpleUploadedFile("large.onnx", bytes(30_000_000))
    body = program.client._encode_data(linear_form(file=large), "multipart/form-data; boundary=BoUnDaRyStRiNg")
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    program.client.post("/api/models/upload/", body, content_type="multipart/form-data; boundary=BoUnDaRyStRiNg")
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert peak < 10_000_000, peak


def test_a_pickle_is_refused_and_nothing_stays(program, settings):
    response = upload(program, framework="pytorch", file=SimpleUploadedFile("model.pt", pickle.dumps({"a": print})))
    assert response.status_code == 422 and error_of(response)["code"] == "refused"
    assert not Machine.objects.exists() and not Work.objects.exists() and not files_of(settings)


def test_the_model_of_a_teams_key_is_the_teams(alice, team):
    upload(make_key(alice, team=team))
    assert Machine.objects.get().machine_owner_team == team


def test_another_version(program, alice):
    model = make_version(owner=alice).machine
    response = upload(program, f"models/{model.pk}/versions/", name=None)
    assert response.status_code == 201
    assert response.json() == {"id": model.pk, "version": 2, "status": "uploaded"}
    model.refresh_from_db()
    assert model.uploaded_version.number == 1, "until the new one has passed its check"


def test_another_version_takes_the_role_editor(of_bob, alice, team):
    model = make_version(owner=alice, team=team).machine
    response = upload(of_bob(), f"models/{model.pk}/versions/", name=None)
    assert response.status_code == 403 and model.versions.count() == 1


def test_two_wait_and_the_others_are_answered_at_once(program, monkeypatch):
    monkeypatch.setattr(uploads, "WAIT_SECONDS", 60)
    with uploads.WAITING, uploads.WAITING:
        begun = time.monotonic()
        assert upload(program).status_code == 201
        assert time.monotonic() - begun < 30
    assert uploads.WAITING.acquire(blocking=False), "whoever waited gave the place back"
    uploads.WAITING.release()


def test_uploads_are_counted_by_themselves(program, alice, monkeypatch):
    monkeypatch.setattr("api.throttling.CALLS", {"predict": 9, "upload": 2, "other": 9})
    model = make_version(owner=alice).machine
    for path in ("models/upload/", f"models/{model.pk}/versions/"):
        assert upload(program, path).status_code == 201
    late = upload(program)
    assert late.status_code == 429 and error_of(late)["code"] == "throttled" and 0 < int(late["Retry-After"]) <= 60
    assert program.get("models/").status_code == program.get(f"models/{model.pk}/versions/").status_code == 200


def test_a_refused_file_does_not_take_another_one_along(program, monkeypatch):
    """While the first caller waits for the check of a bad file, somebody gives the model a good one."""

    def wait(version, seconds):
        make_version(version.machine)
        version.refuse({"template": "No.", "values": {}, "weight": "warning"})
        return version

    monkeypatch.setattr(uploads, "check_wait", wait)
    assert upload(program).status_code == 422
    assert [version.number for version in Machine.objects.get().versions.all()] == [2]
