"""How much each candidate counts, how sure the blend is, how wide its intervals are: all from out-of-fold answers."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from machines.engine.prepare import Target

Floats: TypeAlias = NDArray[np.float32]

PICKS = 24
EMPTIER = 0.2  # rows from here on decide how the intervals grow
COVERAGE = 0.9
LEAST_CHANCE = 1e-7
LEAST_WEIGHT = 0.06  # what would count less is not worth its place in the file
MOST_CELLS = 400_000


def loss_of(answers: NDArray[Any], target: Target) -> float:
    """Log loss of chances [rows, classes], or squared error of numbers [rows, 1]; rows that are NaN do not count."""
    known = ~np.isnan(answers[:, 0])
    truth = target.values[known]
    if target.classes:
        chance = answers[known, truth] / np.maximum(answers[known].sum(1), LEAST_CHANCE)
        return float(-np.log(np.clip(chance, LEAST_CHANCE, 1)).mean())
    return float(np.square(answers[known, 0] - truth, dtype=np.float64).mean())


def thinned(answers: Sequence[Floats], target: Target) -> tuple[list[Floats], Target]:
    """Only rows that have answers, and of them so many that at most MOST_CELLS chances remain per candidate."""
    rows = np.flatnonzero(~np.isnan(answers[0][:, 0]))
    rows = rows[:: max(1, -(-len(rows) * target.width // MOST_CELLS))]
    return [a[rows] for a in answers], target.take(rows)


def blend_weights(answers: Sequence[Floats], target: Target) -> NDArray[np.float64]:
    """Greedy selection with replacement (Caruana et al. 2004): start with the best, add what lowers the loss most."""
    answers, target = thinned(answers, target)
    counts = np.zeros(len(answers))
    losses = [loss_of(a, target) for a in answers]
    first = int(np.argmin(losses))
    counts[first], total = 1, answers[first].astype(np.float64)
    best_loss, best_counts = losses[first], counts.copy()
    for picks in range(2, PICKS + 1):
        tried = [loss_of((total + a) / picks, target) for a in answers]
        chosen = int(np.argmin(tried))
        counts[chosen] += 1
        total = total + answers[chosen]
        if tried[chosen] < best_loss:
            best_loss, best_counts = tried[chosen], counts.copy()
    weights: NDArray[np.float64] = best_counts / best_counts.sum()
    weights[weights < LEAST_WEIGHT] = 0.0
    kept: NDArray[np.float64] = weights / weights.sum()
    return kept


def temperature(chances: NDArray[Any], target: Target) -> float:
    """The power that makes chances as sure as they may be (Guo et al. 2017, arXiv 1706.04599): p ** power, scaled."""
    (chances,), target = thinned([chances], target)
    known = ~np.isnan(chances[:, 0])
    logs = np.log(np.clip(chances[known], LEAST_CHANCE, 1))
    truth = target.values[known]

    def loss(power: float) -> float:
        scaled = logs * power
        top = scaled.max(1)
        rest = np.log(np.exp(scaled - top[:, None]).sum(1)) + top
        return float((rest - scaled[np.arange(len(truth)), truth]).mean())

    powers = np.geomspace(0.5, 2.0, 29)
    return float(powers[int(np.argmin([loss(power) for power in powers]))])


def conformal_scales(
    answers: NDArray[Any], spreads: NDArray[Any], target: Target, emptiness: NDArray[np.float64]
) -> tuple[float, float]:
    """The factors on the network's spreads that make 90 % of rows never seen lie inside: for usual rows, for empty ones.

    Split conformal prediction, normalised by the spread (Lei et al. 2018, arXiv 1604.04173), on out-of-fold answers; the
    factor grows in a straight line with a row's emptiness, its slope chosen so that 90 % of the emptier rows lie inside.
    answers [rows, 1], spreads [rows, 2] (down, up), emptiness [rows] 0..1.
    """
    known = ~np.isnan(answers[:, 0])
    miss = target.values[known] - answers[known, 0]
    reach = np.maximum(np.where(miss < 0, spreads[known, 0], spreads[known, 1]), 1e-6)
    scores, empty = np.abs(miss) / reach, emptiness[known]
    usual = _covering(scores[empty == 0])
    emptier = empty >= EMPTIER
    slope = _covering((scores[emptier] - usual) / empty[emptier]) if emptier.any() else 0.0
    return usual, usual + max(0.0, slope)


def _covering(scores: NDArray[Any]) -> float:
    """The score that 90 % of so many rows never seen stay below."""
    ordered = np.sort(scores)
    rank = int(np.ceil(COVERAGE * (len(ordered) + 1))) - 1
    return float(ordered[min(rank, len(ordered) - 1)])
