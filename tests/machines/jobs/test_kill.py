"""J1: workers and their children are killed at any moment, and stall. No work is lost, each is done once."""

import json
import signal

from models import NNModel
from models.work import WorkState
from tests.machines.jobs.storm import Storm
from tests.machines.jobs.workers import now, quick_work, wait_until

KILLS = 200
NAIVE_KILLS = 25


def test_it_works(fleets):
    """200 kills. Works are lost to bad luck only after many attempts here, so that none may fail."""
    verdict = Storm(fleets(MOST_ATTEMPTS=1000)).run(KILLS, patience=30)
    print(verdict)
    assert (verdict.lost, verdict.doubled, verdict.wrong) == ([], [], [])
    assert sum(verdict.kills.values()) >= KILLS and min(verdict.kills["worker"], verdict.kills["child"]) > KILLS / 5
    assert sum(count for attempts, count in verdict.attempts.items() if attempts > 1) > KILLS / 20, "it hurt nobody"


def test_a_worker_that_stalled_writes_nothing_late(fleets):
    """It wakes with its answer in hand while another one, which was given the work, is at it."""
    fleet = fleets()
    (stalled,) = fleet.start()
    work = quick_work(do="lag")
    wait_until(lambda: now(work).state is WorkState.PROCESSING, 10)
    fleet.kill(stalled, signal.SIGSTOP)
    fleet.start()
    wait_until(lambda: now(work).fencing_token == 2, 10)
    fleet.kill(stalled, signal.SIGCONT)
    wait_until(lambda: now(work).state is WorkState.FINISHED, 10)
    assert [json.loads(bytes(row.nn_model)) for row in NNModel.objects.all()] == [[work.pk, 2, work.pk**2]]
    assert (now(work).attempts, now(work).result["token"]) == (2, 2)


def test_a_naive_worker_does_not_survive_it(fleets):
    verdict = Storm(fleets(), is_naive=True).run(NAIVE_KILLS, patience=3)
    print(verdict)
    assert verdict.lost or verdict.doubled
