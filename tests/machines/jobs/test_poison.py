"""J6: a work that kills its child, or eats all memory, ends with the reason, and blocks nobody."""

from pathlib import Path

import pytest

from machines import child
from machines.child import ChildFailedError, run_child
from machines.engine.job import OUT_OF_MEMORY
from machines.jobs.job import NO_RESULT
from models.work import MOST_ATTEMPTS, WorkState
from tests.machines.jobs.workers import family, now, quick_work, wait_until

LIMIT_MB = 200
QUICK = "tests.machines.jobs.quick"


def peak_mb(pid):
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM")), 0)


def test_it_works(fleets):
    (worker,) = fleets().start()
    poison, *others = [quick_work(do="segfault"), quick_work(), quick_work(), quick_work()]
    wait_until(lambda: not any(now(work).is_active for work in (poison, *others)), 30)
    assert [now(work).state for work in others] == [WorkState.FINISHED] * 3
    end = now(poison)
    assert (end.state, end.attempts, end.message) == (WorkState.ERROR, MOST_ATTEMPTS, NO_RESULT["crash"])
    assert all(now(work).work_finished_at_date_time < end.work_finished_at_date_time for work in others[:1])
    assert family(worker) == [worker]


@pytest.mark.parametrize("do", ["eat", "nibble"])
def test_memory_without_end(fleets, do):
    (worker,) = fleets().start()
    work, other = quick_work(do=do, memory_mb=LIMIT_MB), quick_work()
    peaks = []

    def is_over():
        peaks.extend(peak_mb(pid) for pid in family(worker)[1:])
        return not now(work).is_active and not now(other).is_active

    wait_until(is_over, 40)
    end = now(work)
    assert (end.state, now(other).state) == (WorkState.ERROR, WorkState.FINISHED)
    assert end.attempts <= MOST_ATTEMPTS and end.message in (NO_RESULT["memory"], OUT_OF_MEMORY)
    assert max(peaks) < LIMIT_MB + child.SPARE_MB


def test_the_system_refuses_memory_when_nobody_looks(monkeypatch):
    monkeypatch.setattr(child, "_check_limits", lambda *given: None)
    answer = run_child(QUICK, {"do": "eat"}, seconds=30, memory_mb=LIMIT_MB)
    assert answer["error"]["template"] == OUT_OF_MEMORY


@pytest.mark.parametrize("words", ["memory allocation of 64 bytes failed", "std::bad_alloc", "MemoryError"])
def test_a_library_that_gives_up_ran_out_of_memory(words):
    with pytest.raises(ChildFailedError) as failed:
        run_child(QUICK, {"do": "give_up", "words": words}, seconds=30, memory_mb=LIMIT_MB)
    assert failed.value.reason == "memory"
