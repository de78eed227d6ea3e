"""Files in one archive: whole or not at all, whatever is missing, however large."""

import json
import os
import signal
import tracemalloc
import zipfile
from types import SimpleNamespace

import pytest

from machines import child
from machines.child import Child, ChildFailedError, run_child
from machines.engine.pack_job import CHUNK, run

MODULE = "machines.engine.pack_job"
BLOCK = bytes(range(256)) * 4096  # 1 MiB


class Heard:
    """A parent that keeps what it is told."""

    def __init__(self):
        self.shares = []

    def tell(self, progress):
        self.shares.append(progress["share"])
        return True


@pytest.fixture
def request_of(tmp_path):
    """Ask for these files in an archive; None is a file that is not there."""

    def make(**contents):
        (tmp_path / "source").mkdir(exist_ok=True)
        for name, content in contents.items():
            if content is not None:
                (tmp_path / "source" / name).write_bytes(content)
        files = [[f"in/{name}", str(tmp_path / "source" / name)] for name in contents]
        return {"files": files, "archive": str(tmp_path / "all.zip")}

    return make


def left_in(folder):
    return sorted(place.name for place in folder.iterdir() if place.is_file())


def test_it_works(request_of, tmp_path):
    answer = run_child(MODULE, request_of(a=b"first", empty=b"", b=BLOCK), seconds=60, memory_mb=512)
    archive = zipfile.ZipFile(tmp_path / "all.zip")
    assert archive.testzip() is None and archive.namelist() == ["in/a", "in/empty", "in/b"]
    assert archive.read("in/a") == b"first" and archive.read("in/b") == BLOCK
    assert answer == {"kind": "done", "bytes": (tmp_path / "all.zip").stat().st_size, "files": 3, "missing": 0}
    assert left_in(tmp_path) == ["all.zip"]


def test_what_is_missing_is_named(request_of, tmp_path):
    answer = run(request_of(a=b"a", lost=None, b=b"b"), Heard())
    archive = zipfile.ZipFile(tmp_path / "all.zip")
    assert archive.namelist() == ["in/a", "in/b", "missing.json"]
    assert json.loads(archive.read("missing.json")) == ["in/lost"]
    assert (answer["files"], answer["missing"]) == (2, 1)


def test_progress_goes_by_bytes(request_of, monkeypatch):
    monkeypatch.setattr("machines.engine.pack_job.OFTEN", 0.0)
    parent = Heard()
    run(request_of(small=b"x", large=BLOCK), parent)
    assert len(parent.shares) == 1 + len(BLOCK) // CHUNK
    assert parent.shares == sorted(parent.shares) and parent.shares[0] < 0.01 and parent.shares[-1] == 1


def test_a_large_file_needs_little_memory(request_of, tmp_path):
    asked = request_of(large=b"")
    with (tmp_path / "source" / "large").open("wb") as file:
        file.writelines([BLOCK] * 50)
    tracemalloc.start()
    run(asked, SimpleNamespace(tell=lambda progress: True))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5 * 2**20
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert archive.getinfo("in/large").file_size == 50 * len(BLOCK)


def test_a_killed_child_leaves_nothing_that_looks_whole(request_of, tmp_path):
    asked = request_of(large=b"")
    with (tmp_path / "source" / "large").open("wb") as file:
        file.writelines([BLOCK] * 500)
    packer = Child(MODULE, asked)
    try:
        while (packer.next_message() or {}).get("kind") != "progress":
            assert packer.process.poll() is None, packer.errors
        packer.process.send_signal(signal.SIGKILL)
        packer.process.wait()
        assert not (tmp_path / "all.zip").exists()
    finally:
        packer.stop()
    again = run_child(MODULE, request_of(a=b"a") | {"archive": asked["archive"]}, seconds=60, memory_mb=512)
    assert again["files"] == 1 and zipfile.ZipFile(tmp_path / "all.zip").namelist() == ["in/a"]


def test_more_than_a_file_may_hold_is_said(request_of, tmp_path, monkeypatch):
    monkeypatch.setattr(child, "GIGABYTE", len(BLOCK))
    asked = request_of(large=os.urandom(3 * len(BLOCK)))
    answer = run_child(MODULE, asked, seconds=60, memory_mb=512, file_gb=1)
    assert answer["kind"] == "error" and "more than one file may hold" in answer["error"]["template"]
    assert left_in(tmp_path) == []


def test_another_error_is_no_result(request_of, tmp_path):
    asked = request_of(a=b"a") | {"archive": str(tmp_path / "nowhere" / "all.zip")}
    with pytest.raises(ChildFailedError):
        run_child(MODULE, asked, seconds=60, memory_mb=512)
