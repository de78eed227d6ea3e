"""Work as such: tried again, and forgotten by rule."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from machines.engine.errors import DataError
from machines.jobs.folders import folder_of
from machines.jobs.reaper import reap
from machines.services.training import training_start
from machines.services.works import servers_prune, work_cancel, work_retry, works_prune
from models import Machine, Server, Work
from models.work import WorkState
from tests.factories import make_machine, make_server, make_work
from tests.machines.jobs.workers import now, quick_work

pytestmark = pytest.mark.django_db


def ended(days, state=WorkState.FINISHED, machine=None, **values):
    values |= {"work_finished_at_date_time": timezone.now() - timedelta(days=days)}
    return make_work(machine, **values, **state.columns)


def failed_training(machine):
    work = training_start(machine=machine, user=machine.machine_owner_user, level=1)
    for _ in range(3):
        work.refresh_from_db()
        work.start(make_server())
        Work.objects.update(lease_until="2026-01-01T00:00Z")
        reap()
    assert now(work).state is WorkState.ERROR
    return now(work)


# Once more


def test_what_failed_can_be_tried_again(machine):
    work = failed_training(machine)
    DBTaskResult.objects.all().delete()
    assert work_retry(work=work)
    again = now(work)
    assert (again.state, again.attempts, again.message, again.told_at) == (WorkState.WAITING, 0, "", None)
    assert Machine.objects.get().machine_status == "training"
    assert str(DBTaskResult.objects.ready().get().pk) == again.delivery
    assert work_retry(work=work) is False, "once"


def test_a_training_whose_machine_trains_again_already_is_not(machine):
    work = failed_training(machine)
    training_start(machine=Machine.objects.get(), user=machine.machine_owner_user, level=1)
    with pytest.raises(DataError, match="training already"):
        work_retry(work=work)
    assert now(work).state is WorkState.ERROR


@pytest.mark.parametrize("state", [state for state in WorkState if state is not WorkState.ERROR])
def test_nothing_else_is(state):
    work = make_work(**state.columns)
    assert work_retry(work=work) is False
    assert now(work).state is state and not DBTaskResult.objects.exists()


# Cancelled


def test_cancelling_what_waits_removes_what_it_left(django_capture_on_commit_callbacks):
    work = quick_work()
    folder = folder_of(work)
    (folder / "steps").write_text("3")
    with django_capture_on_commit_callbacks(execute=True):
        assert work_cancel(work=now(work))
    assert now(work).state is WorkState.CANCELLED and not folder.exists()
    assert work_cancel(work=now(work)) is False


# Forgotten


def test_old_work_is_forgotten_and_newer_is_not(settings):
    settings.WORK_DAYS = 10
    ended(11)
    ended(11, WorkState.ERROR)
    ended(11, WorkState.CANCELLED)
    young = ended(9)
    old = timezone.now() - timedelta(days=99)
    waiting, running = make_work(created_at=old), make_work(created_at=old, **WorkState.PROCESSING.columns)
    Work.objects.update(machine=None)
    assert works_prune() == 3
    assert set(Work.objects.all()) == {young, waiting, running}


def test_the_newest_training_of_each_machine_is_kept(settings):
    settings.WORK_DAYS = 10
    machine, other = make_machine(), make_machine()
    ended(40, machine=machine)
    newest, only = ended(30, machine=machine), ended(50, machine=other)
    ended(20, machine=machine, is_work_solving=True)
    assert works_prune() == 2
    assert set(Work.objects.all()) == {newest, only}


def test_files_are_forgotten_sooner(settings):
    settings.WORK_FILE_DAYS, settings.WORK_DAYS = 7, 90
    old, young = ended(8), ended(6)
    folders = [folder_of(work) for work in (old, young)]
    assert works_prune() == 0
    assert [folder.exists() for folder in folders] == [False, True]
    assert (now(old).folder, now(young).folder) == ("", young.folder)


def test_servers_that_stopped_are_forgotten_after_a_day():
    hours = {23: None, 25: None}
    for age in hours:
        hours[age] = make_server(heartbeat_at=timezone.now() - timedelta(hours=age))
    work = make_work(server=hours[25])
    assert servers_prune() == 1
    assert list(Server.objects.all()) == [hours[23]]
    assert now(work).server is None
