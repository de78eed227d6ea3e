"""While the database is away a worker waits, and does once more what did not come through."""

import time

import pytest
from django.db import InterfaceError, OperationalError

from machines.jobs import patience, runner
from machines.jobs.kinds import job_of
from machines.jobs.patience import patiently
from machines.jobs.servers import Worker
from models import Work
from models.work import WorkState
from tests.factories import make_work


class Away:
    """A database that comes back after some tries."""

    def __init__(self, *errors):
        self.errors = list(errors)

    def ask(self):
        if self.errors:
            raise self.errors.pop(0)
        return "done"


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    monkeypatch.setattr(patience, "PAUSE_SECONDS", 0.01)


def test_it_works(db):
    assert patiently(Away(OperationalError(), InterfaceError()).ask, seconds=10) == "done"


def test_patience_ends(db):
    began = time.monotonic()
    with pytest.raises(OperationalError):
        patiently(Away(*[OperationalError()] * 1000).ask, seconds=0.1)
    assert time.monotonic() - began < 5


def test_other_errors_are_no_reason_to_wait(db):
    with pytest.raises(ZeroDivisionError):
        patiently(Away(ZeroDivisionError()).ask, seconds=10)


@pytest.mark.django_db(transaction=True)
def test_what_a_lost_transaction_wrote_is_forgotten(monkeypatch):
    """Handed back twice, as the first time came to nothing: one attempt is taken off, not two."""
    work = make_work()
    assert work.start() and work.give_back() and work.start() and work.attempts == 2
    away, send = [OperationalError()], runner.send

    def send_later(*given, **values):
        if away:
            raise away.pop()
        send(*given, **values)

    monkeypatch.setattr(runner, "send", send_later)
    runner._Attempt(work, job_of(work), Worker())._give_back()
    stored = Work.objects.get()
    assert (stored.state, stored.attempts, away) == (WorkState.WAITING, 1, [])
