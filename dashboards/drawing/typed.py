"""Typed columns of a machine: parsed once, then kept beside each other as files that a figure maps into memory.

Rows are stored as text, as a person sent them. Reading 10 million cells takes seconds, mapping them none.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import product
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
STRETCH_BYTES = 32_000_000  # of parts as they are stored; some millions of rows
AT_ONCE = 2  # stretches that are typed at the same time
MOST_LABELS = 50_000  # different ones of a stretch, and their bytes: they are read again with every piece of it
MOST_LABEL_BYTES = 5_000_000
LEFT_SECONDS = 3600.0  # after which an unfinished file is one of a process that died
VERSION = 4  # counts up when the same cells would be kept in another way


def frame(parts: Sequence[Path], chosen: Mapping[str, Column], folder: Path) -> pl.LazyFrame:
    """The rows of all parts, oldest first, with one column per place, null for a missing value: Float64 for
    numbers and moments, Categorical for labels, String for texts and for labels of which there are many.

    `chosen` is place -> column. A column that a part lacks is missing there. `folder` holds nothing but what is kept here
    and figures. Raises OSError if a part is gone.
    """
    columns, stretches = [*dict.fromkeys(chosen.values())], _stretches(parts)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        paths = pool.map(lambda each: _kept(each[0], each[1], folder), product(columns, stretches))
        kept = {column: _whole([next(paths) for _ in stretches]) for column in columns}
    return pl.concat([kept[column].rename({CELL: place}) for place, column in chosen.items()], how="horizontal")


def unread(parts: Sequence[Path], columns: Collection[Column], folder: Path) -> list[Path]:
    """The parts that `frame` of these columns would have to read."""
    return [
        part
        for stretch in _stretches(parts)
        if not all(_path(column, stretch, folder).exists() for column in columns)
        for part in stretch
    ]


def most_labels(parts: Sequence[Path]) -> int:
    """How many different labels a Categorical column of these parts can have at most."""
    return MOST_LABELS * len(_stretches(parts))


def _stretches(parts: Sequence[Path]) -> list[list[Path]]:
    """Parts that are typed together. Rows that come later leave all stretches but the last as they are."""
    stretches, room = list[list[Path]](), 0
    for part in parts:
        if room <= 0:
            stretches.append([])
            room = STRETCH_BYTES
        stretches[-1].append(part)
        room -= part.stat().st_size
    return stretches or [[]]


def _whole(paths: Sequence[Path]) -> pl.LazyFrame:
    """A column from all its stretches: as texts, if one of them has too many labels."""
    scans = [pl.scan_ipc(path) for path in paths]
    kinds = {scan.collect_schema()[CELL] for scan in scans}
    return pl.concat(scans if len(kinds) == 1 else [scan.cast(pl.String) for scan in scans])


def as_sent(parts: Sequence[Path], name: str) -> pl.LazyFrame:
    """One column of text as it was sent, all parts one below the other; one that a part lacks is missing there."""
    scans = [texts(path, {CELL: name}) for path in parts]
    return pl.concat(scans) if scans else pl.LazyFrame(schema={CELL: pl.String})


def texts(part: Path, names: Mapping[str, str]) -> pl.LazyFrame:
    """Columns of a part as they were sent: what each is called here -> in the part. One that it lacks is missing."""
    scan = pl.scan_parquet(part)
    there = scan.collect_schema()
    cells = {own: pl.col(name) if name in there else pl.lit(None, pl.String) for own, name in names.items()}
    return scan.with_columns(**cells).select(*cells)


def row_counts(parts: Sequence[Path]) -> list[int]:
    """How many rows each part has."""
    return [int(pl.scan_parquet(path).select(pl.len()).collect().item()) for path in parts]


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


def _path(column: Column, parts: Sequence[Path], folder: Path) -> Path:
    told = column.to_json()
    return folder / f"{key(parts, column.name, told['type'], told['format'], column.zero_is_missing)}.arrow"


def _kept(column: Column, parts: Sequence[Path], folder: Path) -> Path:
    """The file of a column of these parts, written if it is not there yet."""
    path = _path(column, parts, folder)
    if path.exists():
        path.touch()
        return path
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with whole(path) as temporary:
        cells = as_sent(parts, column.name)
        if column.type.is_numeric:
            _write(cells, pl.Float64(), lambda piece: numbers(piece, column), temporary)
        elif column.type is not DataType.LABEL or not _write_labels(cells, column, temporary):
            _write(cells, pl.String(), lambda piece: words(piece, column), temporary)
    return path


def _write(cells: pl.LazyFrame, kind: pl.DataType, typed: Callable[[pl.Series], pl.Series], path: Path) -> None:
    """Write a column of text piece by piece, as a figure wants it."""
    made = cells.map_batches(
        lambda piece: pl.DataFrame({CELL: typed(piece[CELL]).cast(kind)}), schema={CELL: kind}, streamable=True
    )
    made.sink_ipc(path, compression="uncompressed", maintain_order=True)


def _write_labels(cells: pl.LazyFrame, column: Column, path: Path) -> bool:
    """Write a column with its labels as numbers. False if there are many: then what was written is of no use."""
    seen = set[str]()

    def are_many() -> bool:
        return len(seen) > MOST_LABELS or sum(map(len, seen)) > MOST_LABEL_BYTES

    def typed(piece: pl.Series) -> pl.Series:
        if are_many():
            return piece.clear(len(piece))
        different = piece.unique().drop_nulls()
        seen.update(different)
        is_plain = not find_missing(different, column.type).any() and (different == different.str.strip_chars()).all()
        return piece if is_plain else words(piece, column)

    _write(cells, pl.Categorical(), typed, path)
    return not are_many()


def numbers(cells: pl.Series, column: Column) -> pl.Series:
    """Numbers and moments as `read_column` reads them."""
    values, _ = read_column(cells, column)
    return pl.Series(values, nan_to_null=True)


def words(cells: pl.Series, column: Column) -> pl.Series:
    """Labels and texts as `read_column` reads them, which goes word by word."""
    return cells.str.strip_chars().set(pl.Series(find_missing(cells, column.type)), None)
