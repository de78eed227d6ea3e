"""Public tables with a task each, split and scored as ../shared/bench/peers.py does it, which is the definition.

A folder of tables holds CSV files and datasets.json: [{"name", "file", "target", "task": "binary" | "multiclass" |
"regression", "metric": "roc_auc" | "log_loss" | "rmse"}, ...].
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn import metrics, model_selection

Doubles: TypeAlias = NDArray[np.float64]

TEST_SHARE = 0.2
LEAST_CHANCE = 1e-7
BINS = 15


@dataclass(frozen=True)
class Task:
    """What is to be learned from which table, and how it is measured."""

    name: str
    path: Path
    target: str
    kind: str
    metric: str

    @property
    def is_number(self) -> bool:
        return self.kind == "regression"

    def loss(self, value: float) -> float:
        """The metric turned so that less is better: 1 - AUC, log loss, RMSE."""
        return 1 - value if self.metric == "roc_auc" else value


def read_tasks(folder: Path) -> dict[str, Task]:
    """The tasks of a folder by their names. Raises OSError where there are none."""
    said = json.loads((folder / "datasets.json").read_text(encoding="utf-8"))
    return {d["name"]: Task(d["name"], folder / d["file"], d["target"], d["task"], d["metric"]) for d in said}


def read_cells(task: Task) -> pl.DataFrame:
    """All cells as they stand in the file, as text."""
    return pl.read_csv(task.path, infer_schema=False).fill_null("")


def split(task: Task, cells: pl.DataFrame, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row numbers to learn from and to test on: a fifth, with the shares of the labels kept."""
    labels = None if task.is_number else truth_of(task, cells)
    rows: list[NDArray[np.int64]] = model_selection.train_test_split(
        np.arange(len(cells)), test_size=TEST_SHARE, random_state=seed, stratify=labels
    )
    return rows[0], rows[1]


def truth_of(task: Task, cells: pl.DataFrame) -> NDArray[Any]:
    """What was to be predicted: float64, or labels as text."""
    texts = cells[task.target].str.strip_chars()
    if task.is_number:
        return texts.cast(pl.Float64).to_numpy()
    return np.array(texts.to_list(), dtype=object)


def score_numbers(truth: Doubles, answers: Doubles) -> float:
    """RMSE."""
    return float(np.sqrt(np.mean(np.square(truth - answers))))


def score_labels(task: Task, truth: NDArray[Any], chances: Mapping[str, Doubles]) -> float:
    """ROC AUC of the class that is last by name, or log loss. A class that is never answered has the least chance."""
    classes = sorted({*truth, *chances})
    table = np.stack([chances.get(name, np.zeros(len(truth))) for name in classes], 1).astype(np.float64)
    table = np.clip(table, LEAST_CHANCE, 1)
    table /= table.sum(1, keepdims=True)
    if task.metric == "roc_auc":
        return float(metrics.roc_auc_score(truth == classes[-1], table[:, -1]))
    own = table[np.arange(len(truth)), np.searchsorted(classes, truth.astype(str))]
    return float(-np.log(own).mean())


def calibration_error(happened: NDArray[np.bool_], chance: Doubles) -> float:
    """ECE of the chance of one class: 15 bins of equal width, weighted by rows (Naeini et al. 2015)."""
    place = np.minimum((chance * BINS).astype(int), BINS - 1)
    gaps = np.bincount(place, happened - chance, BINS)
    return float(np.abs(gaps).sum() / len(chance))


def coverage(truth: Doubles, low: Doubles, high: Doubles) -> float:
    """Share of numbers inside their interval; what touches it to rounding is inside."""
    slack = 1e-6 * (float(truth.std()) or math.ulp(1.0))
    return float(((low - slack <= truth) & (truth <= high + slack)).mean())
