"""What a column would be under each type: read once, kept, and shown again whenever a person switches the type."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from machines.engine.columns.arrays import Floats
from machines.engine.columns.cells import Cells, cut
from machines.engine.columns.json_cells import read_json_cell
from machines.engine.columns.moments import DAY, parse_moment
from machines.engine.columns.numbers import parse_number
from machines.engine.columns.parse import parse_cells
from machines.engine.schema import CellFormat, DataType

BINS = 12
TOP = 12
EXAMPLES = 3
TRIED = 60  # cells that show whether a type is worth reading
QUANTILES = (0.2, 0.3, 0.7, 0.8)


@dataclass(frozen=True)
class Reading:
    """One column under one type. Statistics are None for text; `histogram` has 12 equal bins from low to high."""

    format: CellFormat = field(default_factory=CellFormat)
    read: int = 0  # rows
    failed: int = 0  # filled rows that are unreadable
    missing: int = 0  # rows that are empty or say "no value"
    distinct: int = 0
    failures: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    low_without_zero: float | None = None
    mean: float | None = None
    std: float | None = None
    median: float | None = None
    q20: float | None = None
    q30: float | None = None
    q70: float | None = None
    q80: float | None = None
    zeros: int = 0
    histogram: tuple[int, ...] = ()
    top: tuple[tuple[str, int], ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Reading":
        lists = {name: tuple(data.get(name, ())) for name in ("failures", "histogram")}
        top = tuple((str(value), int(count)) for value, count in data.get("top", ()))
        known = {name: data[name] for name in cls.__dataclass_fields__ if name in data}
        return cls(**known | lists | {"format": CellFormat(**data["format"]), "top": top})


def read_as(cells: Cells, type: DataType, format: CellFormat) -> Reading:
    """The column under one type."""
    if type.is_numeric:
        return _read_numeric(cells, type, format)
    if type is DataType.JSON:
        return _read_json(cells)
    if type.is_text:
        return _read_text(cells, type)
    return Reading(missing=cells.rows - cells.filled, distinct=cells.distinct)


def numeric_values(cells: Cells, type: DataType, format: CellFormat) -> NDArray[np.float64]:
    """The different cells as numbers, NaN where unreadable or missing. Shape [distinct]."""
    if type is DataType.DATE:  # the day of a moment, whether its time is told or not
        return np.floor(numeric_values(cells, DataType.DATETIME, format) / DAY) * DAY
    if (type, format) in cells.values_as:
        return cells.values_as[type, format]
    values = parse_cells(cells.values, type, format)
    values[cells.missing(type)] = np.nan
    if type is not DataType.TIME:  # is needed only once
        cells.values_as[type, format] = values
    return values


def _read_numeric(cells: Cells, type: DataType, format: CellFormat) -> Reading:
    missing = cells.missing(type)
    if not _is_worth_it(cells, type, format):
        return _nothing_read(cells, missing, format)
    values = numeric_values(cells, type, format)
    readable = ~np.isnan(values)
    failed = ~readable & ~missing
    counts = cells.counts
    return Reading(
        format=format,
        read=int(counts[readable].sum()),
        failed=int(counts[failed].sum()),
        missing=cells.rows - int(counts[~missing].sum()),
        failures=_examples(cells.values, failed),
        **_statistics(values[readable], counts if readable.all() else counts[readable]),
    )


def _is_worth_it(cells: Cells, type: DataType, format: CellFormat) -> bool:
    """Whether any of some cells reads as this type."""
    if type is DataType.FLOAT:
        return any(parse_number(cell, format) is not None for cell in cells.spread(TRIED))
    return any(parse_moment(cell, type, format) is not None for cell in cells.spread(TRIED))


def _nothing_read(cells: Cells, missing: NDArray[np.bool_], format: CellFormat) -> Reading:
    failed = int(cells.counts[~missing].sum())
    return Reading(format, failed=failed, missing=cells.rows - failed, failures=_examples(cells.values, ~missing))


def _examples(values: pl.Series, chosen: NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(cut(cell) for cell in values.gather(np.flatnonzero(chosen)[:EXAMPLES]))


def _statistics(values: Floats, counts: NDArray[np.int64]) -> dict[str, Any]:
    """Range, moments, quantiles and histogram of values that occur `counts` times. Frugal: there may be 10 million."""
    if not len(values):
        return {}
    if counts.max() == 1:
        values.sort()
    else:
        order = np.argsort(values)
        values, counts = values[order], counts[order]
    mean, deviation = _mean_and_deviation(values, counts)
    ends = np.cumsum(counts)  # rows up to each value
    first, last = (int(np.searchsorted(values, 0.0, side=side)) for side in ("left", "right"))  # the zeros
    without_zero = 0 if first > 0 else last
    median, *quantiles = _quantiles(values, ends, (0.5, *QUANTILES))
    return {
        "distinct": 1 + int(np.count_nonzero(values[1:] != values[:-1])),
        "low": float(values[0]),
        "high": float(values[-1]),
        "low_without_zero": float(values[without_zero]) if without_zero < len(values) else None,
        "mean": mean,
        "std": deviation,
        "median": median,
        **dict(zip(("q20", "q30", "q70", "q80"), quantiles, strict=True)),
        "zeros": int(counts[first:last].sum()),
        "histogram": _histogram(values, ends),
    }


def _mean_and_deviation(values: Floats, counts: NDArray[np.int64]) -> tuple[float, float]:
    """Scaled to at most 1 before anything is summed or squared, so that huge numbers stay finite."""
    scale = max(abs(float(values[0])), abs(float(values[-1]))) or 1.0
    scaled, weights = values / scale, counts / counts.sum()
    mean = float(scaled @ weights)
    scaled -= mean
    np.square(scaled, out=scaled)
    return mean * scale, float(np.sqrt(scaled @ weights)) * scale


def _quantiles(values: Floats, ends: NDArray[np.int64], shares: tuple[float, ...]) -> list[float]:
    """Linear between the two nearest ranks, as numpy does on the repeated values."""
    ranks = np.array(shares) * (ends[-1] - 1)
    below = values[np.searchsorted(ends, np.floor(ranks), side="right")]
    above = values[np.searchsorted(ends, np.ceil(ranks), side="right")]
    part = ranks - np.floor(ranks)
    return [float(value) for value in below * (1 - part) + above * part]


def _histogram(values: Floats, ends: NDArray[np.int64]) -> tuple[int, ...]:
    """How many rows fall in each of 12 equal bins from the lowest to the highest value."""
    low, high = float(values[0]), float(values[-1])
    edges = [low * (1 - at / BINS) + high * (at / BINS) for at in range(1, BINS)]
    before = [int(ends[at - 1]) if at else 0 for at in np.searchsorted(values, edges, side="left")]
    return tuple(int(rows) for rows in np.diff(before, prepend=0, append=ends[-1]))


def _read_text(cells: Cells, type: DataType) -> Reading:
    missing = cells.missing(type)
    kept = np.flatnonzero(~missing)
    counts = cells.counts[kept]
    best = kept[np.argsort(-counts, kind="stable")[:TOP]]
    read = int(counts.sum())
    top = tuple((cut(cells.values[int(at)]), int(cells.counts[at])) for at in best)
    return Reading(read=read, missing=cells.rows - read, distinct=len(kept), top=top)


def _read_json(cells: Cells) -> Reading:
    if not any(read_json_cell(cell) is not None for cell in cells.sample):
        return Reading(
            failed=cells.filled, missing=cells.rows - cells.filled, failures=cells.shown(EXAMPLES, DataType.JSON)
        )
    failed = np.array([read_json_cell(cell) is None for cell in cells.values], dtype=bool)
    return Reading(
        read=int(cells.counts[~failed].sum()),
        failed=int(cells.counts[failed].sum()),
        missing=cells.rows - cells.filled,
        distinct=int(np.count_nonzero(~failed)),
        failures=_examples(cells.values, failed),
    )
