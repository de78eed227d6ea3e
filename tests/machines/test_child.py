"""The runner of child processes: what it gets back, what it stops, what it keeps to itself."""

import os
import resource
import signal
import time
from pathlib import Path

import pytest

from machines import child as runner
from machines.child import NICENESS, Child, ChildFailedError, run_child

ODD = "tests.machines.odd_child"


def run(do, **kwargs):
    request = {"do": do, "word": kwargs.pop("word", "hello")}
    return run_child(ODD, request, **{"seconds": 30, "memory_mb": 500} | kwargs)


def is_running(pid):
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False


def ends(pid):
    """Whether a killed process is gone soon: the system needs a moment."""
    until = time.monotonic() + 5
    while is_running(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not is_running(pid)


def test_it_works():
    assert run("answer", word="grüße") == {"said": "grüße"}


def test_every_message_is_heard_and_the_child_hears_too():
    heard = []

    def on_message(message):
        heard.append(message)

    def on_tick(child):
        if heard == [{"ready": True}]:
            child.send("finish")

    assert run("echo", on_message=on_message, on_tick=on_tick) == {"heard": "finish"}
    assert heard == [{"ready": True}, {"heard": "finish"}]


def test_it_stands_back_for_pages_and_models_that_answer():
    """Of two sessions that want one core, niceness alone gives each half where Linux groups processes by session."""
    seen = set()

    def look(child):
        of_session, place = None, Path(f"/proc/{child.process.pid}/autogroup")
        if place.exists() and place.read_text():
            of_session = int(place.read_text().rpartition(" ")[2])
        seen.add((os.getpriority(os.PRIO_PROCESS, child.process.pid), of_session))
        child.send("finish")

    run("echo", niceness=NICENESS, on_tick=look)
    assert seen in ({(10, 10)}, {(10, None)}), "the second where the system has no such groups"


def test_deadline():
    pids, started = [], time.monotonic()
    with pytest.raises(ChildFailedError) as failed:
        run("sleep", seconds=1, on_message=lambda message: pids.append(message["pid"]))
    assert failed.value.reason == "deadline"
    assert time.monotonic() - started < 3
    assert pids and ends(pids[0])


def test_memory_limit():
    with pytest.raises(ChildFailedError) as failed:
        run("allocate", memory_mb=200)
    assert failed.value.reason == "memory"


def test_garbage_on_its_output_is_no_message():
    heard = []
    assert run("chatter", on_message=heard.append, seconds=10) == {"said": "hello"}
    assert heard == [{"said": "hello"}]


def test_no_secret_reaches_it(monkeypatch):
    for name in ("SECRET_KEY", "DATABASE_URL", "EMAIL_URL", "PYTHONPATH"):
        monkeypatch.setenv(name, "hush-hush")
    told = run("tell_environment")
    assert "hush-hush" not in str(told)
    assert set(told["environment"]) <= {
        "PATH", "HOME", "LANG", "TMPDIR", "LC_CTYPE", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS",
    }  # fmt: skip


def test_threads_are_given():
    assert run("tell_environment", threads=2)["environment"]["OMP_NUM_THREADS"] == "2"


@pytest.mark.parametrize("do", ["nothing", "traceback"])
def test_without_a_result_it_crashed(do):
    with pytest.raises(ChildFailedError) as failed:
        run(do)
    assert failed.value.reason == "crash"
    assert ("the cellar is on fire" in failed.value.details) == (do == "traceback")


def test_killed_from_outside_it_crashed_even_after_some_messages():
    with pytest.raises(ChildFailedError) as failed:
        run("sleep", on_message=lambda message: os.kill(message["pid"], signal.SIGKILL))
    assert failed.value.reason == "crash"


def test_a_result_counts_though_the_child_does_not_end(monkeypatch):
    monkeypatch.setattr(runner, "TICK_SECONDS", 0.05)
    assert run("close_and_hang") == {"said": "hello"}


def test_whoever_watches_can_stop_it():
    pids = []

    class Enough(Exception):
        pass

    def on_message(message):
        pids.append(message["pid"])
        raise Enough

    with pytest.raises(Enough):
        run("sleep", on_message=on_message)
    assert ends(pids[0])


def test_what_it_started_ends_with_it():
    pids = []
    with pytest.raises(ChildFailedError):
        run("sleep_with_a_child", seconds=1, on_message=lambda message: pids.append(message["pid"]))
    assert pids and ends(pids[0])


def test_pipes_and_threads_are_closed():
    before = len(list(Path("/proc/self/fd").iterdir()))
    child = Child(ODD, {"do": "answer", "word": "hello"})
    while child.next_message() is not runner.END:
        pass
    child.stop()
    assert not any(reader.is_alive() for reader in child._readers)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    child.send("too late")  # is no error


@pytest.mark.parametrize("do", ["endless_line", "endless_lines"])
def test_what_it_says_without_end_is_not_heard_to_its_end(do):
    before, began = peak_mb(), time.monotonic()
    with pytest.raises(ChildFailedError, match="crash"):
        run(do, line_mb=1)
    assert peak_mb() - before < 60 and time.monotonic() - began < 10


def test_a_log_of_one_endless_line_is_cut():
    before = peak_mb()
    assert run("endless_error") == {"said": "hello"}
    assert peak_mb() - before < 20


def test_numbers_and_depths_that_json_does_not_take_are_passed_over():
    assert run("strange_numbers") == {"said": "hello"}


def test_temporary_files_have_a_limit_together():
    with pytest.raises(ChildFailedError, match="crash") as failed:
        run("fill_the_disk", scratch_gb=1)
    assert failed.value.details == "it writes too much"


def test_folders_in_folders_go_too_however_deep():
    folder = Path(run("deep_folders")["folder"])
    assert not folder.exists()


def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
