"""The processes of test_power_loss: started once, this forks one for each line it reads, with Django ready.

{"do": name of an act, "place": folder, "database": name, ...}. In the folder, `data` holds the storage, and SQLite's
database; everything that changes there, and every message to PostgreSQL, is counted (power_loss.c). The answer is one
line: the status of the fork.
"""

import ctypes
import hashlib
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import django

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[2] / "site")]
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()

from django.conf import settings  # noqa: E402  (after setup)
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from machines import storage  # noqa: E402
from machines.jobs.runner import work_run  # noqa: E402
from machines.services import reading  # noqa: E402
from machines.services.datasets import dataset_upload, rows_add  # noqa: E402
from machines.services.solving import solving_start  # noqa: E402
from machines.services.sweeping import storage_sweep  # noqa: E402
from machines.services.uploads import model_upload  # noqa: E402
from models import DataLinesOperation, Machine, ModelVersion, NNModel, User, Work  # noqa: E402
from models.work import WorkKind  # noqa: E402


def prepare(place: Path, table: str) -> None:
    """A database with Alice and her machine, which has rows and a model."""
    call_command("migrate", verbosity=0)
    User.objects.create(email="alice@example.org", first_name="Alice")
    upload(_chunks(table))
    Machine.objects.update(training_nn_model=NNModel.objects.create(nn_model=b"ONNX"))


def upload(chunks: Iterator[bytes]) -> None:
    dataset_upload(user=User.objects.get(), name="Houses", file_name="houses.csv", chunks=chunks)


def add(chunks: Iterator[bytes]) -> None:
    rows_add(machine=Machine.objects.get(), file_name="houses.csv", chunks=chunks, user=User.objects.get())


def solve(chunks: Iterator[bytes]) -> None:
    user, machine = User.objects.get(), Machine.objects.get()
    solving_start(machine=machine, user=user, file_name="houses.csv", chunks=chunks, format="csv")


def model(chunks: Iterator[bytes]) -> None:
    """What begins like an ONNX file is kept in the storage until its check."""
    settings.MODEL_ROW_BYTES = 1
    given = {"framework": "onnx", "file_name": "model.onnx", "chunks": (b"\x08", *chunks)}
    model_upload(user=User.objects.get(), name="Model", **given)


def watched(act: Callable[[Iterator[bytes]], None], *, is_large: bool = False) -> Callable[..., None]:
    """The act with a table, and all that it changes counted; the process that reads the table is watched too."""

    def run(place: Path, shim: str, table: str) -> None:
        python = place / "python"
        python.write_text(f'#!/bin/sh\nLD_PRELOAD={shim} POWER_LOSS={place} exec {sys.executable} "$@"\n')
        python.chmod(0o700)
        sys.executable = str(python)
        if is_large:
            reading.LARGE_BYTES = 1
        connection.ensure_connection()
        ctypes.CDLL(None).power_loss_arm(os.fsencode(place))
        act(_chunks(table))

    return run


def _chunks(table: str) -> Iterator[bytes]:
    content = Path(table).read_bytes()
    return (content[at : at + 10_000] for at in range(0, len(content), 10_000))


def look(place: Path) -> None:
    """Write down what there is after a sweep, and again when a worker has read what waited to be read."""
    found = [_seen()]
    for work in Work.objects.filter(WorkKind.READING.q).waiting():
        work_run(work_id=work.pk)
        found.append(_seen())
    (place / "seen").write_text(json.dumps(found))


def _seen() -> dict[str, Any]:
    """Every row about files, with what lies where it points, and how much lies in the storage at all."""
    storage_sweep(older_than=timedelta(0))
    added = DataLinesOperation.objects.order_by("pk")
    places = list(settings.STORAGE_ROOT.rglob("*"))
    return {
        "machines": [
            [machine.rows_count, machine.columns.count(), _digest(machine.source_path)]
            for machine in Machine.objects.order_by("pk")
        ],
        "parts": [[part.rows, _digest(part.path) == part.sha256] for part in added.for_learning()],
        "asked": list(added.filter(is_added_for_solving=True).values_list("sha256", flat=True)),
        "works": [
            [work.kind.name, work.state.name, _digest(work.parameters.get("path") or f"{work.folder or '.'}/source")]
            for work in Work.objects.order_by("pk")
        ],
        "models": [_digest(version.file_path) == version.sha256 for version in ModelVersion.objects.order_by("pk")],
        "files": sum(path.is_file() for path in places),
        "folders": sum(path.is_dir() and path.parent.parent == settings.STORAGE_ROOT for path in places),
    }


def _digest(path: str) -> str | None:
    place = storage.absolute(path)
    return hashlib.sha256(place.read_bytes()).hexdigest() if place.is_file() else None


ACTS: dict[str, Callable[..., None]] = {
    "prepare": prepare,
    "look": look,
    "upload": watched(upload),
    "upload large": watched(upload, is_large=True),
    "add": watched(add),
    "add large": watched(add, is_large=True),
    "solve": watched(solve),
    "model": watched(model),
}


def act(order: dict[str, str]) -> None:
    place = Path(order.pop("place"))
    settings.STORAGE_ROOT = place / "data" / "storage"
    connection.settings_dict["NAME"] = order.pop("database")
    ACTS[order.pop("do")](place, **order)
    connection.close()


def main() -> None:
    for line in sys.stdin:
        process = os.fork()
        if not process:
            try:
                act(json.loads(line))
                os._exit(0)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
