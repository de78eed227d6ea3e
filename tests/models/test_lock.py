"""MachineTableLockWrite.objects.hold: between threads, between processes, after a crash."""

import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, connections
from django.utils import timezone

from models import MachineTableLockWrite
from models.machine_table_lock_write import LockBusy

locks = MachineTableLockWrite.objects
pytestmark = pytest.mark.django_db(transaction=True)


def test_held_inside_and_free_after():
    with locks.hold("machine-1") as holder:
        assert locks.get().holder == holder
        with locks.hold("machine-2"):
            assert locks.count() == 2
    assert not locks.exists()


def test_free_after_an_error():
    with pytest.raises(ZeroDivisionError), locks.hold("machine-1"):
        1 / 0  # noqa: B018
    assert not locks.exists()


def test_busy_is_a_sentence_for_people():
    with locks.hold("machine-1"), pytest.raises(LockBusy, match="Try again"), locks.hold("machine-1", wait_seconds=0.2):
        pass


def test_a_stale_lock_is_taken_over_and_its_old_holder_releases_nothing():
    with locks.hold("machine-1"):
        locks.update(locked_at=timezone.now() - timedelta(seconds=601))
        taken = locks.hold("machine-1", wait_seconds=0)
        second = taken.__enter__()
    assert locks.get().holder == second  # the first has left, the second still holds
    taken.__exit__(None, None, None)
    assert not locks.exists()


def test_a_lock_that_is_not_stale_is_not_taken_over():
    with locks.hold("machine-1"):
        locks.update(locked_at=timezone.now() - timedelta(seconds=599))
        with pytest.raises(LockBusy), locks.hold("machine-1", wait_seconds=0):
            pass


def test_threads_take_turns():
    inside, most = [], []

    def work() -> None:
        try:
            for _i in range(3):
                with locks.hold("machine-1", wait_seconds=30):
                    inside.append(1)
                    most.append(len(inside))
                    time.sleep(0.01)
                    inside.pop()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == [1] * 12


CODE = """
import sys; sys.path[:0] = ["site"]
import django; django.setup()
from django.conf import settings
from models import MachineTableLockWrite
try:
    with MachineTableLockWrite.objects.hold("machine-1", wait_seconds=float(sys.argv[1])):
        print("held")
except Exception as error:
    print(type(error).__name__)
"""


def other_process(wait_seconds: float) -> str:
    database = connection.settings_dict
    url = f"sqlite:///{database['NAME']}"
    if connection.vendor == "postgresql":
        login = f"{database['USER']}:{database['PASSWORD']}@" if database["USER"] else ""
        url = f"postgres://{login}{database['HOST']}:{database['PORT']}/{database['NAME']}"
    answer = subprocess.run(
        [sys.executable, "-c", CODE, str(wait_seconds)],
        cwd=Path(__file__).parents[2],
        env={"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "models.settings"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()


def test_processes_respect_each_other():
    with locks.hold("machine-1"):
        assert other_process(0) == "LockBusy"
    assert other_process(0) == "held"
