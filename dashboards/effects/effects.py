"""The effect of one column on the answers, all others left as they are.

Partial dependence (Friedman 2001, "Greedy function approximation: a gradient boosting machine") is the mean of the lines of
single rows; those lines are individual conditional expectations (Goldstein et al. 2015, "Peeking inside the black box"), of
which the middle 80 % is kept as a band. Where a column goes with another, rows are asked about that do not exist.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from machines.engine.schema import Column, Table
from machines.serving.predictor import Answer

MOST_ROWS = 200
MOST_VALUES = 20
EVEN = 8  # of these, spread evenly from the lowest to the highest; the rest by the share of rows
BAND = (0.1, 0.9)
THREADS = 2
MOST_LABELS = 8  # of an output, that can be asked for

Predict = Callable[[Table], Sequence[Answer]]


def effects(predict: Predict, table: Table, values: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """As JSON: `answers` [{"output", "label"}] and per column of `values` one {"mean", "low", "high"} for each of these.

    `table`: typed rows with every input; `values`: column -> the values that it is set to.
    """
    asked = _asked(predict({name: cells[:1] for name, cells in table.items()}))

    def lines(column: str) -> list[dict[str, list[float]]]:
        return _lines(predict, table, column, values[column], asked)

    with ThreadPoolExecutor(THREADS) as threads:
        found = [*threads.map(lines, values)]
    answers = [{"output": output, "label": label} for output, label in asked]
    return {"answers": answers, "lines": dict(zip(values, found, strict=True))}


def _asked(answers: Sequence[Answer]) -> list[tuple[str, str | None]]:
    """Which answers are followed: the number, the chance of the rarer of two labels, or of each of several."""
    found: list[tuple[str, str | None]] = []
    for answer in answers:
        labels = [*answer.probabilities]
        followed = labels[-1:] if len(labels) == 2 else labels[:MOST_LABELS]
        found += [(answer.name, label) for label in followed] or [(answer.name, None)]
    return found


def _lines(
    predict: Predict, table: Table, column: str, values: Sequence[Any], asked: Sequence[tuple[str, str | None]]
) -> list[dict[str, list[float]]]:
    """All rows with each value in turn, in one question."""
    rows = len(table[column])
    repeated = {name: np.tile(cells, len(values)) for name, cells in table.items()}
    repeated[column] = np.repeat(np.array(values, table[column].dtype), rows)
    answers = {answer.name: answer for answer in predict(repeated)}
    return [_summed(_told(answers[output], label).reshape(len(values), rows)) for output, label in asked]


def _told(answer: Answer, label: str | None) -> NDArray[np.float64]:
    return np.asarray(answer.values if label is None else answer.probabilities[label], np.float64)


def _summed(lines: NDArray[np.float64]) -> dict[str, list[float]]:
    """`lines` [values, rows] -> mean and band [values]."""
    low, high = np.quantile(lines, BAND, axis=1)
    return {name: [float(f"{value:.6g}") for value in part]
            for name, part in (("mean", lines.mean(1)), ("low", low), ("high", high))}  # fmt: skip


def values_of(cells: pl.LazyFrame, name: str, column: Column) -> dict[str, Any]:
    """Which values a column is set to, and how many rows of the whole table lie nearest to each; `is_each`: have it.

    `cells`: the typed column called `name`, see dashboards.drawing.typed. Numbers: all of them if they are few, else some
    by their share of rows and some evenly between the lowest and the highest. Labels: the most frequent.
    """
    known = cells.filter(pl.col(name).is_not_null())
    if not column.type.is_numeric:
        counted = known.group_by(pl.col(name).cast(pl.String)).len().sort("len", name, descending=[True, False])
        found = counted.head(MOST_VALUES).collect(engine="streaming")
        return {"values": found[name].to_list(), "counts": found["len"].to_list(), "is_each": True}
    known = known.filter(pl.col(name).is_finite())
    shares = np.linspace(0.0, 1.0, MOST_VALUES - EVEN)
    quantiles = [pl.col(name).quantile(share, "nearest").alias(str(at)) for at, share in enumerate(shares)]
    few = known.select(pl.col(name).unique()).head(MOST_VALUES + 1).collect(engine="streaming")[name].sort()
    if len(few) <= MOST_VALUES:
        grid = few.to_numpy()
    else:
        by_rows = np.array(known.select(quantiles).collect(engine="streaming").row(0), np.float64)
        grid = np.union1d(by_rows, np.linspace(by_rows[0], by_rows[-1], EVEN))
    if not len(grid):
        return {"values": [], "counts": [], "is_each": True}
    edges = (grid[1:] + grid[:-1]) / 2
    below = [(pl.col(name) <= edge).sum().alias(str(at)) for at, edge in enumerate(edges)]
    rows = known.select(*below, pl.len().alias("all")).collect(engine="streaming").row(0)
    return {"values": grid.tolist(), "counts": np.diff([0, *rows]).tolist(), "is_each": len(few) <= MOST_VALUES}
