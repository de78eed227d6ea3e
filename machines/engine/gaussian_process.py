"""Gaussian processes: rows that are alike have alike answers, and in which columns they have to be alike is learned.

Rasmussen and Williams, Gaussian Processes for Machine Learning (2006): regression in section 2.2, labels as numbers in 6.5,
how a kernel is chosen in 5.4. Of few rows often the best single model; its time grows with the cube of the rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, lapack
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from machines.engine.blend import loss_of
from machines.engine.folds import PROBE, Folds, Sheet, answered, count, learned_from
from machines.engine.graph import Graph
from machines.engine.linear import Floats, GoOn
from machines.engine.prepare import Target

Doubles: TypeAlias = NDArray[np.float64]
Goal: TypeAlias = Callable[[Doubles, Doubles, float], tuple[float, Doubles]]  # see evidence

STEPS = 25  # of choosing a kernel
PRIOR, SLOPES = 0.6, 4.0  # how far logarithms of reaches are from each other, and that of `slope` from 0: deviations
USUAL = 0.1  # where noise and slope begin
COMMON, OWN, NOISE, SLOPE = (-6.0, 4.0), (-4.0, 3.0), (np.log(1e-5), np.log(100.0)), (-10.0, 6.0)  # of logarithms
SURE = np.geomspace(1.0, 100.0, 41)  # how sure labels may be
LEAST_SHARE = 1e-4  # of a label
ROW_MICROS, CELL_MICROS, KERNEL_MICROS = 12.0, 4e-4, 0.012  # of a row: as such, per cell of all rows, per row of them


@dataclass(frozen=True)
class Kernel:
    """k(a, b) = (1 + r) exp(-r) + slope * mean(a * b), with r = |reach * (a - b)|, and `noise` where a is b.

    A Matern kernel of 3/2 beside a linear one; how large it is does not matter for an answer.
    """

    reach: Doubles  # [features]
    noise: float
    slope: float

    def __call__(self, a: Doubles, b: Doubles) -> Doubles:
        """[rows of a, rows of b], without noise"""
        square = _squares(a * self.reach, b * self.reach)
        found = _matern(np.sqrt(square, out=square))
        found += (self.slope / a.shape[1]) * (a @ b.T)
        return found


class OutOfTimeError(Exception):
    """Choosing a kernel took too long."""


class GaussianProcess:
    """One process per fold; rows to come are answered by one that learned from all rows, by the mean of the folds' kernels.

    A fold chooses its kernel by `goal`, without the rows that it answers: else these answers would be too good to be true.
    """

    def __init__(self, seed: int, goal: str, rows: int) -> None:
        self.seed = seed
        self.goal = goal  # see GOALS
        self.rows = rows  # most, at random, that a kernel is chosen by
        self.stop = 1  # of labels: how sure they are, a place in SURE from 1

    def fit(self, sheet: Sheet, target: Target, folds: Folds, go_on: GoOn, stop: int = 0) -> Floats | None:
        """Answers of rows that folds answer, NaN for others: [rows, width]. None without time.

        `sheet` gives [rows, features], the same for every fold; target holds the same rows; folds as in machines.engine.folds.
        `stop` is how sure labels were before, where no rows are left to tell.
        """
        self.is_number = not target.classes
        x, y, rng = sheet(0).astype(np.float64), self._wanted(target, folds), np.random.default_rng(self.seed)
        scores, kernels = np.full((len(x), target.width), np.nan), []
        try:
            with threadpool_limits(limits=1, user_api="blas"):  # sums of more threads have other last digits
                for fold in range(count(folds)):
                    rows = learned_from(folds, fold)
                    some = rng.permutation(rows)[: self.rows]
                    kernels.append(chosen(x[some] - x[some].mean(0), y[some], GOALS[self.goal], go_on))
                    self._learn(x[rows], y[rows], kernels[-1])
                    asked = answered(folds, fold)
                    scores[asked] = self._scores(x[asked])
                if len(kernels) > 1:
                    every = np.flatnonzero(folds > PROBE)
                    self._learn(x[every], y[every], mean_of(kernels))
        except (OutOfTimeError, np.linalg.LinAlgError):  # the latter where numbers lie too far apart for this
            return None
        measured = np.flatnonzero(folds >= 0)
        self.stop = stop or self._surest(scores[measured], target.take(measured))
        return self._answers(scores)

    def predict(self, x: Floats) -> Floats:
        return self._answers(self._scores(x.astype(np.float64)))

    def write(self, g: Graph, x: str) -> str:
        """Write it, in float64 as it was learned: [N, width]."""
        kernel, rows = self.kernel, self.x * self.kernel.reach
        x = g.add("Sub", g.cast(x, np.float64), g.constant(self.centre))
        near = g.add("Mul", x, g.constant(kernel.reach))
        own = g.add("ReduceSum", g.add("Mul", near, near), g.ints(1), keepdims=1)
        both = g.add("MatMul", near, g.constant(np.ascontiguousarray(-2 * rows.T)))
        square = g.add("Add", g.add("Add", both, own), g.constant(np.square(rows).sum(1)[None]))
        r = g.add("Sqrt", g.add("Max", square, g.constant(np.zeros(1))))
        far = g.add("Exp", g.add("Mul", r, g.constant(-np.ones(1))))
        found = g.add("MatMul", g.add("Mul", g.add("Add", r, g.constant(np.ones(1))), far), g.constant(self.weights))
        scores = g.add("Add", found, g.add("MatMul", x, g.constant(self._slopes())))
        if self.is_number:
            return g.cast(scores, np.float32)
        sure = g.add("Mul", scores, g.constant(SURE[self.stop - 1 : self.stop]))
        return g.add("Softmax", g.cast(g.add("Add", sure, g.constant(self.log_shares)), np.float32), axis=-1)

    @property
    def micros(self) -> float:
        """Microseconds that a row takes, about."""
        return ROW_MICROS + CELL_MICROS * float(self.x.size) + KERNEL_MICROS * len(self.x)

    def _wanted(self, target: Target, folds: Folds) -> Doubles:
        """Numbers, or for each label 1 or 0, less how often it is 1: [rows, width]"""
        if self.is_number:
            return target.values[:, None].astype(np.float64)
        shares = np.bincount(target.values[folds > PROBE], minlength=target.width) / np.sum(folds > PROBE)
        self.log_shares = np.log(np.maximum(shares, LEAST_SHARE))
        wanted: Doubles = np.eye(target.width)[target.values] - shares
        return wanted

    def _learn(self, x: Doubles, y: Doubles, kernel: Kernel) -> None:
        """The weight of each row: (K + noise)^-1 y."""
        self.kernel, self.centre = kernel, x.mean(0)
        self.x = x - self.centre
        square = kernel(self.x, self.x)
        square[np.diag_indices(len(x))] += kernel.noise
        self.weights = cho_solve(cho_factor(square, lower=True, overwrite_a=True, check_finite=False), y)

    def _scores(self, x: Doubles) -> Doubles:
        scores: Doubles = self.kernel(x - self.centre, self.x) @ self.weights
        return scores

    def _slopes(self) -> Doubles:
        """What its linear part comes to: [features, width]"""
        slopes: Doubles = self.kernel.slope / self.x.shape[1] * (self.x.T @ self.weights)
        return slopes

    def _answers(self, scores: Doubles) -> Floats:
        return scores.astype(np.float32) if self.is_number else self._chances(scores, SURE[self.stop - 1])

    def _chances(self, scores: Doubles, sure: float) -> Floats:
        logs = sure * scores + self.log_shares
        e = np.exp(logs - logs.max(1, keepdims=True))
        chances: Floats = (e / e.sum(1, keepdims=True)).astype(np.float32)
        return chances

    def _surest(self, scores: Doubles, target: Target) -> int:
        losses = [loss_of(self._chances(scores, sure), target) for sure in SURE] if target.classes else [0.0]
        return 1 + int(np.argmin(losses))


def chosen(x: Doubles, y: Doubles, goal: Goal, go_on: GoOn) -> Kernel:
    """The kernel whose `goal` is lowest, from the same start by STEPS of L-BFGS. Raises OutOfTimeError.

    x [rows, features] and y [rows, outputs] have means of about 0. A priori no column reaches much farther than others.
    """
    rows, features = x.shape
    linear, known, own = x @ x.T / features, np.arange(rows), [*range(1, features + 1), -1]
    deviations = np.append(np.full(features, PRIOR), SLOPES)

    def loss(t: Doubles) -> tuple[float, Doubles]:
        if not go_on():
            raise OutOfTimeError
        noise, slope = np.exp(t[-2:])
        near = x * np.exp(t[0] + t[1:-2])
        r = np.sqrt(_squares(near, near))
        by_square = -0.5 * np.exp(-r)  # the slope of (1 + r) exp(-r) along r * r
        full = _matern(r) + slope * linear
        full[known, known] += noise
        inverse, log_size = _inverse(full)
        if inverse is None:
            return np.inf, np.zeros(len(t))
        value, by_cell = goal(inverse, y, log_size)
        by_square *= by_cell
        by_reach = 4 * (np.square(near).T @ by_square.sum(1) - (near * (by_square @ near)).sum(0))
        by_noise, by_slope = noise * np.trace(by_cell), slope * float((by_cell * linear).sum())
        by_t = np.concatenate([[by_reach.sum()], by_reach, [by_noise, by_slope]])
        far = t[own] / deviations
        by_t[own] += far / deviations
        return value + 0.5 * float(far @ far), by_t

    start = np.concatenate([[0.5 * np.log(3 / features)], np.zeros(features), np.log([USUAL, USUAL])])
    bounds = [COMMON, *[OWN] * features, NOISE, SLOPE]
    t = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": STEPS}).x
    return Kernel(np.exp(t[0] + t[1:-2]), float(np.exp(t[-2])), float(np.exp(t[-1])))


def mean_of(kernels: list[Kernel]) -> Kernel:
    """The geometric mean of each of their numbers."""
    reach = np.exp(np.mean([np.log(kernel.reach) for kernel in kernels], axis=0))
    noise, slope = np.exp(np.mean([np.log([kernel.noise, kernel.slope]) for kernel in kernels], axis=0))
    return Kernel(reach, float(noise), float(slope))


def evidence(inverse: Doubles, y: Doubles, log_size: float) -> tuple[float, Doubles]:
    """- the logarithm of how likely the answers are, and its slope along each cell of K + noise (section 5.4.1).

    inverse of K + noise [rows, rows]; y [rows, outputs]; log_size: the logarithm of the determinant of K + noise. How large
    the kernel is, is what makes them likeliest.
    """
    weights, free = inverse @ y, _free(y)
    size = float((y * weights).sum()) / (len(y) * free)
    value = 0.5 * free * (len(y) * np.log(size) + log_size)
    return float(value), 0.5 * (free * inverse - weights @ weights.T / size)


def left_out(inverse: Doubles, y: Doubles, log_size: float) -> tuple[float, Doubles]:
    """The logarithm of the mean squared error of rows left out one by one; the rest as of `evidence` (section 5.4.2).

    It assumes less, so it is better for what is no Gaussian process, such as labels.
    """
    weights, own = inverse @ y, np.diag(inverse)
    errors = weights / own[:, None]
    total = float(np.square(errors).sum())
    cells = (inverse @ (2 * errors / own[:, None])) @ weights.T
    by_own = 2 * np.square(errors).sum(1) / own
    slopes = (inverse * by_own) @ inverse - 0.5 * (cells + cells.T)
    scale = 0.5 * len(y) * _free(y)
    return scale * float(np.log(total)), (scale / total) * slopes


GOALS: dict[str, Goal] = {"evidence": evidence, "left out": left_out}


def _free(y: Doubles) -> int:
    """How many outputs there are; shares of labels add up to 1, so they are one less."""
    outputs: int = y.shape[1]
    return max(1, outputs - 1)


def _matern(r: Doubles) -> Doubles:
    """(1 + r) exp(-r), in the place of r"""
    near = np.exp(-r)
    r += 1.0
    r *= near
    return r


def _squares(a: Doubles, b: Doubles) -> Doubles:
    """Squared distances: [rows of a, rows of b]"""
    found: Doubles = a @ b.T
    found *= -2.0
    found += np.square(a).sum(1)[:, None]
    found += np.square(b).sum(1)
    return np.maximum(found, 0.0, out=found)


def _inverse(square: Doubles) -> tuple[Doubles | None, float]:
    """The inverse of a symmetric matrix, and the logarithm of its determinant; None where it is not positive."""
    half, failed = lapack.dpotrf(square, lower=1, clean=1)
    if failed:
        return None, 0.0
    log_size = 2 * float(np.log(np.diag(half)).sum())
    lower = np.tril(lapack.dpotri(half, lower=1)[0])
    return lower + np.tril(lower, -1).T, log_size
