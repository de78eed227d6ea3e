"""A check whose process was taken over says and writes what it likes. None of it is believed, and none fills the worker."""

import resource

import pytest

from machines.child import ChildFailedError
from machines.engine.errors import DataError
from machines.jobs import runner as jobs
from machines.services import checking, hosting
from models.model_version import VersionState
from tests.factories import linear_onnx
from tests.machines.uploaded import check_of, checked, upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def says(monkeypatch):
    """Let the process that opens the file say something else than it would."""
    real = jobs.run_child

    def let(change):
        monkeypatch.setattr(jobs, "run_child", lambda *args, **kwargs: change(real(*args, **kwargs)))

    return let


def test_what_it_says_of_its_graph_is_looked_at_again(alice, says):
    lies = {"operators": {"<b>Harmless</b>": 1}, "opset": 1, "parameters": 0, "onnx_sha256": "0" * 64}
    says(lambda answer: answer | {"report": answer["report"] | lies, checking.SEEN: {"last": {}}})
    report = checked(upload(alice)).report
    assert report["operators"] == {"MatMul": 1, "Sigmoid": 1} and (report["opset"], report["parameters"]) == (17, 3)
    assert report["onnx_sha256"] != "0" * 64


@pytest.mark.parametrize(
    "lie",
    [
        {"signature": {"inputs": [], "outputs": []}},
        {"report": {"seconds": "<b>"}},
        {"format": "pickle"},
        {"kind": "error", "error": {"template": "%(a)99999999999d", "values": {"a": 1}, "weight": "warning"}},
    ],
)
def test_an_answer_without_sense_refuses_the_file(alice, says, lie):
    says(lambda answer: answer | lie)
    version = upload(alice)
    try:
        version = checked(version)
    except ValueError:  # logged by the worker: only a process that was taken over says so
        version.refresh_from_db()
    assert version.state == VersionState.REFUSED and len(str(version.notice)) < 1000


def test_a_small_file_that_unfolds_to_gigabytes_does_not_take_the_worker_down(alice, tmp_path, settings):
    settings.CHECK_MEMORY_MB = 512
    work = check_of(upload(alice))
    graph = b"\x0a\x00" * 8_000_000  # as many empty operators
    size = b"".join(bytes([(len(graph) >> shift) & 127 | (128 if shift < 21 else 0)]) for shift in (0, 7, 14, 21))
    checking._onnx(work, tmp_path).write_bytes(b"\x08\x08\x3a" + size + graph + b"\x42\x02\x10\x11")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises((ChildFailedError, DataError)) as failed:
        checking.JOB.looked(work, tmp_path, {"served": "converted"}, lambda child: None)
    # The system refuses the memory, which the parser takes for damage, or the watch is quicker.
    assert str(failed.value) in {"memory", "This is no ONNX file, or it is damaged. Export the model again."}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kB


def test_a_version_that_goes_takes_all_its_processes_along(alice):
    version = checked(upload(alice, linear_onnx()))
    host = hosting.host_of(version)
    ours, places = (version.pk, version.sha256), hosting.RUNNER._places
    for caller in ("user 1", "user 2"):
        hosting.RUNNER.call((*ours, caller), _onnx_of(host), {"x": [[1, 1, 1]]})
    assert {(*ours, "user 1"), (*ours, "user 2")} <= set(places)
    hosting.forget(version)
    assert not [key for key in places if key[:2] == ours]


def _onnx_of(host):
    return hosting.Hosted("onnx", linear_onnx, host.hosted.signature)
