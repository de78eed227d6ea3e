"""What serving costs inside a process: sessions, chunks, the locked runner, the check of an upload. For serving.py.

python benchmarks/inside.py sessions|chunks|machines|runner|checks    prints JSON
"""

import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np
import torch

from benchmarks import net
from machines.child import run_child
from machines.engine.fit import fit
from machines.engine.parameters import LEVEL_SECONDS
from machines.engine.schema import Column, DataType, Role, Schema
from machines.serving import predictor as predictors
from machines.serving.locked.runner import Hosted, Runner
from machines.serving.predictor import Predictor, answers_to_columns
from machines.serving.sessions import Cache
from machines.serving.signature import Signature, Tensor

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


SIGNATURE = Signature((Tensor("x", "float32", (net.SIZES[0],)),), (Tensor("y", "float32", (1,)),))
SESSIONS = 1000
CALLS = 3000


def machines() -> dict[str, Any]:
    """One row, a thousand rows and loading, for trained machines of several kinds."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    return {kind: measure(kind) for kind in KINDS}


def sessions() -> dict[str, Any]:
    """Memory of a thousand small machines that have all answered, and when they are let go of."""
    cache = Cache(most_bytes=SESSIONS * 10**6)
    files = [net.machine_onnx(net.make_weights(seed)) for seed in range(20)]
    row = {name: np.array([value]) for name, value in zip(net.NAMES, net.ROW, strict=True)}
    thousand = {name: np.resize(values, 1000) for name, values in row.items()}
    cache.get("first", lambda: files[0]).predict(thousand)
    began = megabytes()
    for at in range(SESSIONS):
        predictor = cache.get(at, partial(files.__getitem__, at % len(files)))
        predictor.predict(row)
        predictor.predict(thousand)
    found = {"held_mb": megabytes() - began, "estimated_mb": cache.size / 1e6}
    for at in range(SESSIONS):
        cache.drop(at)
    del predictor
    gc.collect()
    return found | {"left_mb": megabytes() - began, "threads": len(list(Path("/proc/self/task").iterdir()))}


def chunks() -> dict[str, float]:
    """Milliseconds for 50,000 rows of a trained machine by the rows of a run."""
    table, schema = make_table(*KINDS["8 numbers, 2 classes"])
    predictor = fit(table, schema, level=1, deadline=LEVEL_SECONDS[1], seed=0).predictor()
    rows = {c.name: np.resize(table[c.name], 50_000) for c in schema.inputs}
    sizes = (64, 128, 256, 512, 1024, 4096)
    found = dict.fromkeys(map(str, sizes), float("inf"))
    for _turn in range(4):
        for size in sizes:
            predictors.CHUNK = size
            found[str(size)] = min(found[str(size)], microseconds(lambda: predictor.predict(rows), 1)["min"] / 1e3)
    return found


def runner() -> dict[str, Any]:
    """What the locked process adds to a row, and how long the first answer of a model takes."""
    file, feed = net.bare_onnx(net.make_weights()), {"x": np.array([net.ROW], np.float32)}
    hosted = Hosted("onnx", lambda: file, SIGNATURE)
    inside = Predictor(file)._run
    locked = Runner()
    try:
        locked.call("first", hosted, feed)
        cold = [microseconds(partial(locked.call, at, hosted, feed), 1)["min"] for at in range(10)]
        through = quantiles(lambda: locked.call("first", hosted, feed))
        direct = quantiles(lambda: inside(["y"], feed, None))
    finally:
        locked.close()
    added = {f"added_{name}_us": through[name] - direct[name] for name in through}
    return added | {
        "through_p50_us": through["p50"],
        "cold_ms": float(np.median(cold)) / 1e3,
        "cold_worst_ms": max(cold) / 1e3,
    }


def checks() -> dict[str, Any]:
    """Seconds from the file to the answer of the locked check, by format."""
    found = {}
    with tempfile.TemporaryDirectory() as name:
        for file, framework in make_files(Path(name)):
            request: dict[str, Any] = {
                "path": str(file),
                "file_name": file.name,
                "framework": framework,
                "layers": None,
            }
            request |= {"onnx_path": str(file.with_suffix(".converted")), "seconds": 120, "memory_mb": 3072}
            if file.suffix in {".pt", ".pt2"}:
                request["inputs"] = [{"name": "x", "shape": [net.SIZES[0]], "dtype": "float32"}]
            began = time.perf_counter()
            told = run_child("machines.conversion", request, seconds=120, memory_mb=3072)
            seconds = time.perf_counter() - began
            found[file.name] = {"seconds": round(seconds, 2), "is_good": "served" in told, "told": str(told)[:200]}
    return found


def make_files(folder: Path) -> list[tuple[Path, str]]:
    """The network as people bring it: ONNX, TorchScript, torch.export, Keras twice, SavedModel."""
    weights = net.make_weights()
    (folder / "net.onnx").write_bytes(net.bare_onnx(weights))
    layers: list[torch.nn.Module] = []
    for matrix, bias in weights:
        layer = torch.nn.Linear(*matrix.shape)
        layer.weight.data, layer.bias.data = torch.from_numpy(matrix.T.copy()), torch.from_numpy(bias)
        layers += [layer, torch.nn.ReLU()]
    module, row = torch.nn.Sequential(*layers[:-1]).eval(), torch.zeros(2, net.SIZES[0])
    torch.jit.save(torch.jit.trace(module, row), folder / "net.pt")  # type: ignore[no-untyped-call]  # of torch
    rows = torch.export.Dim("rows")
    torch.export.save(torch.export.export(module, (row,), dynamic_shapes=({0: rows},)), folder / "net.pt2")
    files = [(folder / "net.onnx", "onnx"), (folder / "net.pt", "pytorch"), (folder / "net.pt2", "pytorch")]
    net.save_weights(folder / "weights.npz", weights)
    for name in ("net.keras", "net.h5"):
        script = str(ROOT / "benchmarks" / "peers" / "save_keras.py")
        command = [sys.executable, script, str(folder / "weights.npz"), str(folder / name)]
        if subprocess.run(command, capture_output=True).returncode == 0:
            files.append((folder / name, "tensorflow"))
    return files


def quantiles(task: Callable[[], object]) -> dict[str, float]:
    """Microseconds, p50 and p99."""
    times = []
    for _ in range(CALLS):
        began = time.perf_counter()
        task()
        times.append((time.perf_counter() - began) * 1e6)
    return {"p50": float(np.quantile(times, 0.5)), "p99": float(np.quantile(times, 0.99))}


def megabytes() -> float:
    """What this process holds for itself, in millions of bytes."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) * 1024 / 1e6


if __name__ == "__main__":
    parts = {"machines": machines, "sessions": sessions, "chunks": chunks, "runner": runner, "checks": checks}
    print(json.dumps(parts[sys.argv[1]]()))
