"""Models and hostile files, each made once by its framework in a process of its own, and the check as the worker runs it."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from machines.child import NICENESS, ChildFailedError, run_child

ROOT = Path(__file__).parents[3]
FRAMEWORKS = {".onnx": "onnx", ".pt": "pytorch", ".pt2": "pytorch", ".safetensors": "pytorch"}


def make(family, folder):
    command = [sys.executable, "-W", "ignore", "-m", "tests.machines.conversion.models", family, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.fixture(scope="session")
def torch_made(tmp_path_factory):
    return make("torch", tmp_path_factory.mktemp("torch"))


@pytest.fixture(scope="session")
def tensorflow_made(tmp_path_factory):
    return make("tensorflow", tmp_path_factory.mktemp("tensorflow"))


@pytest.fixture
def check(tmp_path, monkeypatch):
    """Check a file as the worker does; return the answer and the ONNX file. Nothing may be left afterwards."""
    scratch = Path(tempfile.mkdtemp())  # not below tmp_path: pytest hides that from the user that a check becomes
    scratch.chmod(0o755)
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))

    def run(path, *, seconds=60, **more):
        request = {"path": str(path), "file_name": path.name, "framework": FRAMEWORKS.get(path.suffix, "tensorflow")}
        request |= {"layers": None, "onnx_path": str(tmp_path / "out.onnx"), "seconds": seconds, **more}
        try:
            answer = run_child("machines.conversion", request, seconds=90, memory_mb=4096, niceness=NICENESS)
        except ChildFailedError as error:
            pytest.fail(f"{error.reason}: {error.details[-3000:]}")
        assert list(scratch.iterdir()) == []
        assert processes_with(f"TMPDIR={scratch}") == []
        return answer, (tmp_path / "out.onnx").read_bytes()

    yield run
    scratch.rmdir()


def processes_with(variable):
    """Processes that were started with a variable in their environment."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if variable in (place / "environ").read_text(errors="replace"):
                found.append((place / "cmdline").read_text(errors="replace"))
        except OSError:
            continue
    return found


def sentence(answer):
    error = answer["error"]
    return error["template"] % error["values"]
