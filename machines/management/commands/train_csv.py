"""Train a machine from a file and save it as one ONNX file, without database or account."""

import os
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from django.conf import settings

from machines.engine.errors import DataError, Notice, gettext_noop
from machines.engine.files import write_safely
from machines.engine.parameters import LEVELS, level_for, level_seconds
from machines.engine.progress import Progress
from machines.engine.schema import DataType
from machines.engine.splits import Split, SplitKind
from machines.management.commands._plain import (
    PlainCommand,
    alarm,
    check_place,
    check_readable,
    process_age,
    sentence_for_disk,
    within_memory,
)

if TYPE_CHECKING:
    from machines.engine.fit import Fitted
    from machines.engine.report import OutputReport

LATEST = 1.3  # seconds beyond 1.1 times the time allowed, after which nothing is waited for
START_SECONDS = 1.5  # for loading torch
MOST_SECONDS = 30 * 24 * 3600
SHOWN = ("roc_auc", "log_loss", "accuracy", "rmse", "r2")

LEVEL_HELP = "effort; sets the time, too; 1 if neither is said, and with --seconds the one that uses them up"
SECONDS_HELP = (
    "all the time there is, instead of the level's; what is tried depends on how fast this computer is, so that the "
    "same seed may give another machine"
)
GROUP_HELP = "rows with the same value belong together: it is measured on values it has never seen"
TRIALS_HELP = (
    "keep here what is fitted; said again with more time it goes on from there, and the time that was taken counts"
)
TIME_HELP = "rows follow one another in time: it is measured on the latest fifth"

TOO_LATE = gettext_noop("This table needs more than the %(seconds)s seconds allowed. Allow more with --seconds.")


class Command(PlainCommand):
    help = "Train a machine from a table and save it as one ONNX file. Needs neither database nor account."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("data", type=Path, help="CSV, TSV, TXT, XLSX, JSON or Parquet")
        parser.add_argument(
            "--output", action="append", required=True, type=_name, metavar="COL", help="may be repeated"
        )
        parser.add_argument("--ignore", action="append", default=[], type=_name, metavar="COL", help="may be repeated")
        parser.add_argument("--type", action="append", default=[], type=_typed, metavar="COL=TYPE", dest="types")
        together = parser.add_mutually_exclusive_group()
        together.add_argument("--group", type=_by(SplitKind.GROUP), metavar="COL", dest="split", help=GROUP_HELP)
        together.add_argument("--time", type=_by(SplitKind.TIME), metavar="COL", dest="split", help=TIME_HELP)
        parser.set_defaults(split=Split())
        parser.add_argument("--level", type=int, choices=LEVELS, help=LEVEL_HELP)
        parser.add_argument("--seconds", type=_seconds, metavar="N", help=SECONDS_HELP)
        parser.add_argument("--seed", type=_seed, default=0, metavar="N")
        parser.add_argument("--trials", type=Path, metavar="FOLDER", help=TRIALS_HELP)
        parser.add_argument("--json", action="store_true", dest="is_json", help="print the report as JSON")
        parser.add_argument("--save", type=Path, required=True, metavar="MACHINE.onnx")

    def handle(self, *args: Any, data: Path, save: Path, is_json: bool, **options: Any) -> None:
        started = time.monotonic() - (process_age() if self.is_own_process else 0.0)
        check_readable(data)
        check_place(save, [data])
        seconds, level = options["seconds"], options["level"]
        options["level"] = level or (level_for(seconds) if seconds else LEVELS[0])
        seconds = seconds or _promised(options["level"], data)
        error = DataError(TOO_LATE, seconds=f"{seconds:g}")
        end = started + seconds
        with ExitStack() as limits:
            if self.is_own_process:
                limits.enter_context(within_memory(settings.TRAINING_MEMORY_MB))
                limits.enter_context(alarm(1.1 * seconds + LATEST + started - time.monotonic(), error))
            fitted, notices = self._train(data, options, end, None if is_json else seconds)
        with sentence_for_disk(save):
            write_safely(save, fitted.onnx)
        report = _report(fitted, options["split"], notices, time.monotonic() - started)
        self.stdout.write(
            orjson.dumps(report, option=orjson.OPT_INDENT_2).decode() if is_json else _summary(report, save)
        )
        if not is_json:
            self.warn(report["warnings"])

    def _train(
        self, data: Path, options: Mapping[str, Any], end: float, told: float | None
    ) -> "tuple[Fitted, list[Notice]]":
        """Read and learn until `end` on the monotonic clock; return the machine and what to know about the data.

        Say how long it takes at most, `told`, before learning begins.
        """
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        from machines.engine.prepare import prepare
        from machines.engine.table_file import Wishes, load

        outputs, split = list(dict.fromkeys(options["output"])), options["split"]
        wishes = Wishes(outputs, options["ignore"], dict(options["types"]), split)
        seconds = max(1.0, end - START_SECONDS - time.monotonic())
        loaded = load(data, wishes, seconds, options["seed"], settings.TRAINING_MEMORY_MB)
        prepare(loaded.table, loaded.schema, seconds, options["seed"])  # mistakes are told before torch is there
        if told:
            rows, columns = len(next(iter(loaded.table.values()))), len(loaded.schema.inputs)
            self.stdout.write(f"Learning from {rows} rows and {columns} columns, {told:g} s at most, all in all.")
            self.stdout.flush()
        import torch  # slow: mistakes in the table are told before

        from machines.engine.fit import fit
        from machines.engine.trials import Trials

        torch.set_num_threads(1)
        torch.set_flush_denormal(True)
        fitted = fit(
            loaded.table,
            loaded.schema,
            level=options["level"],
            deadline=end - time.monotonic(),
            seed=options["seed"],
            on_progress=self._show if self.stderr.isatty() else None,
            trials=Trials(options["trials"]),
            split=split,
            by_clock=options["seconds"] is not None,
        )
        return fitted, loaded.notices

    def _show(self, progress: Progress) -> bool:
        words = f"{progress.share:4.0%}  {progress.message}"
        self.stderr.write(f"\r{words:<70.70}", style_func=str, ending="\n" if progress.share >= 1 else "")
        self.stderr.flush()
        return True


def _promised(level: int, data: Path) -> float:
    """The seconds of a level for a table of this size."""
    from machines.engine.table_file import size_at_a_glance

    return level_seconds(level, *size_at_a_glance(data), settings.TRAINING_MEMORY_MB)


def _name(text: str) -> str:
    """A title as the reader gives it."""
    return " ".join(text.split())


def _typed(text: str) -> tuple[str, DataType]:
    name, _, type = text.rpartition("=")
    if not name or type.upper() not in DataType.__members__:
        raise ArgumentTypeError(f"“{text}” is not COL=TYPE with one of the types {', '.join(DataType)}")
    return _name(name), DataType(type.upper())


def _by(kind: SplitKind) -> Callable[[str], Split]:
    return lambda text: Split(kind, _name(text))


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= MOST_SECONDS:
        raise ArgumentTypeError(f"“{text}” seconds cannot be kept to")
    return seconds


def _seed(text: str) -> int:
    seed = int(text)
    if not 0 <= seed < 2**31:
        raise ArgumentTypeError(f"“{text}” is not between 0 and {2**31 - 1}")
    return seed


def _report(fitted: "Fitted", split: Split, notices: Sequence[Notice], seconds: float) -> dict[str, Any]:
    from machines.engine.sampling import said_once

    report = fitted.report
    return {
        "outputs": [output.name for output in report.outputs],
        "tasks": [output.task for output in report.outputs],
        "rows": report.rows,
        "rows_trained": report.rows_trained,
        "rows_held_out": report.rows_held_out,
        "split": split.to_json(),
        "level": report.level,
        "seed": report.seed,
        "seconds": round(seconds, 3),
        "holdout": {output.name: _metrics(output, "holdout") for output in report.outputs},
        "baseline": {output.name: _metrics(output, "baseline") for output in report.outputs},
        "importance": dict(report.importance),
        "warnings": list(map(str, said_once([*notices, *report.warnings]))),
    }


def _metrics(output: "OutputReport", which: str) -> dict[str, dict[str, float]]:
    return {name: metric.to_json() for name, metric in getattr(output, which).items()}


def _summary(report: Mapping[str, Any], save: Path) -> str:
    lines = [_line(name, report) for name in report["outputs"]]
    rows = f"{report['rows_trained']} rows, measured on {report['rows_held_out']} that were not learned from"
    return "\n".join([*lines, f"{rows}, {report['seconds']:.1f} s. Saved as {save}"])


def _line(name: str, report: Mapping[str, Any]) -> str:
    """One output in words, with the figures of the best simple model beside its own."""
    simple = report["baseline"][name]
    figures = [
        f"{metric} {found['value']:.4g} ({found['low']:.4g} to {found['high']:.4g}; simple model {simple[metric]['value']:.4g})"
        for metric, found in report["holdout"][name].items()
        if metric in SHOWN
    ]
    return f"{name}: {', '.join(figures)}"
