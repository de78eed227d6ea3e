"""The life of the locked processes: one per key, none that makes others wait, and none that stays behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from machines.serving.locked import runner as module
from machines.serving.locked.lock import NOBODY, ROOT, protection
from machines.serving.locked.onnx_loader import IDENTITY
from machines.serving.locked.room import Room
from machines.serving.locked.runner import Hosted, RunnerError
from tests.machines.serving.locked.conftest import ODD, X, children, fails, gone, is_running, make_runner, odd, rows

pytestmark = pytest.mark.skipif(
    not protection().is_whole, reason=f"needs Linux with Landlock and seccomp: {protection().why_not}"
)


def test_another_model_answers_meanwhile(runner):
    runner.call("quick", odd("double"), rows(1))
    slow = threading.Thread(target=runner.call, args=("slow", odd("sleep"), rows(1.0)))
    slow.start()
    time.sleep(0.3)
    began = time.monotonic()
    runner.call("quick", odd("double"), rows(1))
    assert slow.is_alive() and time.monotonic() - began < 0.1
    slow.join()


def test_a_slow_model_does_not_make_all_threads_wait():
    runner, reasons = make_runner(most_waiting=4), []

    def ask():
        try:
            runner.call("slow", odd("sleep"), rows(1.0))
        except RunnerError as error:
            reasons.append((error.reason, time.monotonic() - began))

    runner.ready("odd")
    began = time.monotonic()
    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    runner.close()
    assert [reason for reason, _ in reasons] == [
        "busy"
    ] * 4  # of the four threads that the site has, one is answered and one waits
    assert max(seconds for _, seconds in reasons) < 0.9


def owned(name, owner, loader="odd"):
    return replace(odd(name, loader), owner=owner)


def test_the_slow_models_of_one_owner_leave_half_of_the_threads_to_others():
    runner, reasons = make_runner(most_waiting=8), []

    def ask(key):
        try:
            runner.call(key, owned("sleep", 1), rows(1.0))
        except RunnerError as error:
            reasons.append(error.reason)

    runner.ready("odd")
    threads = [threading.Thread(target=ask, args=(key,)) for key in range(7)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    assert reasons == ["busy"] * 3 and runner.call("b", owned("double", 2), rows(1))["y"].tolist() == [[2]]
    for thread in threads:
        thread.join()
    assert runner.call(0, owned("double", 1), rows(1))["y"].tolist() == [[1]]  # the place is free again
    runner.close()


def test_whoever_owns_them_slow_models_leave_a_quarter_of_the_threads():
    room = Room(8)
    with ExitStack() as held:
        for owner in range(6):
            held.enter_context(room.held(owner))
        with pytest.raises(RunnerError, match="busy"), room.held(7):
            pass
    with room.held(7):
        assert list(room._owners) == [7]


def test_a_model_that_fills_the_disk_is_ended_even_when_nobody_asks_it(runner):
    runner.call("a", odd("writes_later", loader="odd-fresh"), rows(1))
    process = runner._places["a"].process
    assert gone([process.pid], 20)
    deadline = time.monotonic() + 20
    while Path(process.folder).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(process.folder).exists()
    assert runner.call("a", odd("double", loader="odd-fresh"), rows(1))["y"].tolist() == [[2]]


def test_a_model_cannot_show_one_caller_what_another_asked(runner):
    """The model answers with what it was asked before. Bob's process never saw what Alice asked."""
    alice, bob = ("model", "alice"), ("model", "bob")
    runner.call(alice, odd("remember"), rows(41))
    assert runner.call(alice, odd("remember"), rows(42))["y"].tolist() == [[41]]  # it does remember
    assert runner.call(bob, odd("remember"), rows(1))["y"].tolist() == [[-1]]
    for value in (7, 8):
        assert runner.call(alice, odd("remember"), rows(value), fresh=True)["y"].tolist() == [[-1]]


def test_a_fresh_process_ends_with_its_call(runner):
    runner.call("buyer", odd("double"), rows(1), fresh=True)
    assert "buyer" not in runner._places
    assert fails(runner, odd("refuse"), rows(-1), fresh=True) == "input"
    assert not runner._places


def test_the_one_not_asked_longest_goes_first():
    runner = make_runner(most_processes=2)
    for key in "abac":
        runner.call(key, odd("remember"), rows(1))
    assert list(runner._places) == ["a", "c"]
    processes = [place.process.pid for place in runner._places.values()]
    runner.idle_seconds = 0
    runner.call("d", odd("double"), rows(1))
    assert not runner._places and gone(processes)
    runner.close()


def test_dropped_is_gone(runner):
    runner.call("a", odd("remember"), rows(1))
    pid = runner._places["a"].process.pid
    runner.drop("a")
    runner.drop("never there")
    assert gone([pid], 1)
    assert runner.call("a", odd("remember"), rows(2))["y"].tolist() == [[-1]]


def test_dropped_while_it_answers(runner):
    """The caller still gets the answer; the process goes with it."""
    answers = []
    hosted = odd("answer_and_stay")
    caller = threading.Thread(target=lambda: answers.append(runner.call("a", hosted, rows(0.5))["y"].tolist()))
    caller.start()
    time.sleep(0.3)
    pid = runner._places["a"].process.pid
    runner.drop("a")
    caller.join()
    assert answers == [[[0.5]]] and gone([pid], 1)


def test_the_process_is_nobody_and_locked(runner):
    runner.call("a", odd("double"), rows(1))
    status = Path(f"/proc/{runner._places['a'].process.pid}/status").read_text()
    facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    user = str(os.getuid() or NOBODY)
    assert facts["Uid"].split() == [user] * 4 and set(facts["CapPrm"] + facts["CapEff"]) == {"0"}
    assert (facts["NoNewPrivs"], facts["Seccomp"], facts["Threads"]) == ("1", "2", "1")


def test_a_killed_process_or_zygote_is_replaced(runner):
    runner.call("a", odd("double"), rows(1))
    os.kill(runner._places["a"].process.pid, signal.SIGKILL)
    time.sleep(0.1)
    assert runner.call("a", odd("double"), rows(2))["y"].tolist() == [[4]]
    child = runner._places["a"].process.pid
    os.kill(runner._zygotes["tests.machines.serving.locked.odd_models"].pid, signal.SIGKILL)
    assert gone([child], 2)
    assert runner.call("a", odd("double"), rows(3))["y"].tolist() == [[6]]


def test_many_threads_and_models(runner):
    wrong = []

    def ask(seed):
        for value in range(20):
            got = runner.call(seed % 3, odd("double"), rows(value + seed))["y"].tolist()
            wrong.extend([] if got == [[2.0 * (value + seed)]] else [got])

    runner._room, before = Room(100), runner._room
    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    runner._room = before
    assert wrong == []


def test_nothing_piles_up(runner):
    runner.call("warm", odd("double"), rows(1))
    files, before = _open_files(), len(children())
    for turn in range(200):
        runner.call("warm", odd("double"), rows(turn))
    for _ in range(20):
        runner.call("fresh", odd("double"), rows(1), fresh=True)
        fails(runner, odd("leave"))
    assert _open_files() == files
    assert gone(sorted(set(children()))[before:], 2) or len(children()) == before


def test_a_forked_site_starts_its_own(runner):
    runner.call("a", odd("remember"), rows(1))
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        try:
            got = runner.call("a", odd("remember"), rows(2))["y"].tolist()
            runner.close()
            os.write(writer, repr(got).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        assert pipe.read() == "[[-1.0]]"
    os.waitpid(child, 0)
    assert runner.call("a", odd("remember"), rows(3))["y"].tolist() == [[1]]


def _open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


SITE = """
import sys, threading, time
sys.path[:0] = {path!r}
from tests.machines.serving.locked.conftest import children, make_runner, odd, rows
runner = make_runner()
runner.call("idle", odd("double"), rows(1))
runner.call("scratch", odd("double", loader="odd-fresh"), rows(1))
threading.Thread(target=runner.call, args=("busy", odd("sleep"), rows(60)), kwargs={{"seconds": 60}}, daemon=True).start()
time.sleep(0.5)
print(*children(), runner._places["scratch"].process.folder, flush=True)
time.sleep(60)
"""


def test_a_killed_site_leaves_nothing(tmp_path):
    code = SITE.format(path=[str(ROOT)])
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as site:
        *pids, folder = site.stdout.readline().split()
        assert len(pids) == 4 and all(is_running(pid) for pid in pids) and Path(folder).is_dir()
        site.kill()
    assert gone(pids)
    deadline = time.monotonic() + 5
    while Path(folder).exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(folder).exists()


def test_a_library_that_cannot_be_forked_gets_a_fresh_interpreter(runner):
    assert runner.call("a", odd("double", loader="odd-fresh"), rows(1))["y"].tolist() == [[2]]
    process = runner._places["a"].process
    assert Path(process.folder).is_dir()
    runner.drop("a")
    assert not Path(process.folder).exists() and gone([process.pid], 1)


def test_a_loader_that_cannot_start_says_why(runner):
    for loader, words in (("odd-import", "no such library"), ("odd-threads", "started threads")):
        with pytest.raises(RunnerError, match="crash") as caught:
            runner.call("a", odd("double", loader=loader), rows(1))
        assert words in caught.value.details
    runner.close()  # that zygote has a thread now


def test_a_process_that_nobody_asks_ends_by_itself(monkeypatch):
    monkeypatch.setattr(module, "IDLE_SPARE", 0)
    runner = make_runner(idle_seconds=1)
    runner.call("a", odd("remember"), rows(1))
    runner.call("b", odd("double", loader="odd-fresh"), rows(1))
    zygote, processes = runner._zygotes[ODD].pid, [place.process for place in runner._places.values()]
    assert gone([process.pid for process in processes], 5), "though nothing else was called"
    assert gone([zygote], 5), "and what made them, which holds the library"
    assert not Path(processes[1].folder).exists()
    assert runner.call("a", odd("remember"), rows(2))["y"].tolist() == [[-1]], "it starts anew"
    runner.close()


def test_the_small_zygote_stays_for_the_next_cold_model(monkeypatch):
    monkeypatch.setattr(module, "IDLE_SPARE", 0)
    runner = make_runner(idle_seconds=1)
    runner.call("a", Hosted("onnx", lambda: IDENTITY, X), rows(1))
    child, (zygote,) = runner._places["a"].process.pid, runner._zygotes.values()
    assert gone([child], 5) and not gone([zygote.pid], 1.5)
    runner.close()


def test_together_they_hold_no_more_than_they_may(monkeypatch):
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.0)
    runner = make_runner(most_memory_mb=300)
    for key in "abc":
        runner.call(key, odd("hold"), rows(100))
    assert list(runner._places) == ["b", "c"] and all(place.memory_mb > 100 for place in runner._places.values())
    for key in "bcbc":
        runner.call(key, odd("hold"), rows(0))
    assert list(runner._places) == ["b", "c"], "below the limit nobody is ended"
    runner.call("c", odd("hold"), rows(110))
    assert list(runner._places) == ["c"], "the one that grew was asked last"
    runner.close()
