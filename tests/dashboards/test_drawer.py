"""The site's end of the process that draws: what becomes of it, and of questions, when it behaves badly."""

import logging
import os
import subprocess
import sys
import threading
import time

import polars as pl
import pytest

from dashboards import drawer
from dashboards.drawer import Drawer
from machines.engine.errors import DataError
from machines.engine.schema import Column, DataType

ODD = "tests.dashboards.odd_drawer"


@pytest.fixture
def make():
    made = []

    def make(**options):
        made.append(Drawer(**{"module": ODD, "seconds": 20.0} | options))
        return made[-1]

    yield make
    for each in made:
        each.close()


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(true, seconds=10):
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.05)
    assert true()


def test_it_works(make, tmp_path):
    pl.DataFrame({"a": ["1", "2", "3"] * 9, "b": ["4", "5", "7"] * 9}).write_parquet(tmp_path / "a.parquet")
    request = {
        "parts": [str(tmp_path / "a.parquet")], "kind": 2, "chosen": {"x": "a", "y": "b"}, "folder": str(tmp_path / "kept"),
        "columns": [Column(name, DataType.FLOAT).to_json() for name in "ab"],
    }  # fmt: skip
    draws = make(module=drawer.MODULE, seconds=120.0)
    assert [row[:2] for row in draws.drawn(request)["rows"]] == [[1, 4], [2, 5], [3, 7]]
    with pytest.raises(DataError, match="It needs a number on y"):
        draws.drawn(request | {"chosen": {"x": "a"}})


def test_the_site_itself_loads_no_polars():
    code = (
        "import sys, dashboards.drawer; print([name for name in ('polars', 'scipy', 'django') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_one_process_answers_all(make):
    draws = make()
    answers = [draws.drawn({"do": "answer", "more": n}) for n in range(4)]
    assert len({answer["pid"] for answer in answers}) == 1 and [answer["more"] for answer in answers] == [0, 1, 2, 3]


def test_a_sentence_comes_as_an_error_and_the_process_stays(make):
    draws = make()
    pid = draws.drawn({"do": "answer"})["pid"]
    with pytest.raises(DataError, match="No <b>rows</b> here"):
        draws.drawn({"do": "error"})
    assert draws.drawn({"do": "answer"})["pid"] == pid


def test_many_threads_get_their_own_answers(make):
    draws, answers = make(), {}

    def ask(number):
        answers[number] = draws.drawn({"do": "answer", "more": number})["more"]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: number for number in range(12)}


def test_one_that_died_meanwhile_is_replaced(make):
    draws = make()
    pid = draws.drawn({"do": "leave"})["pid"]
    wait_until(lambda: draws._child.process.poll() is not None)
    assert draws.drawn({"do": "answer"})["pid"] != pid


def test_dying_of_a_question_is_a_sentence(make, caplog):
    draws = make()
    with caplog.at_level(logging.WARNING), pytest.raises(DataError, match="could not be drawn"):
        draws.drawn({"do": "die"})
    assert "last words" in caplog.text and draws.pid is None
    assert draws.drawn({"do": "answer", "more": 5})["more"] == 5


def test_too_slow(make):
    draws = make(seconds=2.0)
    draws.drawn({"do": "answer"})
    pid = draws.pid
    with pytest.raises(DataError, match="took too long"):
        draws.drawn({"do": "sleep", "more": 60})
    assert not is_alive(pid)
    draws.seconds = 20.0
    assert draws.drawn({"do": "answer"})["pid"] != pid


def test_too_much_memory(make):
    draws = make(memory_mb=100)
    draws.drawn({"do": "answer"})
    pid = draws.pid
    with pytest.raises(DataError, match="not enough memory"):
        draws.drawn({"do": "grow", "more": 200})
    assert not is_alive(pid)


def test_who_waits_too_long_is_told(make):
    draws = make(seconds=1.5)
    draws.drawn({"do": "answer"})
    draws._turn.acquire()
    try:
        with pytest.raises(DataError, match="Many graphs"):
            draws.drawn({"do": "answer"})
    finally:
        draws._turn.release()


def test_it_is_ended_when_nobody_asks(make):
    draws = make(idle_seconds=1.0)
    pid = draws.drawn({"do": "answer"})["pid"]
    time.sleep(0.5)
    assert draws.drawn({"do": "answer"})["pid"] == pid
    wait_until(lambda: not is_alive(pid))
    assert draws.pid is None
    assert draws.drawn({"do": "answer"})["pid"] != pid


def test_warnings_go_to_the_log(make, caplog):
    with caplog.at_level(logging.WARNING):
        make().drawn({"do": "warn"})
    assert "a warning" in caplog.text


def test_it_ends_with_the_site(tmp_path):
    code = f"from dashboards.drawer import Drawer; d = Drawer({ODD!r}); print(d.drawn({{'do': 'answer'}})['pid'])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0 and not is_alive(int(run.stdout))


def test_a_forked_site_has_a_process_of_its_own(make):
    draws = make()
    pid = draws.drawn({"do": "answer"})["pid"]
    read, write = os.pipe()
    fork = os.fork()
    if not fork:
        own = draws.drawn({"do": "answer"})["pid"]
        draws.close()
        os.write(write, str(own).encode())
        os._exit(0)
    os.waitpid(fork, 0)
    assert int(os.read(read, 20)) != pid
    assert draws.drawn({"do": "answer"})["pid"] == pid
