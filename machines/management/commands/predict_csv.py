"""Answer the rows of a file with a machine's ONNX file, without database or account."""

import resource
from argparse import ArgumentParser
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

from machines.engine.errors import Notice, Weight
from machines.engine.fit_job import UNREADABLE
from machines.management.commands._plain import PlainCommand, check_place, check_readable, sentence_for_disk

if TYPE_CHECKING:
    from machines.engine.reading import RawTable
    from machines.engine.solving.match import Match
    from machines.serving.predictor import Predictor


class Command(PlainCommand):
    help = "Answer every row of a table with a machine made by train_csv or downloaded from the site."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("machine", type=Path, metavar="MACHINE.onnx")
        parser.add_argument("rows", type=Path, help="CSV, TSV, TXT, XLSX, JSON or Parquet")
        parser.add_argument("--save", type=Path, required=True, metavar="OUT.csv")

    def handle(self, *args: Any, machine: Path, rows: Path, save: Path, **options: Any) -> None:
        for path in (machine, rows):
            check_readable(path)
        check_place(save, [machine, rows])
        if self.is_own_process:
            limit_memory(settings.WORK_MEMORY_MB)
        from machines.engine.solving.machine_file import open_machine
        from machines.engine.solving.match import match_inputs
        from machines.engine.table_file import read_file

        predictor, schema = open_machine(machine)
        raw = read_file(rows)
        match = match_inputs(raw, schema)
        self._warn([*raw.notices, *match.notices])
        unreadable = save_answers(predictor, raw, match, save)
        self._warn([Notice(UNREADABLE, {"column": n, "cells": k}, Weight.WARNING) for n, k in unreadable.items()])
        self.stdout.write(f"{raw.rows} rows answered. Saved as {save}")

    def _warn(self, notices: Sequence[Notice]) -> None:
        self.warn([notice for notice in notices if notice.weight is Weight.WARNING])


def save_answers(predictor: "Predictor", raw: "RawTable", match: "Match", save: Path) -> dict[str, int]:
    """Give the file its name only when all of it is on the disk."""
    from machines.engine.answers_csv import write_answers
    from machines.engine.files import whole

    with sentence_for_disk(save), whole(save) as temporary, temporary.open("wb") as file:
        return write_answers(predictor, raw, match, file)


def limit_memory(megabytes: int) -> None:
    """A file that asks for more is refused by the system, not killed with everything else."""
    with suppress(OSError, ValueError):
        most = megabytes * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))
