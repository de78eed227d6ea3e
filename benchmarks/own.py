"""One machine of ours on one table, one JSON line: the same arguments and words as ../shared/bench/peers.py.

    taskset -c 1 python benchmarks/own.py --data ../shared/data --set pima_diabetes --seconds 10 --seed 0

Starts from the CSV of the training rows, as `manage.py train_csv` does. The clock runs from before torch is imported until
the machine is there; reading, finding the columns' types and the import are in it. --seconds bounds all of that, --level
the learning alone, as on the website.
"""

import argparse
import json
import os
import resource
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

os.environ |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import polars as pl

from benchmarks import tables
from benchmarks.common import times_of
from benchmarks.tables import Task

if TYPE_CHECKING:  # imported where the clock runs
    from machines.engine.fit import Fitted
    from machines.engine.schema import Schema, Table
    from machines.serving.predictor import Answer, Predictor

SINGLE_ROWS = 200


def learn(
    task: Task, rows: pl.DataFrame, seed: int, level: int | None, seconds: float | None
) -> tuple[Any, Any, float]:
    """(Fitted, Schema, seconds) from training rows."""
    with TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder) / task.path.name
        rows.write_csv(path)
        started = time.perf_counter()
        fitted, schema = _learn(task, path, seed, level, seconds, started)
        return fitted, schema, time.perf_counter() - started


def _learn(
    task: Task, path: Path, seed: int, level: int | None, seconds: float | None, started: float
) -> "tuple[Fitted, Schema]":
    import torch

    from machines.engine.fit import fit
    from machines.engine.parameters import LEVEL_SECONDS, level_for
    from machines.engine.schema import DataType
    from machines.engine.table_file import Wishes, load

    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    level = level or level_for(seconds or 0)
    whole = seconds or LEVEL_SECONDS[level]

    def left() -> float:
        return whole - (time.perf_counter() - started if seconds else 0.0)

    type = DataType.FLOAT if task.is_number else DataType.LABEL
    loaded = load(path, Wishes([task.target], types={task.target: type}), left(), seed)
    by_clock = seconds is not None
    return fit(loaded.table, loaded.schema, level=level, deadline=left(), seed=seed, by_clock=by_clock), loaded.schema


def typed(cells: pl.DataFrame, schema: "Schema") -> "Table":
    """Test rows read as the training rows were: the same columns at the same places."""
    from machines.engine.columns.parse import parse_table

    names = dict(zip(cells.columns, (column.name for column in schema.columns), strict=True))
    texts = cells.rename(names).with_columns(pl.all().str.strip_chars().replace("", None))
    return parse_table(texts, schema.inputs)[0]


def quality(task: Task, cells: pl.DataFrame, answer: "Answer") -> dict[str, float]:
    """What the answers are worth, by the truth of the same rows."""
    truth = tables.truth_of(task, cells)
    if task.is_number:
        assert answer.low is not None and answer.high is not None, "numbers come with an interval"
        value = tables.score_numbers(truth, answer.values)
        return {"metric": value, "coverage": tables.coverage(truth, answer.low, answer.high)}
    value = tables.score_labels(task, truth, answer.probabilities)
    if task.kind != "binary":
        return {"metric": value}
    last = max(answer.probabilities)
    chance = answer.probabilities[last].astype(np.float64)
    return {"metric": value, "ece": tables.calibration_error(truth == last, chance)}


def row_ms(predictor: "Predictor", table: "Table") -> float:
    """Median milliseconds of an answer to one row: the way the site asks, without HTTP."""
    rows = len(next(iter(table.values())))
    singles = [{name: cells[at : at + 1] for name, cells in table.items()} for at in range(min(SINGLE_ROWS, rows))]
    turns = iter(singles * (SINGLE_ROWS // len(singles) + 2))
    return 1000 * median(times_of(lambda: predictor.predict(next(turns)), SINGLE_ROWS))


def measure(task: Task, seed: int, level: int | None, seconds: float | None) -> dict[str, Any]:
    """Train on four fifths, test the file on one."""
    cells = tables.read_cells(task)
    train, test = tables.split(task, cells, seed)
    fitted, schema, spent = learn(task, cells[train], seed, level, seconds)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    predictor, table = fitted.predictor(), typed(cells[test], schema)
    found = quality(task, cells[test], predictor.predict(table)[0])
    output = fitted.report.outputs[0]
    return found | {
        "seconds": round(spent, 2),
        "row_ms": round(row_ms(predictor, table), 4),
        "bytes": len(fitted.onnx),
        "memory_mb": round(memory),
        "rows": len(cells),
        "loss": task.loss(found["metric"]),
        "claimed": output.holdout[task.metric].to_json(),
        "weights": dict(output.weights),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--level", type=int)
    parser.add_argument("--seconds", type=float)
    args = parser.parse_args()
    if not args.level and not args.seconds:
        parser.error("Say --level or --seconds.")
    task = tables.read_tasks(args.data)[args.set]
    found = measure(task, args.seed, args.level, args.seconds)
    print(json.dumps({"set": task.name, "seed": args.seed, **found}))


if __name__ == "__main__":
    main()
