"""Temporary folders of children go with them, and after a kill with the next worker."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from machines.scratch import Scratch, scratch_sweep
from machines.serving.locked.lock import NOBODY

HOLDER = "import time; from machines.scratch import Scratch; print(Scratch().path, flush=True); time.sleep(600)"


@pytest.fixture(autouse=True)
def own_place(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.fixture
def killed(tmp_path):
    """The folder of a process that was killed while it held it."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER], env=os.environ | {"TMPDIR": str(tmp_path)}, stdout=subprocess.PIPE, text=True
    )
    folder = Path(process.stdout.readline().strip())
    (folder / "kept").mkdir()
    (folder / "kept" / "rows").write_text("1,2")
    yield process, folder
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_it_works(tmp_path):
    scratch = Scratch()
    assert scratch.path.parent.parent == tmp_path and scratch.path.stat().st_mode & 0o077 == 0
    scratch.remove()
    scratch.remove()
    assert not scratch.path.exists() and not list(tmp_path.glob("easyautoml-*"))


def test_what_a_killed_process_left_is_swept_and_not_before(killed):
    process, folder = killed
    assert scratch_sweep(young=0) == 0 and folder.exists()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert scratch_sweep() == 0, "it may have been made this very moment"
    assert scratch_sweep(young=0) == 1 and not folder.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")
def test_what_became_the_property_of_a_locked_child_is_swept_too(killed):
    process, folder = killed
    os.chown(folder, NOBODY, NOBODY)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert scratch_sweep(young=0) == 1 and not folder.exists()


def test_a_link_of_that_name_is_left_alone(tmp_path):
    place = tmp_path / "somewhere"
    place.mkdir()
    (place / "file").touch()
    (tmp_path / "easyautoml-child-link").symlink_to(place)
    assert scratch_sweep(young=-1) == 0 and (place / "file").exists()
