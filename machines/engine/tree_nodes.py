"""Trees as arrays, and many of them as TreeEnsemble nodes (ai.onnx.ml 5), written straight from those arrays."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from onnx import numpy_helper

from machines.engine.graph import ML, Graph

Floats: TypeAlias = NDArray[np.float32]
Ints: TypeAlias = NDArray[np.int64]
TREES_PER_NODE = 1000
CACHED = 50_000  # splits, and as many leaves: more do not fit into a processor's own cache


@dataclass(frozen=True)
class Tree:
    """One tree with at least one split; split 0 is the root. A child c >= 0 is split c, a child c < 0 is leaf ~c."""

    feature: Ints  # [splits]
    threshold: Floats  # [splits], left is taken where x <= threshold
    left: Ints  # [splits]
    right: Ints
    values: Floats  # [leaves], what a leaf adds
    targets: Ints  # [leaves], to which of the ensemble's sums

    @property
    def size(self) -> int:
        """Splits and leaves."""
        return len(self.left) + len(self.values)

    def times(self, share: float) -> "Tree":
        return replace(self, values=(self.values * share).astype(np.float32))


def constant(value: float, target: int) -> Tree:
    """A tree that always answers the same."""
    zero = np.zeros(1, np.int64)
    values, targets = np.full(2, value, np.float32), np.full(2, target)
    return Tree(zero, np.zeros(1, np.float32), ~zero, ~zero - 1, values, targets)


def grown_trees(tree: Any, values: NDArray[Any]) -> list[Tree]:
    """A scikit-learn tree whose nodes answer `values` [nodes, targets], as trees whose leaves have one target each.

    The first tree answers the largest value of every leaf, the second the next largest where there is one, and so on.
    Trees at full depth have few leaves with more than one value, so that all but the first are small.
    """
    layout = (tree.children_left, tree.children_right, tree.feature, tree.threshold)
    order = np.argsort(-values, axis=1, kind="stable")
    leaf = np.flatnonzero(tree.children_left < 0)
    needed = max(1, int(np.count_nonzero(values[leaf], axis=1).max()))
    found = []
    for rank in range(needed):
        target = order[:, rank]
        value = np.take_along_axis(values, target[:, None], 1)[:, 0].astype(np.float32)
        found.append(_compact(*layout, value, np.where(value == 0, 0, target)))
    return found


def boosting_nodes(model: Any, rounds: int) -> list[Tree]:
    """The first `rounds` rounds of a HistGradientBoosting model: one tree per round, or one per class."""
    return [_boosted_tree(p.nodes, k) for trees in model._predictors[:rounds] for k, p in enumerate(trees)]


def _boosted_tree(nodes: Any, target: int) -> Tree:
    leaf = nodes["is_leaf"].astype(bool)
    left, right = (np.where(leaf, -1, nodes[side].astype(np.int64)) for side in ("left", "right"))
    threshold = np.where(leaf, 0.0, nodes["num_threshold"])
    value = nodes["value"].astype(np.float32)
    return _compact(left, right, nodes["feature_idx"], threshold, value, np.full(len(leaf), target))


def _compact(left: Ints, right: Ints, feature: Ints, threshold: NDArray[Any], value: Floats, target: Ints) -> Tree:
    """Merge leaves of one parent that answer the same; [nodes] each, leaves have left == -1."""
    left, value, target, kept = left.copy(), value.copy(), target.copy(), np.ones(len(left), bool)
    while True:
        split = np.flatnonzero(kept & (left >= 0))
        a, b = left[split], right[split]
        same = (left[a] < 0) & (left[b] < 0) & (value[a] == value[b]) & (target[a] == target[b])
        if not same.any():
            break
        merged, a, b = split[same], a[same], b[same]
        value[merged], target[merged], left[merged] = value[a], target[a], -1
        kept[a] = kept[b] = False
    if not len(split):
        return constant(value[0], target[0])
    leaf = np.flatnonzero(kept & (left < 0))
    number = np.empty(len(left), np.int64)
    number[split], number[leaf] = np.arange(len(split)), ~np.arange(len(leaf))
    ends = (number[left[split]], number[right[split]])
    return Tree(feature[split].astype(np.int64), rounded_down(threshold[split]), *ends, value[leaf], target[leaf])


def rounded_down(threshold: NDArray[Any]) -> Floats:
    """The largest float32 not above a float64 threshold, so that float32 inputs turn the same way."""
    near = threshold.astype(np.float32)
    return np.where(near > threshold, np.nextafter(near, np.float32(-np.inf)), near).astype(np.float32)


def sum_trees(trees: Sequence[Tree], x: Floats, targets: int) -> Floats:
    """The sum over trees for x [rows, features]: [rows, targets]."""
    sums = np.zeros((len(x), targets))
    every = np.arange(len(x))
    for tree in trees:
        at = np.zeros(len(x), np.int64)
        while (rows := np.flatnonzero(at >= 0)).size:
            split = at[rows]
            low = x[rows, tree.feature[split]] <= tree.threshold[split]
            at[rows] = np.where(low, tree.left[split], tree.right[split])
        sums[every, tree.targets[~at]] += tree.values[~at]
    return sums.astype(np.float32)


def write_trees(g: Graph, x: str, trees: Sequence[Tree], targets: int) -> str:
    """Write the sum over trees for float32 x [N, features]: [N, targets].

    Several nodes share many trees: ONNX Runtime loads one large node slowly, and short sums round less.
    """
    parts = [_Splits(trees[at : at + TREES_PER_NODE]) for at in range(0, len(trees), TREES_PER_NODE)]
    if sum(len(part.feature) for part in parts) > CACHED:
        x = _signed(g, x)
        for part in parts:
            part.turn()
    return g.total([part.write(g, x, targets) for part in parts])


def _signed(g: Graph, x: str) -> str:
    """Every feature and, behind it, its negative: [N, 2 features]."""
    return g.reshape(g.add("Mul", g.add("Unsqueeze", x, g.ints(2)), g.floats(1, -1)), 0, -1)


class _Splits:
    """The splits of some trees, one tree behind the other; a child c >= 0 is split c, a child c < 0 is leaf ~c."""

    def __init__(self, trees: Sequence[Tree]) -> None:
        splits, leaves = (np.array([len(getattr(t, name)) for t in trees]) for name in ("left", "values"))
        self.roots = np.cumsum(splits) - splits
        split, leaf = np.repeat(self.roots, splits), np.repeat(np.cumsum(leaves) - leaves, splits)
        self.left, self.right = (
            np.where(child < 0, child - leaf, child + split)
            for child in (_joined(trees, "left"), _joined(trees, "right"))
        )
        self.feature, self.threshold = _joined(trees, "feature"), _joined(trees, "threshold")
        self.values, self.targets = _joined(trees, "values"), _joined(trees, "targets")

    def turn(self) -> None:
        """Ask so that most rows turn right, about features as `_signed` has them.

        ONNX Runtime keeps the right child next to its parent, and the left one far away: where the trees do not fit into
        a processor's cache, a row takes a third less time. x > t is asked as -x <= the next number below -t.
        """
        leaves = self._leaves()
        left, right = (leaves[np.maximum(child, -1)] for child in (self.left, self.right))
        below = np.nextafter(-self.threshold, np.float32(-np.inf))
        # A processor may take what is nearly 0 for 0.
        turned = (left > right) & (np.abs(below) >= np.finfo(np.float32).tiny)
        self.left, self.right = np.where(turned, self.right, self.left), np.where(turned, self.left, self.right)
        self.threshold = np.where(turned, below, self.threshold)
        self.feature = 2 * self.feature + turned

    def _leaves(self) -> Ints:
        """How many leaves lie below each split, about as many rows come there: [splits + 1], 1 behind every leaf's number."""
        levels = [self.roots]
        while levels[-1].size:
            children = np.concatenate([self.left[levels[-1]], self.right[levels[-1]]])
            levels.append(children[children >= 0])
        found = np.ones(len(self.left) + 1, np.int64)
        for level in reversed(levels):
            # -1 is the last, which stays 1
            left, right = (np.maximum(child[level], -1) for child in (self.left, self.right))
            found[level] = found[left] + found[right]
        return found

    def write(self, g: Graph, x: str, targets: int) -> str:
        return g.add(
            "TreeEnsemble", x, domain=ML, n_targets=targets, aggregate_function=1, post_transform=0,  # sum, none
            tree_roots=self.roots.tolist(),
            nodes_modes=numpy_helper.from_array(np.zeros(len(self.left), np.uint8)),  # x <= threshold
            nodes_splits=numpy_helper.from_array(self.threshold),
            nodes_featureids=self.feature.tolist(),
            nodes_truenodeids=_numbered(self.left), nodes_trueleafs=(self.left < 0).astype(int).tolist(),
            nodes_falsenodeids=_numbered(self.right), nodes_falseleafs=(self.right < 0).astype(int).tolist(),
            leaf_weights=numpy_helper.from_array(self.values),
            leaf_targetids=self.targets.tolist(),
        )  # fmt: skip


def _numbered(child: Ints) -> list[int]:
    numbers: list[int] = np.where(child < 0, ~child, child).tolist()
    return numbers


def _joined(trees: Sequence[Tree], name: str) -> NDArray[Any]:
    return np.concatenate([getattr(tree, name) for tree in trees])
