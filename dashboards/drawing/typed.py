"""Typed columns of a machine: parsed once, then kept beside each other as files that a figure maps into memory.

Rows are stored as text, as a person sent them. Reading 10 million cells takes seconds, mapping them none.
"""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import time

import orjson
import polars as pl

from machines.engine.columns.arrays import find_missing
from machines.engine.columns.parse import read_column
from machines.engine.files import whole
from machines.engine.schema import Column, DataType

CELL = "cell"
KEPT = (".arrow", ".json")  # typed columns, figures
MOST_BYTES = 4 * 2**30  # of one folder; what was not looked at for longest goes first
MOST_LABELS = 50_000  # different ones of a column, and their bytes: they are read again with every piece of it
MOST_LABEL_BYTES = 5_000_000
LEFT_SECONDS = 3600.0  # after which an unfinished file is one of a process that died
VERSION = 2  # counts up when the same cells would be kept in another way


def frame(parts: Sequence[Path], chosen: Mapping[str, Column], folder: Path) -> pl.LazyFrame:
    """The rows of all parts, oldest first, with one column per place, null for a missing value: Float64 for
    numbers and moments, Categorical for labels, String for texts and for labels of which there are many.

    `chosen` is place -> column. A column that a part lacks is missing there. `folder` holds nothing but what is kept here
    and figures. Raises OSError if a part is gone.
    """
    kept = {place: pl.scan_ipc(_kept(parts, column, folder)) for place, column in chosen.items()}
    return pl.concat([scan.rename({CELL: place}) for place, scan in kept.items()], how="horizontal")


def key(parts: Sequence[Path], *others: object) -> str:
    """A name that changes with the parts or with anything else it is made of."""
    about = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in parts]
    return hashlib.sha256(orjson.dumps([VERSION, about, *others])).hexdigest()[:40]


def tidy(folder: Path, most_bytes: int = MOST_BYTES) -> None:
    """Remove what was not looked at for longest, and what a process that died has left."""
    found = []
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # finished, or tidied by another process
            found.append((path.stat(), path))
    total = 0
    for about, path in sorted(found, key=lambda each: -each[0].st_mtime):
        is_left = path.suffix == ".part" and about.st_mtime < time() - LEFT_SECONDS
        total += about.st_size if path.suffix in KEPT else 0
        if is_left or (path.suffix in KEPT and total > most_bytes):
            path.unlink(missing_ok=True)  # whoever has mapped it keeps it


def _kept(parts: Sequence[Path], column: Column, folder: Path) -> Path:
    """The file of a column, written if it is not there yet."""
    told = column.to_json()
    path = folder / f"{key(parts, column.name, told['type'], told['format'], column.zero_is_missing)}.arrow"
    if path.exists():
        path.touch()
        return path
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    cells = _cells(parts, column.name)
    kind = _kind(cells, column)
    typed = cells.map_batches(
        lambda cells: pl.DataFrame({CELL: _typed(cells[CELL], column).cast(kind)}), schema={CELL: kind}, streamable=True
    )
    with whole(path) as temporary:
        typed.sink_ipc(temporary, compression="uncompressed", maintain_order=True)
    tidy(folder)
    return path


def _cells(parts: Sequence[Path], name: str) -> pl.LazyFrame:
    """One column of text, all parts one below the other."""
    scans = []
    for path in parts:
        scan = pl.scan_parquet(path)
        cells = pl.col(name) if name in scan.collect_schema() else pl.lit(None, pl.String)
        scans.append(scan.with_columns(cells.alias(CELL)).select(CELL))
    return pl.concat(scans) if scans else pl.LazyFrame(schema={CELL: pl.String})


def _kind(cells: pl.LazyFrame, column: Column) -> pl.DataType:
    """As what a column is kept. How many labels it has is counted in one quick pass, about right."""
    if column.type.is_numeric:
        return pl.Float64()
    if column.type is not DataType.LABEL:
        return pl.String()
    cell = pl.col(CELL)
    told = cells.select(cell.approx_n_unique().alias("labels"), cell.str.len_bytes().mean().alias("bytes")).collect()
    labels, each = told.row(0)
    is_few = labels <= MOST_LABELS and labels * (each or 0) <= MOST_LABEL_BYTES
    return pl.Categorical() if is_few else pl.String()


def _typed(cells: pl.Series, column: Column) -> pl.Series:
    """A piece of it as a figure wants it; labels as `read_column` reads them, which goes word by word."""
    if column.type.is_text:
        different = cells.unique()
        if find_missing(different, column.type).any() or (different != different.str.strip_chars()).any():
            return cells.str.strip_chars().set(pl.Series(find_missing(cells, column.type)), None)
        return cells  # as most labels are: nothing to change
    values, _ = read_column(cells, column)
    return pl.Series(values, nan_to_null=True)
