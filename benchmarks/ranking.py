"""Who is better, and how sure that is. Losses are compared: 1 - AUC, log loss, RMSE; what failed has an infinite loss.

Everything is counted over tables: the seeds of one table share its rows, so their mean counts once.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import numpy as np

Losses: TypeAlias = Mapping[str, Sequence[float]]  # method -> loss per table, tables in the same order

TIE = 0.002  # relative: closer losses count as equal
LEAST_LOSS = 1e-6  # what is divided by
RESAMPLES = 10_000
Z = 1.959964  # of a 95 % interval


@dataclass(frozen=True)
class Estimate:
    """A value and where it lies with 95 % confidence."""

    value: float
    low: float
    high: float

    def percent(self) -> str:
        return f"{100 * self.value:+.1f} % ({100 * self.low:+.1f} to {100 * self.high:+.1f})"


@dataclass(frozen=True)
class Duel:
    """One method against another over tables."""

    wins: int
    ties: int
    losses: int
    win_rate: Estimate  # of all tables, ties included
    difference: Estimate | None  # mean of loss / other's loss - 1 where both have one: negative is better
    clipped: Estimate | None  # the same, no table counting for more than 100 %

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def duel(mine: Sequence[float], theirs: Sequence[float]) -> Duel:
    """Compare losses per table."""
    pairs = list(zip(mine, theirs, strict=True))
    ties = sum(tied(a, b) for a, b in pairs)
    wins = sum(a < b and not tied(a, b) for a, b in pairs)
    gaps = [relative(a, b) for a, b in pairs if math.isfinite(a) and math.isfinite(b)]
    clipped = [max(-1.0, min(1.0, gap)) for gap in gaps]
    return Duel(wins, ties, len(pairs) - wins - ties, wilson(wins, len(pairs)), mean_of(gaps), mean_of(clipped))


def tied(a: float, b: float) -> bool:
    """Equal to 0.2 %; two failures are equal, too."""
    return a == b or abs(a - b) <= TIE * min(a, b)


def relative(mine: float, theirs: float) -> float:
    """How much more loss: 0.1 is 10 % more."""
    return (mine - theirs) / max(theirs, LEAST_LOSS)


def ranks(losses: Sequence[float]) -> list[float]:
    """Ranks from 1 for the least loss. What ties with the best of a group belongs to it, and shares its mean rank."""
    order = sorted(range(len(losses)), key=losses.__getitem__)
    found = [0.0] * len(losses)
    start = 0
    for end in range(1, len(order) + 1):
        if end == len(order) or not tied(losses[order[start]], losses[order[end]]):
            for place in order[start:end]:
                found[place] = (start + 1 + end) / 2
            start = end
    return found


def average_ranks(losses: Losses) -> dict[str, float]:
    """The mean rank of each method over all tables."""
    tables = zip(*losses.values(), strict=True)
    means = np.mean([ranks(table) for table in tables], axis=0)
    return {method: float(mean) for method, mean in zip(losses, means, strict=True)}


def wilson(hits: int, count: int) -> Estimate:
    """A share with its score interval (Wilson 1927)."""
    share = hits / count
    middle = (share + Z**2 / (2 * count)) / (1 + Z**2 / count)
    reach = Z / (1 + Z**2 / count) * math.sqrt(share * (1 - share) / count + Z**2 / (4 * count**2))
    return Estimate(share, max(0.0, middle - reach), min(1.0, middle + reach))


def mean_of(values: Sequence[float], seed: int = 0) -> Estimate | None:
    """The mean with its bootstrap percentile interval (Efron 1979); None of nothing."""
    if not values:
        return None
    drawn = np.random.default_rng(seed).choice(np.asarray(values), (RESAMPLES, len(values)))
    low, high = np.quantile(drawn.mean(1), [0.025, 0.975])
    return Estimate(float(np.mean(values)), float(low), float(high))
