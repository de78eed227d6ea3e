"""A training in a process of its own: `python -m machines.engine.fit_job`. See machines.engine.job for what it hears and says."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from machines.engine.errors import Notice, Weight, gettext_noop
from machines.engine.files import write_safely
from machines.engine.job import Parent, serve
from machines.engine.parameters import MEMORY_MB

UNREADABLE = gettext_noop("Cells of “%(column)s” that could not be read as its type count as missing: %(cells)s.")


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
    split: Mapping[str, Any]  # Split.to_json()
    memory_mb: int = MEMORY_MB  # that the process may take at its worst
    threads: int = 1
    trials_path: Path | None = None  # a folder of its own; a later attempt with the same line goes on from there

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Job":
        return cls(
            parts=tuple(Path(part) for part in data["parts"]),
            schema=data["schema"],
            level=int(data["level"]),
            deadline=float(data["deadline"]),
            seed=int(data["seed"]),
            onnx_path=Path(data["onnx_path"]),
            report_path=Path(data["report_path"]),
            parameters=data.get("parameters") or {},
            split=data.get("split") or {},
            memory_mb=int(data.get("memory_mb", MEMORY_MB)),
            threads=int(data.get("threads", 1)),
            trials_path=Path(data["trials_path"]) if data.get("trials_path") else None,
        )


def run(request: dict[str, Any], parent: Parent) -> None:
    """Read the rows, train, and write machine and report. Raises DataError."""
    job = Job.from_json(request)
    from machines.engine.parameters import Parameters
    from machines.engine.prepare import prepare
    from machines.engine.sampling import read_within, said_once
    from machines.engine.schema import Schema
    from machines.engine.splits import Split, columns_to_read

    schema, split = Schema.from_json(job.schema), Split.from_json(job.split)
    read = read_within(job.parts, columns_to_read(schema, split), schema, job.deadline, job.memory_mb, job.seed)
    prepare(read.table, schema, job.deadline, job.seed)
    import torch  # slow, a second or more: the parent has heard of mistakes in the table before

    from machines.engine.fit import fit
    from machines.engine.trials import Trials

    torch.set_num_threads(job.threads)
    torch.set_flush_denormal(True)
    fitted = fit(
        read.table,
        schema,
        level=job.level,
        deadline=job.deadline,
        seed=job.seed,
        on_progress=lambda progress: parent.tell(progress.to_json()),
        parameters=Parameters.from_json(job.parameters),
        trials=Trials(job.trials_path),
        split=split,
    )
    report = fitted.report.to_json() | {"split": split.to_json()}
    lost = [_unreadable(name, cells) for name, cells in read.unreadable.items() if cells]
    notices = said_once([*fitted.report.warnings, *read.notices, *lost])
    report["warnings"] = [notice.to_json() for notice in notices]
    report["rows"] = read.usable or report["rows"]
    write_safely(job.onnx_path, fitted.onnx)
    write_safely(job.report_path, orjson.dumps(report, option=orjson.OPT_SERIALIZE_NUMPY))


def _unreadable(column: str, cells: int) -> Notice:
    return Notice(UNREADABLE, {"column": column, "cells": cells}, Weight.WARNING)


if __name__ == "__main__":
    serve(run)
