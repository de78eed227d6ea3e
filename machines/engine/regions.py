"""Where a machine has seen little, and how wrong it is there: the rows by the value of one input."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from machines.engine.digits import short, steps
from machines.engine.encode_text import order
from machines.engine.measure import Answers, in_unit
from machines.engine.metrics import Z, wilson
from machines.engine.prepare import Target
from machines.engine.schema import Column, DataType

Doubles: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

MOST_BINS = 8  # ranges or labels of a column
DAY = 86_400.0
MOST_LOOKED_AT = 20_000  # rows
FEW = 10  # rows, below which their errors may be alike by chance


@dataclass(frozen=True)
class Parted:
    """The rows by one column."""

    column: str
    bins: list[dict[str, Any]]
    of: Ints  # [rows], the bin of each


def parted(column: Column, cells: NDArray[Any]) -> Parted:
    """Part rows into ranges of equal width, or the most frequent labels and the rest; what is missing is a bin of its own.

    Ranges span the middle 98 %, so that thin ones show; the outermost are open.
    """
    if column.type.is_numeric:
        missing = ~np.isfinite(cells) | (column.zero_is_missing & (cells == 0))
        bins, of = _ranges(cells, ~missing, column.type)
    else:
        bins, of = _labels(cells)
    counts = np.bincount(of, minlength=len(bins))
    there = np.array([part["kind"] in ("range", "label") for part in bins]) | (counts > 0)
    kept = [part | {"rows": rows} for part, rows, is_kept in zip(bins, counts.tolist(), there, strict=True) if is_kept]
    return Parted(column.name, kept, (np.cumsum(there) - 1)[of])


def regions(found: Sequence[Parted], measured: Ints, answers: Answers, truth: Target) -> list[dict[str, Any]]:
    """How many rows of each bin were learned from and measured, and how wrong the answers were: see `errors`."""
    off = errors(answers, truth)
    return [{"column": part.column, "bins": _with_errors(part, measured, off, bool(truth.classes))} for part in found]


def errors(answers: Answers, truth: Target) -> Doubles:
    """1 where the wrong label was answered, else 0; how far off numbers are, in the output's unit. [rows]"""
    if truth.classes:
        wrong: Doubles = (answers.argmax(1) != truth.values).astype(np.float64)
        return wrong
    off: Doubles = np.abs(answers[:, 0] - in_unit(truth.values, truth))
    return off


def _ranges(cells: Doubles, known: NDArray[np.bool_], type: DataType) -> tuple[list[dict[str, Any]], Ints]:
    values = cells[known]
    edges, span = _edges(values, type) if len(values) else (np.zeros(0), 0.0)
    told = [None, *steps(edges, span), None]
    ranges = [_bin("range", low, high) for low, high in pairwise(told)] if len(values) else []
    of = np.full(len(cells), len(ranges))
    of[known] = np.searchsorted(edges, values, side="right")
    return [*ranges, _bin("missing")], of


def _edges(values: Doubles, type: DataType) -> tuple[Doubles, float]:
    """The inner edges of ranges of equal width, and what they span. Whole numbers and days are not split."""
    low, high = np.quantile(_some(values), [0.01, 0.99]).tolist()
    if not 0 < high - low < np.inf:  # all alike, or further apart than a float can say
        return np.zeros(0), 0.0
    is_whole = type is DataType.FLOAT and bool((values == np.floor(values)).all())
    unit = DAY if type is DataType.DATE else 1.0 if is_whole else 0.0
    if not unit:
        return np.unique(np.linspace(low, high, MOST_BINS + 1)[1:-1]), high - low
    low, high = np.floor(low / unit), np.floor(high / unit)
    width = ceil((high - low + 1) / MOST_BINS)
    return unit * np.arange(low + width, high + 1, width), unit * (high - low)


def _labels(cells: NDArray[Any]) -> tuple[list[dict[str, Any]], Ints]:
    labels = [label for label, _ in order(_some(cells), MOST_BINS)]
    number = {label: place for place, label in enumerate(labels)} | {"": len(labels) + 1}
    of = np.fromiter((number.get(cell, len(labels)) for cell in cells.tolist()), np.int64, len(cells))
    return [*(_bin("label", label=label) for label in labels), _bin("rest"), _bin("missing")], of


def _some(cells: NDArray[Any]) -> NDArray[Any]:
    """So many rows as tell which bins there are; all are counted."""
    return cells[:: -(-len(cells) // MOST_LOOKED_AT)]


def _bin(kind: str, low: float | None = None, high: float | None = None, label: str | None = None) -> dict[str, Any]:
    return {"kind": kind, "low": low, "high": high, "label": label}


def _with_errors(part: Parted, measured: Ints, off: Doubles, is_share: bool) -> list[dict[str, Any]]:
    """The bins with the mean of `off` [measured rows], and its 95 % interval."""
    of, count = part.of[measured], len(part.bins)
    rows = np.bincount(of, minlength=count)
    some = np.maximum(rows, 1)
    mean = np.bincount(of, off, count) / some
    if is_share:
        low, high = wilson(mean, some)
    else:
        own = np.sqrt(np.bincount(of, np.square(off - mean[of]), count) / np.maximum(rows - 1, 1))
        reach = Z * np.where(rows < FEW, np.maximum(own, off.std()), own) / np.sqrt(some)
        low, high = np.maximum(mean - reach, 0), mean + reach
    told = zip(part.bins, rows.tolist(), mean.tolist(), low.tolist(), high.tolist(), strict=True)
    return [part | {"measured": n} | _told(n, error) for part, n, *error in told]


def _told(rows: int, error: Sequence[float]) -> dict[str, float | None]:
    names = ("error", "error_low", "error_high")
    return {name: short(value) if rows else None for name, value in zip(names, error, strict=True)}
