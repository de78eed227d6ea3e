"""The rows to answer: those of an uploaded file, which is read once, or stored ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from machines.engine.errors import DataError, Notice, gettext_noop
from machines.engine.files import is_full, whole, write_safely
from machines.engine.reading import RawTable, ReadOptions, read_table
from machines.engine.reading.__main__ import FAILED

CELLS = 250_000  # of a chunk: about half a second's work, and some 50 MB in memory
LEAST = 256  # rows of a chunk
EMPTY = gettext_noop("There are no rows to answer. Add some first.")


@dataclass(frozen=True)
class Rows:
    """Text cells in Parquet files, one below the other; a column that a file lacks is empty there."""

    files: tuple[Path, ...]
    counts: tuple[int, ...]  # rows of each file
    titles: tuple[str, ...]
    table: RawTable | None = None  # what was found about an uploaded file
    notices: list[Notice] = field(default_factory=list)
    added: tuple[str, ...] = ()  # titles that are not the file's own, see reading.nested

    @property
    def count(self) -> int:
        return sum(self.counts)

    def slice(self, start: int, rows: int) -> pl.DataFrame:
        """All columns of `rows` rows, or fewer at the end."""
        pieces: list[pl.DataFrame] = []
        for file, end, count in zip(self.files, accumulate(self.counts), self.counts, strict=True):
            first, last = max(start, end - count), min(start + rows, end)
            if first < last:
                pieces.append(pl.scan_parquet(file).slice(first - (end - count), last - first).collect())
        frame = pl.concat([pl.DataFrame(schema=dict.fromkeys(self.titles, pl.String)), *pieces], how="diagonal")
        return frame.select(self.titles)


def chunk_rows(columns: int, cells: int) -> int:
    """How many rows of so many columns are answered at once."""
    return max(LEAST, cells // max(1, columns))


def stored_rows(parts: Sequence[Path]) -> Rows:
    """Rows that the machine's table has already. Raises DataError if there are none."""
    counts = tuple(map(_count, parts))
    if not sum(counts):
        raise DataError(EMPTY)
    titles = dict.fromkeys(title for part in parts for title in pl.read_parquet_schema(part))
    return Rows(tuple(parts), counts, tuple(titles))


def uploaded_rows(source: Mapping[str, Any], folder: Path, cells: int) -> Rows:
    """Rows of a person's file, read into `folder` unless that was done before. Raises DataError."""
    about = folder / "rows.json"
    if not about.exists():  # it is written last
        _keep(_read_table(source), folder / "rows", about, cells)
    kept = orjson.loads(about.read_bytes())
    titles, notices = tuple(kept["titles"]), [Notice.from_json(notice) for notice in kept["notices"]]
    table = RawTable(folder / "rows", titles, kept["rows"], ReadOptions.from_json(kept["found"]))
    files = table.files
    return Rows(files, tuple(map(_count, files)), titles, table, notices, tuple(kept["added"]))


def _keep(raw: RawTable, folder: Path, about: Path, cells: int) -> None:
    """Store the table piece by piece, in groups of a chunk's rows, so that a chunk is found without reading others."""
    folder.mkdir(exist_ok=True)
    size = chunk_rows(len(raw.columns), cells)
    for number, file in enumerate(raw.files):
        with whole(folder / f"{number:05}.parquet") as temporary:
            rows = pl.scan_parquet(file).select(raw.columns)
            rows.sink_parquet(temporary, compression_level=1, row_group_size=size, maintain_order=True)
    notices = [notice.to_json() for notice in raw.notices]
    found = {"titles": raw.columns, "added": raw.added, "rows": raw.rows, "found": raw.found.to_json()}
    write_safely(about, orjson.dumps(found | {"notices": notices}))


def _count(file: Path) -> int:
    return int(pl.scan_parquet(file).select(pl.len()).collect().item())


def _read_table(source: Mapping[str, Any]) -> RawTable:
    """What nobody foresaw in a file is its fault, unless the computer is out of room."""
    options = ReadOptions.from_json(source.get("options") or {})
    try:
        return read_table(Path(source["path"]), source["name"], options)
    except (DataError, MemoryError, OSError):
        raise
    except (Exception, pl.exceptions.PanicException) as error:
        if is_full(error):
            raise
        raise DataError(FAILED) from error
