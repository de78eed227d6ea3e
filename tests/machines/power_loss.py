"""The processes of test_power_loss: started once, this forks one for each line it reads, ready to upload.

{"do": "prepare" | "upload" | "look", "place": folder, ...}. In the folder, `data` holds the database and the storage, and
everything that changes there is counted (power_loss.c). The answer is one line: the status of the fork.
"""

import ctypes
import hashlib
import json
import os
import sys
import traceback
from datetime import timedelta
from pathlib import Path

import django

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[2] / "site")]
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()

from django.conf import settings  # noqa: E402  (after setup)
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from machines import storage  # noqa: E402
from machines.services.datasets import dataset_upload  # noqa: E402
from machines.services.sweeping import storage_sweep  # noqa: E402
from models import DataLinesOperation, Machine, User  # noqa: E402


def prepare(place: Path) -> None:
    call_command("migrate", verbosity=0)
    User.objects.create(email="alice@example.org", first_name="Alice")


def upload(place: Path, shim: str, table: str) -> None:
    """Upload a table; the process that reads it is watched too."""
    python = place / "python"
    python.write_text(f'#!/bin/sh\nLD_PRELOAD={shim} POWER_LOSS={place} exec {sys.executable} "$@"\n')
    python.chmod(0o700)
    sys.executable = str(python)
    content = Path(table).read_bytes()
    chunks = [content[at : at + 10_000] for at in range(0, len(content), 10_000)]
    user = User.objects.get()
    ctypes.CDLL(None).power_loss_arm(os.fsencode(place))
    dataset_upload(user=user, name="Houses", file_name="houses.csv", chunks=chunks)


def look(place: Path) -> None:
    """Write down what rows there are, what they name, and what lies in the storage before and after it is swept."""
    found = {"machines": [_seen(machine) for machine in Machine.objects.all()]}
    found["operations"] = DataLinesOperation.objects.count()
    swept = storage_sweep(older_than=timedelta(0))
    left = sorted(path.name for path in settings.STORAGE_ROOT.glob("*/*") if path.is_dir())
    found |= {"swept": swept.files, "folders": left}
    found["files"] = sum(path.is_file() for path in settings.STORAGE_ROOT.rglob("*"))
    (place / "seen").write_text(json.dumps(found))


def _seen(machine: Machine) -> dict[str, object]:
    (part,) = DataLinesOperation.objects.for_machine(machine)
    return {
        "source": _digest(machine.source_path),
        "is_part_whole": _digest(part.path) == part.sha256,
        "rows": [machine.rows_count, part.rows],
        "columns": machine.columns.count(),
    }


def _digest(path: str) -> str:
    return hashlib.sha256(storage.absolute(path).read_bytes()).hexdigest()


def act(order: dict[str, str]) -> None:
    place = Path(order.pop("place"))
    settings.STORAGE_ROOT = place / "data" / "storage"
    connection.settings_dict["NAME"] = str(place / "data" / "db.sqlite3")
    {"prepare": prepare, "upload": upload, "look": look}[order.pop("do")](place, **order)
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
