"""J7: who cancels is heard: five seconds later nothing computes any more, whatever the child was doing."""

import time

import pytest

from machines.services.training import training_start
from machines.services.works import work_cancel
from models.work import WorkState
from tests.machines.jobs.workers import cpu_seconds, family, is_alive, now, quick_work, wait_until

MOST_SECONDS = 5.0


def busy(worker, processes):
    """Wait until so many processes below this worker compute, and return them."""
    wait_until(lambda: sum(cpu_seconds(pid) > 0.3 for pid in family(worker)[1:]) >= processes, 30)
    return family(worker)[1:]


def ends_when_cancelled(work, worker, processes):
    pids = busy(worker, processes)
    assert work_cancel(work=now(work))
    seconds = wait_until(lambda: not any(map(is_alive, pids)), MOST_SECONDS)
    print(f"J7: nothing computes {seconds:.1f} s after cancelling")
    assert now(work).state is WorkState.CANCELLED
    wait_until(lambda: family(worker) == [worker], MOST_SECONDS)
    used = cpu_seconds(worker)
    time.sleep(1.0)
    assert cpu_seconds(worker) - used < 0.9, "the worker itself is busy for nothing"
    return True


def test_it_works(fleets, upload):
    """A training, in the middle of the network."""
    machine = upload()
    machine.columns.filter(name="risk").update(role="ignored")
    (worker,) = fleets().start()
    work = training_start(machine=machine, user=machine.machine_owner_user, level=3)
    wait_until(lambda: "network" in now(work).message, 40)
    assert ends_when_cancelled(work, worker, 1)


@pytest.mark.parametrize("lease", [1, 60])
def test_a_child_that_hears_no_signals_and_has_children(fleets, lease):
    (worker,) = fleets(lease=lease, pace={}).start()
    work, other = quick_work(do="be_stubborn"), quick_work()
    assert ends_when_cancelled(work, worker, 2)
    wait_until(lambda: now(other).state is WorkState.FINISHED, 10)


def test_a_work_that_waits_is_never_started(fleets):
    work, other = quick_work(), quick_work()
    assert work_cancel(work=work)
    fleets().start()
    wait_until(lambda: now(other).state is WorkState.FINISHED, 10)
    assert (now(work).state, now(work).attempts) == (WorkState.CANCELLED, 0)
