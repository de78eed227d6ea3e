"""What was asked is counted to the last row, whoever asks at the same time, and written now and then."""

import os
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from machines.services import usage
from machines.services.usage import Meter
from models import Usage
from tests.api.conftest import make_key
from tests.factories import make_machine


@pytest.fixture
def pair(alice):
    return make_key(alice).key.pk, make_machine(owner=alice).pk


def counted():
    return [*Usage.objects.order_by("day", "pk").values_list("calls", "rows")]


def test_it_works(pair):
    meter = Meter()
    meter.note(*pair, 1)
    meter.note(*pair, 40)
    assert counted() == []
    meter.flush()
    assert counted() == [(2, 41)]
    meter.flush()
    assert counted() == [(2, 41)]
    meter.note(*pair, 5)
    meter.flush()
    (row,) = Usage.objects.all()
    assert (row.calls, row.rows, row.day) == (3, 46, timezone.now().date())


def test_each_key_machine_and_day_has_its_own(pair, alice, monkeypatch):
    meter, (key, machine), other = Meter(), pair, make_machine(owner=alice).pk
    meter.note(key, machine, 1)
    meter.note(key, other, 2)
    meter.note(make_key(alice).key.pk, machine, 3)
    tomorrow = timezone.now() + timedelta(days=1)
    monkeypatch.setattr(timezone, "now", lambda: tomorrow)
    meter.note(key, machine, 4)
    meter.flush()
    assert counted() == [(1, 1), (1, 2), (1, 3), (1, 4)]


def test_counting_asks_nothing_and_writing_little(pair):
    meter = Meter()
    with CaptureQueriesContext(connection) as asked:
        for _ in range(1000):
            meter.note(*pair, 1)
    assert len(asked) == 0
    meter.flush()
    meter.note(*pair, 1)
    with CaptureQueriesContext(connection) as asked:
        meter.flush()
    assert len(asked) == 1


def test_of_what_was_deleted_meanwhile_nothing_is_kept(pair, alice):
    meter, other = Meter(), make_machine(owner=alice).pk
    meter.note(pair[0], 999_999, 1)
    meter.note(999_999, pair[1], 1)
    meter.note(pair[0], other, 1)
    meter.flush()
    assert counted() == [(1, 1)] and meter._counted == {}


def test_what_the_database_does_not_take_is_kept(pair, monkeypatch):
    meter, add = Meter(), usage._add
    meter.note(*pair, 2)

    def refuse(*_):
        raise DatabaseError("away")

    monkeypatch.setattr(usage, "_add", refuse)
    meter.flush()
    assert meter._is_something.is_set()
    meter.note(*pair, 3)
    monkeypatch.setattr(usage, "_add", add)
    meter.flush()
    assert counted() == [(2, 5)]


@pytest.mark.django_db(transaction=True)
def test_no_call_is_lost_when_many_threads_count_and_write(pair):
    meters = [Meter(), Meter()]  # as two processes have

    def ask(meter):
        for number in range(300):
            meter.note(*pair, 2)
            if number % 60 == 0:
                meter.flush()
        connection.close()

    threads = [threading.Thread(target=ask, args=(meter,)) for meter in meters for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for meter in meters:
        meter.flush()
    assert counted() == [(2400, 4800)]


@pytest.mark.django_db(transaction=True)
def test_a_thread_writes_by_itself(pair, monkeypatch):
    monkeypatch.setattr(usage, "FLUSH_SECONDS", 0.05)
    meter, written = Meter(), threading.Event()
    flush = meter.flush

    def told():
        flush()
        written.set()

    monkeypatch.setattr(meter, "flush", told)
    monkeypatch.setattr(usage.atexit, "register", lambda _: None)
    meter.run()
    meter.note(*pair, 7)
    assert written.wait(20)
    assert counted() == [(1, 7)]


SCRIPT = """
import sys
sys.path[:0] = ["site", "."]
from config.wsgi import application
from machines.services import usage
usage._add = lambda *what: print(*what, flush=True)
usage.note(5, 6, 7)
"""


def test_a_process_that_ends_writes_the_rest(tmp_path):
    environment = os.environ | {"DATABASE_URL": f"sqlite:///{tmp_path / 'db'}", "STORAGE_ROOT": str(tmp_path)}
    root = usage.__file__.rpartition("/machines/")[0]
    command = [sys.executable, "-c", SCRIPT]
    answer = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=60)
    assert answer.stdout.endswith(" 1 7\n") and "machine_id=6, api_key_id=5" in answer.stdout, answer.stderr


def test_a_child_process_does_not_write_what_its_parent_counted():
    usage.METER.forget()
    usage.note(5, 6, 7)
    child = os.fork()
    if child == 0:
        os._exit(len(usage.METER._counted))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(usage.METER._counted) == 1
    usage.METER.forget()
