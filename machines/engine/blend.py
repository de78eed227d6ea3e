"""How much each candidate counts, how sure the blend is, how wide its intervals are: all from answers for rows not seen."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from machines.engine.prepare import Target

if TYPE_CHECKING:
    from machines.engine.candidates import Candidate

Floats: TypeAlias = NDArray[np.float32]
Rows: TypeAlias = NDArray[np.int64]

PICKS = 30
MOST_MICROS = 450.0  # that parts may take for a row; what else a row needs takes some 100 to 200
MOST_RANKED, LEAST_MISRANKED = 5_000, 1e-3
Judge: TypeAlias = "Callable[[NDArray[Any], Target], float]"
EMPTIER = 0.2  # rows from here on decide how the intervals grow
COVERAGE = 0.9
LEAST_CHANCE = 1e-7
LIGHT = 0.08  # what counts less may not be worth its place in the file
TELLS = 5e-4  # of the loss
MOST_CELLS = 400_000
PARTS = 5  # in which the figures of a blend are made
LEAST_REACH = 1e-6


@dataclass(frozen=True)
class Blend:
    """What one output is answered from."""

    target: Target
    output: int
    parts: "tuple[tuple[Candidate, float], ...]"  # weights add up to 1
    loss: float = 0.0  # on the rows it was made with
    power: float = 1.0  # of chances, see temperature
    scale: float = 1.0  # of spreads, see conformal_scales
    scale_empty: float = 1.0  # the same where nothing is known
    spread: "Candidate | None" = None  # whose spreads
    spread_at: int = 0  # which pair of its spreads

    def answers(self, rows: Rows, emptiness: NDArray[np.float64] | float = 0.0) -> NDArray[np.float64]:
        """Calibrated chances [rows, classes], or standardised numbers with low and high [rows, 3], by folds not fitted on them."""
        mixed = self.mixed(rows)
        if self.target.classes:
            return self.calibrated(mixed)
        assert self.spread is not None and self.spread.spreads is not None
        pairs = self.spread.spreads[rows, 2 * self.spread_at : 2 * self.spread_at + 2]
        scale = self.scale + np.reshape(emptiness, (-1, 1)) * (self.scale_empty - self.scale)
        reach = np.maximum(pairs, LEAST_REACH) * scale
        return np.hstack([mixed, mixed - reach[:, :1], mixed + reach[:, 1:]])

    def by(self, others: "Mapping[int, Candidate]") -> "Blend":
        """The same of other candidates, given by `id` of what they stand for."""
        parts = tuple((others.get(id(c), c), weight) for c, weight in self.parts)
        return replace(self, parts=parts, spread=others.get(id(self.spread), self.spread))

    def calibrated(self, chances: NDArray[Any]) -> NDArray[np.float64]:
        return sharpened(chances, self.power)

    def mixed(self, rows: Rows) -> NDArray[np.float64]:
        parts = [weight * candidate.answers[self.output][rows] for candidate, weight in self.parts]
        total: NDArray[np.float64] = np.sum(parts, axis=0, dtype=np.float64)
        return total


def blend_of(candidates: "Sequence[Candidate]", target: Target, output: int, rows: Rows) -> Blend:
    """Weigh the candidates for one output by their answers for `rows`, and calibrate what comes out."""
    able = [c for c in candidates if output in c.answers]
    known, truth = [c.answers[output][rows] for c in able], target.take(rows)
    weights = blend_weights(known, truth, costs_of(able), judged)
    parts = tuple((c, float(w)) for c, w in zip(able, weights, strict=True) if w > 0)
    mixed = np.sum([w * a for w, a in zip(weights, known, strict=True) if w > 0], axis=0)
    loss = loss_of(mixed, truth)
    if target.classes:
        return Blend(target, output, parts, loss, power=temperature(mixed, truth))
    heavy = {id(candidate): weight for candidate, weight in parts}
    spread = max(candidates, key=lambda c: -1.0 if c.spreads is None else heavy.get(id(c), 0.0))
    assert spread.spreads is not None, "a network is always among the candidates"
    at = [i for i, answers in spread.answers.items() if answers.shape[1] == 1].index(output)
    pairs = spread.spreads[rows, 2 * at : 2 * at + 2]
    scale, _ = conformal_scales(mixed, pairs, truth, np.zeros(len(rows)))
    return Blend(target, output, parts, loss, scale=scale, scale_empty=scale, spread=spread, spread_at=at)


def doubt_of(candidate: "Candidate", target: Target, output: int, rows: Rows, emptiness: NDArray[np.float64]) -> Blend:
    """The answer for rows emptier than usual, of the one candidate that has learned from such rows."""
    answers, truth = candidate.answers[output][rows], target.take(rows)
    parts, loss = ((candidate, 1.0),), loss_of(answers, truth)
    if target.classes:
        return Blend(target, output, parts, loss, power=temperature(answers, truth))
    assert candidate.spreads is not None, "a network has spreads where there are numbers"
    at = [i for i, every in candidate.answers.items() if every.shape[1] == 1].index(output)
    scales = conformal_scales(answers, candidate.spreads[rows, 2 * at : 2 * at + 2], truth, emptiness[rows])
    return Blend(target, output, parts, loss, 1.0, *scales, candidate, at)


def dealt(rows: int, rng: np.random.Generator) -> Rows:
    """The part of each of so many rows, see cross_fitted."""
    return rng.permutation(rows) % PARTS


def cross_fitted(
    blend: Callable[[Rows], Blend], rows: Rows, parts: Rows, emptiness: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """What a blend answers for `rows`, each answered by one that was weighed and calibrated without the rows of its part.

    So no row has a say in its own answer: not in what was learned (see folds), nor in how it is put together. `blend` makes
    one from the rows it is given; `parts` [rows] see `dealt`; `emptiness` [rows] as for Blend.answers.
    """
    emptiness = np.zeros(len(rows)) if emptiness is None else emptiness
    own = [parts == part for part in range(PARTS)]
    answers = [blend(rows[~mine]).answers(rows[mine], emptiness[mine]) for mine in own]
    found: NDArray[np.float64] = np.empty((len(rows), answers[0].shape[1]))
    for mine, answered in zip(own, answers, strict=True):
        found[mine] = answered
    return found


def sharpened(chances: NDArray[Any], power: float) -> NDArray[np.float64]:
    """chances ** power, scaled to add up to 1."""
    logs = power * np.log(np.maximum(chances, LEAST_CHANCE))
    e = np.exp(logs - logs.max(1, keepdims=True))
    scaled: NDArray[np.float64] = e / e.sum(1, keepdims=True)
    return scaled


def loss_of(answers: NDArray[Any], target: Target) -> float:
    """Log loss of chances [rows, classes], or squared error of numbers [rows, 1]; rows that are NaN do not count."""
    known = ~np.isnan(answers[:, 0])
    truth = target.values[known]
    if target.classes:
        chance = answers[known, truth] / np.maximum(answers[known].sum(1), LEAST_CHANCE)
        return float(-np.log(np.clip(chance, LEAST_CHANCE, 1)).mean())
    return float(np.square(answers[known, 0] - truth, dtype=np.float64).mean())


def misranked(chances: NDArray[Any], truth: NDArray[np.int64]) -> float:
    """1 - the area under the ROC curve of chances [rows, 2], by ranks (Mann and Whitney 1947); 0 without both classes."""
    order = np.argsort(chances[:, 1] / chances.sum(1))
    ranks = 1.0 + np.flatnonzero(truth[order])
    pairs = len(ranks) * (len(truth) - len(ranks))
    return float(1.0 - (ranks.sum() - len(ranks) * (len(ranks) + 1) / 2) / pairs) if pairs else 0.0


def judged(answers: NDArray[Any], target: Target) -> float:
    """What a finished blend is chosen by: the loss; of two classes also how many pairs of rows it ranks wrongly.

    Their product: a share less of either counts the same. It is judged by MOST_RANKED of the rows.
    """
    loss = loss_of(answers, target)
    if target.width != 2:
        return loss
    some = np.arange(0, len(answers), -(-len(answers) // MOST_RANKED))
    return loss * (LEAST_MISRANKED + misranked(answers[some], target.values[some]))


def thinned(answers: Sequence[Floats], target: Target) -> tuple[list[Floats], Target]:
    """Only rows that have answers, and of them so many that at most MOST_CELLS chances remain per candidate."""
    rows = np.flatnonzero(~np.isnan(answers[0][:, 0]))
    rows = rows[:: max(1, -(-len(rows) * target.width // MOST_CELLS))]
    return [a[rows] for a in answers], target.take(rows)


def with_others(candidates: "Iterable[Candidate]") -> "list[Candidate]":
    """These and whose answers they learned from, each once."""
    return list({id(model): model for candidate in candidates for model in (candidate, *candidate.others)}.values())


def costs_of(candidates: "Sequence[Candidate]") -> NDArray[np.float64]:
    """Microseconds that a row takes, by candidate and by what it needs: itself, and whose answers it learned from."""
    models = with_others(candidates)
    needs = [{id(model) for model in with_others([candidate])} for candidate in candidates]
    return np.array([[model.micros * (id(model) in own) for model in models] for own in needs])


def blend_weights(
    answers: Sequence[Floats], target: Target, costs: NDArray[np.float64] | None = None, judge: Judge = loss_of
) -> NDArray[np.float64]:
    """Greedy selection with replacement (Caruana et al. 2004): start with the best, add what lowers the loss most.

    By `costs` (see costs_of) a row does not take longer than MOST_MICROS, or no longer than it has to.
    """
    costs = np.zeros((len(answers), 1)) if costs is None else costs
    alone = costs.sum(1)
    answers, target = thinned(answers, target)
    losses = np.array([judge(a, target) for a in answers])
    # Where the best fills the budget by itself, several cheaper ones may be better together.
    limits = (max(MOST_MICROS, alone.min()), MOST_MICROS / 2, MOST_MICROS / 4)
    groups = {(alone <= most).tobytes(): alone <= most for most in limits}
    found = [_picked(answers, target, judge, losses, costs, group) for group in groups.values() if group.any()]
    loss, counts = min(found, key=lambda one: one[0])
    return _without_light_ones(counts / counts.sum(), loss, answers, target, judge)


def _picked(
    answers: Sequence[Floats], target: Target, judge: Judge, losses: NDArray[np.float64], costs: NDArray[np.float64],
    group: NDArray[np.bool_],
) -> tuple[float, NDArray[np.float64]]:  # fmt: skip
    """The loss, and how often each of a group was picked."""
    counts, first = np.zeros(len(answers)), int(np.argmin(np.where(group, losses, np.inf)))
    counts[first], total = 1, answers[first].astype(np.float64)
    best, best_counts = float(losses[first]), counts.copy()
    for picks in range(2, PICKS + 1):
        able = group & ((counts > 0) | (np.maximum(costs[counts > 0].max(0), costs).sum(1) <= MOST_MICROS))
        tried = [judge((total + a) / picks, target) if ok else np.inf for a, ok in zip(answers, able, strict=True)]
        chosen = int(np.argmin(tried))
        counts[chosen] += 1
        total = total + answers[chosen]
        if tried[chosen] < best:
            best, best_counts = tried[chosen], counts.copy()
    return best, best_counts


def _without_light_ones(
    weights: NDArray[np.float64], loss: float, answers: Sequence[Floats], target: Target, judge: Judge
) -> NDArray[np.float64]:
    """Leave out what hardly counts, the lightest first, unless the loss tells: forests are sure of too much without it."""
    for i in np.argsort(weights, kind="stable"):
        if 0 < weights[i] < LIGHT:
            fewer = np.where(np.arange(len(weights)) == i, 0.0, weights)
            fewer /= fewer.sum()
            if judge(sum(w * a for w, a in zip(fewer, answers, strict=True) if w), target) <= loss + TELLS * abs(loss):
                weights = fewer
    return weights


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
    reach = np.maximum(np.where(miss < 0, spreads[known, 0], spreads[known, 1]), LEAST_REACH)
    scores, empty = np.abs(miss) / reach, emptiness[known]
    usual = _covering(scores[empty == 0] if (empty == 0).any() else scores)
    emptier = empty >= EMPTIER
    slope = _covering((scores[emptier] - usual) / empty[emptier]) if emptier.any() else 0.0
    return usual, usual + max(0.0, slope)


def _covering(scores: NDArray[Any]) -> float:
    """The score that 90 % of so many rows never seen stay below."""
    ordered = np.sort(scores)
    rank = int(np.ceil(COVERAGE * (len(ordered) + 1))) - 1
    return float(ordered[min(rank, len(ordered) - 1)])
