"""Several who act on one training: whoever ends it, it is ended once, and the machine is never left without a way on."""

from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from machines.jobs import runner
from machines.jobs.job import NO_RESULT
from machines.jobs.reaper import GONE, reap
from machines.jobs.runner import work_run
from machines.services.training import latest_work, training_start
from machines.services.works import work_cancel
from models import Machine, Work
from models.work import WorkState
from tests.factories import make_server

pytestmark = pytest.mark.django_db


def start(machine):
    return training_start(machine=machine, user=machine.machine_owner_user, level=1)


def status():
    return Machine.objects.get().machine_status


class Meanwhile:
    """Takes the place of the child: lets something happen while it runs, then says that it is done."""

    def __init__(self, monkeypatch, do):
        self.do = do
        monkeypatch.setattr(runner, "run_child", self.run)

    def run(self, module, request, *, on_message, on_tick, **kwargs):
        self.do()
        message = {"template": "Training the network", "values": {}, "weight": "info"}
        news = {"message": message, "share": 0.5, "training_loss": [], "validation_loss": []}
        on_message({"kind": "progress", "best_score": None, "seconds_left": 1.0} | news)
        on_tick(None)
        return {"kind": "done"}


def test_a_training_whose_worker_died_can_be_cancelled_and_started_again(machine):
    work = start(machine)
    work.start(make_server())  # of which nothing will be heard again
    assert work_cancel(work=latest_work(machine))
    assert (Work.objects.get().state, status()) == (WorkState.CANCELLED, "ready")
    assert start(machine).state is WorkState.WAITING
    assert work_cancel(work=work) is False, "once"
    assert status() == "training"


def lose_the_lease():
    """The worker was not heard of for too long, and the others gave its work back."""
    Work.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    reap()


def test_a_worker_that_comes_late_leaves_the_next_training_alone(machine, monkeypatch):
    def end_and_start_again():
        assert work_cancel(work=latest_work(machine))
        start(machine)

    first = start(machine)
    Meanwhile(monkeypatch, end_and_start_again)
    work_run(work_id=first.pk)
    assert [work.state for work in Work.objects.order_by("pk")] == [WorkState.CANCELLED, WorkState.WAITING]
    assert status() == "training"


def test_a_worker_that_was_thought_dead_leaves_the_work_to_the_next_one(machine, monkeypatch):
    def lose_it_to_another():
        lose_the_lease()
        assert Work.objects.get().start(make_server())

    Meanwhile(monkeypatch, lose_it_to_another)
    work_run(work_id=start(machine).pk)
    work = Work.objects.get()
    assert (work.state, work.attempts, status()) == (WorkState.PROCESSING, 2, "training")
    assert work.message == str(GONE), "what the late one says does not reach it"


def test_why_it_failed_is_not_written_over_by_late_news(machine, monkeypatch):
    work = start(machine)
    Work.objects.update(attempts=2)
    Meanwhile(monkeypatch, lose_the_lease)
    work_run(work_id=work.pk)
    work = Work.objects.get()
    assert (work.state, work.notice["template"]) == (WorkState.ERROR, NO_RESULT["lost"])
    assert status() == "ready", "it had a model before, and keeps answering"


def test_columns_changed_while_it_waits_are_checked_again(machine):
    work = start(machine)
    machine.columns.update(role="ignored")
    work_run(work_id=work.pk)
    work.refresh_from_db()
    assert work.state is WorkState.ERROR and "No column is an output" in work.message
    assert status() == "ready", "it had a model before"


def test_work_and_machine_end_together(machine, monkeypatch):
    def die(machine):
        assert connections["default"].in_atomic_block
        raise KeyboardInterrupt

    work = start(machine)
    monkeypatch.setattr(Machine, "training_cancelled", die)
    with pytest.raises(KeyboardInterrupt):
        work_cancel(work=work)
    assert (Work.objects.get().state, status()) == (WorkState.WAITING, "training")
