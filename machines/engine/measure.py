"""How good answers are: figures of one output, from answers for rows that what answered had not seen.

`answers` are chances [rows, classes], or number, low and high [rows, 3] in the output's own unit; `truth` is a Target that
holds the same rows.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from machines.engine.digits import short, steps
from machines.engine.metrics import CURVE_ROWS, Metric, equal_bins, label_metrics, number_metrics
from machines.engine.prepare import Target

Answers: TypeAlias = NDArray[np.float64]

MOST_POINTS = 500
MOST_CLASSES_SHOWN = 50
SPREAD_BINS = 10
REPEATS = 200
LEAST_CHANCE = 1e-7
LEAST_GAIN = 1e-12


def in_unit(values: NDArray[Any], target: Target) -> NDArray[np.float64]:
    """Standardised numbers in the output's own unit."""
    return values.astype(np.float64) * target.std + target.mean


def answers_in_unit(answers: Answers, target: Target) -> Answers:
    """What Blend.answers gives, as this module takes it."""
    return answers if target.classes else in_unit(answers, target)


def answers_of(raw: Mapping[str, NDArray[Any]], target: Target) -> Answers:
    """The same from the outputs of a machine's file."""
    names = [f"{target.column.name}:{suffix}" for suffix in target.classes or ("low", "high")]
    names = names if target.classes else [target.column.name, *names]
    return np.stack([raw[name] for name in names], 1).astype(np.float64)


def metrics_of(answers: Answers, truth: Target, seed: int) -> dict[str, Metric]:
    """All metrics of one output."""
    if truth.classes:
        return label_metrics(truth.values, answers, seed)
    return number_metrics(in_unit(truth.values, truth), answers[:, 0], seed)


def row_losses(answers: Answers, truth: Target) -> NDArray[np.float64]:
    """Labels: log loss. Numbers: squared error per variance of the rows learned from. [rows]"""
    if truth.classes:
        found = -np.log(np.clip(answers[np.arange(len(answers)), truth.values], LEAST_CHANCE, 1))
    else:
        found = np.square((in_unit(truth.values, truth) - answers[:, 0]) / truth.std)
    losses: NDArray[np.float64] = found
    return losses


def loss_and_accuracy(answers: Answers, truth: Target) -> dict[str, float]:
    """Mean loss; share right of labels, R2 or 0 of numbers."""
    loss = float(row_losses(answers, truth).mean())
    if truth.classes:
        return {"loss": loss, "accuracy": float((answers.argmax(1) == truth.values).mean())}
    return {"loss": loss, "accuracy": max(0.0, 1 - loss / (float(truth.values.var()) or 1.0))}


def constant(target: Target, rows: int) -> Answers:
    """What a rule that looks at no input answers: the usual shares, or the mean with the middle 90 %."""
    if target.classes:
        return np.tile(np.bincount(target.values, minlength=target.width) / len(target.values), (rows, 1))
    middle = [target.values.mean(dtype=np.float64), *np.quantile(target.values, [0.05, 0.95])]
    return np.tile(in_unit(np.array(middle), target), (rows, 1))


def better_baseline(baselines: Mapping[str, Mapping[str, Metric]], task: str) -> str:
    """The name of the best one: lowest log loss or RMSE."""
    metric = "rmse" if task == "number" else "log_loss"
    return min(baselines, key=lambda name: baselines[name][metric].value)


def confusion(answers: Answers, truth: Target) -> list[list[int]]:
    """[actual][predicted] counts, classes by falling frequency; [] with more than MOST_CLASSES_SHOWN classes."""
    count = truth.width
    if count > MOST_CLASSES_SHOWN:
        return []
    cells = np.bincount(truth.values * count + answers.argmax(1), minlength=count**2)
    table: list[list[int]] = cells.reshape(count, count).tolist()
    return table


def points(answers: Answers, truth: Target) -> list[list[float]]:
    """[predicted, actual, low, high] of at most MOST_POINTS rows."""
    step = max(1, -(-len(answers) // MOST_POINTS))
    actual = in_unit(truth.values, truth)[::step]
    low, high = answers[::step, 1:].T
    columns = [steps(values, truth.std) for values in (answers[::step, 0], actual, low, high)]
    return [list(point) for point in zip(*columns, strict=True)]


def spread(answers: Answers, truth: Target) -> list[dict[str, float]]:
    """How wide the 90 % intervals are and how many true numbers lie inside, in at most 10 bins of about as many rows.

    `low` and `high` are the lowest and the highest predicted number of a bin, `width` is the mean.
    """
    predicted, width = answers[:, 0], answers[:, 2] - answers[:, 1]
    of = equal_bins(predicted, min(SPREAD_BINS, max(1, len(answers) // CURVE_ROWS)))
    rows, inside = np.bincount(of), _is_inside(answers, truth)
    ordered = predicted[np.argsort(of, kind="stable")]
    starts = np.append(0, np.cumsum(rows)[:-1])
    told = {
        "low": steps(np.minimum.reduceat(ordered, starts), truth.std),
        "high": steps(np.maximum.reduceat(ordered, starts), truth.std),
        "rows": rows.tolist(),
        "covered": [short(share) for share in np.bincount(of, inside) / rows],
        "width": [short(mean) for mean in np.bincount(of, width) / rows],
    }
    return [dict(zip(told, part, strict=True)) for part in zip(*told.values(), strict=True)]


def coverage(answers: Answers, truth: Target) -> float:
    """Share of true numbers inside their interval."""
    return float(_is_inside(answers, truth).mean())


def _is_inside(answers: Answers, truth: Target) -> NDArray[np.bool_]:
    true, slack = in_unit(truth.values, truth), 1e-6 * truth.std
    inside: NDArray[np.bool_] = (answers[:, 1] - slack <= true) & (true <= answers[:, 2] + slack)
    return inside


def importance(gained: Mapping[tuple[str, ...], NDArray[np.float64]], seed: int) -> dict[str, Metric]:
    """How much the loss grows when a column's cells are dealt anew, as shares of 1, by column.

    `gained` holds, by the columns that were dealt anew together, how much the loss of each row grew; the intervals are a
    bootstrap over rows. Columns that were dealt together share alike, and any of them may have it all, or nothing.
    """
    if not gained:
        return {}
    rng, found = np.random.default_rng(seed), dict[str, Metric]()
    drawn = np.maximum(0, [_resampled(values, rng) for values in gained.values()])
    shares = drawn / np.maximum(drawn.sum(0), LEAST_GAIN)
    for names, (value, *others) in zip(gained, shares.tolist(), strict=True):
        low, high = np.quantile(others, [0.025, 0.975]).tolist()
        low, high = min(low, value) if len(names) == 1 else 0.0, max(high, value)
        found |= dict.fromkeys(names, Metric(value / len(names), low, high))
    return found


def _resampled(values: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """The mean of the rows, and the means of resamples: [1 + repeats]"""
    return np.append(values.mean(), values[rng.integers(0, len(values), (REPEATS, len(values)))].mean(1))


def mean_of(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Loss and accuracy over several outputs."""
    return {key: float(np.mean([part[key] for part in parts])) for key in ("loss", "accuracy")}
