"""The child process that reads a file: one JSON request on stdin, one JSON line on stdout.

{"kind": "profile", "path", "name", "options", "folder", "preview_rows"} reads a new table and profiles its columns.
{"kind": "append", ... , "schema": [Column ...]} reads more rows for known columns.
{"kind": "copies", "parts", "answer": ColumnProfile, "profiles": [ColumnProfile ...]} finds inputs that repeat the answer.
The answer is {"ok": true, ...} or {"ok": false, "error": Notice}. A traceback only ever goes to stderr.
"""

import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from machines.engine.columns.profile import ColumnProfile, profile_table
from machines.engine.columns.roles import as_copy, find_copies
from machines.engine.errors import DataError, Notice, Weight, gettext_noop
from machines.engine.files import is_full
from machines.engine.job import DISK_FULL
from machines.engine.reading import RawTable, ReadOptions, read_parts, read_table, write_part
from machines.engine.reading.append import match_columns
from machines.engine.reading.options import LIMITS
from machines.engine.schema import Schema

PREVIEW_ROWS = 20
PREVIEW_CELL = 200  # characters
FAILED = gettext_noop("The file could not be read. Save it as a plain CSV file in UTF-8 and try again.")
NO_ROOM = gettext_noop("The file needs more memory than there is. Upload fewer rows or columns.")


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """Read the file of a request and store it, or look at stored rows. Raises DataError."""
    if request.get("kind") == "copies":
        return {"ok": True, "copies": copies(request)}
    options = ReadOptions.from_json(request.get("options") or {})
    table = read_table(Path(request["path"]), request["name"], options, LIMITS)
    columns = []
    if request.get("kind", "profile") == "append":
        table = match_columns(table, Schema.from_json(request["schema"]).columns)
    else:
        columns = [profile.to_json() for profile in profile_table(table, options_for_profile(table, options))]
    part = write_part(table, Path(request["folder"]))
    return {
        "ok": True,
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


def failure(template: str) -> dict[str, Any]:
    return {"ok": False, "error": Notice(template, {}, Weight.WARNING).to_json()}


def respond(text: bytes) -> dict[str, Any]:
    """Answer one request, whatever happens. polars panics are no Exceptions, hence BaseException."""
    try:
        return answer(orjson.loads(text))
    except DataError as error:
        return {"ok": False, "error": error.notice.to_json()}
    except MemoryError:
        traceback.print_exc()
        return failure(NO_ROOM)
    except BaseException as error:
        traceback.print_exc()
        return failure(DISK_FULL if is_full(error) else FAILED)


def main() -> None:
    reply = orjson.dumps(respond(sys.stdin.buffer.readline()), option=orjson.OPT_SERIALIZE_NUMPY)
    sys.stdout.buffer.write(reply + b"\n")


if __name__ == "__main__":
    main()
