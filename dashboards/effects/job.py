"""`python -m dashboards.effects.job`: the effect of columns in a process of its own, see `machines.engine.job`.

One JSON line: {"parts": [path], "columns": [Column.to_json()], "chosen": [name], "model": path of an ONNX file, "folder": of
typed columns, "path": of the result}. It writes as JSON what `effects` tells, with the values of each column.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl

from dashboards.drawing import typed
from dashboards.effects.effects import MOST_ROWS, effects, values_of
from machines.engine.columns.parse import parse_table
from machines.engine.errors import DataError
from machines.engine.files import write_safely
from machines.engine.job import ROWS_GONE, Parent, serve
from machines.engine.schema import Column, Role, Table
from machines.serving.predictor import Predictor

SEED = 7


def run(request: dict[str, Any], parent: Parent) -> None:
    pl.Config.set_engine_affinity("streaming")
    parts, folder = [Path(part) for part in request["parts"]], Path(request["folder"])
    columns = [Column.from_json(column) for column in request["columns"]]
    try:
        told = made(parts, columns, request["chosen"], Path(request["model"]).read_bytes(), folder)
    except FileNotFoundError as error:
        raise DataError(ROWS_GONE) from error
    write_safely(Path(request["path"]), orjson.dumps(told))
    typed.tidy(folder)


def made(
    parts: Sequence[Path], columns: Sequence[Column], chosen: Sequence[str], model: bytes, folder: Path
) -> dict[str, Any]:
    """What the page shows."""
    predictor = Predictor(model)
    inputs = [column for column in columns if column.role is Role.INPUT]
    rows = sum(int(pl.scan_parquet(part).select(pl.len()).collect().item()) for part in parts)
    about = []
    for column in inputs:
        if column.name in chosen:
            cells = typed.frame(parts, {"cell": column}, folder)
            found = {
                "name": column.name,
                "type": str(column.type),
                "unit": column.unit,
                **values_of(cells, "cell", column),
            }
            about += [found] if len(found["values"]) > 1 else []
    told = effects(predictor.predict, sample(parts, inputs, rows), {each["name"]: each["values"] for each in about})
    lines = told.pop("lines")
    about = sorted(about, key=lambda each: chosen.index(each["name"]))
    return {
        **told, "rows": rows, "asked": min(rows, MOST_ROWS), "columns": [each | {"lines": lines[each["name"]]} for each in about]
    }  # fmt: skip


def sample(parts: Sequence[Path], inputs: Sequence[Column], rows: int) -> Table:
    """At most so many rows at random, always the same of the same table."""
    names = [column.name for column in inputs]
    chosen = np.sort(np.random.default_rng(SEED).choice(rows, min(rows, MOST_ROWS), replace=False))
    scan = pl.concat([_with_all(pl.scan_parquet(part), names) for part in parts])
    kept = scan.with_row_index("row number").filter(pl.col("row number").is_in(chosen.tolist()))
    return parse_table(kept.select(names).collect(engine="streaming"), inputs)[0]


def _with_all(scan: pl.LazyFrame, names: Sequence[str]) -> pl.LazyFrame:
    """These columns of a part, empty where it lacks one."""
    there = set(scan.collect_schema())
    return scan.select(pl.col(name) if name in there else pl.lit(None, pl.String).alias(name) for name in names)


if __name__ == "__main__":
    serve(run)
