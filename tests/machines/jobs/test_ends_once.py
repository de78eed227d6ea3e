"""J9: what a failed work gives back, it gives back once, whoever finds that it failed, and however many at a time.

There is nothing to pay for yet. What the ledger will join is the hook of a job that is called where its work fails: in
the transaction of that transition. Here it writes a credit.
"""

import threading
from dataclasses import replace

import pytest
from django.db import connection

from machines.engine.errors import Notice
from machines.jobs import kinds
from machines.jobs.reaper import reap
from machines.jobs.runner import work_failed
from models import Credit, Work
from models.work import MOST_ATTEMPTS, WorkKind, WorkState
from tests.factories import make_credit, make_server, make_user
from tests.machines.jobs.fleet import quick_job
from tests.machines.jobs.workers import quick_work

pytestmark = pytest.mark.django_db(transaction=True)
TOGETHER = 8
BROKEN = Notice("It broke.")


@pytest.fixture
def refunds(monkeypatch):
    """From now on a failed export gives money back."""

    def refund(work, notice):
        make_credit(user=work.user)

    monkeypatch.setitem(kinds.JOBS, WorkKind.EXPORT, replace(quick_job(), failed=refund))


def at_once(do):
    """Let several do this at the same moment, each with a connection of its own."""
    start, errors = threading.Barrier(TOGETHER), []

    def run():
        try:
            start.wait(10)
            do()
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(TOGETHER)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def lost_for_the_last_time():
    work = quick_work()
    Work.objects.filter(pk=work.pk).update(user=make_user())
    work.start(make_server())
    Work.objects.filter(pk=work.pk).update(attempts=MOST_ATTEMPTS, lease_until="2026-01-01T00:00Z")
    return Work.objects.get(pk=work.pk)


@pytest.mark.parametrize("who", ["reapers", "its worker and reapers"])
def test_it_works(refunds, who):
    work = lost_for_the_last_time()
    turns = iter([lambda: work_failed(Work.objects.get(pk=work.pk), BROKEN)] if who != "reapers" else [])
    at_once(lambda: next(turns, reap)())
    assert Work.objects.get(pk=work.pk).state is WorkState.ERROR
    assert Credit.objects.count() == 1


def test_nothing_is_given_back_for_a_failure_that_came_to_nothing(refunds, monkeypatch):
    """The credit and the end of the work stand or fall together."""
    work = lost_for_the_last_time()

    def refund_then_die(work, notice):
        make_credit(user=work.user)
        raise KeyboardInterrupt

    monkeypatch.setitem(kinds.JOBS, WorkKind.EXPORT, replace(quick_job(), failed=refund_then_die))
    with pytest.raises(KeyboardInterrupt):
        work_failed(work, BROKEN)
    assert Work.objects.get(pk=work.pk).state is WorkState.PROCESSING and not Credit.objects.exists()
