"""J2: the work of a killed worker runs again in less than 40 seconds, and goes on from where it was."""

import pytest
from django.conf import settings

from machines.services.training import training_start
from machines.services.works import work_finish_early
from models import Machine
from models.work import WorkState
from tests.machines.jobs.workers import family, is_alive, now, quick_work, wait_until, worker_of

MOST_SECONDS = 40


def test_it_works(fleets):
    """With the settings of production."""
    fleet = fleets(lease=settings.WORK_LEASE_SECONDS, pace={})
    fleet.start(2, interval=0.3)
    work = quick_work(do="wait")
    first = worker_of(work)
    wait_until(lambda: now(work).progress > 0, 10)  # the child runs, and the lease is as long as it gets

    fleet.kill(first)
    seconds = wait_until(lambda: now(work).attempts == 2 and now(work).progress > 0, MOST_SECONDS)
    print(f"J2: running again after {seconds:.1f} s")
    assert seconds > settings.WORK_LEASE_SECONDS / 2, "the lease was not waited for"
    assert worker_of(work) != first


@pytest.fixture
def machine(upload):
    machine = upload()
    machine.columns.filter(name="risk").update(role="ignored")
    return machine


def trials_of(work):
    """What the training has recorded, and when."""
    folder = settings.STORAGE_ROOT / (now(work).folder or "none") / "trials"
    found = folder.iterdir() if folder.exists() else ()
    return {path.name: path.stat().st_mtime_ns for path in found if not path.name.startswith(".")}


def test_a_training_goes_on_from_its_trials(fleets, machine):
    fleet = fleets()
    (worker,) = fleet.start()
    work = training_start(machine=machine, user=machine.machine_owner_user, level=2)
    wait_until(lambda: trials_of(work), 40)
    children = family(worker)[1:]
    fleet.kill(worker)
    wait_until(lambda: not any(map(is_alive, children)), 5)
    recorded = trials_of(work)

    fleet.start()
    wait_until(lambda: now(work).attempts == 2 and "network" in now(work).message, 40)
    again = trials_of(work)
    assert {name: again.get(name) for name in recorded} == recorded, "what was fitted is not fitted again"
    assert work_finish_early(work=now(work))
    wait_until(lambda: not now(work).is_active, 20)
    assert (now(work).state, now(work).attempts) == (WorkState.FINISHED, 2)
    assert Machine.objects.get().machine_status == "ready"
