"""The training process: one line in, events out, and no process left behind."""

import json
import subprocess
import sys
import time

import numpy as np
import onnxruntime as ort
import polars as pl
import pytest

from machines.engine import fit_job
from machines.engine.schema import Column, DataType, Role
from tests.machines.engine.solving import said_of
from tests.machines.engine.tables import simple_table

COMMAND = [sys.executable, "-m", "machines.engine.fit_job"]


@pytest.fixture
def job(tmp_path):
    table, schema = simple_table(120, classes=2)
    pl.DataFrame({name: [str(v) for v in values] for name, values in table.items()}).write_parquet(
        tmp_path / "a.parquet"
    )
    return {
        "parts": [str(tmp_path / "a.parquet")], "schema": schema.to_json(), "level": 1, "deadline": 1, "seed": 0,
        "parameters": {"epochs": 2}, "onnx_path": str(tmp_path / "m.onnx"), "report_path": str(tmp_path / "r.json"),
    }  # fmt: skip


def start(job):
    process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.stdin.write(json.dumps(job) + "\n")
    process.stdin.flush()
    return process


def events(process):
    return [json.loads(line) for line in process.stdout]


def test_it_works(job, tmp_path):
    """Asked to finish, it keeps the best it has."""
    process = start(job | {"level": 5, "deadline": 900, "parameters": {}})
    process.stdout.readline()
    process.stdin.write("finish\n")
    process.stdin.flush()
    asked, found = time.monotonic(), events(process)
    assert process.wait() == 0 and found[-1] == {"kind": "done"} and time.monotonic() - asked < 6
    assert {e["kind"] for e in found[:-1]} == {"progress"} and found[-2]["share"] == 1.0
    assert ort.InferenceSession(tmp_path / "m.onnx").get_inputs()[0].name == "x0"
    assert json.loads((tmp_path / "r.json").read_text())["rows"] == 120
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("split", "least", "most"), [({}, 0.85, 1.0), ({"kind": "group", "column": "person"}, 0.0, 0.8)]
)
def test_rows_of_one_person_are_kept_together(job, tmp_path, split, least, most):
    """Ten visits of each person, told apart by how they measure: only new persons show that nothing is learned."""
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(30), 10)
    ill = (rng.random(30) < 0.5)[person]
    cells = {"person": [f"P{n}" for n in person], "y": np.where(ill, "ill", "well").tolist()}
    for name in ("x0", "x1", "x2"):
        traits = rng.normal(size=30)[person] + rng.normal(scale=0.001, size=300)
        cells[name] = [str(value) for value in traits]
    pl.DataFrame(cells).write_parquet(tmp_path / "a.parquet")
    job["schema"].insert(0, Column("person", DataType.LABEL, Role.IGNORED).to_json())
    said = said_of(fit_job.run, job | {"split": split, "parameters": {"epochs": 20}, "deadline": 3})
    assert said["kind"] == "done", said
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["split"] == (split or {"kind": "rows", "column": None})
    assert least <= report["outputs"][0]["holdout"]["roc_auc"]["value"] <= most


def test_bad_data_is_a_sentence(job):
    job["schema"][-1]["role"] = "ignored"
    said = said_of(fit_job.run, job)
    assert said["kind"] == "error" and "No column is to be predicted" in said["error"]["template"]


def test_a_lost_parent_ends_it(job, tmp_path):
    orphan = start(job | {"deadline": 900})
    orphan.stdin.close()
    assert orphan.wait(30) == 3 and not (tmp_path / "m.onnx").exists()
