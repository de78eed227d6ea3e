"""Forests and boosted trees: bags of one model per fold, grown under the clock and written as one node.

Each learns one output, answers rows that it has not seen, and writes the mean of its folds' models into the graph.
"""

from dataclasses import replace
from math import ceil, log2
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor

from machines.engine.boosters import HAS_LIGHTGBM, Doubles, GoOn, Settings, boosters
from machines.engine.folds import Sheet, answered, count, learned_from
from machines.engine.graph import Graph
from machines.engine.prepare import Target
from machines.engine.tree_nodes import Floats, Ints, Tree, grown_trees, sum_trees, write_trees

__all__ = ["HAS_LIGHTGBM", "Boosting", "Forest"]

PATIENCE = 40  # rounds without a lower loss
MANY_ROUNDS = 500  # with fewer, steps are longer than the rate says
LONGEST = 2.5  # times the rate
MOST_PER_TREE = 20_000  # rows one tree of a forest sees
MOST_PER_SPLIT = 80  # features one split of a forest tries for numbers
LEAST_TREES = 8  # of a forest's fold that the file has room for; leaves grow until it has
MEASURED = 160  # trees of a fold that a forest is measured by, if it answers with as many
USEFUL = 4  # trees without which a forest is not worth its place
TINY = 1e-7
MOST_LEAVES = 160_000  # of all folds' boosted trees: more do not stay in a processor's cache
LEVEL_MICROS, FAR_LEAVES = 0.011, 1e6  # microseconds of a row per level of a tree, and leaves that make it twice that
DEEP_TREE_MICROS, NODE_MICROS = 0.3, 4e-7  # in a deep one, by all nodes of its forest: few fit into the cache


class Boosting:
    """Gradient boosted trees; all folds stop at the round where their loss together is lowest.

    All folds and classes together have at most `most_trees` trees: 10,000 with 8 leaves answer a row in about a third of
    a millisecond. Where that leaves few rounds, each is a longer step.
    """

    _boosters = staticmethod(boosters)

    def __init__(self, settings: Settings, rounds: int = 1000, most_trees: int = 10_000) -> None:
        self.settings, self.most_rounds, self.most_trees = settings, rounds, most_trees

    def fit(self, x: Sheet, target: Target, folds: Ints, go_on: GoOn, stop: int = 0) -> Floats | None:
        """Answers of rows that validate, NaN for others: [rows, width]. None without time for a first step.

        x gives for each fold [rows, features] without missing values; folds is as in machines.engine.folds.
        `stop` is the round that was best before, where no rows are left to tell.
        """
        self.width, self.zero = target.width, target.mean / target.std
        most = max(1, min(self.most_rounds, self.most_trees // (_sums(self.width) * count(folds))))
        longer = float(np.clip(MANY_ROUNDS / most, 1.0, LONGEST))
        settings = replace(self.settings, rate=self.settings.rate * longer)
        self.grown = self._boosters(x, self._taught(target), folds, settings)
        best, lowest, at, self.leaves, self.counted = None, np.inf, 0, 0, 0
        step = self.grown[0].step
        for done in range(step, (stop or max(step, most)) + 1, step):
            if not all(booster.grow(go_on) for booster in self.grown):
                break
            answers = _scattered([self._squared(booster.answers()) for booster in self.grown], folds, target.width)
            loss = -done if stop else _loss(answers, target, folds)
            if loss < lowest:
                best, lowest, at = answers, loss, done
                self.rounds = [booster.rounds() for booster in self.grown]
            elif done - at >= PATIENCE:
                break
            if self._is_full(done) and not stop:
                break
        self.stop = at
        for booster in self.grown:
            booster.forget_rows()
        return best

    def _is_full(self, rounds: int) -> bool:
        """Whether the file has room for no more leaves."""
        trees = _sums(self.width) * rounds * len(self.grown)
        if trees * self.settings.leaves <= MOST_LEAVES:
            return False
        self.leaves += sum(booster.leaves(booster.rounds(), self.counted) for booster in self.grown)
        self.counted = self.grown[0].rounds()
        return self.leaves > MOST_LEAVES

    def predict(self, x: Floats) -> Floats:
        scores = np.mean([b.scores(x, n) for b, n in zip(self.grown, self.rounds, strict=True)], axis=0)
        return _chances(self._squared(scores), self.width)

    @property
    def micros(self) -> float:
        """Microseconds that a row takes, about."""
        trees = _sums(self.width) * sum(self.rounds)
        leaves = sum(booster.leaves(rounds) for booster, rounds in zip(self.grown, self.rounds, strict=True))
        return trees * LEVEL_MICROS * log2(1 + leaves / trees) * (1 + leaves / FAR_LEAVES)

    def _taught(self, target: Target) -> Target:
        """The target, or the square roots of its numbers, counted from 0 in units of its deviation."""
        if not self.settings.root:
            return target
        return replace(target, values=np.sqrt(np.maximum(target.values + self.zero, 0.0)).astype(np.float32))

    def _squared(self, answers: Doubles) -> Doubles:
        return np.maximum(answers, 0.0) ** 2 - self.zero if self.settings.root else answers

    def write(self, g: Graph, x: str) -> str:
        """Write the mean of the folds' scores, and what they mean: [N, width]."""
        share = 1.0 / len(self.grown)
        trees = [t.times(share) for b, n in zip(self.grown, self.rounds, strict=True) for t in b.trees(n)]
        base = np.mean([booster.base for booster in self.grown], axis=0)
        sums = g.add("Add", write_trees(g, x, trees, len(base)), g.floats(*base))
        if self.settings.root:
            roots = g.add("Max", sums, g.floats(0.0))
            return g.add("Sub", g.add("Mul", roots, roots), g.floats(self.zero))
        if self.width == 1:
            return sums
        halves = g.add("Mul", sums, g.floats(-0.5, 0.5)) if self.width == 2 else sums
        return g.add("Softmax", halves, axis=-1)


class Forest:
    """Extremely randomised trees at full depth (Geurts et al. 2006), or with `random` off a random forest (Breiman 2001).

    Leaves hold one row, or as many as the file needs to stay below `most_nodes`. Of `most_trees` every fold has its share.
    What answers, the mean of all folds' trees, is surer than those of one fold, by which it is measured: so a fold grows
    more than it keeps, up to MEASURED and no more than all keep together.
    """

    stop = 1

    def __init__(self, seed: int, most_trees: int = 320, most_nodes: int = 500_000, random: bool = True) -> None:
        self.seed, self.most_trees, self.most_nodes, self.random = seed, most_trees, most_nodes, random

    def fit(self, x: Sheet, target: Target, folds: Ints, go_on: GoOn, stop: int = 0) -> Floats | None:
        """As `Boosting.fit`; None without time for a few trees of every fold. It stops where there is no more room."""
        self.width, self.leaf = target.width, 1
        self.woods = [_Wood(self, x(f), target, folds, f) for f in range(count(folds))]
        if self._choose_leaf(go_on):
            while self._has_room() and all(wood.grow() and go_on() for wood in self.woods):
                pass
            while self._is_unsure() and all(wood.grow(keep=False) and go_on() for wood in self.woods):
                pass
        if min(wood.kept for wood in self.woods) < USEFUL:
            return None
        answers = _scattered([wood.answers() for wood in self.woods], folds, target.width)
        for wood in self.woods:
            wood.forget_rows()
        return answers

    def _choose_leaf(self, go_on: GoOn) -> bool:
        """Find leaves large enough for LEAST_TREES of every fold; False if that took all the time."""
        most = self.most_nodes / (LEAST_TREES * len(self.woods))
        first = self.woods[0]
        nodes = 2 * first.rows_per_tree
        while nodes > most and go_on():
            grown, values = first.tree(0)
            nodes = sum(tree.size for tree in grown_trees(grown.tree_, values))
            if nodes > most:
                self.leaf = max(self.leaf + 1, ceil(self.leaf * nodes / most))
        return go_on()

    def _has_room(self) -> bool:
        grown = self.woods[-1].kept
        nodes = sum(tree.size for wood in self.woods for tree in wood.trees)
        return grown * len(self.woods) < self.most_trees and nodes * (grown + 1) <= self.most_nodes * max(grown, 1)

    def _is_unsure(self) -> bool:
        last = self.woods[-1]
        return last.count < measured_by(last.kept, len(self.woods))

    def predict(self, x: Floats) -> Floats:
        sums, total = sum_trees(self._bag(), x, _sums(self.width)), np.float32(self._total)
        return (np.hstack([total - sums, sums]) if self.width == 2 else sums) * (1 / total)

    def write(self, g: Graph, x: str) -> str:
        """Write the mean of the folds' answers: [N, width]."""
        sums, total = write_trees(g, x, self._bag(), _sums(self.width)), self._total
        both = g.add("Add", g.add("Mul", sums, g.floats(-1, 1)), g.floats(total, 0)) if self.width == 2 else sums
        return g.add("Mul", both, g.floats(1 / total))

    @property
    def _total(self) -> int:
        """What the trees of `_bag` count together."""
        return len(self.woods) * max(wood.kept for wood in self.woods)

    @property
    def micros(self) -> float:
        """Microseconds that a row takes, about."""
        trees = [tree for wood in self.woods for tree in wood.trees]
        return len(trees) * (DEEP_TREE_MICROS + NODE_MICROS * sum(tree.size for tree in trees))

    def _bag(self) -> list[Tree]:
        """Every fold counts alike. Its trees count 1 each, unless another has more: sums of leaves that are sure are exact.

        Were they shares, a chance of 0 would be some 1e-7 instead, and another one here than in the file.
        """
        most = max(wood.kept for wood in self.woods)
        return [tree.times(most / wood.kept) for wood in self.woods for tree in wood.trees]


class _Wood:
    """The trees of one fold."""

    def __init__(self, forest: Forest, x: Floats, target: Target, folds: Ints, fold: int) -> None:
        self.forest, self.target, self.fold = forest, target, fold
        learn = learned_from(folds, fold)
        self.x, self.y, self.validating = x[learn], target.values[learn], x[answered(folds, fold)]
        self.rows_per_tree = min(len(learn), MOST_PER_TREE)
        self.trees: list[Tree] = []
        self.kept = self.count = 0  # trees that answer, and those that it is measured by
        self.sums = np.zeros((len(self.validating), _sums(target.width)))

    def grow(self, keep: bool = True) -> bool:
        """Add a tree; True."""
        grown, values = self.tree(self.count)
        if keep:
            self.trees += grown_trees(grown.tree_, values)
            self.kept += 1
        self.sums += values[grown.tree_.apply(self.validating)]
        self.count += 1
        return True

    def forget_rows(self) -> None:
        """Keep the trees alone."""
        del self.x, self.y, self.validating, self.sums

    def answers(self) -> Floats:
        return _both((self.sums / self.count).astype(np.float32), self.target.width)

    def tree(self, number: int) -> tuple[Any, Doubles]:
        """Grow tree `number`: as scikit-learn has it, and what its nodes answer [nodes, sums]."""
        rng = np.random.default_rng([self.forest.seed, self.fold, number])
        x, y = self.x, self.y
        if not self.forest.random or len(y) > MOST_PER_TREE:
            rows = rng.choice(len(y), self.rows_per_tree, replace=not self.forest.random)
            x, y = x[rows], y[rows]
        grown = self._kind()(
            max_features="sqrt" if self.target.classes else min(1 + int(0.6 * x.shape[1]), MOST_PER_SPLIT),
            min_samples_leaf=self.forest.leaf, random_state=int(rng.integers(2**31)),
        )  # fmt: skip
        grown.fit(x, y, check_input=False)
        return grown, self._values(grown)

    def _kind(self) -> Any:
        if self.target.classes:
            return ExtraTreeClassifier if self.forest.random else DecisionTreeClassifier
        return ExtraTreeRegressor if self.forest.random else DecisionTreeRegressor

    def _values(self, grown: Any) -> Doubles:
        """What nodes answer: the number, the chance of the second of two classes, or all chances."""
        values: Doubles = grown.tree_.value[:, 0, :]
        if not self.target.classes:
            return values
        wide = np.zeros((len(values), self.target.width))
        wide[:, grown.classes_] = values  # a fold may lack a class: its chance is 0
        return wide[:, 1:] if self.target.width == 2 else wide


def measured_by(kept: int, folds: int) -> int:
    """How many trees a fold of a forest grows that keeps so many."""
    return max(kept, min(MEASURED, kept * folds))


def _sums(width: int) -> int:
    """How many sums trees add up to."""
    return 1 if width <= 2 else width


def _both(sums: Floats, width: int) -> Floats:
    """Chances of both classes where the sum is that of the second."""
    return np.hstack([1 - sums, sums]) if width == 2 else sums


def _scattered(answers: list[Any], folds: Ints, width: int) -> Floats:
    """Answers per fold -> [rows, width], NaN where nothing validates."""
    every = np.full((len(folds), width), np.nan, np.float32)
    for f, own in enumerate(answers):
        every[answered(folds, f)] = own
    return every


def _loss(answers: Floats, target: Target, folds: Ints) -> float:
    """Mean log loss or squared error of the rows that validate."""
    there = np.flatnonzero(folds >= 0)
    truth = target.values[there]
    if not target.classes:
        return float(np.mean((answers[there, 0] - truth) ** 2))
    return float(-np.log(np.maximum(answers[there, truth], TINY)).mean())


def _chances(scores: NDArray[Any], width: int) -> Floats:
    if width == 1:
        return scores.astype(np.float32)
    if width == 2:
        scores = scores * [-0.5, 0.5]
    e = np.exp(scores - scores.max(1, keepdims=True))
    chances: Floats = (e / e.sum(1, keepdims=True)).astype(np.float32)
    return chances
