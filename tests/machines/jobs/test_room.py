"""A server takes what it has room for: memory beside what runs on the same computer, and cards for what needs them."""

import threading
import time
from contextlib import suppress
from itertools import pairwise

import pytest
from django.db import connection
from django.db.models.functions import Now

from machines.jobs import runner
from machines.jobs.servers import Worker, cores, graphics_cards, memory_mb, short
from machines.services.works import work_make
from models import Server, Work
from models.work import WorkKind, WorkState
from tests.factories import make_server, make_work
from tests.machines.jobs.workers import now, quick_work, wait_until

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker():
    worker = Worker(["cpu"])
    Server.objects.filter(pk=worker.server.pk).update(memory_mb=1000)
    worker.server.refresh_from_db()
    return worker


def running(megabytes, server):
    work = make_work(memory_mb=megabytes)
    assert work.start(server)
    return work


def has_room_for(worker, megabytes):
    return worker.has_room_for(make_work(memory_mb=megabytes))


def test_it_works(worker):
    running(600, worker.server)
    assert has_room_for(worker, 400) and not has_room_for(worker, 401)


def test_alone_any_work_has_room(worker):
    assert has_room_for(worker, 10**6)


def test_other_workers_of_the_same_computer_count_and_others_do_not(worker):
    running(600, make_server(host="elsewhere"))
    assert has_room_for(worker, 1000)
    work = running(600, make_server(host=worker.server.host))
    assert not has_room_for(worker, 500)
    work.finish()
    assert has_room_for(worker, 500)


@pytest.mark.django_db(transaction=True)
def test_what_has_no_room_waits_for_it(fleets):
    """Three idle workers look at the same time, and there is room for one work."""
    fleets().start(3)
    wait_until(lambda: Server.objects.alive().count() == 3, 20)
    works = [quick_work(memory_mb=10**6, steps=2) for _ in range(5)]
    wait_until(lambda: all(now(work).state is WorkState.FINISHED for work in works), 60)
    ended = Work.objects.order_by("work_started_at_date_time")
    spans = list(ended.values_list("work_started_at_date_time", "work_finished_at_date_time"))
    assert all(end <= start for (_, end), (start, _) in pairwise(spans)), "two ran together"
    assert {work.attempts for work in ended} == {1}, "to wait for room is no failure"


@pytest.mark.django_db(transaction=True)
def test_two_that_look_at_the_same_time_do_not_both_see_room(monkeypatch):
    both, look, taken = threading.Barrier(2), Worker.has_room_for, []

    def look_slowly(worker, work):
        has_room = look(worker, work)
        time.sleep(0.3)
        return has_room

    def take(work):
        worker = Worker(["cpu"])
        worker.name = f"{worker.name}-{work.pk}"
        assert worker.server
        both.wait()
        taken.append(runner._take(work, worker))
        connection.close()

    monkeypatch.setattr(Worker, "has_room_for", look_slowly)
    threads = [threading.Thread(target=take, args=[quick_work(memory_mb=10**6)]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False, True]
    assert Work.objects.running().count() == Work.objects.waiting().count() == 1


# What a server is


def test_it_announces_itself():
    worker = Worker(["cpu", "default"])
    server = Server.objects.get(pk=worker.server.pk)
    assert (server.cores, server.queues) == (cores(), ["cpu", "default"]) and server.server_info_ready
    assert 0 < server.memory_mb <= memory_mb() and server.heartbeat_at and server.version
    assert list(Server.objects.alive()) == [server]


def test_computers_with_long_names_are_told_apart():
    """Containers often differ in the last letters of a long name only, and all have the same process numbers."""
    names = {short(f"easyautoml-worker-production-deployment-7d9f8b6c5-{end}") for end in ("abcde", "fghij")}
    assert len(names) == 2 and max(map(len, names)) == 38
    assert short("worker1") == "worker1"


def test_a_forgotten_one_announces_itself_anew():
    worker = Worker()
    worker.server.delete()
    worker.beat()
    assert Server.objects.alive().get().server_name == worker.name


def test_it_hears_that_it_shall_drain():
    worker = Worker()
    worker.server.drain(True)
    worker.beat()
    assert worker.is_draining
    worker.server.drain(False)
    worker.beat()
    assert not worker.is_draining


def test_it_announces_itself_once_though_two_threads_ask(monkeypatch):
    asked = []

    def announced(worker):
        asked.append(worker)
        time.sleep(0.1)
        return Server(server_name=worker.name)

    monkeypatch.setattr(Worker, "_announced", announced)
    worker = Worker()
    threads = [threading.Thread(target=lambda: worker.server) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked == [worker], "a second announcement would undo what an administrator said in between"


def test_who_it_is_can_be_asked_while_its_sign_of_life_waits_for_the_database(monkeypatch):
    """In a transaction that the sign of life waits for: if both waited for each other, neither would ever end."""
    worker, begun, may_end = Worker(), threading.Event(), threading.Event()
    assert worker.server

    def beat(server):
        begun.set()
        may_end.wait(20)
        raise InterruptedError

    def live():
        with suppress(InterruptedError):
            worker.beat()

    monkeypatch.setattr(Server, "beat", beat)
    threads = [threading.Thread(target=live), threading.Thread(target=lambda: worker.server.host)]
    threads[0].start()
    assert begun.wait(10)
    threads[1].start()
    threads[1].join(10)
    is_stuck = threads[1].is_alive()
    may_end.set()
    for thread in threads:
        thread.join()
    assert not is_stuck


def test_silent_ones_are_not_alive(settings):
    settings.WORK_LEASE_SECONDS = 5
    make_server(heartbeat_at=Now())
    make_server(heartbeat_at="2026-01-01T00:00Z")
    make_server(heartbeat_at=None)
    assert (Server.objects.alive().count(), Server.objects.silent().count()) == (1, 1)


@pytest.fixture
def cards(monkeypatch, tmp_path):
    """A program in the place of the driver's, which says this."""

    def say(script):
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
        graphics_cards.cache_clear()

    yield say
    graphics_cards.cache_clear()


def test_work_for_cards_is_taken_where_there_are_some(cards):
    cards("echo 143771; echo 24576")
    worker = Worker()
    assert worker.queues == ["cpu", "gpu", "default"]
    assert Server.objects.get(pk=worker.server.pk).server_gpu_ram == [143771, 24576]


@pytest.mark.parametrize("script", ["exit 9", "echo no devices were found", "exit 0"])
def test_and_nowhere_else(cards, script):
    cards(script)
    worker = Worker()
    assert worker.queues == ["cpu", "default"] and worker.server.server_gpu_ram == []


def test_without_a_driver_there_are_no_cards(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    graphics_cards.cache_clear()
    assert graphics_cards() == []
    graphics_cards.cache_clear()


@pytest.mark.django_db(transaction=True)
def test_work_for_cards_waits_for_a_server_that_has_some(fleets, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))  # where there is no driver
    work = work_make(kind=WorkKind.EXPORT, user=None, queue="gpu", memory_mb=0)
    other = quick_work()
    fleets().start()
    wait_until(lambda: now(other).state is WorkState.FINISHED, 20)
    assert now(work).state is WorkState.WAITING
