"""Stored pieces of a data set: Parquet files that are either complete or not there."""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from machines.engine.files import whole
from machines.engine.reading.table import RawTable

PIECE = 1_000_000  # bytes
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


def read_parts(paths: Sequence[Path], columns: Sequence[str] | None = None) -> pl.DataFrame:
    """The rows of several parts one below the other; a column that a part lacks is empty there."""
    frames = [_read(path, columns) for path in paths]
    if not frames:
        return pl.DataFrame(schema=dict.fromkeys(columns or [], pl.String))
    frame = pl.concat(frames, how="diagonal")
    missing = [name for name in columns or [] if name not in frame.columns]
    frame = frame.with_columns(pl.lit(None, pl.String).alias(name) for name in missing)
    return frame.select(columns) if columns is not None else frame


def _read(path: Path, columns: Sequence[str] | None) -> pl.DataFrame:
    if columns is None:
        return pl.read_parquet(path)
    present = pl.read_parquet_schema(path)
    wanted = [name for name in columns if name in present]
    if wanted:
        return pl.read_parquet(path, columns=wanted)
    rows = pl.scan_parquet(path).select(pl.len()).collect().item()
    return pl.DataFrame({name: pl.Series([None] * rows, dtype=pl.String) for name in columns})


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()
