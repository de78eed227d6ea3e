"""Boosted trees that may cut aslant: they see weighted sums of two numbers, too.

A tree cuts along one feature at a time, so a border that runs aslant, as a coast on a map, takes it many cuts. Breiman (2001),
Random Forests, section 5, adds sums of features drawn at random. Here they are of numbers that trees cut by in turn.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil, pi
from typing import Any, TypeAlias

import numpy as np

from machines.engine.boosters import Booster, Doubles, LightData, Settings, grown
from machines.engine.folds import Folds, Sheet, count, learned_from
from machines.engine.graph import Graph
from machines.engine.prepare import Target
from machines.engine.tree_nodes import Floats, Ints, Tree
from machines.engine.trees import Boosting

SLANTS, MOST_OF_PAIR = 12, 8  # sums that are added; of one pair
LEAST_VALUES, LOOKED_AT = 8, 2_000  # a number with no more of them in so many rows is no amount
LOOK, LOOK_ROUNDS = Settings(0, leaves=31, rate=0.1), 40  # of trees that show which pairs gain
MOST_ROWS, MOST_CELLS = 20_000, 4_000_000  # that these learn from
Pair: TypeAlias = tuple[int, int]
Gains: TypeAlias = dict[Pair, float]


@dataclass(frozen=True)
class Slants:
    """Sums of two numbers each: x[first] * weights[0] + x[second] * weights[1]."""

    first: Ints  # [slants], features
    second: Ints
    weights: Floats  # [2, slants]
    share: float  # of what any two features gain together, that the first pair does

    def __len__(self) -> int:
        return len(self.first)

    def __call__(self, x: Floats) -> Floats:
        """Rows with their sums behind: [rows, features] -> [rows, features + slants]."""
        return np.hstack([x, x[:, self.first] * self.weights[0] + x[:, self.second] * self.weights[1]])

    def write(self, g: Graph, x: str) -> str:
        """Write the sums [N, slants], by operators of their own: one that multiplies and adds has other last digits."""
        sides = zip((self.first, self.second), self.weights, strict=True)
        first, second = (g.add("Mul", g.add("Gather", x, g.constant(of), axis=1), g.constant(w)) for of, w in sides)
        return g.add("Add", first, second)


@dataclass
class ObliqueBooster:
    """One fold's trees, whose slants stand at `place` among those of all folds, behind the `width` features of a row."""

    booster: Booster
    slants: Slants
    width: int
    place: int

    def __getattr__(self, name: str) -> Any:
        return getattr(self.booster, name)

    def scores(self, x: Floats, rounds: int) -> Doubles:
        return self.booster.scores(self.slants(x), rounds)

    def trees(self, rounds: int) -> list[Tree]:
        return [replace(tree, feature=self._placed(tree.feature)) for tree in self.booster.trees(rounds)]

    def _placed(self, feature: Ints) -> Ints:
        return np.where(feature < self.width, feature, feature + self.place)


class ObliqueBoosting(Boosting):
    """Gradient boosted trees that see slants behind the features of a row; each fold has its own.

    For which sums are seen is learned from answers, too. The first `numbers` features of a row are numbers.
    """

    def __init__(self, numbers: int, settings: Settings, rounds: int = 1000) -> None:
        super().__init__(settings, rounds)
        self.numbers = numbers

    def write(self, g: Graph, x: str) -> str:
        return super().write(g, g.concat([x, *(slants.write(g, x) for slants in self.slants if len(slants))], 1))

    def _boosters(self, x: Sheet, target: Target, folds: Folds, settings: Settings) -> Sequence[Booster]:
        self.slants = list[Slants]()
        for fold in range(count(folds)):
            seen = x(fold)
            width = seen.shape[1]
            rows = looked_at(learned_from(folds, fold), width)
            self.slants.append(slants_of(seen[rows], target.take(rows), self.numbers))
        plain = super()._boosters(lambda fold: self.slants[fold](x(fold)), target, folds, settings)
        places = np.cumsum([0, *map(len, self.slants)])[:-1]
        parts = zip(plain, self.slants, places.tolist(), strict=True)
        return [ObliqueBooster(booster, slants, width, place) for booster, slants, place in parts]


def looked_at(rows: Ints, features: int) -> Ints:
    """Those of `rows`, at random, that tell which sums may help."""
    return np.random.default_rng(0).permutation(rows)[: min(MOST_ROWS, MOST_CELLS // features)]


def slants_of(x: Floats, target: Target, numbers: int) -> Slants:
    """Which sums may help, by what boosted trees of some rows gain where they cut by one number and then by another.

    x [rows, features], of which the first are numbers. Pairs that gain more have more angles, spread evenly between the two
    numbers in units of their deviation.
    """
    amounts = {i for i, cells in enumerate(x[:LOOKED_AT, :numbers].T) if len(np.unique(cells)) > LEAST_VALUES}
    every = _gains(x, target) if len(amounts) > 1 else {}
    gains = {pair: gain for pair, gain in every.items() if amounts.issuperset(pair)}
    slants = [(*pair, angle) for pair, number in _counts(gains) for angle in _angles(number)]
    first, second = np.array([pair for *pair, _ in slants], np.int64).reshape(-1, 2).T
    angles, deviations = np.array([angle for *_, angle in slants]), x.std(0, dtype=np.float64)
    weights = np.stack([np.cos(angles) / deviations[first], np.sin(angles) / deviations[second]])
    share = max(gains.values()) / sum(every.values()) if gains else 0.0
    return Slants(first, second, weights.astype(np.float32), share)


def _gains(x: Floats, target: Target) -> Gains:
    """What trees gain by any two features in turn."""
    rounds = max(1, LOOK_ROUNDS // (target.width if target.width > 2 else 1))
    gains = defaultdict[Pair, float](float)
    for tree in grown(LightData(x, target, LOOK), rounds):
        for one, other, gain in _cuts(tree):
            gains[min(one, other), max(one, other)] += gain
    return gains


def _cuts(node: dict[str, Any]) -> Iterator[tuple[int, int, float]]:
    """Two features, the second of which is cut by right below the first, and what that gains."""
    for child in (node.get("left_child", {}), node.get("right_child", {})):
        if "split_gain" in child:
            if child["split_feature"] != node["split_feature"]:
                yield node["split_feature"], child["split_feature"], child["split_gain"]
            yield from _cuts(child)


def _counts(gains: Gains) -> Iterator[tuple[Pair, int]]:
    """How many sums each pair has, an even number; those that gain most come first, and have most."""
    left, total = SLANTS, sum(gains.values())
    for pair, gain in sorted(gains.items(), key=lambda one: -one[1]):
        number = min(2 * ceil(SLANTS * gain / total / 2), MOST_OF_PAIR, left)
        if number:
            yield pair, number
        left -= number


def _angles(number: int) -> list[float]:
    """Half of them where both weights are positive, half where one is not: never along one number alone."""
    step = pi / (number + 2)
    return [i * step for i in range(1, number + 2) if 2 * i != number + 2]
