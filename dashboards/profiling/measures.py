"""What is said of one column by itself."""

from collections.abc import Iterable
from math import ceil
from typing import Any

import numpy as np

from dashboards.drawing.figure import shortened
from dashboards.profiling.cells import Cells, Floats
from machines.engine.schema import DataType

SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
BINS = 24
MOST_FREQUENT, MOST_EXAMPLES, MOST_LETTERS = 8, 5, 80
DAY = 86_400.0  # seconds
MOST_EXACT = 2.0**52  # numbers below are told from the next whole one
FAR = 3.0  # interquartile ranges beyond the quartiles: an outlier


def measure(cells: Cells) -> dict[str, Any]:
    """Everything the page says of a column, as JSON."""
    rows, known = len(cells.codes), len(cells.known)
    told = {
        "name": cells.column.name,
        "type": str(cells.column.type),
        "role": str(cells.column.role),
        "unit": cells.column.unit,
        "rows": rows,
        "missing": rows - known,
        "distinct": cells.distinct,
        "top": _frequent(cells),
    }
    if not known:
        return told
    if cells.is_number:
        return told | _numbers(cells)
    return told | _texts(cells)


def _frequent(cells: Cells) -> list[list[Any]]:
    """The most frequent values and how often they come; nothing where none comes twice."""
    if not cells.distinct or cells.counts.max() < 2:
        return []
    order = np.argsort(-cells.counts, kind="stable")[:MOST_FREQUENT]
    values: Iterable[Any]
    if cells.values is not None:
        values = (float(cells.values[at]) for at in order)
    else:
        values = (shortened(cells.top[at], MOST_LETTERS) for at in order)
    return [[value, int(cells.counts[at])] for value, at in zip(values, order, strict=True)]


def _numbers(cells: Cells) -> dict[str, Any]:
    assert cells.values is not None
    values = cells.values[cells.known]
    quantiles = np.quantile(values, SHARES)
    told: dict[str, Any] = {
        "low": float(cells.values[0]),
        "high": float(cells.values[-1]),
        "quantiles": [float(value) for value in quantiles],
    }
    told["mean"] = float(values.mean())
    low, high = told["low"], told["high"]
    if cells.column.type is DataType.FLOAT:
        told["outliers"], low, high = _outliers(cells, quantiles)
    return told | {"histogram": _histogram(cells, low, high)}


def _histogram(cells: Cells, low: float, high: float) -> dict[str, Any]:
    """The rows in at most BINS bins between these values. Of whole numbers and days all bins hold as many, `step` apart, for
    else some would look frequent that only hold more; but for the last one, which ends at the highest."""
    assert cells.values is not None
    near = cells.values[(cells.values >= low) & (cells.values <= high)]
    step = DAY if cells.column.type is DataType.DATE else 1.0 if _are_whole(cells, near) else 0.0
    edges = np.histogram_bin_edges(near, BINS, (low, high))
    if step:
        width = step * ceil(((high - low) / step + 1) / BINS)
        edges = np.append(np.arange(low, high + step / 2, width), high + step)
    counts, edges = np.histogram(cells.values, edges, weights=cells.counts)
    return {"edges": edges.tolist(), "counts": counts.tolist(), "step": step}


def _are_whole(cells: Cells, values: Floats) -> bool:
    is_exact = cells.column.type is DataType.FLOAT and np.abs(values).max() < MOST_EXACT
    return bool(is_exact and np.equal(values, np.round(values)).all())


def _outliers(cells: Cells, quantiles: Floats) -> tuple[dict[str, Any], float, float]:
    """Those far beyond the quartiles, the farthest as examples; and the lowest and highest of the others."""
    assert cells.values is not None
    quarter, three = float(quantiles[1]), float(quantiles[3])
    low, high = quarter - FAR * (three - quarter), three + FAR * (three - quarter)
    if not three > quarter:  # half of all are the same number: all others would be far off
        return {"count": 0, "examples": [], "farthest": 0.0}, float(cells.values[0]), float(cells.values[-1])
    is_far = (cells.values < low) | (cells.values > high)
    beyond = np.maximum(quarter - cells.values, cells.values - three) / (three - quarter)
    order = [at for at in np.argsort(-beyond, kind="stable")[:MOST_EXAMPLES] if is_far[at]]
    near = cells.values[~is_far]
    told = {
        "count": int(cells.counts[is_far].sum()),
        "examples": [float(cells.values[at]) for at in order],
        "farthest": float(beyond.max()),
    }
    return told, float(near[0]), float(near[-1])


def _texts(cells: Cells) -> dict[str, Any]:
    assert cells.lengths is not None
    lengths = cells.lengths
    told = {"low": int(lengths.min()), "median": float(np.median(lengths)), "high": int(lengths.max())}
    return {"lengths": told | {"mean": float(lengths.mean())}}
