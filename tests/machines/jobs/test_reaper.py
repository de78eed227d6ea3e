"""What dead workers held is given back, and what waits is brought to somebody, whatever became of its message."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from machines.jobs import reaper
from machines.jobs.job import NO_RESULT
from machines.jobs.queue import is_on_its_way, send
from machines.jobs.reaper import reap
from machines.services.training import training_start
from models import Server, Work
from models.work import MOST_ATTEMPTS, WorkState
from tests.factories import make_server, make_work
from tests.machines.jobs.workers import now, quick_work

pytestmark = pytest.mark.django_db

MESSAGES = DBTaskResult.objects


def lose(work):
    """Nothing has been heard of its worker for longer than the lease."""
    Work.objects.filter(pk=work.pk).update(lease_until=Now() - timedelta(seconds=1))


def forget(work):
    """It was put in the queue long ago."""
    Work.objects.filter(pk=work.pk).update(queued_at="2026-01-01T00:00Z")


def started(attempts=1, **values):
    work = quick_work(**values)
    Work.objects.filter(pk=work.pk).update(attempts=attempts - 1)
    work.refresh_from_db()
    assert work.start(make_server())
    MESSAGES.update(status=TaskResultStatus.SUCCESSFUL)
    return work


def test_it_works():
    work = started()
    lose(work)
    reap()
    given_back = now(work)
    assert (given_back.state, given_back.attempts, given_back.server) == (WorkState.WAITING, 1, None)
    assert given_back.lease_until is None and is_on_its_way(given_back)
    assert work.beat() is False and given_back.start(make_server()) is True
    assert work.finish({"late": True}) is False, "another one does it now"


def test_a_work_with_a_lease_is_left_alone():
    work = started()
    reap()
    assert now(work).state is WorkState.PROCESSING and not MESSAGES.ready().exists()


def test_after_three_attempts_it_has_failed_and_everybody_concerned_is_told(machine):
    work = training_start(machine=machine, user=machine.machine_owner_user, level=1)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        work.refresh_from_db()
        assert work.state is WorkState.WAITING and work.start() and work.attempts == attempt
        lose(work)
        reap()
    assert (now(work).state, now(work).message) == (WorkState.ERROR, NO_RESULT["lost"])
    machine.refresh_from_db()
    assert (machine.machine_status, machine.machine_status_message) == ("ready", NO_RESULT["lost"]), "as it was"


def test_one_that_cannot_be_taken_back_does_not_stop_the_others(monkeypatch, caplog):
    bad, good = started(MOST_ATTEMPTS), started()
    monkeypatch.delitem(reaper.job_of.__globals__["JOBS"], bad.kind)  # of an app that is no longer there
    lose(bad)
    lose(good)
    reap()
    assert now(good).state is WorkState.WAITING
    assert f"work {bad.pk} cannot be taken back" in caplog.text


def test_several_reapers_give_it_back_once():
    work = started()
    lose(work)
    seen = list(Work.objects.abandoned())
    reap()
    assert now(work).start(make_server())
    for late in seen:
        reaper._take_back(late)
    assert (now(work).state, now(work).attempts, MESSAGES.ready().count()) == (WorkState.PROCESSING, 2, 1)


def test_what_waits_without_a_message_is_sent(settings):
    work = quick_work()
    MESSAGES.all().delete()
    reap()
    assert not MESSAGES.exists(), "it was sent a moment ago"
    forget(work)
    reap()
    assert MESSAGES.ready().count() == 1 and is_on_its_way(now(work))
    reap()
    assert MESSAGES.count() == 1


def test_work_of_before_there_were_messages_is_sent():
    make_work()
    reap()
    assert MESSAGES.ready().count() == 1


@pytest.mark.parametrize("status", TaskResultStatus)
def test_whether_a_message_is_on_its_way(status):
    work = quick_work()
    MESSAGES.update(status=status)
    is_coming = status in {TaskResultStatus.READY, TaskResultStatus.RUNNING}
    assert is_on_its_way(work) is is_coming
    forget(work)
    reap()
    assert MESSAGES.count() == (1 if is_coming else 2)


def test_nothing_is_on_its_way_without_a_message():
    work = quick_work()
    assert is_on_its_way(work)
    MESSAGES.all().delete()
    assert not is_on_its_way(work)
    assert not is_on_its_way(make_work())


def test_a_work_that_does_not_wait_is_not_noted_as_sent():
    work = started()
    send(work)
    assert now(work).delivery != str(MESSAGES.ready().get().pk)


def test_what_rightly_waits_hides_nobody(monkeypatch):
    monkeypatch.setattr(reaper, "AT_ONCE", 2)
    for _ in range(6):
        forget(quick_work())
    lost = quick_work()
    MESSAGES.filter(pk=lost.delivery).delete()
    forget(lost)
    for _ in range(200):
        reap()
    assert is_on_its_way(now(lost)) and MESSAGES.count() == 7


def test_silent_servers_are_no_longer_ready(settings):
    settings.WORK_LEASE_SECONDS = 5
    silent, alive = make_server(heartbeat_at="2026-01-01T00:00Z"), make_server(heartbeat_at=Now())
    reap()
    assert list(Server.objects.ready()) == [alive] and Server.objects.filter(pk=silent.pk).exists()
