"""The child process that reads a file: `python -m machines.engine.reading`. See machines.engine.job for what it says.

{"kind": "profile", "path", "name", "options", "folder", "preview_rows"} reads a new table and profiles its columns.
{"kind": "append", ... , "schema": [Column ...]} reads more rows for known columns.
{"kind": "copies", "parts", "answer": ColumnProfile, "profiles": [ColumnProfile ...]} finds inputs that repeat the answer.
A traceback only ever goes to stderr.
"""

import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from machines.engine.columns.profile import ColumnProfile, profile_table
from machines.engine.columns.roles import as_copy, find_copies
from machines.engine.errors import DataError, Notice, gettext_noop
from machines.engine.files import is_full
from machines.engine.job import Parent, serve
from machines.engine.reading import RawTable, ReadOptions, read_parts, read_table, write_part
from machines.engine.reading.append import match_columns
from machines.engine.reading.options import LIMITS
from machines.engine.schema import Schema

PREVIEW_ROWS = 20
PREVIEW_CELL = 200  # characters
READ, PROFILED = 0.4, 0.95  # shares of the time, measured on files of 20 to 200 MB
Tell: TypeAlias = Callable[[float, str, dict[str, Any]], None]

READING = gettext_noop("Reading the file")
PROFILING = gettext_noop("Looking at the columns: %(done)s of %(count)s")
WRITING = gettext_noop("Keeping the rows")
FAILED = gettext_noop("The file could not be read. Save it as a plain CSV file in UTF-8 and try again.")
NO_ROOM = gettext_noop("The file needs more memory than there is. Upload fewer rows or columns.")


def answer(request: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """Read the file of a request and store it, or look at stored rows. Raises DataError."""
    if request.get("kind") == "copies":
        return {"copies": copies(request)}
    options = ReadOptions.from_json(request.get("options") or {})
    tell(0.02, READING, {})
    table = read_table(Path(request["path"]), request["name"], options, LIMITS)
    columns = []
    if request.get("kind", "profile") == "append":
        table = match_columns(table, Schema.from_json(request["schema"]).columns)
    else:
        profiles = profile_table(table, options_for_profile(table, options), _of_columns(tell, len(table.columns)))
        columns = [profile.to_json() for profile in profiles]
    tell(PROFILED, WRITING, {})
    part = write_part(table, Path(request["folder"]))
    return {
        "part": part.to_json(),
        "found": table.found.to_json(),
        "notices": [notice.to_json() for notice in table.notices],
        "columns": columns,
        "names": list(table.columns),
        "preview": preview(table, int(request.get("preview_rows", PREVIEW_ROWS))),
        "rows": table.rows,
    }


def copies(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The profiles of inputs that say the same as the answer, with the flag that tells so."""
    answer, *others = (ColumnProfile.from_json(item) for item in (request["answer"], *request["profiles"]))
    names = [answer.name, *(profile.name for profile in others)]
    raw = RawTable.from_frame(read_parts([Path(part) for part in request["parts"]], names))
    found = find_copies(answer, others, raw)
    return [as_copy(profile).to_json() for profile in others if profile.name in found]


def options_for_profile(table: RawTable, options: ReadOptions) -> ReadOptions:
    """How the table was read; decimal mark and date order stay open unless the person set them."""
    found = table.found
    return ReadOptions.from_json(
        found.to_json() | {name: getattr(options, name) for name in ("decimal", "thousands", "date_order")}
    )


def preview(table: RawTable, rows: int) -> list[list[str | None]]:
    """The first rows, long cells cut."""
    return [[cell[:PREVIEW_CELL] if cell else cell for cell in row] for row in table.head(rows).iter_rows()]


def _of_columns(tell: Tell, count: int) -> Callable[[int], None]:
    """Tell after each column how many of them have been looked at."""

    def on_column(done: int) -> None:
        tell(READ + (PROFILED - READ) * done / count, PROFILING, {"done": done, "count": count})

    return on_column


def run(request: dict[str, Any], parent: Parent) -> dict[str, Any]:
    """Answer one request. Whatever is wrong with the file is a DataError; polars panics are no Exceptions."""

    def tell(share: float, template: str, values: dict[str, Any]) -> None:
        parent.tell({"share": share, "message": Notice(template, values).to_json()})

    try:
        return answer(request, tell)
    except DataError:
        raise
    except MemoryError:
        traceback.print_exc()
        raise DataError(NO_ROOM) from None
    except BaseException as error:
        if is_full(error):
            raise
        traceback.print_exc()
        raise DataError(FAILED) from None


if __name__ == "__main__":
    serve(run)
