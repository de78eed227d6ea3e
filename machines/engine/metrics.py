"""How good answers are, with 95 % intervals.

All but the areas under ROC curves is bootstrapped over rows (Efron 1979): each repeat weighs rows at random, which is
one matrix product. The same number of rows and the same seed give the same weights, so figures of two models can be paired.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Doubles: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]

REPEATS = 200
MOST_WEIGHTS = 1_500_000  # repeats x rows
LEAST_CHANCE = 1e-7
MOST_RANKED = 100  # classes that are ranked one by one
ECE_BINS = 15
CURVE_BINS = 10
CURVE_ROWS = 20  # at least so many rows make one point of a reliability curve
RESIDUAL_BINS = 30
Z = 1.959963984540054  # 97.5 % of the normal distribution
TINY = 1e-12


@dataclass(frozen=True)
class Metric:
    """A value and where it lies with 95 % confidence."""

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        return asdict(self)


def number_metrics(truth: Doubles, answer: Doubles, seed: int = 0) -> dict[str, Metric]:
    """RMSE, MAE (both in the output's unit) and R2 of numbers [rows]. R2 of a truth that never changes is 0."""
    weights = resamples(len(truth), seed)
    square = weights @ np.square(truth - answer)
    centred = truth - truth.mean()  # a large mean would eat the digits of the variance
    variance = np.maximum(weights @ np.square(centred) - np.square(weights @ centred), 0)
    explained = np.where(variance > 0, 1 - square / np.where(variance > 0, variance, 1), 0)
    return {
        "rmse": interval_of(np.sqrt(square)),
        "mae": interval_of(weights @ np.abs(truth - answer)),
        "r2": interval_of(explained),
    }


def label_metrics(truth: Ints, chances: Doubles, seed: int = 0) -> dict[str, Metric]:
    """All metrics of class numbers [rows] and chances [rows, classes]; classes count up by falling frequency.

    Two classes: PR AUC (average precision) and F1 are those of the rarer class. More: ROC AUC is the mean over the
    classes, each against the rest (left out with more than 100), F1 the mean over the classes that occur.
    """
    weights = resamples(len(truth), seed)
    answer, classes = chances.argmax(1), chances.shape[1]
    hit, actual, said = _counts(truth, answer, weights, classes)
    own = np.clip(chances[np.arange(len(truth)), truth], LEAST_CHANCE, 1)
    metrics: dict[str, Metric] = {}
    if classes == 2:
        rarer = int(truth.sum())
        metrics["roc_auc"] = auc(truth == 1, chances[:, 1])
        metrics["pr_auc"] = _doubted(_average_precision(truth == 1, chances[:, 1], weights), rarer)
    elif classes <= MOST_RANKED:
        metrics["roc_auc"] = macro_auc(truth, chances)
    return metrics | {
        "log_loss": interval_of(weights @ -np.log(own)),
        "accuracy": _doubted(hit.sum(1), len(truth)),
        "balanced_accuracy": _doubted(_mean_where(hit, actual, actual > 0), len(truth)),
        "f1": _doubted(_f1(hit, actual, said), len(truth)),
        "ece": _centred(_calibration_error(*_stated(truth, chances), weights)),
    }


def difference(truth: NDArray[np.generic], answer: Doubles, simple: Doubles, seed: int = 0) -> Metric:
    """Main loss of `answer` minus that of `simple` on the same resamples: below 0, `answer` is better.

    Log loss for chances [rows, classes] and class numbers [rows]; RMSE for numbers [rows].
    """
    weights = resamples(len(truth), seed)
    return interval_of(_main_loss(truth, answer, weights) - _main_loss(truth, simple, weights))


def auc(positive: Bools, score: Doubles) -> Metric:
    """Area under the ROC curve with DeLong's interval (DeLong et al. 1988; by ranks, Sun and Xu 2014)."""
    fewest = int(min(positive.sum(), (~positive).sum()))
    return _area([_placed(positive, score)], fewest) if fewest else Metric(0.5, 0.0, 1.0)


def macro_auc(truth: Ints, chances: Doubles) -> Metric:
    """Mean area of the classes that occur, each against the rest; the interval takes their rows as the same rows."""
    found, counts = np.unique(truth, return_counts=True)
    if len(found) < 2:
        return Metric(0.5, 0.0, 1.0)
    return _area([_placed(truth == k, chances[:, k]) for k in found], int(counts.min()))


def reliability(truth: Ints, chances: Doubles) -> list[dict[str, float]]:
    """Stated chance beside what came true, in at most 10 bins of about as many rows, each with Wilson's interval.

    Two classes: the chance of class 1. More: the chance of the class that was answered.
    """
    stated, right = _stated(truth, chances)
    bins = equal_bins(stated, min(CURVE_BINS, max(1, len(stated) // CURVE_ROWS)))
    rows = np.bincount(bins)
    chance, share = np.bincount(bins, stated) / rows, np.bincount(bins, right) / rows
    low, high = wilson(share, rows)
    points = zip(chance.tolist(), share.tolist(), rows.tolist(), low.tolist(), high.tolist(), strict=True)
    return [dict(zip(("chance", "share", "rows", "low", "high"), point, strict=True)) for point in points]


def residuals(truth: Doubles, answer: Doubles) -> dict[str, list[float]]:
    """Histogram of actual minus predicted: `edges` in the output's unit, `counts` one fewer, at most 30.

    The edges span the middle 98 %; the outermost bins count what lies beyond as well.
    """
    off = truth - answer
    low, high = np.quantile(off, [0.01, 0.99])
    bins = min(RESIDUAL_BINS, round(2 * len(off) ** (1 / 3)))  # Rice's rule
    some = high - low > 1e-9 * np.abs(truth).max()  # else all are off by the same
    counts, edges = np.histogram(np.clip(off, low, high), bins if some else 1)
    return {"edges": edges.tolist(), "counts": counts.tolist()}


def wilson(share: Doubles, rows: NDArray[np.generic]) -> tuple[Doubles, Doubles]:
    """95 % interval of a share of `rows` (Wilson 1927)."""
    n = np.asarray(rows, np.float64)
    middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    reach = Z / (1 + Z**2 / n) * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return np.minimum(np.maximum(middle - reach, 0), share), np.maximum(np.minimum(middle + reach, 1), share)


def _main_loss(truth: NDArray[np.generic], answer: Doubles, weights: Doubles) -> Doubles:
    if answer.ndim == 1:
        return np.sqrt(weights @ np.square(truth.astype(np.float64) - answer))
    own = np.clip(answer[np.arange(len(truth)), truth.astype(np.int64)], LEAST_CHANCE, 1)
    return weights @ -np.log(own)


def _placed(positive: Bools, score: Doubles) -> tuple[float, Doubles]:
    """The area, and what each row adds to its deviation: the squares of these [rows] sum up to DeLong's variance."""
    good, bad = score[positive], score[~positive]
    both = _ranks(np.concatenate([good, bad]))
    above = (both[: len(good)] - _ranks(good)) / len(bad)  # per positive: share of negatives below it
    below = 1 - (both[len(good) :] - _ranks(bad)) / len(good)
    value = float(above.mean())
    influence = np.empty(len(score))
    for rows, part in ((positive, above), (~positive, below)):
        influence[rows] = (part - value) / max(1.0, len(part) * (len(part) - 1)) ** 0.5
    return value, influence


def _area(parts: Sequence[tuple[float, Doubles]], fewest: int) -> Metric:
    value = float(np.mean([area for area, _ in parts]))
    mean = sum(influence for _, influence in parts) / len(parts)
    reach = Z * float(np.square(mean).sum()) ** 0.5
    return _doubt(Metric(value, max(0.0, value - reach), min(1.0, value + reach)), fewest)


def _ranks(values: Doubles) -> Doubles:
    """Ranks from 1, ties share their mean."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


@lru_cache(maxsize=2)
def resamples(rows: int, seed: int) -> Doubles:
    """[1 + repeats, rows]: the sample itself, then resamples; every row of it adds up to 1."""
    repeats = max(20, min(REPEATS, MOST_WEIGHTS // max(1, rows)))
    drawn = np.random.default_rng(seed).poisson(1.0, (repeats, rows)).astype(np.float64)
    drawn[drawn.sum(1) == 0] = 1.0
    return np.concatenate([np.full((1, rows), 1.0 / rows), drawn / drawn.sum(1, keepdims=True)])


def interval_of(values: Doubles) -> Metric:
    """The first value, and the middle 95 % of the resampled ones."""
    value = float(values[0])
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return Metric(value, min(value, float(low)), max(value, float(high)))


def _centred(values: Doubles) -> Metric:
    """As `interval_of` for what resampling alone makes larger: its spread, moved to where the value is."""
    moved = values[1:] + (values[0] - np.median(values[1:]))
    return interval_of(np.concatenate([values[:1], np.clip(moved, 0, 1)]))


def _doubted(values: Doubles, rows: int) -> Metric:
    return _doubt(interval_of(values), rows)


def _doubt(metric: Metric, rows: int) -> Metric:
    """Resamples of rows that are all right are all right; how sure that is then follows from their number (Wilson)."""
    if not rows:
        return Metric(metric.value, 0.0, 1.0)
    if metric.low < 1 - TINY:
        return metric
    low, _ = wilson(np.ones(()), np.array(rows))
    return Metric(1.0, float(low), 1.0)


def _sums(weights: Doubles, groups: Ints, count: int) -> Doubles:
    """[repeats, count]: the weights of each group's rows added up."""
    order = np.argsort(groups, kind="stable")
    found, starts = np.unique(groups[order], return_index=True)
    sums = np.zeros((len(weights), count))
    sums[:, found] = np.add.reduceat(weights[:, order], starts, axis=1)
    return sums


def _counts(truth: Ints, answer: Ints, weights: Doubles, classes: int) -> tuple[Doubles, Doubles, Doubles]:
    """The confusion table's diagonal, row sums and column sums, each [repeats, classes]."""
    hit = _sums(weights, np.where(truth == answer, truth, classes), classes + 1)[:, :classes]
    return hit, _sums(weights, truth, classes), _sums(weights, answer, classes)


def _mean_where(part: Doubles, whole: Doubles, there: Bools) -> Doubles:
    """[repeats]: the mean of part / whole over the classes that are there."""
    ratio = np.where(there, part / np.maximum(whole, TINY), 0)
    mean: Doubles = ratio.sum(1) / np.maximum(there.sum(1), 1)
    return mean


def _f1(hit: Doubles, actual: Doubles, said: Doubles) -> Doubles:
    occurs = np.broadcast_to(actual[0] > 0, hit.shape).copy()
    if hit.shape[1] == 2:
        occurs[:] = [False, True]
    return _mean_where(2 * hit, actual + said, occurs)


def _average_precision(positive: Bools, score: Doubles, weights: Doubles) -> Doubles:
    """[repeats]: precision at every score, weighed by the recall it adds."""
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))  # rows of the same score are found together
    good_rows = positive[order].astype(np.float64)
    found = np.empty(len(weights))
    for i, one in enumerate(weights):  # one repeat fits into the processor's cache, all of them do not
        ordered = one[order]
        every, good = np.cumsum(ordered)[ends], np.cumsum(ordered * good_rows)[ends]
        found[i] = np.diff(good, prepend=0) @ (good / np.maximum(every, TINY)) / max(good[-1], TINY)
    return found


def _stated(truth: Ints, chances: Doubles) -> tuple[Doubles, Doubles]:
    """The chance that was stated [rows] and whether it came true, 0 or 1 [rows]."""
    if chances.shape[1] == 2:
        return chances[:, 1], truth.astype(np.float64)
    return chances.max(1), (chances.argmax(1) == truth).astype(np.float64)


def equal_bins(values: Doubles, bins: int) -> Ints:
    """Bin numbers from 0, none empty, with about as many rows each; equal values are never parted."""
    edges = np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1])
    return np.unique(np.searchsorted(edges, values, side="right"), return_inverse=True)[1]


def _calibration_error(stated: Doubles, right: Doubles, weights: Doubles) -> Doubles:
    """Expected calibration error (Naeini et al. 2015; Guo et al. 2017), in 15 bins of as many rows (Nixon et al. 2019)."""
    bins = equal_bins(stated, ECE_BINS)
    error: Doubles = np.abs(_sums(weights * (stated - right), bins, ECE_BINS)).sum(1)
    return error
