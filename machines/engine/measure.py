"""Measures the finished file, not the models it was made from: on rows held back, rows learned, and with noise."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from machines.engine.encode import Encoded
from machines.engine.metrics import Metric, label_metrics, number_metrics
from machines.engine.prepare import Rows, Target
from machines.engine.progress import Clock
from machines.engine.schema import Column, Table
from machines.engine.simple import Linear
from machines.serving.predictor import Predictor

Raw: TypeAlias = Mapping[str, NDArray[Any]]  # every output of the file by its name, [rows]

NOISE = 0.125  # of the span between the 5 % and 95 % quantile, either way, evenly distributed
MOST_SAMPLED = 2000  # rows of training that are measured
MOST_PERMUTED = 500
MOST_POINTS = 500
MOST_CLASSES_SHOWN = 50


def take(table: Table, columns: Sequence[Column], rows: Rows) -> dict[str, NDArray[Any]]:
    """The columns' cells in these rows."""
    return {column.name: table[column.name][rows] for column in columns}


def chances_of(raw: Raw, target: Target) -> NDArray[np.float64]:
    """[rows, classes]"""
    name = target.column.name
    return np.stack([raw[f"{name}:{label}"] for label in target.classes], 1).astype(np.float64)


def in_unit(target: Target) -> NDArray[np.float64]:
    """The true numbers in the output's own unit."""
    return target.values.astype(np.float64) * target.std + target.mean


def metrics_of(raw: Raw, target: Target, seed: int) -> dict[str, Metric]:
    """All metrics of one output; `target` holds the truth of the same rows."""
    if target.classes:
        return label_metrics(target.values, chances_of(raw, target), seed)
    return number_metrics(in_unit(target), raw[target.column.name], seed)


def loss_and_accuracy(raw: Raw, target: Target) -> dict[str, float]:
    """Labels: log loss and share right. Numbers: squared error per variance of the rows trained on, and R2 or 0."""
    if target.classes:
        chances = chances_of(raw, target)
        own = np.clip(chances[np.arange(len(chances)), target.values], 1e-7, 1)
        right = float((chances.argmax(1) == target.values).mean())
        return {"loss": float(-np.log(own).mean()), "accuracy": right}
    truth = in_unit(target)
    square = float(np.square(truth - raw[target.column.name]).mean())
    variance = float(truth.var()) or 1.0
    return {"loss": square / target.std**2, "accuracy": max(0.0, 1 - square / variance)}


def noisy(table: Table, inputs: Sequence[Column], spans: Mapping[str, float], seed: int) -> dict[str, NDArray[Any]]:
    """The table with every number and moment moved at random by up to an eighth of its span."""
    rng = np.random.default_rng(seed)
    rows = len(next(iter(table.values())))
    moved = {
        c.name: table[c.name] + NOISE * spans[c.name] * rng.uniform(-1, 1, rows) for c in inputs if c.type.is_numeric
    }
    return dict(table) | moved


def baselines_of(
    train: Encoded, held: Encoded, pairs: Sequence[tuple[Target, Target]], seconds: float, seed: int
) -> list[dict[str, dict[str, Metric]]]:
    """For each output what a constant and a linear model reach on the held-back rows: name -> metric -> value."""
    x, held_x = train.flat(), held.flat()
    found = []
    for target, truth in pairs:
        linear = Linear(seconds / len(pairs))
        linear.grow(x, target)
        answers = linear.predict(held_x).astype(np.float64)
        found.append(_constant(target, truth, seed) | {"linear": _simple_metrics(answers, truth, seed)})
    return found


def better_baseline(baselines: Mapping[str, Mapping[str, Metric]], task: str) -> str:
    """The name of the best one: lowest log loss or RMSE."""
    metric = "rmse" if task == "number" else "log_loss"
    return min(baselines, key=lambda name: baselines[name][metric].value)


def _constant(target: Target, truth: Target, seed: int) -> dict[str, dict[str, Metric]]:
    rows = len(truth.values)
    if target.classes:
        rates = np.bincount(target.values, minlength=target.width) / len(target.values)
        return {"class_rates": _simple_metrics(np.tile(rates, (rows, 1)), truth, seed)}
    return {"mean": _simple_metrics(np.full((rows, 1), target.values.mean(dtype=np.float64)), truth, seed)}


def _simple_metrics(answers: NDArray[np.float64], truth: Target, seed: int) -> dict[str, Metric]:
    if truth.classes:
        return label_metrics(truth.values, answers, seed)
    return number_metrics(in_unit(truth), answers[:, 0] * truth.std + truth.mean, seed)


def confusion(raw: Raw, target: Target) -> list[list[int]]:
    """[actual][predicted] counts, classes by falling frequency; [] with more than MOST_CLASSES_SHOWN classes."""
    count = target.width
    if count > MOST_CLASSES_SHOWN:
        return []
    predicted = chances_of(raw, target).argmax(1)
    table: list[list[int]] = (
        np.bincount(target.values * count + predicted, minlength=count**2).reshape(count, count).tolist()
    )
    return table


def points(raw: Raw, target: Target) -> list[list[float]]:
    """[predicted, actual] of at most MOST_POINTS rows."""
    pairs = np.stack([raw[target.column.name], in_unit(target)], 1)
    step = max(1, -(-len(pairs) // MOST_POINTS))
    chosen: list[list[float]] = pairs[::step].tolist()
    return chosen


def coverage(raw: Raw, target: Target) -> float:
    """Share of true numbers inside their interval."""
    truth, name = in_unit(target), target.column.name
    slack = 1e-6 * target.std
    return float(((raw[f"{name}:low"] - slack <= truth) & (truth <= raw[f"{name}:high"] + slack)).mean())


def importance(
    predictor: Predictor,
    table: Table,
    inputs: Sequence[Column],
    targets: Sequence[Target],
    clock: Clock,
    seconds: float,
    seed: int,
) -> dict[str, float]:
    """How much the loss grows when one column's cells are shuffled (Breiman 2001), as shares of 1.

    At most 500 rows, one shuffle per column; {} if there is not enough time for all columns.
    """
    rows = np.arange(min(MOST_PERMUTED, len(targets[0].values)))
    held, truths = take(table, inputs, rows), [t.take(rows) for t in targets]
    rng = np.random.default_rng(seed)
    base = _total_loss(predictor.run(held), truths)
    found: dict[str, float] = {}
    end = clock.elapsed() + seconds
    for column in inputs:
        if clock.elapsed() > end or not clock.tick():
            return {}
        shuffled = held | {column.name: held[column.name][rng.permutation(len(rows))]}
        found[column.name] = max(0.0, _total_loss(predictor.run(shuffled), truths) - base)
    total = sum(found.values()) or 1.0
    return {name: round(value / total, 5) for name, value in found.items()}


def _total_loss(raw: Raw, targets: Sequence[Target]) -> float:
    return sum(loss_and_accuracy(raw, target)["loss"] for target in targets)
