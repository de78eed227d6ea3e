"""J3: the database is restarted, gently and roughly, while workers run. They come back, and no work fails."""

import json
from collections import Counter

import pytest

from tests.machines.jobs.cluster import PROGRAMS, Cluster
from tests.machines.jobs.workers import HASTE, Fleet, wait_until

pytestmark = [
    pytest.mark.engine,  # it brings its own database, so once is enough
    pytest.mark.skipif(not PROGRAMS, reason="No PostgreSQL found. On Debian: apt-get install postgresql."),
]

MOST_SECONDS = 10
WORKS = 45
STEPS = 16  # of a work, which takes 0.8 s
PAUSE_SECONDS = 2.0  # while the database is down; what runs then ends in that time
FINISHED = "SELECT count(*) FROM models_work WHERE is_work_status_server_finished"
RUNNING = "SELECT id FROM models_work WHERE is_work_status_server_processing"
ENDS = "SELECT id, is_work_status_server_finished, attempts, message FROM models_work ORDER BY id"


@pytest.fixture
def cluster():
    cluster = Cluster()
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture
def fleet(cluster):
    """With the lease of production: what runs goes on, and is not begun again."""
    fleet = Fleet(cluster.url, lease=20, pace=HASTE)
    fleet.tell("migrate")
    yield fleet
    fleet.end()


def finished(cluster):
    return cluster.rows(FINISHED)[0][0]


def running(cluster):
    return {pk for (pk,) in cluster.rows(RUNNING)}


def test_it_works(cluster, fleet):
    works = fleet.tell("make", times=WORKS, work={"memory_mb": 0, "parameters": {"steps": STEPS}})
    fleet.start(3)
    interrupted = set()
    for mode in ("fast", "immediate"):
        before = finished(cluster)
        wait_until(lambda before=before: finished(cluster) >= before + 5, 30)
        wait_until(lambda: len(running(cluster)) == 3, 30)  # none is between two works
        interrupted |= running(cluster)
        cluster.restart(mode, PAUSE_SECONDS)
        now = finished(cluster)
        seconds = wait_until(lambda now=now: finished(cluster) > now + 3, MOST_SECONDS)
        print(f"J3: after a restart ({mode}) all three work again after {seconds:.1f} s")

    wait_until(lambda: finished(cluster) == WORKS, 60)
    ends = cluster.rows(ENDS)
    assert [(pk, is_finished) for pk, is_finished, *_ in ends] == [(pk, True) for pk in works]
    assert len(interrupted) >= 3
    again = [pk for pk, _, attempts, _ in ends if pk in interrupted and attempts > 1]
    # One may be begun again: a server that dies while it commits does not say whether a work was taken.
    assert len(again) <= 1, "what was done was not kept"
    assert max(attempts for _, _, attempts, _ in ends) <= 2
    assert Counter(json.loads(bytes(row))[0] for (row,) in cluster.rows("SELECT nn_model FROM models_nnmodel")) == (
        Counter(works)
    ), "each done once"
