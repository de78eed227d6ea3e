"""Stored pieces of a data set: Parquet files that are either complete or not there."""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from machines.engine.files import whole
from machines.engine.reading.table import RawTable

PIECE = 1_000_000  # bytes
ROW = "@row"
GROUP = 2_000_000  # cells of one row group: what lies in memory at once


@dataclass(frozen=True)
class Part:
    """One stored file: where, how many rows, its checksum and its size in bytes."""

    path: Path
    rows: int
    sha256: str
    bytes: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"path": str(self.path)}


def write_part(table: RawTable, folder: Path) -> Part:
    """Store a table in `folder`. The file gets its name only when all of it is on the disk."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{uuid.uuid4().hex}.parquet"
    with whole(path) as temporary:
        scan = pl.scan_parquet(table.path).select(table.columns)
        scan.sink_parquet(temporary, row_group_size=max(1_000, GROUP // len(table.columns)), maintain_order=True)
        digest = _digest(temporary)
    return Part(path, table.rows, digest, path.stat().st_size)


def read_parts(paths: Sequence[Path], columns: Sequence[str] | None = None, most: int | None = None) -> pl.DataFrame:
    """The rows of several parts one below the other, or the first of them; a column that a part lacks is empty there."""
    scan = _scan(paths, columns)
    return (scan if most is None else scan.head(most)).collect()


def pick_rows(paths: Sequence[Path], columns: Sequence[str], rows: NDArray[np.int64]) -> pl.DataFrame:
    """These rows alone, in their order; the others are never in memory together."""
    chosen = pl.Series(rows).implode()
    scan = _scan(paths, columns).with_row_index(ROW).filter(pl.col(ROW).is_in(chosen)).drop(ROW)
    return scan.collect(engine="streaming")


def count_rows(paths: Sequence[Path]) -> int:
    return sum(int(pl.scan_parquet(path).select(pl.len()).collect().item()) for path in paths)


def _scan(paths: Sequence[Path], columns: Sequence[str] | None) -> pl.LazyFrame:
    scans = [pl.scan_parquet(path) for path in paths]
    if not scans:
        return pl.LazyFrame(schema=dict.fromkeys(columns or [], pl.String))
    scan = pl.concat(scans, how="diagonal")
    if columns is None:
        return scan
    present = set(scan.collect_schema().names())
    absent = [pl.lit(None, pl.String).alias(name) for name in columns if name not in present]
    return scan.with_columns(absent).select(columns)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()
