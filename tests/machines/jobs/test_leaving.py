"""J8: who is told to stop ends what is nearly done, and hands the rest back, for another one to go on with."""

import signal
import time

import pytest

from machines.jobs.embedded import DRAIN_SECONDS
from machines.management.commands.run import STOP_SECONDS
from models import Server
from models.work import WorkState
from tests.machines.jobs.workers import is_alive, now, quick_work, wait_until, worker_of

MOST_SECONDS = 30


@pytest.fixture
def fleet(fleets):
    return fleets()


def runs(work):
    wait_until(lambda: now(work).progress > 0, 10)
    return worker_of(work)


def leaves(worker, seconds):
    return wait_until(lambda: not is_alive(worker), seconds)


def test_what_is_nearly_done_is_ended(fleet):
    fleet.start()
    work = quick_work(steps=60)
    worker = runs(work)
    fleet.kill(worker, signal.SIGTERM)
    leaves(worker, MOST_SECONDS)
    assert (now(work).state, now(work).attempts) == (WorkState.FINISHED, 1)
    assert not Server.objects.alive().exists()


def test_what_takes_longer_is_handed_back_and_another_one_goes_on_with_it(fleet):
    fleet.start(DRAIN_SECONDS=1.0)
    work = quick_work(steps=60)
    worker = runs(work)
    fleet.kill(worker, signal.SIGTERM)
    leaves(worker, MOST_SECONDS)
    handed = now(work)
    assert (handed.state, handed.attempts, handed.message) == (WorkState.WAITING, 0, "")

    fleet.start()
    wait_until(lambda: now(work).state is WorkState.FINISHED, 20)
    assert now(work).attempts == 1
    assert 0 < now(work).result["resumed_at"] < 60, "not from the start"


def test_what_takes_very_long_is_handed_back_at_once(fleet):
    fleet.start()
    work = quick_work(do="wait", seconds=3600.0)
    worker = runs(work)
    fleet.kill(worker, signal.SIGTERM)
    assert leaves(worker, 10) < 10
    assert (now(work).state, now(work).attempts) == (WorkState.WAITING, 0)


def test_what_does_not_keep_its_word_is_handed_back_in_time(fleet):
    fleet.start(DRAIN_SECONDS=2.0)
    work = quick_work(do="boast")
    worker = runs(work)
    fleet.kill(worker, signal.SIGTERM)
    leaves(worker, 10)
    assert (now(work).state, now(work).attempts) == (WorkState.WAITING, 0)


def test_there_is_time_to_hand_back_before_somebody_kills():
    assert DRAIN_SECONDS + 2 < STOP_SECONDS <= MOST_SECONDS


@pytest.mark.parametrize("signals", [(signal.SIGTERM, signal.SIGTERM), (signal.SIGINT,)])
def test_a_second_signal_and_ctrl_c_hand_back_at_once(fleet, signals):
    fleet.start()
    work = quick_work(steps=300)
    worker = runs(work)
    for name in signals:
        fleet.kill(worker, name)
        time.sleep(0.3)
    leaves(worker, 5)
    assert (now(work).state, now(work).attempts) == (WorkState.WAITING, 0)


def test_an_idle_worker_leaves_at_once(fleet):
    (worker,) = fleet.start()
    wait_until(lambda: Server.objects.alive().exists(), 10)
    fleet.kill(worker, signal.SIGTERM)
    leaves(worker, 5)
    assert not Server.objects.ready().exists()


def test_a_draining_server_ends_what_it_has_takes_nothing_new_and_goes_on_later(fleet):
    fleet.start()
    first = quick_work(steps=40)
    runs(first)
    server = Server.objects.get()
    server.drain(True)
    second = quick_work()
    wait_until(lambda: now(first).state is WorkState.FINISHED, 10)
    time.sleep(1.0)
    assert (now(second).state, now(second).attempts) == (WorkState.WAITING, 0)
    assert Server.objects.alive().exists(), "it lives"

    server.drain(False)
    wait_until(lambda: now(second).state is WorkState.FINISHED, 10)


def test_a_draining_server_takes_nothing_though_it_has_not_looked_for_long(fleets):
    fleets(lease=20, pace={}).start()
    wait_until(lambda: Server.objects.alive().exists(), 10)
    Server.objects.get().drain(True)
    work = quick_work()
    time.sleep(1.5)
    assert (now(work).state, now(work).attempts) == (WorkState.WAITING, 0)
