"""Whole columns of cells -> float64 arrays, by the same rules as `numbers.parse_number` and `moments.parse_moment`."""

from collections.abc import Callable
from typing import Any

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
PIECE = 500_000  # so many are read at once


def find_missing(cells: pl.Series, type: DataType) -> NDArray[np.bool_]:
    """Which cells of a text series are empty or say that there is no value. Shape [cells]."""
    return _by_pieces(cells, lambda piece: _find_missing(piece, type), np.bool_)


def parse_numbers(cells: pl.Series, format: CellFormat) -> Floats:
    """Text series of shape [cells] -> numbers, NaN where `numbers.parse_number` says None."""
    return _by_pieces(cells, lambda piece: _parse_numbers(piece, format), np.float64)


def parse_moments(cells: pl.Series, type: DataType, format: CellFormat) -> Floats:
    """Text series of shape [cells] -> seconds as in `schema.Table`, NaN where `moments.parse_moment` says None."""
    return _by_pieces(
        cells, lambda piece: _by_distinct(piece, lambda few: _parse_distinct(few, type, format)), np.float64
    )


def _by_pieces(cells: pl.Series, work: Callable[[pl.Series], NDArray[Any]], dtype: type) -> NDArray[Any]:
    """Work on PIECE cells at a time: what lies between text and result needs several times the text's memory."""
    result: NDArray[Any] = np.empty(len(cells), dtype=dtype)
    for at in range(0, len(cells), PIECE):
        result[at : at + PIECE] = work(cells.slice(at, PIECE))
    return result


def _find_missing(cells: pl.Series, type: DataType) -> NDArray[np.bool_]:
    cell = pl.col("cell")
    known = pl.lit(pl.Series(sorted(missing_tokens(type)))).implode()
    shown = cell.str.strip_chars().str.to_lowercase().is_in(known)
    return pl.DataFrame({"cell": cells}).select((cell.is_null() | shown).fill_null(True)).to_series().to_numpy()


def _parse_numbers(cells: pl.Series, format: CellFormat) -> Floats:
    """What polars reads as a number is one by our grammar too, and the same one, but for infinity and long digits."""
    if format.decimal == format.thousands:
        return _by_grammar(cells, format)
    plain = cells
    if format.decimal == ",":  # then a point is no decimal mark, and such a cell stays for the grammar
        plain = cells.str.replace_all(".", "_", literal=True).str.replace(",", ".", literal=True)
    values = plain.cast(pl.Float64, strict=False).to_numpy().astype(np.float64)  # null is NaN
    lengths = cells.str.len_bytes().to_numpy()  # NaN where null
    left = np.flatnonzero(~np.isfinite(values) | (lengths > numbers.LONGEST))
    if len(left):
        values[left] = _by_grammar(cells.gather(left), format)
    return values


def _by_grammar(cells: pl.Series, format: CellFormat) -> Floats:
    pattern = numbers.number_pattern(format)
    text = pl.col("cell").str.strip_chars()
    short = pl.when(text.str.len_chars() <= numbers.LONGEST).then(text)
    digits = pl.coalesce(short.str.extract(pattern, 1), short.str.extract(pattern, 2))
    if format.thousands:
        digits = digits.str.replace_all(numbers.THOUSANDS[format.thousands], "")
    if format.decimal == ",":
        digits = digits.str.replace(",", ".", literal=True)
    value = digits.cast(pl.Float64, strict=False)
    signed = pl.when(text.str.contains(numbers.NEGATIVE_PATTERN)).then(-value).otherwise(value)
    values = pl.DataFrame({"cell": cells}).select(signed).to_series().to_numpy().astype(np.float64)
    return np.where(np.isfinite(values), values, np.nan)


def _by_distinct(cells: pl.Series, parse: Callable[[pl.Series], Floats]) -> Floats:
    """Parse each different cell once, where cells recur."""
    distinct = cells.unique().drop_nulls()
    if 2 * len(distinct) > len(cells):
        return parse(cells)
    values: Floats = np.append(parse(distinct), np.nan)  # the last for what is null
    places = cells.cast(pl.Enum(distinct)).to_physical().fill_null(len(distinct))
    return np.take(values, places.to_numpy())


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
    dates = [*DATE_SHAPES["YMD"], *DATE_SHAPES["MDY" if format.date_order == "MDY" else "DMY"]]
    both = [
        (f"{date[:-1]}{gap}{clock}$", f"{date_chrono}{gap}{clock_chrono}")
        for date, date_chrono in dates
        for gap in " T"
        for clock, clock_chrono in CLOCK_SHAPES
    ]
    clocks = [(f"^{pattern}$", f"%Y-%m-%d {chrono}") for pattern, chrono in CLOCK_SHAPES]
    return [*both, *(clocks if type is DataType.TIME else [(date, f"{chrono} %H") for date, chrono in dates])]


def _to_seconds(text: pl.Series, chrono: str, type: DataType) -> Floats:
    if chrono.startswith("%Y-%m-%d ") and ":" in text[0][:3]:  # a time of day alone
        text = "1970-01-01 " + text
    elif chrono.endswith(" %H"):  # polars reads a moment only with an hour and a minute
        text, chrono = text + " 00:00", chrono + ":%M"
    moment = text.str.to_datetime(chrono, time_unit="us", strict=False)
    seconds: Floats = moment.cast(pl.Int64).cast(pl.Float64).to_numpy().astype(np.float64) / 1e6
    if type is DataType.TIME:
        return seconds % moments.DAY
    return np.floor(seconds / moments.DAY) * moments.DAY if type is DataType.DATE else seconds
