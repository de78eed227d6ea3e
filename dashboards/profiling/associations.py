"""How much two columns have to do with each other, of whatever types: 0 is nothing, 1 is everything.

Two numbers (or moments): Spearman's rank correlation, from -1 to 1. A number and labels: the correlation ratio eta. Two
columns of labels: Cramér's V corrected for chance (Bergsma 2013). Each over the rows that have both values. Texts take
part with their length.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dashboards.profiling.cells import Cells, Codes, Floats
from machines.engine.schema import DataType

SPEARMAN, ETA, CRAMER = "spearman", "eta", "cramer"
MOST_LABELS = 1000
LEAST_ROWS = 3
LEAST_EACH = 5  # rows for each label on average: with fewer, eta is near 1 by chance


def can_be_compared(cells: Cells) -> bool:
    """Whether a column takes part: two values at least, and labels that come again."""
    if cells.distinct < 2 or cells.column.type is DataType.IGNORE:
        return False
    few = cells.distinct <= MOST_LABELS and cells.distinct * LEAST_EACH <= int(cells.counts.sum())
    return cells.is_number or few


def association(one: Cells, other: Cells) -> tuple[str, float | None]:
    """The name of the measure and its value; None where too few rows have both, or one of them never changes."""
    both = (one.codes >= 0) & (other.codes >= 0)
    is_all = bool(both.all())
    a, b = (one.codes, other.codes) if is_all else (one.codes[both], other.codes[both])
    if one.is_number and other.is_number:
        return SPEARMAN, spearman(a, b)
    if one.is_number or other.is_number:
        number, labels = (one, b) if one.is_number else (other, a)
        assert number.values is not None
        return ETA, eta(labels, number.values[a if one.is_number else b])
    return CRAMER, cramer(a, b)


def spearman(a: Codes, b: Codes) -> float | None:
    """The correlation of ranks; the codes are in the order of the values."""
    if len(a) < LEAST_ROWS:
        return None
    x, y = ranks(a), ranks(b)
    x, y = x - x.mean(), y - y.mean()
    most = float(np.sqrt((x @ x) * (y @ y)))
    return float(np.clip(x @ y / most, -1, 1)) if most > 0 else None


def ranks(codes: Codes) -> Floats:
    """Ranks from 1, those of the same value shared: counted, without sorting again."""
    counts = np.bincount(codes)
    middle: Floats = np.cumsum(counts) - (counts - 1) / 2
    return middle[codes]


def eta(labels: Codes, numbers: Floats) -> float | None:
    """The root of the share of the numbers' variance that lies between the labels."""
    if len(labels) < LEAST_ROWS:
        return None
    numbers = numbers / (np.abs(numbers).max() or 1.0)
    numbers = numbers - numbers.mean()
    whole = float(numbers @ numbers)
    if not whole > 0 or len(np.unique(labels)) < 2:
        return None
    counts = np.bincount(labels)
    sums = np.bincount(labels, weights=numbers)
    between = float((sums[counts > 0] ** 2 / counts[counts > 0]).sum())
    return float(np.sqrt(min(1.0, between / whole)))


def cramer(a: Codes, b: Codes) -> float | None:
    """Cramér's V without what chance alone would make of it."""
    rows = len(a)
    if rows < LEAST_ROWS:
        return None
    width = int(b.max()) + 1
    table = np.bincount(a.astype(np.int64) * width + b, minlength=(int(a.max()) + 1) * width).reshape(-1, width)
    table = table[table.sum(1) > 0][:, table.sum(0) > 0]
    down, across = table.shape
    expected = np.outer(table.sum(1), table.sum(0)) / rows
    phi = float(((table - expected) ** 2 / expected).sum()) / rows
    phi = max(0.0, phi - (down - 1) * (across - 1) / (rows - 1))
    least = min(down - (down - 1) ** 2 / (rows - 1), across - (across - 1) ** 2 / (rows - 1)) - 1
    return float(np.sqrt(min(1.0, phi / least))) if least > 0 else None


def matrix(columns: Sequence[Cells]) -> list[dict[str, Any]]:
    """Every pair once, as {"a", "b", "measure", "value"}; strongest first, those without a value last."""
    pairs = []
    for at, one in enumerate(columns):
        for other in columns[at + 1 :]:
            measure, value = association(one, other)
            pairs.append({"a": one.column.name, "b": other.column.name, "measure": measure, "value": value})
    return sorted(pairs, key=lambda pair: -1.0 if pair["value"] is None else abs(pair["value"]), reverse=True)
