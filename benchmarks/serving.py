"""How fast a machine answers, in this process: one row, a thousand rows, and the start of a session.

    make bench NAME=serving

One thread. Microseconds, minimum and median; the minimum is what the code costs, the median what the computer allowed.
Writes benchmarks/results/serving.json.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np
import torch

from machines.engine.fit import fit
from machines.engine.parameters import LEVEL_SECONDS
from machines.engine.schema import Column, DataType, Role, Schema
from machines.serving.predictor import Predictor, answers_to_columns

RESULTS = ROOT / "benchmarks" / "results" / "serving.json"
KINDS = {"8 numbers, 2 classes": (768, 8, 0), "40 numbers": (2000, 40, 0), "20 numbers, 20 labels": (2000, 20, 20)}


def make_table(rows: int, numbers: int, labels: int) -> tuple[dict[str, Any], Schema]:
    """A made-up table; two classes if it has 8 numbers, else a number to predict."""
    rng = np.random.default_rng(0)
    table: dict[str, Any] = {f"x{i}": rng.normal(size=rows) for i in range(numbers)}
    columns = [Column(name, DataType.FLOAT) for name in table]
    for i in range(labels):
        table[f"l{i}"] = rng.choice(["red", "green", "blue", "grey"], rows).astype(object)
        columns.append(Column(f"l{i}", DataType.LABEL))
    y = table["x0"] * table["x1"] + np.sin(table["x2"]) + 0.3 * rng.normal(size=rows)
    is_label = numbers == 8
    table["y"] = np.where(y > 0, "1", "0").astype(object) if is_label else y
    return table, Schema((*columns, Column("y", DataType.LABEL if is_label else DataType.FLOAT, Role.OUTPUT)))


def microseconds(task: Callable[[], object], repeats: int) -> dict[str, float]:
    """Minimum and median of many runs."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        task()
        times.append((time.perf_counter() - started) * 1e6)
    return {"min": round(min(times), 1), "p50": round(float(np.median(times)), 1)}


def measure(kind: str) -> dict[str, Any]:
    """Train a machine of this kind at level 1 and time it."""
    table, schema = make_table(*KINDS[kind])
    fitted = fit(table, schema, level=1, deadline=LEVEL_SECONDS[1], seed=0)
    predictor = fitted.predictor()
    one = {c.name: table[c.name][:1] for c in schema.inputs}
    thousand = {c.name: np.resize(table[c.name], 1000) for c in schema.inputs}
    answers_to_columns(predictor.predict(one))
    return {
        "machine": kind,
        "bytes": len(fitted.onnx),
        "one_row": microseconds(lambda: predictor.predict(one), 3000),
        "one_row_as_json": microseconds(lambda: answers_to_columns(predictor.predict(one)), 3000),
        "rows_1000": microseconds(lambda: predictor.predict(thousand), 50),
        "session": microseconds(lambda: Predictor(fitted.onnx), 20),
    }


def main() -> None:
    """Measure every kind, print a line each, and store all."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    results = []
    print(f"{'machine':24}{'kB':>6}{'one row µs':>16}{'1000 rows µs':>18}{'session µs':>16}   (min / p50)")
    for kind in KINDS:
        found = measure(kind)
        results.append(found)
        cells = [f"{found[key]['min']:.0f} / {found[key]['p50']:.0f}" for key in ("one_row", "rows_1000", "session")]
        print(f"{kind:24}{found['bytes'] // 1024:>6}{cells[0]:>16}{cells[1]:>18}{cells[2]:>16}", flush=True)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
