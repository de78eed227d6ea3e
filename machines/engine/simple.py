"""Simple models beside the network: a linear one and trees. Cheap, different, and often right where the network is not.

Each is fitted per output on the flat features, gives out-of-fold answers, and writes itself into the graph.
"""

import warnings
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge, RidgeCV

from machines.engine.graph import Graph
from machines.engine.prepare import Target
from machines.engine.tree_nodes import boosting_nodes, forest_nodes, write_trees

Floats: TypeAlias = NDArray[np.float32]


MOST_PER_TREE = 20_000  # rows one tree of the forest sees


MOST_PER_SPLIT = 80  # features one split of the forest tries
SLOW = 1_000_000  # cells from which boosting looks at the clock more often
GoOn: TypeAlias = Callable[[], bool]


def always() -> bool:
    """Go on, whatever the time."""
    return True


class Simple(Protocol):
    """A model of one output that can be grown step by step."""

    steps: int  # most times `grow` is worth calling

    def grow(self, x: Floats, target: Target, go_on: GoOn = always) -> None:
        """Learn (more) from x [rows, features]; always with the same rows. Cut short when `go_on` says no."""
        ...

    def predict(self, x: Floats) -> Floats:
        """Chances [rows, classes], or standardised numbers [rows, 1]."""
        ...

    def knows(self, target: Target) -> bool:
        """Whether every class was among the rows."""
        ...

    def write(self, g: Graph, flat: str, steps: int) -> str:
        """Write the same into the graph, as it was after `steps` steps."""
        ...


class Linear:
    """Ridge or logistic regression on the flat features."""

    steps = 1

    def __init__(self, seconds: float = 1.0) -> None:
        self.seconds = seconds

    def grow(self, x: Floats, target: Target, go_on: GoOn = always) -> None:
        self.classes = target.width
        if target.classes:
            return self._logistic(x, target)
        small = x.shape[0] * x.shape[1] * min(x.shape) < 1e9 * self.seconds
        model = RidgeCV(np.logspace(-1, 3, 9)) if small else Ridge(10.0, solver="lsqr", max_iter=50)
        model.fit(x, target.values)
        self.weights = model.coef_.reshape(-1, 1).astype(np.float32)
        self.bias = np.array([model.intercept_], np.float32)
        return None

    def _logistic(self, x: Floats, target: Target) -> None:
        passes = 6.0 * x.size * target.width / 5e9
        rounds = int(np.clip(self.seconds / passes, 3, 200))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # as far as the time goes
            model = LogisticRegression(max_iter=rounds, C=0.5).fit(x, target.values)
        self.weights = np.zeros((x.shape[1], self.classes), np.float32)
        self.bias = np.full(self.classes, -30.0, np.float32)
        two = len(model.classes_) == 2
        self.weights[:, model.classes_] = np.stack([-model.coef_[0], model.coef_[0]], 1) / 2 if two else model.coef_.T
        self.bias[model.classes_] = np.array([-0.5, 0.5]) * model.intercept_ if two else model.intercept_

    def knows(self, target: Target) -> bool:
        return True

    def predict(self, x: Floats) -> Floats:
        scores: Floats = x @ self.weights + self.bias
        return scores if self.classes == 1 else _softmax(scores)

    def write(self, g: Graph, flat: str, steps: int) -> str:
        scores = g.add("Add", g.add("MatMul", flat, g.constant(self.weights)), g.constant(self.bias))
        return scores if self.classes == 1 else g.add("Softmax", scores, axis=-1)


class _Trees:
    """What forests and boosting share."""

    model: Any
    classes: int

    def knows(self, target: Target) -> bool:
        return not target.classes or len(self.model.classes_) == target.width

    def predict(self, x: Floats) -> Floats:
        if self.classes == 1:
            return np.asarray(self.model.predict(x), np.float32)[:, None]
        wide = np.zeros((len(x), self.classes), np.float32)
        wide[:, self.model.classes_] = self.model.predict_proba(x)  # a fold may miss a rare class: its chance is 0
        return wide


class Forest(_Trees):
    """Extremely randomised trees (Geurts et al. 2006). Leaves are kept large enough for a file of sane size."""

    steps = 6
    trees = 10  # per step

    def __init__(self, seed: int, most_nodes: int = 16_000) -> None:
        self.seed, self.most_nodes = seed, most_nodes
        self.grown = 0

    def grow(self, x: Floats, target: Target, go_on: GoOn = always) -> None:
        self.classes = target.width
        if not self.grown:
            kind = ExtraTreesClassifier if target.classes else ExtraTreesRegressor
            features = "sqrt" if target.classes else min(1 + int(0.6 * x.shape[1]), MOST_PER_SPLIT)
            part = {"bootstrap": True, "max_samples": MOST_PER_TREE} if len(x) > MOST_PER_TREE else {}
            leaf = max(2, round(1.2 * min(len(x), MOST_PER_TREE) * self.trees * self.steps / self.most_nodes))
            settings: dict[str, Any] = {"min_samples_leaf": leaf, "max_features": features, **part}
            self.model = kind(random_state=self.seed, warm_start=True, **settings)
        for number in range(self.trees):
            if number and not go_on():
                break
            self.grown += 1
            self.model.set_params(n_estimators=self.grown).fit(x, target.values)

    def write(self, g: Graph, flat: str, steps: int) -> str:
        return write_trees(g, flat, forest_nodes(self.model), self.classes)


class Boosting(_Trees):
    """Gradient boosted trees on histograms (Friedman 2001; LightGBM, Ke et al. 2017)."""

    steps = 25
    rounds = 16  # per step

    def __init__(self, seed: int, rate: float = 0.1, leaves: int = 10) -> None:
        self.settings: dict[str, Any] = {
            "learning_rate": rate, "max_leaf_nodes": leaves, "random_state": seed, "warm_start": True,
            "early_stopping": False, "min_samples_leaf": 10, "l2_regularization": 1.0, "max_bins": 127,
            "max_features": 0.5,
        }  # fmt: skip
        self.grown = 0

    def grow(self, x: Floats, target: Target, go_on: GoOn = always) -> None:
        self.classes = target.width
        if not self.grown:
            kind = HistGradientBoostingClassifier if target.classes else HistGradientBoostingRegressor
            self.model = kind(**self.settings)
        rounds = self.rounds if x.size < SLOW else 2
        for number in range(self.rounds // rounds):
            if number and not go_on():
                break
            self.grown += rounds
            self.model.set_params(max_iter=self.grown).fit(x, target.values)

    def write(self, g: Graph, flat: str, steps: int) -> str:
        base = np.asarray(self.model._baseline_prediction, np.float32).reshape(1, -1)
        trees = boosting_nodes(self.model, steps * self.rounds)
        sums = g.add("Add", write_trees(g, flat, trees, base.shape[1]), g.constant(base))
        if self.classes == 1:
            return sums
        if self.classes == 2:
            sums = g.add("Mul", sums, g.floats(-0.5, 0.5))
        return g.add("Softmax", sums, axis=-1)


def _softmax(scores: Floats) -> Floats:
    e = np.exp(scores - scores.max(1, keepdims=True))
    chances: Floats = e / e.sum(1, keepdims=True)
    return chances
