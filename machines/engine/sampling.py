"""Stored rows of text -> a typed table of as many rows as the time and the memory of a training allow.

Of a table that is too large, rows are chosen at random before they are read: the others never lie in memory.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from machines.engine.columns.parse import parse_table
from machines.engine.encode import TableEncoder
from machines.engine.errors import Notice, Weight, gettext_noop
from machines.engine.prepare import LEFT_OUT, SAMPLED, rows_in_time
from machines.engine.reading.parts import count_rows, pick_rows, read_parts
from machines.engine.schema import Column, DataType, Schema, Table

LIBRARIES_MB = 640  # of any training, however small (measured: 430 to 560)
LOOKED_AT = 500  # rows by which the size of a row is told
CELL, WORD = 48, 60  # bytes of a typed cell with the copies of it that lie beside it; of a text beside its letters
WORDS = 4  # bytes for each letter of a sentence while its words are looked up
FEATURE = 34  # bytes of an encoded cell: itself, copies, and what the models of five folds hold of it at the same time
CODES = 4  # of a label column, see encode_codes
MADE, MADE_PER_COLUMN, MADE_CELLS = 9_000, 300, 4_000_000  # most rows beside those learned from, see forget and probes
MADE_FEATURE = 18  # as FEATURE, of these
LEAST = 300

TO_FIT = gettext_noop("Learned from %(used)s of %(rows)s rows, chosen at random, to keep to the memory.")


@dataclass(frozen=True)
class Read:
    """Typed rows, how many cells of each column could not be read, what a person should know, and how many rows there were."""

    table: Table
    unreadable: Mapping[str, int]
    notices: list[Notice]
    usable: int | None = None  # rows with answers, among which these were chosen


def read_within(
    parts: Sequence[Path], used: Sequence[Column], schema: Schema, seconds: float, memory_mb: int, seed: int
) -> Read:
    """Read these columns of all rows, or if they are too many, of rows with answers, in their order.

    `used` are the columns to read, among them all that `schema` uses. Raises DataError if one is missing.
    """
    names = [column.name for column in used]
    rows = count_rows(parts)
    in_time, in_memory = _most_rows(parts, used, schema, seconds, memory_mb) if rows > LEAST else (rows, rows)
    most = min(in_time, in_memory)
    if rows <= most:
        return Read(*parse_table(read_parts(parts, names), used), [])
    answered, notices = _answered(parts, schema)
    chosen = answered
    if len(answered) > most:
        chosen = np.sort(np.random.default_rng(seed).choice(answered, most, replace=False))
        about = {"used": most, "rows": len(answered)}
        notices.append(Notice(SAMPLED if in_time < in_memory else TO_FIT, about, Weight.WARNING))
    return Read(*parse_table(pick_rows(parts, names, chosen), used), notices, len(answered))


def said_once(notices: Sequence[Notice]) -> list[Notice]:
    """The same, but of samples that were taken one of another only the smallest, as one of all rows."""
    samples = [notice for notice in notices if notice.template in (SAMPLED, TO_FIT)]
    if not samples:
        return list(notices)
    least = min(samples, key=lambda sample: sample.values["used"])
    rows = max(sample.values["rows"] for sample in samples)
    told = replace(least, values={"used": least.values["used"], "rows": rows})
    return [told if notice is least else notice for notice in notices if notice is least or notice not in samples]


def _answered(parts: Sequence[Path], schema: Schema) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], list[Notice]]:
    """The rows that hold an answer for every output, and a word about those that do not."""
    answers = read_parts(parts, [column.name for column in schema.outputs])
    lost = {name: count for name, count in answers.null_count().row(0, named=True).items() if count}
    notices = [Notice(LEFT_OUT, {"rows": n, "column": name}, Weight.WARNING) for name, n in lost.items()]
    known = answers.select(pl.all_horizontal(pl.all().is_not_null())).to_series()
    return np.flatnonzero(known.to_numpy()), notices


def _most_rows(
    parts: Sequence[Path], used: Sequence[Column], schema: Schema, seconds: float, memory_mb: int
) -> tuple[int, int]:
    """How many rows can be learned from in the time, and in the memory: judged by the first rows."""
    head = read_parts(parts, [column.name for column in used], LOOKED_AT)
    table, _ = parse_table(head, used)
    bytes_per_row, features = _size(head, table, schema)
    columns = len(schema.inputs)
    made = MADE + min(MADE_PER_COLUMN * columns, MADE_CELLS // max(1, columns))
    in_memory = int(((memory_mb - LIBRARIES_MB) * 2**20 - made * MADE_FEATURE * features) / bytes_per_row)
    return max(LEAST, rows_in_time(table, schema, seconds)), max(LEAST, in_memory)


def _size(head: pl.DataFrame, table: Table, schema: Schema) -> tuple[float, int]:
    """Bytes that a row takes at the worst time, and how many features it is encoded as."""
    inputs = {column.name: table[column.name] for column in schema.inputs}
    labels = sum(column.type.is_text for column in schema.inputs)
    features = TableEncoder(schema.inputs).fit(inputs).transform(inputs).width + CODES * labels
    texts = [column.name for column in schema.columns if column.type.is_text and column.name in table]
    sentences = [column.name for column in schema.inputs if column.type is DataType.LANGUAGE]
    text = 2 * head.estimated_size() + WORDS * head.select(sentences).estimated_size()
    return text / max(1, head.height) + WORD * len(texts) + CELL * len(table) + FEATURE * features, features
