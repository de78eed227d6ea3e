"""How good our machines are on public tables, beside what other libraries reached on the same split.

    make bench NAME=accuracy            or: python benchmarks/accuracy.py --sets pima_diabetes,insurance --levels 1,2

Same 80/20 split as ../shared/bench/peers.py (scikit-learn, seed 0, stratified for labels), same metric: ROC AUC for two
classes, log loss for more, RMSE for numbers. Writes benchmarks/results/accuracy.json.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np
import polars as pl
import torch
from sklearn import metrics, model_selection

from machines.engine.fit import Fitted, fit
from machines.engine.parameters import LEVEL_SECONDS, Parameters
from machines.engine.schema import Column, DataType, Role, Schema, Table

SHARED = ROOT.parent / "shared" / "data"
RESULTS = ROOT / "benchmarks" / "results" / "accuracy.json"
DEFAULT = "pima_diabetes,insurance,titanic,concrete,vehicle"
# One repeat each, copied from ../shared/engine.md: AutoGluon medium (limit 60 s), CatBoost, LightGBM, linear.
PEERS = {
    "pima_diabetes": (0.8526, 0.8769, 0.8322, 0.8841),
    "insurance": (3923, 3979, 4273, 5644),
    "titanic": (0.8364, 0.8603, 0.8652, 0.8373),
    "concrete": (4.488, 3.984, 4.164, 9.775),
    "vehicle": (0.3502, 0.4624, 0.6857, 0.4829),
    "german_credit": (0.7767, 0.7843, 0.7125, 0.7865),
    "abalone": (2.108, 2.176, 2.198, 2.237),
    "telco_churn": (0.8507, 0.8459, 0.8361, 0.8516),
    "wine_quality": (0.7827, 0.8553, 0.9243, 1.085),
    "ca_housing": (4.277e4, 4.47e4, 4.674e4, 6.87e4),
    "bike_hour": (33.88, 37.5, 39.78, 139.7),
    "adult": (0.9248, 0.9231, 0.9237, 0.9014),
}


def load(meta: dict[str, Any]) -> tuple[dict[str, Any], Schema]:
    """The table, typed as lightly as the peers' script does it: nearly all cells numbers -> number, else text."""
    frame = pl.read_csv(SHARED / meta["file"], infer_schema_length=0)
    table, columns = {}, []
    for name in frame.columns:
        is_output = name == meta["target"]
        table[name], kind = _typed(frame[name].fill_null(""), is_output, meta["task"])
        columns.append(Column(name, kind, Role.OUTPUT if is_output else Role.INPUT))
    return table, Schema(tuple(columns))


def _typed(cells: pl.Series, is_output: bool, task: str) -> tuple[Any, DataType]:
    numbers = cells.str.strip_chars().replace("", None).cast(pl.Float64, strict=False)
    filled = int((cells.str.strip_chars() != "").sum())
    is_number = int(numbers.is_not_null().sum()) >= 0.98 * filled
    if task == "regression" if is_output else is_number:
        return numbers.fill_null(float("nan")).to_numpy().copy(), DataType.FLOAT
    few = is_output or cells.n_unique() < max(50, 0.2 * len(cells))
    return np.array(cells.to_list(), dtype=object), DataType.LABEL if few else DataType.LANGUAGE


def score(fitted: Fitted, test: Table, schema: Schema, task: str) -> float:
    """The metric of the peers on rows that `fit` never got."""
    answer, truth = fitted.predictor().predict(test)[0], test[schema.outputs[0].name]
    if task == "regression":
        return float(metrics.root_mean_squared_error(truth, answer.values))
    classes = sorted(answer.probabilities)
    chances = np.stack([answer.probabilities[label] for label in classes], 1).astype(float)
    if task == "binary":
        return float(metrics.roc_auc_score(truth == classes[1], chances[:, 1]))
    chances /= chances.sum(1, keepdims=True)
    return float(metrics.log_loss(truth.astype(str), chances, labels=classes))


def measure(meta: dict[str, Any], level: int, seed: int, all_rows: bool) -> dict[str, Any]:
    """Train on four fifths, test on one."""
    table, schema = load(meta)
    truth = table[meta["target"]]
    stratify = None if meta["task"] == "regression" else truth.astype(str)
    parts = model_selection.train_test_split(np.arange(len(truth)), test_size=0.2, random_state=seed, stratify=stratify)
    train, test = ({name: values[rows] for name, values in table.items()} for rows in parts)
    started = time.perf_counter()
    fitted = fit(
        train, schema, level=level, deadline=LEVEL_SECONDS[level], seed=seed, parameters=Parameters(all_rows=all_rows)
    )
    seconds = time.perf_counter() - started
    output = fitted.report.outputs[0]
    return {
        "set": meta["name"], "metric": meta["metric"], "level": level, "seed": seed, "seconds": round(seconds, 2),
        "value": score(fitted, test, schema, meta["task"]), "coverage": output.coverage, "weights": dict(output.weights),
        "bytes": len(fitted.onnx),
    }  # fmt: skip


def main() -> None:
    """Measure every set at every level, print a line each, and store all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", default=DEFAULT, help="names from datasets.json, or all")
    parser.add_argument("--levels", default="1,2")
    parser.add_argument("--seeds", default="0", help="seeds of the split and the training")
    parser.add_argument("--all-rows", action="store_true", help="learn again from the rows held back")
    args = parser.parse_args()
    if not SHARED.exists():
        sys.exit(f"The public tables are not here: {SHARED} does not exist.")
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    metas = {meta["name"]: meta for meta in json.loads((SHARED / "datasets.json").read_text())}
    names = list(metas) if args.sets == "all" else args.sets.split(",")
    results = []
    print(
        f"{'set':16}{'metric':10}{'level':>6}{'seconds':>9}{'ours':>11}{'AutoGluon':>11}{'CatBoost':>10}{'LightGBM':>10}{'linear':>9}"
    )
    for name in names:
        for level in map(int, args.levels.split(",")):
            for seed in map(int, args.seeds.split(",")):
                found = measure(metas[name], level, seed, args.all_rows)
                results.append(
                    found
                    | {
                        "peers": dict(
                            zip(("autogluon", "catboost", "lightgbm", "linear"), PEERS.get(name, ()), strict=False)
                        )
                    }
                )
                peers = "".join(f"{value:>10.4g}" for value in PEERS.get(name, ()))
                print(
                    f"{name:16}{found['metric']:10}{level:>6}{found['seconds']:>9}{found['value']:>11.4g} {peers}",
                    flush=True,
                )
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
