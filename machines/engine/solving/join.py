"""The answers to all chunks -> one file."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from machines.engine.files import whole
from machines.engine.solving.csv_cells import write_rows, write_titles


def join_csv(parts: Sequence[Path], path: Path) -> Iterator[int]:
    """Write one line per row below a line of titles; yield the number of parts written so far."""
    with whole(path) as temporary, temporary.open("wb") as file:
        write_titles(list(pl.read_parquet_schema(parts[0])), file)
        for number, part in enumerate(parts, 1):
            write_rows(pl.read_parquet(part), file)
            yield number
        file.flush()


def join_parquet(parts: Sequence[Path], path: Path) -> Iterator[int]:
    """The same as Parquet: the file's own columns as text, the answers as numbers or text."""
    with whole(path) as temporary:
        rows = pl.scan_parquet(parts[0]).select(pl.len()).collect().item()
        pl.scan_parquet(list(parts)).sink_parquet(temporary, row_group_size=rows, maintain_order=True)
    yield len(parts)


JOINS = {"csv": join_csv, "parquet": join_parquet}
