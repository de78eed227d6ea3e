"""`python -m dashboards.drawing.job`: a process that stays and draws, one figure after the other.

It reads one JSON line per figure: {"parts": [path], "columns": [Column.to_json()], "kind": 1..13, "chosen": {place: name},
"folder": path, "points": how many rows it may draw one by one, if fewer than its kind can, "is_quick": whether a sample
will do while columns of a large table were not read yet}, and answers with one: {"kind": "done", "figure":
Drawing.to_json(), with "is_sample" if it is of one} or {"kind": "error", "error": notice}. It ends when nobody can ask any
more. Figures of all rows and typed columns are kept in the folder, so that the same question is answered from there.
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

import orjson
import polars as pl

from dashboards.drawing import typed
from dashboards.drawing.draw import draw
from dashboards.drawing.figure import MOST_POINTS, Drawing, Field, Fields
from dashboards.drawing.first_look import first_look, is_wanted
from dashboards.drawing.kinds import KINDS, faults
from dashboards.drawing.sampling import fewer_points
from machines.engine.errors import DataError, Notice, gettext_noop
from machines.engine.files import is_full, write_safely
from machines.engine.job import DISK_FULL, OUT_OF_MEMORY, ROWS_GONE, emit, failure
from machines.engine.schema import Column

MOST_LABELS = 1_000_000  # different ones of a column; each is counted in memory
VERSION = 3  # counts up when the same rows would be drawn in another way
FAILED = gettext_noop("This graph could not be drawn. Choose other columns, or another kind.")
SAMPLE = gettext_noop("%(shown)s of %(rows)s rows, chosen at random: the others were not read yet.")
TOO_MANY = gettext_noop(
    "“%(column)s” has about %(labels)s different labels, too many to be told apart. Choose another column."
)


def main(lines: TextIO) -> None:
    """Answer each line, whatever it asks; what nobody foresaw goes to the log, and the process goes on."""
    pl.Config.set_engine_affinity("streaming")  # memory stays bounded, however many rows there are
    for line in lines:
        emit(answer(line))


def answer(line: str) -> dict[str, Any]:
    """The one reply to a request."""
    try:
        return {"kind": "done", "figure": figure(orjson.loads(line))}
    except DataError as error:
        return {"kind": "error", "error": error.notice.to_json()}
    except MemoryError:
        return failure(OUT_OF_MEMORY)
    except FileNotFoundError:  # a part, or a typed column that was tidied away meanwhile
        return failure(ROWS_GONE)
    except (Exception, pl.exceptions.PanicException) as error:
        sys.excepthook(type(error), error, error.__traceback__)
        return failure(DISK_FULL if is_full(error) else FAILED)


def figure(request: dict[str, Any]) -> dict[str, Any]:
    """What a request asks for, from the folder if it was drawn before. Raises DataError."""
    kind, folder = int(request["kind"]), Path(request["folder"])
    parts = [Path(path) for path in request["parts"]]
    columns = [Column.from_json(column) for column in request["columns"]]
    chosen = {place: request["chosen"].get(place) or "" for place in KINDS[kind]}
    for fault in faults(kind, chosen, columns).values():
        raise DataError(fault.template, **fault.values)
    known = {column.name: column for column in columns}
    placed = {place: known[name] for place, name in chosen.items() if name}
    about = {place: column.to_json() for place, column in placed.items()}
    points = min(MOST_POINTS, request.get("points") or MOST_POINTS)
    path = folder / f"{typed.key(parts, VERSION, kind, about, points)}.json"
    if path.exists():
        path.touch()
        return dict(orjson.loads(path.read_bytes()))
    fields = {place: Field(column.name, column.type, column.unit) for place, column in placed.items()}
    if request.get("is_quick") and is_wanted(parts, placed, folder):
        some, rows = first_look(parts, placed)
        with fewer_points(points):
            sample = draw(kind, some.lazy(), fields)
        rule = Notice(SAMPLE, {"shown": len(some), "rows": rows})
        return _plain(replace(sample, rules=(rule, *sample.rules))) | {"is_sample": True}
    frame = typed.frame(parts, placed, folder)
    _check_labels(frame, fields, typed.most_labels(parts))
    with fewer_points(points):
        drawn = _plain(draw(kind, frame, fields))
    write_safely(path, orjson.dumps(drawn))
    typed.tidy(folder)
    return drawn


def _plain(drawing: Drawing) -> dict[str, Any]:
    """As JSON that holds nothing of numpy."""
    return dict(orjson.loads(orjson.dumps(drawing.to_json(), option=orjson.OPT_SERIALIZE_NUMPY)))


def _check_labels(frame: pl.LazyFrame, fields: Fields, most: int) -> None:
    """Raise DataError if a column has more labels than memory is meant for; one that is not kept as texts has `most`."""
    for place, kind in frame.collect_schema().items():
        may_have_many = kind == pl.String or (kind == pl.Categorical and most > MOST_LABELS)
        labels = frame.select(pl.col(place).approx_n_unique()).collect().item() if may_have_many else 0
        if labels > MOST_LABELS:
            raise DataError(TOO_MANY, column=fields[place].name, labels=int(float(f"{labels:.2g}")))


if __name__ == "__main__":
    main(sys.stdin)
