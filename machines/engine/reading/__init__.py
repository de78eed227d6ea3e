"""Files of people -> raw tables of text: CSV, TSV, TXT, XLSX, JSON, Parquet. Runs in a child process, `__main__.py`."""

from pathlib import Path

from machines.engine.reading.excel import read_excel
from machines.engine.reading.json_rows import read_json
from machines.engine.reading.kinds import Kind, find_kind
from machines.engine.reading.nested import add_children
from machines.engine.reading.options import LIMITS, Limits, ReadOptions
from machines.engine.reading.parquet import read_parquet
from machines.engine.reading.parts import Part, read_parts, write_part
from machines.engine.reading.table import RawTable
from machines.engine.reading.text import read_text

__all__ = ["LIMITS", "Kind", "Limits", "Part", "RawTable", "ReadOptions", "read_parts", "read_table", "write_part"]

READERS = {Kind.TEXT: read_text, Kind.EXCEL: read_excel, Kind.JSON: read_json, Kind.PARQUET: read_parquet}


def read_table(path: Path, name: str, options: ReadOptions = ReadOptions(), limits: Limits = LIMITS) -> RawTable:  # noqa: B008
    """Read the file at `path`, which its person calls `name`. Raises DataError with a sentence for that person."""
    kind = find_kind(path, name, limits)
    return add_children(READERS[kind](path, options, limits), limits)
