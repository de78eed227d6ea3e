"""Ridge and logistic regression: the quickest candidate, and what every machine is compared with."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge

from machines.engine.blend import loss_of
from machines.engine.folds import Sheet, answered, count, learned_from
from machines.engine.graph import Graph
from machines.engine.prepare import Target

Floats: TypeAlias = NDArray[np.float32]
GoOn: TypeAlias = Callable[[], bool]

PENALTIES = (30.0, 3.0, 0.3)  # that are tried, strong ones first
ENDLESS = (np.inf,)  # leaves what is usual: where nothing can be learned, a blend is better off with it
ABSENT = -30.0  # the score of a class that a fold has not met


class Linear:
    """One linear model per fold; all take the penalty whose loss on unseen rows is lowest."""

    def __init__(self, rounds: int = 100, penalties: Sequence[float] = PENALTIES) -> None:
        self.rounds = rounds  # most steps of the solver
        self.penalties = penalties

    def fit(self, sheet: Sheet, target: Target, folds: NDArray[np.int64], go_on: GoOn, stop: int = 0) -> Floats | None:
        """Answers of rows that folds answer, NaN for others: [rows, width]. None without time for the first penalty.

        `sheet` gives [rows, features], the same for every fold; target holds the same rows; folds as in machines.engine.folds.
        `stop` is the number of the penalty that was best before, where no rows are left to tell.
        """
        x = sheet(0)
        self.width, best, lowest = target.width, None, np.inf
        for number, penalty in enumerate(self.penalties[stop - 1 : stop] if stop else self.penalties, start=1):
            models = []
            for fold in range(count(folds)):
                if not go_on():
                    return best
                rows = learned_from(folds, fold)
                models.append(self._one(x[rows], target.take(rows), penalty))
            answers = self._answers(x, folds, models)
            loss = loss_of(answers[folds >= 0], target.take(np.flatnonzero(folds >= 0))) if not stop else 0.0
            if loss < lowest:
                lowest, best, self.stop = loss, answers, stop or number
                self.weights, self.bias = (np.mean(parts, axis=0) for parts in zip(*models, strict=True))
        return best

    def predict(self, x: Floats) -> Floats:
        return self._chances(x @ self.weights + self.bias)

    def write(self, g: Graph, x: str) -> str:
        """Write the mean of the folds' scores, and what they mean: [N, width]."""
        scores = g.add("Add", g.add("MatMul", x, g.constant(self.weights)), g.constant(self.bias))
        return scores if self.width == 1 else g.add("Softmax", scores, axis=-1)

    @property
    def micros(self) -> float:
        """Microseconds that a row takes, about."""
        return 3.0

    def _answers(self, x: Floats, folds: NDArray[np.int64], models: list[tuple[Floats, Floats]]) -> Floats:
        every = np.full((len(x), self.width), np.nan, np.float32)
        for fold, (weights, bias) in enumerate(models):
            rows = answered(folds, fold)
            every[rows] = self._chances(x[rows] @ weights + bias)
        return every

    def _one(self, x: Floats, target: Target, penalty: float) -> tuple[Floats, Floats]:
        """weights [features, width], bias [width]"""
        if np.isinf(penalty):
            return np.zeros((x.shape[1], self.width), np.float32), _usual(target)
        if not target.classes:
            model: Any = Ridge(penalty, solver="lsqr" if x.size > 4e6 else "auto").fit(x, target.values)
            return model.coef_.reshape(-1, 1).astype(np.float32), np.array([model.intercept_], np.float32)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # as far as the rounds go
            model = LogisticRegression(max_iter=self.rounds, C=1 / penalty).fit(x, target.values)
        weights = np.zeros((x.shape[1], self.width), np.float32)
        bias = np.full(self.width, ABSENT, np.float32)
        two = len(model.classes_) == 2
        weights[:, model.classes_] = np.stack([-model.coef_[0], model.coef_[0]], 1) / 2 if two else model.coef_.T
        bias[model.classes_] = np.array([-0.5, 0.5]) * model.intercept_ if two else model.intercept_
        return weights, bias

    def _chances(self, scores: Floats) -> Floats:
        if self.width == 1:
            return scores
        e = np.exp(scores - scores.max(1, keepdims=True))
        chances: Floats = e / e.sum(1, keepdims=True)
        return chances


def _usual(target: Target) -> Floats:
    """The mean, or the logarithms of how often each class occurs: [width]"""
    if not target.classes:
        return np.array([target.values.mean()], np.float32)
    counts = np.bincount(target.values, minlength=target.width)
    return np.where(counts, np.log(np.maximum(counts, 1) / len(target.values)), ABSENT).astype(np.float32)
