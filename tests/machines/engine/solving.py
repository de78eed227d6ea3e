"""A machine of flats, and a place in which it answers rows: in this process, or in one of its own that may be killed."""

import csv
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import orjson

from machines.engine import solve_job
from machines.engine.fit import fit
from machines.engine.job import Run, outcome
from machines.engine.parameters import Parameters
from machines.engine.table_file import Wishes, load
from tests.machines.commands.conftest import flats, write

COMMAND = [sys.executable, "-m", "machines.engine.solve_job"]
INPUTS = ["Floor area", "floor", "Town", "sold"]


@cache
def flat_machine():
    """A machine's file that tells a price and a kind of flat; trained once per process."""
    with tempfile.TemporaryDirectory() as name:
        file = write(Path(name) / "flats.csv", flats())
        loaded = load(file, Wishes(("price", "kind")), 10, 0)
    quick = Parameters(epochs=2, shape=(16,))
    return fit(loaded.table, loaded.schema, level=1, deadline=2, seed=0, parameters=quick).onnx


@dataclass
class Bench:
    """A place to solve in."""

    folder: Path

    def __post_init__(self):
        self.machine = self.folder / "flats.onnx"
        self.machine.write_bytes(flat_machine())

    def request(self, file=None, format="csv", **changed):
        places = {"folder": "work", "answers_path": f"answers.{format}", "errors_path": "errors.csv"}
        paths = {name: str(self.folder / place) for name, place in places.items()}
        source = {"source": {"path": str(file), "name": file.name, "options": {}}} if file else {}
        return {"model_path": str(self.machine), "format": format, "threads": 1} | paths | source | changed

    def solve(self, file=None, **kwargs):
        return said_of(solve_job.run, self.request(file, **kwargs))

    def solved(self, rows, **kwargs):
        """What is said in the end about rows of text, which must have gone well."""
        done = self.solve(write(self.folder / "rows.csv", rows), **kwargs)
        assert done["kind"] == "done", done
        return done

    def answers(self):
        return read(self.folder / "answers.csv")

    def errors(self):
        return read(self.folder / "errors.csv")


class Asker(list):
    """Who asked, within this process: keeps what is told."""

    def tell(self, progress):
        self.append({"kind": "progress", **progress})
        return True


def said_of(run: Run, request):
    """The last event of a job done in this process, with what it told before, as its lines would say it."""
    asker = Asker()
    event = outcome(run, request, asker) | {"told": asker}
    return orjson.loads(orjson.dumps(event, option=orjson.OPT_SERIALIZE_NUMPY))


def start(request, command=COMMAND):
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.stdin.write(json.dumps(request) + "\n")
    process.stdin.flush()
    return process


def finish(process):
    """The last event of a process, with what it told before."""
    events = [json.loads(line) for line in process.stdout]
    assert process.wait() == 0
    process.stdin.close()
    assert {event["kind"] for event in events[:-1]} <= {"progress"}
    return events[-1] | {"told": events[:-1]}


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def unanswered(rows=30):
    """Rows of flats without what is to be told about them."""
    return [{name: row[name] for name in INPUTS} for row in flats(rows)]
