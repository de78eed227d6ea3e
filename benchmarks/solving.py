"""How fast all rows of a file are answered, and in how much memory: 2 million rows of 8 columns, in the real child process.

    make bench NAME=solving

One thread. As CSV and as Parquet. The figures begin with the request and end when both files are whole on the disk.
Writes benchmarks/results/solving.json.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import polars as pl

from benchmarks.common import ROOT, Figure, place, save
from machines.engine.fit import fit
from machines.engine.schema import Column, DataType, Role, Schema

ROWS, BLOCK = 2_000_000, 100_000
MEGABYTES = 1_000
TOWNS = np.array(["Ulm", "Bonn", "Köln", "Kiel"])
NUMBERS = [f"x{at}" for at in range(5)]


def table(rows: int, seed: int) -> dict[str, Any]:
    """Five numbers, a label and a day to go by, and what they are to tell."""
    rng = np.random.default_rng(seed)
    numbers = {name: np.round(rng.normal(100, 30, rows), 3) for name in NUMBERS}
    days = rng.integers(15_000, 20_000, rows) * 86_400.0
    return {
        **numbers,
        "town": TOWNS[rng.integers(0, len(TOWNS), rows)].astype(object),
        "day": days,
        "y": numbers["x0"] * 2 + numbers["x1"] + rng.normal(0, 5, rows),
    }


def write_rows(path: Path) -> None:
    """A file of ROWS rows: the same block again and again, with a cell in a thousand that cannot be read."""
    block = pl.DataFrame(table(BLOCK, 1)).with_columns(
        pl.from_epoch(pl.col("day").cast(pl.Int64)).dt.date(),
        pl.when(pl.int_range(BLOCK) % 1000 == 7)
        .then(pl.lit("n.n."))
        .otherwise(pl.col("x0").cast(pl.String))
        .alias("x0"),
    )
    text = block.write_csv(include_header=False).encode()
    with path.open("wb") as file:
        file.write((",".join(block.columns) + "\n").encode())
        for _ in range(ROWS // BLOCK):
            file.write(text)


def train(path: Path) -> None:
    types = dict.fromkeys(NUMBERS, DataType.FLOAT) | {"town": DataType.LABEL, "day": DataType.DATE}
    columns = [Column(name, type) for name, type in types.items()]
    schema = Schema((*columns, Column("y", DataType.FLOAT, Role.OUTPUT)))
    path.write_bytes(fit(table(2000, 0), schema, level=1, deadline=10, seed=0).onnx)


def peak_mb(pid: int) -> float:
    """The most memory that a process has held so far; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def solve(request: dict[str, Any]) -> dict[str, Any]:
    """Run the child; return its last event with its seconds, its peak of memory and when each step began, in seconds."""
    environment = os.environ | {"POLARS_MAX_THREADS": "1"}
    started, peak, steps = time.perf_counter(), 0.0, dict[str, float]()
    child = subprocess.Popen(
        [sys.executable, "-m", "machines.engine.solve_job"],
        cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    peaks = _watch(child)
    assert child.stdin and child.stdout
    child.stdin.write(json.dumps(request) + "\n")
    child.stdin.flush()
    events = []
    for line in child.stdout:
        events.append(json.loads(line))
        if "message" in events[-1]:
            steps.setdefault(events[-1]["message"]["template"], round(time.perf_counter() - started, 2))
    seconds = time.perf_counter() - started
    child.wait()
    peak = max(peaks)
    return {**events[-1], "seconds": seconds, "peak": peak, "steps": steps, "lines": len(events)}


def _watch(child: "subprocess.Popen[str]") -> list[float]:
    """A list that grows while the child runs."""
    peaks = [0.0]

    def look() -> None:
        while child.poll() is None:
            peaks.append(peak_mb(child.pid))
            time.sleep(0.05)

    threading.Thread(target=look, daemon=True).start()
    return peaks


def measure(folder: Path) -> Iterator[tuple[dict[str, Any], list[Figure]]]:
    write_rows(folder / "rows.csv")
    train(folder / "machine.onnx")
    for format in ("csv", "parquet"):
        source = {"path": str(folder / "rows.csv"), "name": "rows.csv", "options": {}}
        places = {
            "folder": folder / format,
            "answers_path": folder / f"answers.{format}",
            "errors_path": folder / "e.csv",
        }
        request = {"model_path": str(folder / "machine.onnx"), "source": source, "format": format, "threads": 1}
        found = solve(request | {name: str(path) for name, path in places.items()})
        assert found["kind"] == "done" and found["rows"] == ROWS, found
        megabytes = (folder / f"answers.{format}").stat().st_size / 1e6
        yield (
            {
                "format": format,
                "steps begin at": found["steps"],
                "megabytes": round(megabytes),
                "errors": found["errors"],
            },
            [
                Figure(f"peak memory, {format}", found["peak"], "MB", MEGABYTES),
                Figure(f"rows a second, {format}", ROWS / found["seconds"], "", 10_000, is_least=True),
            ],
        )


def main() -> None:
    with place() as (folder, _):
        runs = list(measure(folder))
    about = {"rows": ROWS, "columns": 8, "runs": [run for run, _ in runs]}
    save("solving", [figure for _, figures in runs for figure in figures], about)


if __name__ == "__main__":
    main()
