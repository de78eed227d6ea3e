"""A file and what a person says about its columns -> a typed table to learn from, within a given time."""

import difflib
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from time import monotonic

import numpy as np
import polars as pl

from machines.engine.columns import roles
from machines.engine.columns.cells import collect
from machines.engine.columns.formats import FORMATS, Habits, find_habits
from machines.engine.columns.numbers import number_pattern
from machines.engine.columns.profile import HEAD, ColumnProfile, profile_column
from machines.engine.columns.readings import Reading
from machines.engine.errors import DataError, Notice, Weight, gettext_noop
from machines.engine.fit_job import UNREADABLE
from machines.engine.parameters import MEMORY_MB
from machines.engine.prepare import SAMPLED
from machines.engine.reading import RawTable, read_table
from machines.engine.reading.__main__ import FAILED, NO_ROOM, options_for_profile
from machines.engine.reading.options import ReadOptions
from machines.engine.schema import Column, DataType, Role, Schema, Table
from machines.engine.splits import Split, columns_to_read

BYTES_PER_SECOND = 3_000_000  # of text, for each second of the whole time
LEAST_BYTES = 2_000_000
CELLS_PROFILED = 150_000  # per second, where all cells differ
CELLS_PARSED = 800_000  # per second
PROFILE_SHARE, PARSE_SHARE = 0.12, 0.25  # of the time that is left after reading
LEAST_ROWS = 300
MOST_NUMBERS = 0.98  # share of cells that are numbers in a column of numbers
MOST_LABELS = 0.5  # distinct words per cell beyond which a column at first look says nothing
TEXT = {".csv", ".tsv", ".txt"}
LONGEST_LINE, PIECE = 10_000_000, 1_000_000  # bytes
MOST_NAMED = 8  # columns listed in a sentence

UNKNOWN = gettext_noop("There is no column “%(column)s”. Did you mean %(names)s?")
UNKNOWN_ALL = gettext_noop("There is no column “%(column)s”. The columns are %(names)s.")
BOTH = gettext_noop("“%(column)s” cannot be an output and ignored at the same time.")
LEFT_OUT = gettext_noop("“%(column)s” was left out: %(why)s")
HURRIED = gettext_noop("Looked at briefly, because the time was short.")
GUESSED = gettext_noop(
    "Columns that were looked at only briefly, to keep to the time: %(count)s. Allow more with --seconds."
)
CUT = gettext_noop("Only the first %(read)s of %(size)s MB were read, to keep to the time.")


@dataclass(frozen=True)
class Wishes:
    """What a person says about columns, by their names."""

    outputs: Sequence[str]
    ignored: Sequence[str] = ()
    types: Mapping[str, DataType] = field(default_factory=dict)
    split: Split = field(default_factory=Split)


@dataclass(frozen=True)
class Loaded:
    """A typed table, what its columns are used as, and what a person should know."""

    table: Table
    schema: Schema
    notices: list[Notice]


def load(path: Path, wishes: Wishes, seconds: float, seed: int, memory_mb: int = MEMORY_MB) -> Loaded:
    """Read a file. What is not said about its columns is proposed as on the website.

    Takes about half of `seconds` at most: of a large file only a part is read, with a notice. Raises DataError.
    """
    from machines.engine.sampling import read_within  # it loads scikit-learn, which nobody needs to read a file

    end = monotonic() + seconds
    with tempfile.TemporaryDirectory(prefix="easyautoml-") as folder:
        raw = _read(path, Path(folder), seconds)
        _check_names(raw.columns, wishes)
        notices = [notice for notice in raw.notices if notice.weight is Weight.WARNING]
        raw, sampled = _sample(raw, int(PARSE_SHARE * (end - monotonic()) * CELLS_PARSED), seed)
        few, _ = _sample(raw, int(PROFILE_SHARE * (end - monotonic()) * CELLS_PROFILED), seed)
        profiles, guessed = propose(few, wishes.outputs, monotonic() + PROFILE_SHARE * (end - monotonic()))
        schema = Schema(tuple(_column(profile, wishes) for profile in profiles))
        used = columns_to_read(schema, wishes.split)
        read = read_within(raw.files, used, schema, max(1.0, end - monotonic()), memory_mb, seed)
    lost = [
        Notice(UNREADABLE, {"column": name, "cells": n}, Weight.WARNING) for name, n in read.unreadable.items() if n
    ]
    told = [*notices, *sampled, *read.notices, *guessed, *_left_out(profiles, schema, wishes), *lost]
    return Loaded(read.table, schema, told)


def size_at_a_glance(path: Path) -> tuple[int, int]:
    """Rows and columns, about: lines of a text file and separators of its first one, or what a Parquet file says of itself.

    Of other files (0, 1). Raises OSError.
    """
    if path.suffix.lower() == ".parquet":
        with suppress(pl.exceptions.PolarsError):
            scan = pl.scan_parquet(path)
            return int(scan.select(pl.len()).collect().item()), len(scan.collect_schema())
    if path.suffix.lower() not in TEXT:
        return 0, 1
    with path.open("rb") as file:
        columns = 1 + max(map(file.readline(LONGEST_LINE).count, (b",", b";", b"\t")))
        return sum(piece.count(b"\n") for piece in iter(partial(file.read, PIECE), b"")), columns


def read_file(path: Path) -> RawTable:
    """Read a file of a person; whatever is wrong with it is a DataError."""
    try:
        return read_table(path, path.name)
    except DataError:
        raise
    except MemoryError:
        raise DataError(NO_ROOM) from None
    except (Exception, pl.exceptions.PanicException) as error:
        raise DataError(FAILED) from error


def propose(raw: RawTable, outputs: Sequence[str], until: float) -> tuple[list[ColumnProfile], list[Notice]]:
    """Profile every column, as `profile_table` does, for outputs that a person chose.

    Columns that are not reached `until` a moment of the monotonic clock are looked at only briefly, with a notice.
    """
    options = options_for_profile(raw, ReadOptions())
    habits = find_habits((column for column in raw.head(HEAD).iter_columns() if monotonic() < until), options)
    profiles: list[ColumnProfile] = []
    brief = 0
    for column in (column for block in raw.blocks() for column in block.iter_columns()):
        is_late = monotonic() > until and column.name not in outputs
        brief += is_late
        description = raw.descriptions.get(column.name, "")
        profiles.append(
            glance(column, habits) if is_late else profile_column(collect(column), habits, options, description)
        )
    guessed = [Notice(GUESSED, {"count": brief}, Weight.WARNING)] if brief else []
    return _with_roles(profiles, outputs, None if brief else raw), guessed


def glance(column: pl.Series, habits: Habits) -> ColumnProfile:
    """A column told to be numbers, words or nothing at a first look: a tenth of a full profile's time."""
    cells = column.drop_nulls()
    number = FORMATS[habits.decimal][0]
    matches = int(cells.str.contains(number_pattern(number)).sum())
    is_number = matches >= MOST_NUMBERS * max(1, len(cells))
    type = DataType.FLOAT if is_number and matches else DataType.LABEL
    distinct = cells.n_unique()
    is_useless = distinct < 2 or (type is DataType.LABEL and distinct > MOST_LABELS * len(cells))
    readings = {type: Reading(number, read=len(cells), distinct=distinct) for type in DataType}
    reason = Notice(HURRIED)
    return ColumnProfile(
        column.name, type, Role.INPUT, reason, reason, readings, (reason,), False, is_useless, len(column)
    )


def _with_roles(profiles: list[ColumnProfile], outputs: Sequence[str], raw: RawTable | None) -> list[ColumnProfile]:
    """Roles as on the website, but for chosen outputs; columns that repeat an output are found if `raw` is given."""
    chosen = [roles._with_role(p, roles.SAID if p.name in outputs else None) for p in profiles]
    answers = [profile for profile in chosen if profile.role is Role.OUTPUT]
    copies = set().union(*(roles.find_copies(answer, chosen, raw) for answer in answers if raw))
    return [roles.as_copy(profile) if profile.name in copies else profile for profile in chosen]


def _read(path: Path, folder: Path, seconds: float) -> RawTable:
    size, most = path.stat().st_size, max(LEAST_BYTES, int(BYTES_PER_SECOND * seconds))
    if size <= most or path.suffix.lower() not in TEXT:
        return read_file(path)
    part = folder / path.name
    if not _cut(path, part, most):
        return read_file(path)
    raw = read_file(part)
    about = {"read": round(part.stat().st_size / 1e6, 1), "size": round(size / 1e6, 1)}
    return replace(raw, notices=[*raw.notices, Notice(CUT, about, Weight.WARNING)])


def _cut(path: Path, part: Path, most: int) -> bool:
    """Copy the first rows of a text file, `most` bytes or a little less; False where no row's end can be told."""
    with path.open("rb") as file:
        text = file.read(most)
    end = len(text)
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):  # UTF-16: lines end in two bytes
        return False
    for _ in range(1000):
        end = text.rfind(b"\n", 0, end)
        if end < 0:
            return False
        if text.count(b'"', 0, end) % 2 == 0:
            part.write_bytes(text[: end + 1])
            return True
    return False


def _sample(raw: RawTable, cells: int, seed: int) -> tuple[RawTable, list[Notice]]:
    """Rows chosen at random, in their order, where the table has more than `cells` cells."""
    rows = max(LEAST_ROWS, cells // len(raw.columns))
    if raw.rows <= rows:
        return raw, []
    chosen = np.zeros(raw.rows, bool)
    chosen[np.random.default_rng(seed).choice(raw.rows, rows, replace=False)] = True
    folder = tempfile.TemporaryDirectory(prefix="easyautoml-")
    mask = pl.Series(chosen)
    scan = pl.scan_parquet(raw.path).select(raw.columns).with_row_index("@row")
    kept = scan.filter(pl.col("@row").is_in(mask.arg_true().implode())).drop("@row")
    kept.sink_parquet(Path(folder.name) / "0.parquet", compression="lz4", maintain_order=True)
    about = {"used": rows, "rows": raw.rows}
    sample = replace(raw, path=Path(folder.name), rows=rows, keeper=folder)
    return sample, [Notice(SAMPLED, about, Weight.WARNING)]


def _check_names(columns: Sequence[str], wishes: Wishes) -> None:
    split_by = [wishes.split.column] if wishes.split.column is not None else []
    for name in [*wishes.outputs, *wishes.ignored, *wishes.types, *split_by]:
        if name not in columns:
            folded = {column.casefold(): column for column in columns}
            close = [folded[key] for key in difflib.get_close_matches(name.casefold(), folded, cutoff=0.6)]
            names = ", ".join(f"“{column}”" for column in close or columns[:MOST_NAMED])
            more = " …" if not close and len(columns) > MOST_NAMED else ""
            raise DataError(UNKNOWN if close else UNKNOWN_ALL, column=name, names=names + more)
    for name in wishes.outputs:
        if name in wishes.ignored:
            raise DataError(BOTH, column=name)


def _column(profile: ColumnProfile, wishes: Wishes) -> Column:
    """A column as wished. One whose type is given is used, even if it would have been left out."""
    type = wishes.types.get(profile.name, profile.type)
    role = profile.role
    if profile.name in wishes.outputs:
        role = Role.OUTPUT
    elif profile.name in wishes.ignored or type in {DataType.IGNORE, DataType.JSON}:
        role = Role.IGNORED
    elif profile.name in wishes.types:
        role = Role.INPUT
    return profile.column_as(type, role)


def _left_out(profiles: Sequence[ColumnProfile], schema: Schema, wishes: Wishes) -> list[Notice]:
    """Why columns are not used that nobody asked to ignore."""
    asked = {*wishes.ignored, *wishes.types}
    return [
        Notice(LEFT_OUT, {"column": profile.name, "why": str(profile.role_reason)})
        for profile, column in zip(profiles, schema.columns, strict=True)
        if column.role is Role.IGNORED and profile.name not in asked
    ]
