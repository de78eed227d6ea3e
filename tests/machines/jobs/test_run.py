"""`run` keeps its processes: a worker that was killed is started again, and all end with it."""

import os
import signal
import subprocess
import sys
import time

import pytest
from django.conf import settings

from machines.management.commands import _processes
from machines.management.commands._processes import Kept
from models import Server
from tests.machines.jobs.workers import ROOT, children, database_url, is_alive, wait_until

SCRIPT = """
import signal, sys
sys.path[:0] = [".", "site"]
import django; django.setup()
from machines.management.commands import run
processes = [run.Kept(run.worker_command("cpu,gpu"), run.settings.BASE_DIR)]
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
try:
    run.Command().watch(processes)
finally:
    run.stop(processes)
"""


@pytest.fixture
def watch(transactional_db):
    """The part of `run` that watches, with one real worker."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    here = {"DATABASE_URL": database_url(), "STORAGE_ROOT": str(settings.STORAGE_ROOT), "SECRET_KEY": "x" * 50}
    environment = kept | here | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    process = subprocess.Popen([sys.executable, "-c", SCRIPT], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL)
    yield process
    process.terminate()
    process.wait(timeout=40)


def server_of(pid):
    return Server.objects.alive().filter(server_name__endswith=f"-{pid}").exists()


def test_it_works(watch):
    wait_until(lambda: children(watch.pid), 20)
    (first,) = children(watch.pid)
    wait_until(lambda: server_of(first), 20)
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: children(watch.pid) not in ([], [first]), 20)
    (second,) = children(watch.pid)
    wait_until(lambda: server_of(second), 20)

    watch.terminate()
    watch.wait(timeout=30)
    assert not is_alive(second)


def test_what_dies_at_once_does_not_keep_the_computer_busy(tmp_path):
    process = Kept([sys.executable, "-c", "raise SystemExit(1)"], tmp_path)
    process.process.wait()
    assert not process.is_running and not process.keep()


def test_what_dies_later_is_started_again(tmp_path, monkeypatch):
    monkeypatch.setattr(_processes, "LEAST_SECONDS", 0.1)
    process = Kept([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path)
    first = process.process
    assert process.is_running and not process.keep()
    first.kill()
    first.wait()
    time.sleep(0.1)
    assert process.keep() and process.is_running and process.process is not first
    process.tell_to_stop()
    process.stopped(10)
    assert not process.is_running


def test_what_does_not_want_to_end_is_ended(tmp_path):
    stubborn = "import pathlib, signal, time; signal.signal(15, 1); pathlib.Path('deaf').touch(); time.sleep(60)"
    process = Kept([sys.executable, "-c", stubborn], tmp_path)
    wait_until((tmp_path / "deaf").exists, 10)
    process.tell_to_stop()
    process.stopped(0.2)
    assert process.process.returncode == -signal.SIGKILL
