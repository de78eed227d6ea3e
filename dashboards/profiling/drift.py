"""Whether rows of one time are spread as those of another: the population stability index, column by column.

Numbers, and the lengths of texts, are counted in the tenths of the earlier rows, labels each by itself (the rare ones
together), and what is missing apart. The index is the sum of (later - earlier) * log(later / earlier) over these shares. It
says how much has changed; whether chance alone could have done that says Pearson's chi-squared test of the same counts.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from dashboards.drawing.figure import shortened
from dashboards.profiling.cells import Cells
from machines.engine.schema import DataType

MOST_LABELS = 20
MOST_PARTS = 20  # that are compared with the first
LEAST_FRESH = 0.05  # of the later rows have labels that were not there before
COMES_AGAIN = 5  # rows for each label on average; names of single things are always new
TIMELESS = {DataType.FLOAT, DataType.LABEL, DataType.TIME, DataType.LANGUAGE}  # dates move by themselves

Groups = NDArray[np.int64]


def drift(cells: Cells, groups: Groups, count: int) -> dict[str, Any] | None:
    """How far a later group is from group 0, the farthest of them; rows of group -1 do not count. None: no answer."""
    if cells.column.type not in TIMELESS or count < 2:
        return None
    first = cells.codes[groups == 0]
    if not (first >= 0).any():
        return None
    bins, ends = _bins(cells, first)
    width = min(cells.distinct, MOST_LABELS) + 2 if ends is None else len(ends) + 2
    inside = groups >= 0
    counts = np.bincount(groups[inside] * width + bins[inside], minlength=count * width).reshape(count, width)
    later = range(1, count) if count <= MOST_PARTS + 1 else range(count - MOST_PARTS, count)
    found = max(((psi(counts[0], counts[at]), at) for at in later if counts[at].any()), default=None)
    if found is None:
        return None
    index, at = found
    return {
        "column": cells.column.name,
        "index": index,
        "group": at,
        "chance": min(1.0, chance(counts[0], counts[at]) * len(later)),
        "is_length": cells.column.type is DataType.LANGUAGE,
        "ends": None if ends is None else ends.tolist(),
        "labels": [shortened(text) for text in cells.top[: width - 2]] if ends is None else None,
        "label_rows": cells.counts[: width - 2].tolist() if ends is None else None,
        "before": (counts[0] / counts[0].sum()).tolist(),
        "after": (counts[at] / counts[at].sum()).tolist(),
    }


def psi(before: NDArray[np.int64], after: NDArray[np.int64]) -> float:
    """The index of two rows of counts; half a row more in each place, so that none is empty."""
    filled = (before + after) > 0
    old, new = before[filled] + 0.5, after[filled] + 0.5
    old, new = old / old.sum(), new / new.sum()
    return float(((new - old) * np.log(new / old)).sum())


def chance(before: NDArray[np.int64], after: NDArray[np.int64]) -> float:
    """How likely rows that have not changed are to differ as much: the p-value of the chi-squared test."""
    table = np.stack([before, after])[:, (before + after) > 0].astype(np.float64)
    expected = np.outer(table.sum(1), table.sum(0)) / table.sum()
    return float(chdtrc(max(1, table.shape[1] - 1), ((table - expected) ** 2 / expected).sum()))


def fresh(cells: Cells, groups: Groups, count: int) -> dict[str, Any] | None:
    """The later part with the largest share of rows whose label group 0 did not have, if it is large; else None."""
    if cells.column.type is not DataType.LABEL or count < 2:
        return None
    rows = cells.known_of(groups == 0)
    first = np.unique(rows)
    if len(first) * COMES_AGAIN > len(rows) or not len(rows):
        return None
    was_there = np.isin(np.arange(cells.distinct), first)
    known = np.bincount(groups[cells.codes >= 0], minlength=count)
    new = np.bincount(groups[cells.codes >= 0], ~was_there[cells.known], minlength=count)
    shares = new / np.maximum(1, known)
    at = int(shares.argmax())
    if shares[at] < LEAST_FRESH:
        return None
    return {"column": cells.column.name, "group": at, "share": float(shares[at]), "rows": int(new[at])}


def part_groups(rows: Sequence[int]) -> Groups:
    """The number of the part that each row came with."""
    return np.repeat(np.arange(len(rows)), rows)


def half_groups(date: Cells) -> Groups:
    """0 for the older half of the rows by a date, 1 for the newer, -1 without a date."""
    if not len(date.known):
        return np.full(len(date.codes), -1)
    middle = int(np.quantile(date.known, 0.5, method="lower"))
    return np.where(date.codes < 0, -1, (date.codes > middle).astype(np.int64))


def _bins(cells: Cells, first: NDArray[np.int32]) -> tuple[Groups, NDArray[np.float64] | None]:
    """The place of each row, the last one for what is missing; for numbers the ends of the tenths, too."""
    codes = cells.codes.astype(np.int64)
    if cells.values is None:
        most = min(cells.distinct, MOST_LABELS)
        return np.where(codes < 0, most + 1, np.minimum(codes, most)), None
    tenths = np.quantile(cells.values[first[first >= 0]], np.arange(1, 10) / 10, method="inverted_cdf")
    ends = np.unique(tenths)
    place = np.append(np.searchsorted(ends, cells.values), len(ends) + 1)
    return place[codes], ends
