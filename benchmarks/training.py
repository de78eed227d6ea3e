"""Whether trainings keep to their time and their memory: `train_csv --seconds N` on tables of awkward sizes.

    make bench NAME=training ARGS="--seconds 10 --only tall"

Each runs alone in a process of its own, as a person would start it. Time: from the start of the process to its end,
at most 10 % plus 2 s beyond N. Memory: the process's peak (resident), at most TRAINING_MEMORY_MB.
Writes benchmarks/results/training.json.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import polars as pl

from benchmarks.common import ROOT, Figure, place, save
from machines.engine.parameters import MEMORY_MB

WORDS = np.array(
    ["the", "of", "and", "to", "in", "is", "that", "was", "with", "from", "rain", "sun", "wind", "sea", "hill"]
)


class Size(NamedTuple):
    """A table that is awkward to train on."""

    rows: int
    numbers: int
    labels: int = 0
    texts: int = 0


SIZES = {
    "ten rows": Size(10, 3),
    "25 rows": Size(25, 3),
    "50 x 2,000": Size(50, 2_000),
    "20,000 x 2,000": Size(20_000, 2_000),
    "200,000 x 100": Size(200_000, 80, 20),
    "1,000,000 x 10": Size(1_000_000, 6, 4),
    "20,000 long texts": Size(20_000, 2, 1, 2),
}


class Ended(NamedTuple):
    """How a training ended."""

    status: int
    seconds: float
    busy: float  # seconds of a processor: where others compute too, more tells of them
    megabytes: float
    report: dict[str, Any]
    said: str


def table(size: Size, seed: int = 0) -> pl.DataFrame:
    """Numbers, labels of which one column has many, and texts; whether y is "yes" follows from some of the numbers."""
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {f"x{at}": np.round(rng.normal(size=size.rows), 3) for at in range(size.numbers)}
    total = sum(columns[f"x{at}"] for at in range(min(3, size.numbers))) + rng.normal(size=size.rows)
    for at in range(size.labels):
        columns[f"label{at}"] = np.char.add("L", rng.integers(0, 5_000 if at == 0 else 12, size.rows).astype(str))
    for at in range(size.texts):
        columns[f"text{at}"] = [" ".join(WORDS[row]) for row in rng.integers(0, len(WORDS), (size.rows, 200))]
    return pl.DataFrame(columns | {"y": np.where(total > 0, "yes", "no")})


def train(path: Path, seconds: float, environment: dict[str, str]) -> Ended:
    """Train on a file; what the process took is what the system says of it."""
    command = [sys.executable, "manage.py", "train_csv", str(path), "--output", "y", "--seconds", str(seconds)]
    machine, out, said = path.with_suffix(".onnx"), path.with_suffix(".out"), path.with_suffix(".said")
    started = time.monotonic()
    with out.open("wb") as file, said.open("wb") as words:
        line = [*command, "--json", "--save", str(machine)]
        process = subprocess.Popen(line, cwd=ROOT, env=environment, stdout=file, stderr=words)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    report = json.loads(out.read_bytes() or b"{}")
    lines = said.read_text(encoding="utf-8", errors="replace").strip().splitlines() or [""]
    seconds, busy = time.monotonic() - started, usage.ru_utime + usage.ru_stime
    return Ended(process.returncode, seconds, busy, usage.ru_maxrss / 1024, report, lines[-1])


def measure(names: list[str], seconds: list[float], tell: Callable[[str], None] = print) -> list[Figure]:
    figures: list[Figure] = []
    with place() as (folder, environment):
        for name in names:
            path = folder / f"{name.replace(' ', '-')}.csv"
            table(SIZES[name]).write_csv(path)
            for allowed in seconds:
                ended = train(path, allowed, environment)
                figures.append(Figure(f"{name}, {allowed:g} s: time", round(ended.seconds, 2), "s", 1.1 * allowed + 2))
                figures.append(Figure(f"{name}, {allowed:g} s: memory", round(ended.megabytes), "MB", MEMORY_MB))
                used = ended.report.get("rows_trained", ended.said)
                tell("\n".join(figure.line() for figure in figures[-2:]))
                tell(f"  {ended.busy:.1f} s of a processor, exit {ended.status}, rows learned from: {used}")
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, action="append", help="may be repeated; 10 and 20")
    parser.add_argument("--only", action="append", choices=SIZES, help="may be repeated")
    chosen = parser.parse_args()
    save("training", measure(chosen.only or list(SIZES), chosen.seconds or [10.0, 20.0]), {"memory_mb": MEMORY_MB})


if __name__ == "__main__":
    main()
