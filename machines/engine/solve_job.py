"""All rows answered in a process of its own: `python -m machines.engine.solve_job`. See machines.engine.job.

The request: {"model_path" (a machine's ONNX file, or the .json of an uploaded model, see solving.uploaded_file),
"source": {"path", "name", "options"} or "parts": [Parquet files of text cells], "folder", "format": "csv" or "parquet",
"answers_path", "errors_path", "threads"}. What is done stays in `folder`: a second process that gets the same request goes
on where the first was killed. Whoever asked removes the folder when the job is done.

The answers' file has one row for every row, in order: its own columns as they were, then the answers (see
`solving.match.answer_titles` for what they are called). Rows without a single cell are no rows, as in every file that is
read. The errors' file has the columns `row` (1 is the first row below the titles), `column`, `value`, `problem`.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import polars as pl

from machines.engine.errors import Notice, Weight, gettext_noop
from machines.engine.files import whole
from machines.engine.fit_job import UNREADABLE
from machines.engine.job import Parent, serve
from machines.engine.reading.__main__ import PREVIEW_CELL
from machines.engine.schema import Schema
from machines.engine.solving.chunks import Chunks, begin, digest
from machines.engine.solving.join import JOINS
from machines.engine.solving.machine_file import open_machine
from machines.engine.solving.match import answer_titles, match_inputs, match_titles
from machines.engine.solving.problems import Problems, join_problems
from machines.engine.solving.rows import CELLS, Rows, chunk_rows, stored_rows, uploaded_rows
from machines.engine.solving.uploaded_file import check_needed, open_uploaded

OFTEN = 0.34  # seconds between two lines about progress, at least
READ, ANSWERED = 0.05, 0.95  # shares of the work that are done after these steps
PREVIEW_ROWS = 5
READING = gettext_noop("Reading the file")
ANSWERING = gettext_noop("Answering rows: %(done)s of %(total)s")
WRITING = gettext_noop("Writing the file")
CALLED = gettext_noop("The file has a column like “%(column)s” already, so the answers are called “%(title)s”.")


@dataclass(frozen=True)
class Job:
    """What stdin's first line says."""

    model_path: Path
    source: Mapping[str, Any] | None  # an uploaded file
    parts: tuple[Path, ...]  # else stored rows
    folder: Path
    format: str
    answers_path: Path
    errors_path: Path
    threads: int = 1
    cells: int = CELLS  # of a chunk

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Job":
        paths = {name: Path(data[name]) for name in ("model_path", "folder", "answers_path", "errors_path")}
        return cls(
            **paths,
            source=data.get("source"),
            parts=tuple(Path(part) for part in data.get("parts") or ()),
            format=data["format"],
            threads=int(data.get("threads", 1)),
            cells=int(data.get("cells", CELLS)),
        )

    @property
    def is_uploaded(self) -> bool:
        return self.model_path.suffix == ".json"

    def rows(self) -> Rows:
        """Read the uploaded file, or look at the stored ones. Raises DataError."""
        return uploaded_rows(self.source, self.folder, self.cells) if self.source else stored_rows(self.parts)

    def fingerprint(self) -> list[Any]:
        """What must be the same for chunks of an earlier process to be of use."""
        files = [Path(self.source["path"])] if self.source else [*self.parts]
        sizes = [(str(file), file.stat().st_size) for file in files]
        return [digest(self.model_path), self.source, sizes, self.cells]


class Progress:
    """Tells the parent how far the work is, not too often."""

    def __init__(self, parent: Parent) -> None:
        self.parent = parent
        self.told = -OFTEN

    def tell(self, share: float, template: str, seconds_left: float | None = None, **values: Any) -> None:
        if monotonic() - self.told >= OFTEN:
            self.told = monotonic()
            message = Notice(template, values).to_json()
            self.parent.tell({"share": round(share, 4), "message": message, "seconds_left": seconds_left})


def run(request: dict[str, Any], parent: Parent) -> dict[str, Any]:
    """Answer all rows and return what is to be said about them. Raises DataError."""
    job, progress = Job.from_json(request), Progress(parent)
    predictor, schema = (open_uploaded if job.is_uploaded else open_machine)(job.model_path)
    begin(job.folder, job.fingerprint())
    progress.tell(0.0, READING)
    rows = job.rows()
    match = match_inputs(rows.table, schema) if rows.table else match_titles(rows.titles, schema)
    check_needed(predictor, match)
    titles = answer_titles(predictor, rows.titles)
    chunks = Chunks(rows, chunk_rows(len(rows.titles), job.cells), job.folder)
    resumed = len(chunks) - len(chunks.left)
    answer_all(chunks, partial(chunks.answer, predictor, match, titles), job.threads, progress)
    problems = write_files(job, chunks, progress)
    notices = [*rows.notices, *match.notices, *_called(titles, schema), *_lost(problems)]
    return {
        "rows": rows.count,
        "unreadable": problems.unreadable,
        "unanswered": problems.unanswered,
        "errors": problems.count,
        "notices": [notice.to_json() for notice in notices],
        "resumed_chunks": resumed,
        "answers": list(titles.values()),
        **preview(chunks.answers(0)),
    }


def answer_all(chunks: Chunks, answer: Callable[[int], None], threads: int, progress: Progress) -> None:
    """Answer what is left, `threads` chunks at a time; after an error nothing more is begun."""
    left, began = chunks.left, monotonic()
    pool = ThreadPoolExecutor(threads)
    try:
        for done, _ in enumerate(pool.map(answer, left), 1):
            seconds = (monotonic() - began) / done * (len(left) - done)
            answered = len(chunks) - len(left) + done
            share = READ + (ANSWERED - READ) * answered / len(chunks)
            rows = min(answered * chunks.step, chunks.rows.count)
            progress.tell(share, ANSWERING, seconds / ANSWERED, done=rows, total=chunks.rows.count)
    finally:
        pool.shutdown(cancel_futures=True)


def write_files(job: Job, chunks: Chunks, progress: Progress) -> Problems:
    """Join the chunks: first the errors, so that they are there when the answers are."""
    with whole(job.errors_path) as temporary, temporary.open("wb") as file:
        problems = join_problems(chunks.all_problems, file)
    parts, began = chunks.all_answers, monotonic()
    progress.tell(ANSWERED, WRITING)
    for done in JOINS[job.format](parts, job.answers_path):
        seconds = (monotonic() - began) / done * (len(parts) - done)
        progress.tell(ANSWERED + (1 - ANSWERED) * done / len(parts), WRITING, seconds)
    return problems


def preview(part: Path) -> dict[str, Any]:
    """The titles and the first rows, long cells cut."""
    first = pl.read_parquet(part, n_rows=PREVIEW_ROWS)
    cut = first.with_columns(pl.col(pl.String).str.slice(0, PREVIEW_CELL))
    return {"titles": first.columns, "preview": [list(row) for row in cut.rows()]}


def _called(titles: Mapping[str, str], schema: Schema) -> list[Notice]:
    names = [(column.name, titles[column.name]) for column in schema.outputs]
    return [Notice(CALLED, {"column": name, "title": title}) for name, title in names if name != title]


def _lost(problems: Problems) -> list[Notice]:
    lost = problems.unreadable.items()
    return [Notice(UNREADABLE, {"column": title, "cells": cells}, Weight.WARNING) for title, cells in lost]


if __name__ == "__main__":
    serve(run)
