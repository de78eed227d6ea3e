"""Parquet -> a raw table: every value becomes text without losing digits."""

from dataclasses import replace
from pathlib import Path

import polars as pl

from machines.engine.errors import DataError, Notice, Weight, gettext_noop
from machines.engine.reading.options import Limits, ReadOptions
from machines.engine.reading.parts import GROUP
from machines.engine.reading.table import RawTable, clean_cells, new_folder
from machines.engine.reading.text import check_rows
from machines.engine.reading.titles import check_size, name_columns

CANNOT = gettext_noop("The Parquet file cannot be read. Write it again, or save it as CSV.")
PROBLEMS = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError)


def read_parquet(path: Path, options: ReadOptions, limits: Limits) -> RawTable:
    """Read a Parquet file; nested objects become columns `a_b`. Raises DataError for damaged or too large ones."""
    keeper = new_folder()
    try:
        rows = pl.scan_parquet(path).select(pl.len()).collect().item()
        scan = _flat(pl.scan_parquet(path))
        schema = scan.collect_schema()
    except PROBLEMS as error:
        raise DataError(CANNOT) from error
    check_size(list(schema), limits)
    check_rows(rows, len(schema), limits)
    return _write(scan, schema, Path(keeper.name), options, rows, keeper)


def _write(
    scan: pl.LazyFrame, schema: pl.Schema, folder: Path, options: ReadOptions, rows: int, keeper: object
) -> RawTable:
    readable = [name for name, type in schema.items() if not isinstance(type, pl.Binary | pl.Object)]
    if not readable:
        raise DataError(gettext_noop("The Parquet file has no columns of text, numbers or dates."))
    titles = name_columns(readable)
    cells = [_to_text(old, schema[old]).alias(new) for old, new in zip(readable, titles.names, strict=True)]
    target = folder / "table"
    target.mkdir()
    try:
        text = scan.select(cells).select(clean_cells())
        text.sink_parquet(
            target / "0.parquet", compression="zstd", compression_level=1, row_group_size=GROUP // len(cells)
        )
    except PROBLEMS as error:
        raise DataError(CANNOT) from error
    found = replace(options, encoding="utf-8", delimiter="", skip_rows=0, has_header=True, has_description_row=False)
    left_out = [name for name in schema if name not in readable]
    notices = [*titles.notices, *([_left_out(left_out)] if left_out else [])]
    return RawTable(target, tuple(titles.names), rows, found, {}, notices, keeper)


def _left_out(names: list[str]) -> Notice:
    template = gettext_noop("Columns of raw bytes were left out: %(names)s.")
    return Notice(template, {"names": ", ".join(names[:5])}, Weight.WARNING)


def _flat(scan: pl.LazyFrame) -> pl.LazyFrame:
    """Unpack structs, level by level."""
    while structs := [name for name, type in scan.collect_schema().items() if isinstance(type, pl.Struct)]:
        for name in structs:
            fields = [field.name for field in scan.collect_schema()[name].fields]  # type: ignore[attr-defined]
            renamed = pl.col(name).struct.rename_fields([f"{name}_{field}" for field in fields])
            scan = scan.with_columns(renamed).unnest(name)
    return scan


def _to_text(name: str, type: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if isinstance(type, pl.List | pl.Array):
        wrapped = pl.struct(column.alias("x")).struct.json_encode()
        return pl.when(column.is_not_null()).then(wrapped.str.strip_prefix('{"x":').str.strip_suffix("}"))
    if isinstance(type, pl.Datetime) and type.time_zone:
        return column.dt.convert_time_zone("UTC").dt.to_string("%Y-%m-%dT%H:%M:%S%.fZ")
    if isinstance(type, pl.Datetime):
        return column.dt.to_string("%Y-%m-%dT%H:%M:%S%.f")
    if isinstance(type, pl.Duration):
        return (column.dt.total_microseconds() / 1e6).cast(pl.String)
    if type.is_float():
        return column.fill_nan(None).cast(pl.String)
    return column.cast(pl.String)
