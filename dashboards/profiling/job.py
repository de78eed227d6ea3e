"""`python -m dashboards.profiling.job`: profiles a table in a process of its own, see `machines.engine.job`.

One JSON line: {"parts": [path], "columns": [Column.to_json()], "folder": of typed columns, "path": of the profile, "types":
whether columns are typed for graphs, too}. It tells {"kind": "progress", "share": 0..1, "message": Notice,
"seconds_left": or None}, and writes the profile as JSON, before it types.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from dashboards.drawing import typed
from dashboards.profiling import is_used
from dashboards.profiling.profile import profile
from machines.engine.errors import DataError, Notice, gettext_noop
from machines.engine.files import write_safely
from machines.engine.job import ROWS_GONE, Parent, serve
from machines.engine.schema import Column, DataType

COUNTING = gettext_noop("Counting the rows")
LOOKED = gettext_noop("Looked at %(done)s of %(of)s columns")
TYPING = gettext_noop("Preparing the graphs")
COUNTED_SHARE, LOOKED_SHARE = 0.3, 0.7  # of the time, measured with 32 million cells, when there are graphs to prepare
CELL_BYTES = 16  # at most, but for long texts: what a typed cell takes


class Progress:
    """Tells where it is, and how long the rest takes if it goes on like that."""

    def __init__(self, parent: Parent, *, looked_share: float) -> None:
        self.parent, self.looked_share, self.begun = parent, looked_share, time.monotonic()

    def tell(self, share: float, notice: Notice) -> None:
        took = time.monotonic() - self.begun
        left = took * (1 - share) / share if share else None
        self.parent.tell({"share": share, "message": notice.to_json(), "seconds_left": left})

    def looked(self, done: int, of: int) -> None:
        share = COUNTED_SHARE + (self.looked_share - COUNTED_SHARE) * done / max(1, of)
        self.tell(share, Notice(LOOKED, {"done": done, "of": of}))

    def typed(self, done: int, of: int) -> None:
        self.tell(self.looked_share + (1 - self.looked_share) * done / of, Notice(TYPING))


def run(request: dict[str, Any], parent: Parent) -> None:
    pl.Config.set_engine_affinity("streaming")  # memory stays bounded, however many rows there are
    folder, path = Path(request["folder"]), Path(request["path"])
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    columns, parts = [Column.from_json(column) for column in request["columns"]], [*map(Path, request["parts"])]
    progress = Progress(parent, looked_share=LOOKED_SHARE if request.get("types") else 1.0)
    progress.tell(0.0, Notice(COUNTING))
    try:
        told = profile(parts, columns, folder, progress.looked)
        write_safely(path, orjson.dumps(told, option=orjson.OPT_SERIALIZE_NUMPY))
        if request.get("types"):
            type_columns(parts, columns, folder, path, progress)
    except FileNotFoundError as error:  # a part, or a typed column that was tidied away meanwhile
        raise DataError(ROWS_GONE) from error
    typed.tidy(folder)


def type_columns(
    parts: Sequence[Path], columns: Sequence[Column], folder: Path, path: Path, progress: Progress
) -> None:
    """Keep the columns that graphs draw as they want them, as many as there is room for: then the first graph is quick.

    Of a large table the profile has read rows at random only, so it has typed none of them whole.
    """
    drawn = [column for column in columns if is_used(column) and is_drawn(column)]
    room = sum(typed.row_counts(parts)) * CELL_BYTES
    for done, column in enumerate(drawn):
        progress.typed(done, len(drawn))
        if _bytes(folder) + room > typed.MOST_BYTES:
            return
        path.touch()  # what was looked at for longest goes first: that must not be the profile
        typed.frame(parts, {typed.CELL: column}, folder)


def is_drawn(column: Column) -> bool:
    return column.type.is_numeric or column.type is DataType.LABEL


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir() if path.suffix in typed.KEPT)


if __name__ == "__main__":
    serve(run)
