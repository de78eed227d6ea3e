"""Whole columns of cells -> float64 arrays, by the same rules as `numbers.parse_number` and `moments.parse_moment`."""

from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from machines.engine.columns import moments, numbers
from machines.engine.columns.missing import missing_tokens
from machines.engine.schema import CellFormat, DataType

Floats = NDArray[np.float64]

# Plain shapes that polars reads at once: (what a whole cell looks like, its format). Everything else goes cell by cell.
DATE_SHAPES = {
    "YMD": ((r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}$", "%Y-%m-%d"), (r"^[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}$", "%Y/%m/%d")),
    "DMY": (
        (r"^[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}$", "%d/%m/%Y"),
        (r"^[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}$", "%d.%m.%Y"),
        (r"^[0-9]{1,2}-[0-9]{1,2}-[0-9]{4}$", "%d-%m-%Y"),
    ),
    "MDY": ((r"^[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}$", "%m/%d/%Y"), (r"^[0-9]{1,2}-[0-9]{1,2}-[0-9]{4}$", "%m-%d-%Y")),
}
CLOCK_SHAPES = (
    (r"[0-9]{1,2}:[0-9]{2}:[0-9]{2}", "%H:%M:%S"),
    (r"[0-9]{1,2}:[0-9]{2}", "%H:%M"),
    (r"[0-9]{1,2}:[0-9]{2}:[0-9]{2}\.[0-9]{1,6}", "%H:%M:%S%.f"),
)
FEW = 500  # so few cells are read one by one


def find_missing(cells: pl.Series, type: DataType) -> NDArray[np.bool_]:
    """Which cells of a text series are empty or say that there is no value. Shape [cells]."""
    known = pl.Series(sorted(missing_tokens(type)))
    return (
        cells.is_null() | cells.str.strip_chars().str.to_lowercase().is_in(known.implode()).fill_null(True)
    ).to_numpy()


def parse_numbers(cells: pl.Series, format: CellFormat) -> Floats:
    """Text series of shape [cells] -> numbers, NaN where `numbers.parse_number` says None."""
    text = cells.str.strip_chars()
    pattern = numbers.number_pattern(format)
    fits = (text.str.len_chars() <= numbers.LONGEST) & text.str.contains(pattern)
    text = text.set(~fits.fill_null(False), None)
    digits = text.str.extract(pattern, 1).fill_null(text.str.extract(pattern, 2))
    if format.thousands:
        digits = digits.str.replace_all(numbers.THOUSANDS[format.thousands], "")
    if format.decimal == ",":
        digits = digits.str.replace(",", ".", literal=True)
    values = digits.cast(pl.Float64, strict=False).to_numpy().astype(np.float64)
    values = np.where(np.isfinite(values), values, np.nan)
    negative = text.str.contains(numbers.NEGATIVE_PATTERN).fill_null(False).to_numpy()
    return np.where(negative, -values, values)


def parse_moments(cells: pl.Series, type: DataType, format: CellFormat) -> Floats:
    """Text series of shape [cells] -> seconds as in `schema.Table`, NaN where `moments.parse_moment` says None."""
    return _by_distinct(cells, lambda distinct: _parse_distinct(distinct, type, format))


def _by_distinct(cells: pl.Series, parse: Callable[[pl.Series], Floats]) -> Floats:
    """Parse each different cell once."""
    if len(cells) <= FEW:
        return parse(cells)
    distinct = cells.unique()
    if len(distinct) > 0.5 * len(cells):
        return parse(cells)
    known = pl.DataFrame({"cell": distinct, "value": parse(distinct)})
    joined = pl.DataFrame({"cell": cells}).join(known, on="cell", how="left", maintain_order="left", nulls_equal=True)
    return joined["value"].to_numpy().astype(np.float64)


def _parse_distinct(cells: pl.Series, type: DataType, format: CellFormat) -> Floats:
    if len(cells) <= FEW:
        return _one_by_one(cells, type, format)
    text = cells.str.strip_chars()
    values = _parse_shapes(text, type, format)
    left = np.flatnonzero(np.isnan(values))
    values[left] = _one_by_one(text.gather(left), type, format)
    return values


def _one_by_one(cells: pl.Series, type: DataType, format: CellFormat) -> Floats:
    read = (None if cell is None else moments.parse_moment(cell, type, format) for cell in cells)
    return np.array([np.nan if value is None else value for value in read], dtype=np.float64)


def _parse_shapes(text: pl.Series, type: DataType, format: CellFormat) -> Floats:
    """Read the plain shapes that a few cells of the series have."""
    values = np.full(len(text), np.nan)
    sample = text.gather_every(max(1, len(text) // FEW))
    for pattern, chrono in _shapes(type, format):
        if not sample.str.contains(pattern).any():
            continue
        at = np.flatnonzero(text.str.contains(pattern).fill_null(False).to_numpy())
        values[at] = _to_seconds(text.gather(at), chrono, type)
    return values


def _shapes(type: DataType, format: CellFormat) -> list[tuple[str, str]]:
    if type is DataType.TIME:
        return [(f"^{pattern}$", f"%Y-%m-%d {chrono}") for pattern, chrono in CLOCK_SHAPES]
    dates = [*DATE_SHAPES["YMD"], *DATE_SHAPES["MDY" if format.date_order == "MDY" else "DMY"]]
    both = [
        (f"{date[:-1]}{gap}{clock}$", f"{date_chrono}{gap}{clock_chrono}")
        for date, date_chrono in dates
        for gap in " T"
        for clock, clock_chrono in CLOCK_SHAPES
    ]
    return [(date, f"{chrono} %H") for date, chrono in dates] + both


def _to_seconds(text: pl.Series, chrono: str, type: DataType) -> Floats:
    if type is DataType.TIME:
        text = "1970-01-01 " + text
    elif chrono.endswith(" %H"):  # polars reads a moment only with an hour and a minute
        text, chrono = text + " 00:00", chrono + ":%M"
    moment = text.str.to_datetime(chrono, time_unit="us", strict=False)
    micros = moment.cast(pl.Int64).cast(pl.Float64).to_numpy().astype(np.float64)
    seconds: Floats = micros / 1e6
    return np.floor(seconds / moments.DAY) * moments.DAY if type is DataType.DATE else seconds
