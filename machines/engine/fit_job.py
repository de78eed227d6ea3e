"""A training in a process of its own: `python -m machines.engine.fit_job`.

Reads one line of JSON on stdin (see `Job`), writes one line of JSON per event on stdout. A further line `finish` on
stdin means "keep the best you have"; the end of stdin means that whoever asked is gone, and the process ends at once.
"""

import os
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import orjson

from machines.engine.errors import DataError, Notice, Weight, gettext_noop
from machines.engine.progress import Progress

OUT_OF_MEMORY = gettext_noop("There was not enough memory for this table. Use fewer columns or rows.")
UNREADABLE = gettext_noop("%(cells)s cells of “%(column)s” could not be read as its type and count as missing.")
GONE = 3  # exit status when the parent went away


@dataclass(frozen=True)
class Job:
    """What stdin's first line says."""

    parts: tuple[Path, ...]  # Parquet files of text cells
    schema: list[dict[str, Any]]  # Schema.to_json()
    level: int
    deadline: float  # seconds of learning, once torch is there and the rows are read
    seed: int
    onnx_path: Path
    report_path: Path
    parameters: Mapping[str, Any]
    threads: int = 1

    @classmethod
    def from_line(cls, line: str) -> "Job":
        data = orjson.loads(line)
        return cls(
            parts=tuple(Path(part) for part in data["parts"]),
            schema=data["schema"],
            level=int(data["level"]),
            deadline=float(data["deadline"]),
            seed=int(data["seed"]),
            onnx_path=Path(data["onnx_path"]),
            report_path=Path(data["report_path"]),
            parameters=data.get("parameters") or {},
            threads=int(data.get("threads", 1)),
        )


class Listener:
    """Watches stdin in a thread: `finish`, or the end of the parent."""

    def __init__(self, lines: TextIO) -> None:
        self.finish = threading.Event()
        threading.Thread(target=self._watch, args=(lines,), daemon=True).start()

    def on_progress(self, progress: Progress) -> bool:
        """Pass progress on; False once somebody said "finish now"."""
        emit({"kind": "progress"} | progress.to_json())
        return not self.finish.is_set()

    def _watch(self, lines: TextIO) -> None:
        for line in lines:
            if line.strip() == "finish":
                self.finish.set()
        os._exit(GONE)


def emit(event: Mapping[str, Any]) -> None:
    """Write one event as one line."""
    out: BinaryIO = sys.stdout.buffer
    out.write(orjson.dumps(event, option=orjson.OPT_SERIALIZE_NUMPY) + b"\n")
    out.flush()


def write_safely(path: Path, content: bytes) -> None:
    """Give the file its name only when all of it is on the disk."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def run(job: Job, listener: Listener) -> None:
    """Read the rows, train, and write machine and report. Raises DataError."""
    import torch  # slow: a second or more, so that the parent hears of mistakes in the job's line first

    from machines.engine.columns.parse import parse_table
    from machines.engine.fit import fit
    from machines.engine.parameters import Parameters
    from machines.engine.reading import read_parts
    from machines.engine.schema import Schema

    torch.set_num_threads(job.threads)
    torch.set_flush_denormal(True)
    schema = Schema.from_json(job.schema)
    used = [column for column in schema.columns if column.is_used]
    table, unreadable = parse_table(read_parts(job.parts, [column.name for column in used]), used)
    fitted = fit(
        table,
        schema,
        level=job.level,
        deadline=job.deadline,
        seed=job.seed,
        on_progress=listener.on_progress,
        parameters=Parameters.from_json(job.parameters),
    )
    report = fitted.report.to_json()
    report["warnings"] += [_unreadable(name, cells).to_json() for name, cells in unreadable.items() if cells]
    write_safely(job.onnx_path, fitted.onnx)
    write_safely(job.report_path, orjson.dumps(report, option=orjson.OPT_SERIALIZE_NUMPY))


def main() -> None:
    """Run the one job that stdin names."""
    job = Job.from_line(sys.stdin.readline())
    listener = Listener(sys.stdin)
    try:
        run(job, listener)
    except DataError as error:
        emit({"kind": "error", "error": error.notice.to_json()})
    except MemoryError:
        emit({"kind": "error", "error": Notice(OUT_OF_MEMORY, {}, Weight.WARNING).to_json()})
    else:
        emit({"kind": "done"})
    os._exit(0)  # the thread that waits for stdin would hold the process


def _unreadable(column: str, cells: int) -> Notice:
    return Notice(UNREADABLE, {"column": column, "cells": cells}, Weight.WARNING)


if __name__ == "__main__":
    main()
