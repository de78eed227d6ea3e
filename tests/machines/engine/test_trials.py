"""A training that died goes on from what it had fitted, and the machine is the one that nobody interrupted."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import cache

import numpy as np
import onnx
import polars as pl
import pytest

from machines.engine.fit import fit
from machines.engine.parameters import Parameters
from machines.engine.trials import Trial, Trials
from tests.machines.engine.tables import few_candidates, make_table, simple_table, stubborn_table

QUICK = Parameters(epochs=1, shape=(8,))
DEADLINE = 600.0  # generous: time decides nothing
TABLES = {"number": simple_table(60), "label": simple_table(60, classes=2), "both": make_table(60)}
ALONE = (  # a training in a process of its own
    "from tests.machines.engine.tables import few_candidates; from machines.engine.fit_job import run, serve\n"
    "with few_candidates(): serve(run)"
)
TABLES["labels"] = stubborn_table()  # with a second level


def train(data, folder=None, **options):
    usual = {"level": 1, "deadline": DEADLINE, "seed": 0, "parameters": QUICK}
    return fit(*data, trials=Trials(folder) if folder else None, **usual | options)


def graph(content):
    return onnx.load_from_string(content).graph.SerializeToString()


def in_order(folder):
    """The trials, oldest first."""
    return sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)


def times(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def said(progress, stop_at=None):
    """A listener that keeps what it hears, and says "finish now" from the report number `stop_at` on."""
    return lambda report: progress.append(report) or stop_at is None or len(progress) <= stop_at


def elapsed(path):
    return json.loads(onnx.GraphProto.FromString(path.read_bytes()[32:]).doc_string)["elapsed"]


def rewrite(paths, **changes):
    """Let trials say something else of themselves."""
    for path in paths:
        about = json.loads(onnx.GraphProto.FromString(path.read_bytes()[32:]).doc_string)
        path.write_bytes(replace(Trial.read(path, about["training"]), **changes).to_bytes())


@pytest.fixture(scope="module", autouse=True)
def soon_done():
    with few_candidates():
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """By its name: a table, the machine it gave uninterrupted, and the trials of that."""

    @cache
    def once(name):
        folder = tmp_path_factory.mktemp("trials")
        return TABLES[name], train(TABLES[name], folder), folder

    return once


@pytest.fixture(params=["both", "labels"])
def whole(request, trained):
    return trained(request.param)


@pytest.fixture
def own(tmp_path):
    """A folder for trials."""
    return tmp_path / "trials"


@pytest.fixture
def both(trained, own):
    """The same of two outputs, with a folder that a test may spoil."""
    data, fitted, folder = trained("both")
    return data, fitted, shutil.copytree(folder, own)


@pytest.fixture
def number(trained, own):
    data, fitted, folder = trained("number")
    return data, fitted, shutil.copytree(folder, own)


@pytest.mark.parametrize("kept", [2, 99])
def test_it_works(whole, kept, own):
    data, fitted, folder = whole
    own.mkdir()
    for path in in_order(folder)[:kept]:
        shutil.copy2(path, own)
    before, progress = times(own), []
    resumed = train(data, own, on_progress=said(progress))
    after = times(own)
    assert graph(resumed.onnx) == graph(fitted.onnx)
    assert resumed.report.validation_loss == fitted.report.validation_loss
    assert resumed.report.outputs[0].weights == fitted.report.outputs[0].weights
    assert after.keys() == times(folder).keys() and before.items() <= after.items()
    assert {name.partition(".")[0] for name in after} == {"first", "doubt"}, "usual rows, and incomplete ones"
    rounds = [report for report in progress if "network" in report.message.template]
    fitted_again = len(after.keys() - before.keys())
    assert bool(rounds) == bool(fitted_again) and len(before) + fitted_again == len(times(folder)) >= 4


def test_recording_changes_nothing(whole):
    data, fitted, _ = whole
    assert graph(train(data).onnx) == graph(fitted.onnx)


def test_time_progress_and_curve_go_on(both):
    data, fitted, folder = both
    second = folder / "first.network-in-pieces.trial"
    kept = in_order(folder)[: in_order(folder).index(second) + 1]
    for path in in_order(folder)[len(kept) :]:
        path.unlink()
    rewrite([second], elapsed=0.5 * DEADLINE)
    progress = []
    resumed = train(data, folder, on_progress=said(progress))
    assert progress[0].share >= 0.5 and progress[0].seconds_left <= DEADLINE / 2
    assert progress[0].validation_loss == fitted.report.validation_loss[:2], "a round of each network"
    assert resumed.report.seconds > DEADLINE / 2
    assert len(again := set(folder.iterdir()) - set(kept)) > 1
    assert all(elapsed(path) > DEADLINE / 2 for path in again)
    assert [report.share for report in progress] == sorted(report.share for report in progress)
    assert resumed.report.epochs == fitted.report.epochs


def test_nothing_recorded_is_lost_when_time_is_nearly_over(both):
    data, fitted, folder = both
    rewrite(in_order(folder), elapsed=0.9 * DEADLINE)
    before = times(folder)
    resumed = train(data, folder)
    assert graph(resumed.onnx) == graph(fitted.onnx) and times(folder) == before
    assert resumed.report.epochs == fitted.report.epochs, "all networks count, not only the first"


@pytest.mark.parametrize("kept", [2, 99])
def test_finish_now_after_a_resume(both, kept):
    data, fitted, folder = both
    for path in in_order(folder)[kept:]:
        path.unlink()
    before, asked = times(folder), time.monotonic()
    finished = train(data, folder, on_progress=said([], stop_at=0))
    assert time.monotonic() - asked < 5
    assert times(folder) == before, "what was cut short is not taken for a whole trial later"
    assert kept < 99 or graph(finished.onnx) == graph(fitted.onnx)
    assert kept < 99 or finished.report.epochs == fitted.report.epochs
    row = {name: values[:3] for name, values in data[0].items()}
    assert len(finished.predictor().predict(row)) == 2


def test_damaged_files_are_fitted_again(both):
    data, fitted, folder = both
    cut, empty, renamed, *good = in_order(folder)
    flipped = good.pop(-2)  # a network between two that are whole
    cut.write_bytes(cut.read_bytes()[:-20])
    content = bytearray(flipped.read_bytes())
    content[len(content) // 2] ^= 1
    flipped.write_bytes(content)
    empty.write_bytes(b"")
    renamed.rename(folder / "first.other-0.trial")
    (folder / ".0123.part").write_bytes(b"half")
    (folder / "noise.trial").write_bytes(os.urandom(5000))
    (folder / "folder.trial").mkdir()
    (folder / "notes.txt").write_text("not ours")
    before = times(folder)
    resumed = train(data, folder)
    after = times(folder)
    assert graph(resumed.onnx) == graph(fitted.onnx)
    assert resumed.report.validation_loss == fitted.report.validation_loss
    assert all(after[path.name] == before[path.name] for path in good)
    assert all(after[path.name] != before.get(path.name) for path in (cut, flipped, empty, renamed))
    assert set(after) == {path.name for path in (cut, flipped, empty, renamed, *good)} | {"folder.trial", "notes.txt"}


def _other_rows(data):
    table = {name: values.copy() for name, values in data[0].items()}
    table["city"][0] = "Elsewhere"
    return table, data[1]


@pytest.mark.parametrize(
    "change",
    [{"seed": 1}, {"parameters": replace(QUICK, dropout=0.2)}, {"rows": True}],
    ids=lambda change: next(iter(change)),
)
def test_trials_of_anything_else_do_not_count(both, change):
    data, _, folder = both
    options = {name: value for name, value in change.items() if name != "rows"}
    data = _other_rows(data) if "rows" in change else data
    before, progress = times(folder), []
    train(data, folder, on_progress=said(progress, stop_at=0), **options)
    assert progress[0].share < 0.5 and not progress[0].validation_loss
    assert before and not before.items() & times(folder).items()


def test_more_time_goes_on_from_there(own):
    """What would be fitted the same again is not, and the machine is the one that had this time from the start."""
    data = TABLES["number"]
    train(data, own)
    before = times(own)
    longer = train(data, own, level=2, deadline=2 * DEADLINE)
    assert before.items() <= times(own).items() and len(times(own)) > len(before)
    assert graph(longer.onnx) == graph(train(data, level=2, deadline=2 * DEADLINE).onnx)


def test_what_had_less_time_is_fitted_again(number):
    """A network that was planned with fewer rounds is another one, whatever its name."""
    data, fitted, folder = number
    network = folder / "first.network.trial"
    rewrite([network], made="Plan(epochs=6)")
    before = times(folder)
    assert graph(train(data, folder).onnx) == graph(fitted.onnx)
    assert dict(before.items() - times(folder).items()).keys() == {network.name}


def test_rows_encoded_otherwise_do_not_count_and_the_time_is_given_back(number):
    data, fitted, folder = number
    rewrite(in_order(folder), lesson="of a computer that counts otherwise", elapsed=0.9 * DEADLINE)
    before = times(folder)
    resumed = train(data, folder)
    assert graph(resumed.onnx) == graph(fitted.onnx)
    assert resumed.report.seconds < DEADLINE / 2 and resumed.report.epochs == fitted.report.epochs
    assert not before.items() & times(folder).items()


def test_what_cannot_be_recorded_is_not_hushed_up(own):
    def listen(progress):
        shutil.rmtree(own, ignore_errors=True)
        return True

    with pytest.raises(FileNotFoundError):
        train(TABLES["label"], own, on_progress=listen)


@pytest.fixture
def small(own):
    """The folder, on a disk of 64 KB."""
    own.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=65536", "tmpfs", own], capture_output=True)
    if done.returncode:
        pytest.skip("A disk can be mounted by root only. Run the test as root, or in a shell of `unshare -Urm`.")
    yield own
    subprocess.run(["umount", "-l", own], check=True)


def test_a_full_disk_is_said_and_leaves_nothing_half_written(small):
    with pytest.raises(OSError) as raised:
        train(TABLES["both"], small)
    assert raised.value.errno == errno.ENOSPC
    assert [path.suffix for path in small.iterdir()] == [".trial"] * len(list(small.iterdir()))


class Child:
    """A training in a process of its own."""

    def __init__(self, folder, name):
        table, schema = TABLES["number"]
        part, self.onnx, self.trials = folder / "a.parquet", folder / f"{name}.onnx", folder / name
        text = {column: ["" if str(v) == "nan" else str(v) for v in values] for column, values in table.items()}
        pl.DataFrame(text).write_parquet(part)
        self.job = {
            "parts": [str(part)], "schema": schema.to_json(), "level": 1, "deadline": DEADLINE, "seed": 0,
            "parameters": {"epochs": 1, "shape": [8]}, "onnx_path": str(self.onnx),
            "report_path": str(folder / f"{name}.json"), "trials_path": str(self.trials),
        }  # fmt: skip

    def start(self):
        command = [sys.executable, "-c", ALONE]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        process.stdin.write(json.dumps(self.job) + "\n")
        process.stdin.flush()
        return process

    def kill_after(self, trials):
        """Kill it without warning once it has recorded so many trials, or is done."""
        process = self.start()
        while process.poll() is None and len(list(self.trials.glob("*.trial"))) < trials:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.communicate()

    def events(self):
        process = self.start()
        found = [json.loads(line) for line in process.stdout]
        process.communicate()
        return found


def test_a_killed_process_loses_nothing(trained, tmp_path):
    _, calm, folder = trained("number")
    hunted = Child(tmp_path, "hunted")
    hunted.kill_after(trials=5)
    recorded = {name: at for name, at in times(hunted.trials).items() if name.endswith(".trial")}
    assert 5 <= len(recorded) < len(times(folder))
    spent = max(elapsed(path) for path in hunted.trials.glob("*.trial"))
    events = hunted.events()
    assert events[-1] == {"kind": "done"} and events[0]["seconds_left"] <= DEADLINE - spent + 0.01  # rounded
    assert recorded.items() <= times(hunted.trials).items()
    assert {path.name for path in hunted.trials.iterdir()} == {path.name for path in folder.iterdir()}
    assert graph(hunted.onnx.read_bytes()) == graph(calm.onnx)
    assert np.all([path.suffix == ".trial" for path in hunted.trials.iterdir()])
