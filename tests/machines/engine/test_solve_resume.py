"""A process that is killed while it answers rows: the next one goes on, and the files are what they would have been."""

import os
import random
import signal
import sys
import time

import pytest

from machines.engine import solve_job
from tests.machines.commands.conftest import write
from tests.machines.engine.solving import Bench, finish, said_of, start, unanswered

ROWS = 1_500
# Ends itself as a loss of power would, when it is about to give the file with this number its name.
KILLED = """
import os, runpy, signal, sys
left, replace = int(sys.argv[1]), os.replace
def counted(*names):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(*names)
os.replace = counted
runpy.run_module("machines.engine.solve_job", run_name="__main__")
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The files of work that nobody disturbed, by format, and the seconds it takes a process from its first line on."""
    bench = Bench(tmp_path_factory.mktemp("whole"))
    file, files = write(bench.folder / "rows.csv", rows()), {}
    for format in ("csv", "parquet"):
        process = start(bench.request(file, format=format, cells=1, folder=str(bench.folder / format)))
        process.stdout.readline()
        began = time.monotonic()
        assert finish(process)["kind"] == "done"
        files[format] = (bench.folder / f"answers.{format}").read_bytes(), (bench.folder / "errors.csv").read_bytes()
    return files, time.monotonic() - began


def rows():
    """With a cell that cannot be read here and there."""
    return [row | ({"floor": "top"} if at % 100 == 99 else {}) for at, row in enumerate(unanswered(ROWS))]


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def kill(process):
    """End it as a loss of power would."""
    os.kill(process.pid, signal.SIGKILL)
    process.stdin.close()
    process.stdout.close()
    process.wait()


def check(bench, format, whole):
    """What has its name is whole."""
    answers, errors = bench.folder / f"answers.{format}", bench.folder / "errors.csv"
    assert not answers.exists() or (answers.read_bytes() == whole[format][0] and errors.exists())
    assert not errors.exists() or errors.read_bytes() == whole[format][1]


def chunks(bench):
    return len(list((bench.folder / "work").glob("answers-*.parquet")))


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_chunks_that_were_answered_are_not_answered_again(bench, whole, format):
    request = bench.request(write(bench.folder / "rows.csv", rows()), format=format, cells=1)
    process = start(request)
    while chunks(bench) < 3:
        assert process.poll() is None
        time.sleep(0.001)
    kill(process)
    kept = {path: path.stat().st_mtime_ns for path in (bench.folder / "work").glob("[ar]*-*.parquet")}
    done = said_of(solve_job.run, request)
    assert done["kind"] == "done" and done["rows"] == ROWS and done["errors"] == ROWS // 100
    assert done["resumed_chunks"] == len([path for path in kept if path.name.startswith("answers")]) >= 3
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    check(bench, format, whole[0])


@pytest.mark.parametrize("lines", [1, 3])
def test_killed_after_a_line_about_progress(bench, whole, lines):
    request = bench.request(write(bench.folder / "rows.csv", rows()), cells=1)
    process = start(request)
    for _ in range(lines):
        process.stdout.readline()
    kill(process)
    check(bench, "csv", whole[0])
    begun = chunks(bench)
    assert said_of(solve_job.run, request)["resumed_chunks"] == begun
    check(bench, "csv", whole[0])


def test_killed_before_each_of_its_files_has_its_name(bench):
    file, errors = write(bench.folder / "rows.csv", rows()[:300]), bench.folder / "errors.csv"
    before = None
    for renamed in range(100):
        process = start(
            bench.request(file, cells=1, folder=str(bench.folder / f"{renamed}")),
            [sys.executable, "-c", KILLED, str(renamed)],
        )
        if process.wait() == 0:
            break
        process.stdin.close()
        process.stdout.close()
        assert not (bench.folder / "answers.csv").exists()
        again = bench.solve(file, cells=1, folder=str(bench.folder / f"{renamed}"))
        files = (bench.folder / "answers.csv").read_bytes(), errors.read_bytes()
        assert again["errors"] == 3 and files == (before or files)
        before = files
        (bench.folder / "answers.csv").unlink()
        errors.unlink()
    process.stdin.close()
    process.stdout.close()
    assert renamed == len(["plan", "rows", "about rows"] + 2 * ["problems", "answers"] + ["errors", "answers"])
    assert ((bench.folder / "answers.csv").read_bytes(), errors.read_bytes()) == before


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_killed_again_and_again_at_any_moment(bench, whole, format):
    """Each process lives a little longer than the one before, so that every step is hit, the joining too."""
    files, seconds = whole
    request = bench.request(write(bench.folder / "rows.csv", rows()), format=format, cells=1)
    for share in (0.3, 0.6, 1.0):
        process = start(request)
        process.stdout.readline()
        time.sleep(seconds * share * random.uniform(0.8, 1.2))
        kill(process)
        check(bench, format, files)
    done = said_of(solve_job.run, request)
    assert done["kind"] == "done" and done["resumed_chunks"] > 0
    check(bench, format, files)
    assert (bench.folder / f"answers.{format}").exists()
    assert not list((bench.folder / "work").glob(".*"))
