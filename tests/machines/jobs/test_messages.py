"""Messages of the queue: what a dead worker had in hand is brought again, a work's or an e-mail's."""

import threading
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from machines.jobs import embedded
from machines.jobs.embedded import MOST_DELIVERIES, EmbeddedWorker, forget_messages, put_back, return_messages
from models import Server
from models.work import WorkState
from tests.factories import make_server
from tests.machines.jobs.letters import letter_send
from tests.machines.jobs.workers import now, quick_work, wait_until


@pytest.fixture
def message(db):
    letter_send.enqueue("/dev/null")
    return DBTaskResult.objects.get()


def held_by(message, *names):
    DBTaskResult.objects.filter(pk=message.pk).update(status=TaskResultStatus.RUNNING, worker_ids=list(names))


def status():
    return DBTaskResult.objects.get().status


@pytest.mark.django_db(transaction=True)
def test_an_email_whose_worker_was_killed_is_sent_again(fleets, tmp_path):
    fleet, diary = fleets(), tmp_path / "diary"
    letter_send.enqueue(str(diary))
    (first,) = fleet.start()
    wait_until(diary.exists, 10)
    fleet.kill(first)
    fleet.start()
    wait_until(lambda: diary.read_text() == "begun\nbegun\nsent\n", 20)
    wait_until(lambda: status() == TaskResultStatus.SUCCESSFUL, 5)


def test_a_living_worker_keeps_its_message(message):
    held_by(message, make_server(server_name="living", heartbeat_at=Now()).server_name)
    return_messages()
    assert status() == TaskResultStatus.RUNNING


@pytest.mark.parametrize("is_ready", [True, False])
def test_a_dead_worker_does_not(message, settings, is_ready):
    settings.WORK_LEASE_SECONDS = 1
    make_server(server_name="dead", server_info_ready=is_ready, heartbeat_at="2026-01-01T00:00Z")
    held_by(message, "dead")
    return_messages()
    assert status() == TaskResultStatus.READY


def test_nor_does_one_that_nobody_knows(message):
    """It was killed before it announced itself, or is long forgotten."""
    held_by(message, "unknown")
    return_messages()
    assert status() == TaskResultStatus.READY


def test_only_the_last_holder_counts(message):
    make_server(server_name="living", heartbeat_at=Now())
    held_by(message, "dead", "living")
    return_messages()
    assert status() == TaskResultStatus.RUNNING


def test_a_message_that_kills_every_worker_is_given_up(message):
    held_by(message, *["dead"] * MOST_DELIVERIES)
    return_messages()
    assert status() == TaskResultStatus.FAILED


def test_all_messages_of_a_worker_are_put_back(db):
    for _ in range(3):
        letter_send.enqueue("/dev/null")
    for message in DBTaskResult.objects.all():
        held_by(message, "mine")
    put_back({"mine"})
    assert DBTaskResult.objects.ready().count() == 3


@pytest.mark.django_db(transaction=True)
def test_what_a_worker_dropped_when_the_database_went_away_is_brought_again(message):
    """It lives on, so nobody else would put that back."""
    worker = EmbeddedWorker(["cpu"], interval=0.01)
    held_by(message, worker.worker.name)
    worker.worker.beat()
    return_messages()
    assert status() == TaskResultStatus.RUNNING
    worker._take_messages()  # at its start: there may have been an earlier process of this name
    assert status() == TaskResultStatus.READY
    held_by(message, worker.worker.name)
    worker._take_messages()
    assert status() == TaskResultStatus.RUNNING, "asked once is enough"


@pytest.mark.django_db(transaction=True)
def test_a_worker_announces_itself_before_it_takes_anything(quick):
    work = quick_work()
    EmbeddedWorker(["cpu"], interval=0.01)._take_messages()
    assert now(work).state is WorkState.FINISHED
    assert Server.objects.alive().count() == 1


def test_messages_that_arrived_a_day_ago_are_forgotten(message):
    letter_send.enqueue("/dev/null")
    DBTaskResult.objects.update(status=TaskResultStatus.SUCCESSFUL, finished_at=timezone.now())
    DBTaskResult.objects.filter(pk=message.pk).update(finished_at=timezone.now() - timedelta(hours=25))
    assert forget_messages() == 1 and DBTaskResult.objects.exclude(pk=message.pk).exists()


def test_housekeeping_is_done_every_hour_beside_the_signs_of_life(db, monkeypatch):
    done = threading.Event()
    monkeypatch.setattr(embedded, "forget_messages", done.set)  # another connection would wait for this test's
    worker = EmbeddedWorker(["cpu"], interval=0.1)
    worker._keep_house()
    assert not done.wait(0.2)
    monkeypatch.setattr(embedded, "HOUSEKEEPING_SECONDS", -1.0)
    worker._keep_house()
    assert done.wait(5)
