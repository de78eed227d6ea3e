"""scikit-learn's trees as one ONNX TreeEnsembleRegressor node, written straight from their arrays."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from machines.engine.graph import ML, Graph


@dataclass(frozen=True)
class Tree:
    """One tree; node 0 is the root. Leaves have left == -1."""

    feature: NDArray[np.int64]  # [nodes]
    threshold: NDArray[np.float32]  # [nodes], left is taken where x <= threshold
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    values: NDArray[np.float32]  # [nodes, len(targets)]
    targets: tuple[int, ...]  # which of the ensemble's sums the leaves add to


def forest_nodes(model: Any) -> list[Tree]:
    """The trees of a scikit-learn forest; leaf values are shares, so that their sum is the mean."""
    share = 1.0 / len(model.estimators_)
    return [_forest_tree(estimator.tree_, share) for estimator in model.estimators_]


def _forest_tree(tree: Any, share: float) -> Tree:
    values = tree.value[:, 0, :]
    targets = tuple(range(values.shape[1]))
    threshold = _rounded_down(tree.threshold)
    return Tree(
        np.maximum(tree.feature, 0), threshold, tree.children_left, tree.children_right,
        (values * share).astype(np.float32), targets,
    )  # fmt: skip


def boosting_nodes(model: Any, rounds: int) -> list[Tree]:
    """The first `rounds` rounds of a HistGradientBoosting model: one tree per round, or one per class."""
    return [_boosted_tree(p.nodes, k) for trees in model._predictors[:rounds] for k, p in enumerate(trees)]


def _boosted_tree(nodes: Any, target: int) -> Tree:
    leaf = nodes["is_leaf"].astype(bool)
    left = np.where(leaf, -1, nodes["left"].astype(np.int64))
    right = np.where(leaf, -1, nodes["right"].astype(np.int64))
    threshold = _rounded_down(np.where(leaf, 0.0, nodes["num_threshold"]))
    values = nodes["value"].astype(np.float32)[:, None]
    return Tree(nodes["feature_idx"].astype(np.int64), threshold, left, right, values, (target,))


def write_trees(g: Graph, flat: str, trees: list[Tree], targets: int) -> str:
    """Write the sum over trees: [N, targets]."""
    attributes = _branches(trees) | _leaves(trees) | {"n_targets": targets}
    return g.add("TreeEnsembleRegressor", flat, domain=ML, **attributes)


def _branches(trees: list[Tree]) -> dict[str, Any]:
    """The attributes that hold the nodes of all trees, one after the other."""
    sizes = [len(tree.left) for tree in trees]
    leaf = np.concatenate([tree.left == -1 for tree in trees])
    return {
        "nodes_treeids": np.repeat(np.arange(len(trees)), sizes).tolist(),
        "nodes_nodeids": np.concatenate([np.arange(size) for size in sizes]).tolist(),
        "nodes_featureids": np.concatenate([tree.feature for tree in trees]).tolist(),
        "nodes_values": np.where(leaf, 0, np.concatenate([tree.threshold for tree in trees])).tolist(),
        "nodes_modes": np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
        "nodes_truenodeids": np.where(leaf, 0, np.concatenate([tree.left for tree in trees])).tolist(),
        "nodes_falsenodeids": np.where(leaf, 0, np.concatenate([tree.right for tree in trees])).tolist(),
    }


def _leaves(trees: list[Tree]) -> dict[str, Any]:
    """The attributes that say what leaves add to which target; zeros are left out where another target remains."""
    found: list[tuple[NDArray[Any], ...]] = []
    for i, tree in enumerate(trees):
        leaf = np.flatnonzero(tree.left == -1)
        values = tree.values[leaf]
        there = values != 0
        there[~there.any(1), 0] = True
        row, column = np.nonzero(there)
        found.append((np.full(len(row), i), leaf[row], np.array(tree.targets)[column], values[row, column]))
    names = ("target_treeids", "target_nodeids", "target_ids", "target_weights")
    return {name: np.concatenate(parts).tolist() for name, parts in zip(names, zip(*found, strict=True), strict=True)}


def _rounded_down(threshold: NDArray[Any]) -> NDArray[np.float32]:
    """The largest float32 not above a float64 threshold, so that float32 inputs turn the same way."""
    near = threshold.astype(np.float32)
    return np.where(near > threshold, np.nextafter(near, np.float32(-np.inf)), near).astype(np.float32)
