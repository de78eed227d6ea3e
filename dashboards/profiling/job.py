"""`python -m dashboards.profiling.job`: profiles a table in a process of its own, see `machines.engine.job`.

One JSON line: {"parts": [path], "columns": [Column.to_json()], "folder": of typed columns, "path": of the profile}. It tells
{"kind": "progress", "done": columns, "of": columns}, and writes the profile as JSON.
"""

from pathlib import Path
from typing import Any

import orjson
import polars as pl

from dashboards.drawing import typed
from dashboards.profiling.profile import profile
from machines.engine.errors import DataError
from machines.engine.files import write_safely
from machines.engine.job import ROWS_GONE, Parent, serve
from machines.engine.schema import Column


def run(request: dict[str, Any], parent: Parent) -> None:
    pl.Config.set_engine_affinity("streaming")  # memory stays bounded, however many rows there are
    folder, path = Path(request["folder"]), Path(request["path"])
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    columns = [Column.from_json(column) for column in request["columns"]]
    try:
        told = profile(
            [Path(part) for part in request["parts"]],
            columns,
            folder,
            lambda done, of: parent.tell({"done": done, "of": of}),
        )
    except FileNotFoundError as error:  # a part, or a typed column that was tidied away meanwhile
        raise DataError(ROWS_GONE) from error
    write_safely(path, orjson.dumps(told, option=orjson.OPT_SERIALIZE_NUMPY))
    typed.tidy(folder)


if __name__ == "__main__":
    serve(run)
