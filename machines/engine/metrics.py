"""How good answers are, with 95 % intervals.

All but AUC is bootstrapped over rows (Efron 1979): each repeat weighs rows at random, which is one matrix product.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Doubles: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

REPEATS = 200
MOST_WEIGHTS = 1_500_000  # repeats x rows
LEAST_CHANCE = 1e-7


@dataclass(frozen=True)
class Metric:
    """A value and where it lies with 95 % confidence."""

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        return asdict(self)


def number_metrics(truth: Doubles, answer: Doubles, seed: int = 0) -> dict[str, Metric]:
    """RMSE, MAE (both in the output's unit) and R2 of numbers [rows]."""
    weights = _weights(len(truth), seed)
    square = weights @ np.square(truth - answer)
    mean = weights @ truth
    variance = np.maximum(weights @ np.square(truth) - np.square(mean), 1e-300)
    return {
        "rmse": _metric(np.sqrt(square)),
        "mae": _metric(weights @ np.abs(truth - answer)),
        "r2": _metric(1 - square / variance),
    }


def label_metrics(truth: Ints, chances: Doubles, seed: int = 0) -> dict[str, Metric]:
    """AUC (two classes only), log loss, accuracy and F1 for class numbers [rows] and chances [rows, classes].

    F1 is that of the rarer class for two classes, else the mean over the classes that occur.
    """
    weights = _weights(len(truth), seed)
    answer = chances.argmax(1)
    own = np.clip(chances[np.arange(len(truth)), truth], LEAST_CHANCE, 1)
    metrics = {"roc_auc": auc(truth == 1, chances[:, 1])} if chances.shape[1] == 2 else {}
    return metrics | {
        "log_loss": _metric(weights @ -np.log(own)),
        "accuracy": _metric(weights @ (answer == truth).astype(float)),
        "f1": _metric(_f1(truth, answer, weights, [1] if chances.shape[1] == 2 else np.unique(truth).tolist())),
    }


def auc(positive: NDArray[np.bool_], score: Doubles) -> Metric:
    """Area under the ROC curve with DeLong's interval (DeLong et al. 1988; by ranks, Sun and Xu 2014)."""
    good, bad = score[positive], score[~positive]
    if not len(good) or not len(bad):
        return Metric(0.5, 0.0, 1.0)
    mine = _ranks(good), _ranks(bad)
    both = _ranks(np.concatenate([good, bad]))
    above = (both[: len(good)] - mine[0]) / len(bad)  # per positive: share of negatives below it
    below = 1 - (both[len(good) :] - mine[1]) / len(good)
    value = float(above.mean())
    variance = sum(float(part.var(ddof=1)) / len(part) for part in (above, below) if len(part) > 1)
    reach = 1.96 * variance**0.5
    return Metric(value, max(0.0, value - reach), min(1.0, value + reach))


def _ranks(values: Doubles) -> Doubles:
    """Ranks from 1, ties share their mean."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


@lru_cache(maxsize=2)
def _weights(rows: int, seed: int) -> Doubles:
    """[1 + repeats, rows]: the sample itself, then resamples; every row of it adds up to 1."""
    repeats = max(20, min(REPEATS, MOST_WEIGHTS // max(1, rows)))
    drawn = np.random.default_rng(seed).poisson(1.0, (repeats, rows)).astype(np.float64)
    drawn[drawn.sum(1) == 0] = 1.0
    return np.concatenate([np.full((1, rows), 1.0 / rows), drawn / drawn.sum(1, keepdims=True)])


def _metric(values: Doubles) -> Metric:
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return Metric(float(values[0]), float(low), float(high))


def _f1(truth: Ints, answer: Ints, weights: Doubles, classes: Sequence[Any]) -> Doubles:
    total = np.zeros(len(weights))
    for k in classes:
        hit = weights @ ((truth == k) & (answer == k)).astype(float)
        said = weights @ (truth == k).astype(float) + weights @ (answer == k).astype(float)
        total += 2 * hit / np.maximum(said, 1e-12)
    return total / max(1, len(classes))
