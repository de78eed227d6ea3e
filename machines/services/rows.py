"""The rows of a machine: where they lie, who changes them, and what was read of them."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from machines import storage
from machines.engine.errors import DataError, gettext_noop
from machines.services.columns import column_from_profile
from models import Column, DataLinesOperation, Machine, MachineTableLockWrite, User, Work
from models.machine import InvalidTransition
from models.machine_table_lock_write import LockBusy
from models.work import WorkKind

STALE_AFTER_SECONDS = 60  # beyond what reading may take
BUSY = gettext_noop("Something else is changing this right now. Try again in a minute.")
TRAINING = gettext_noop("This machine is training. Wait for its end, or cancel it, before the file is read anew.")
READING = gettext_noop("A large file of this machine is being read. Wait for its end, or cancel it.")


def part_paths(machine: Machine) -> list[Path]:
    """Return the Parquet parts with the rows a machine learns from, oldest first."""
    parts = DataLinesOperation.objects.for_machine(machine).for_learning().order_by("pk")
    return [storage.absolute(path) for path in parts.values_list("path", flat=True)]


def drawn_folder(part: Path) -> Path:
    """Return where graphs keep what they were made of, beside a machine's parts: it goes with them."""
    return part.parent / "drawn"


def remove_parts(paths: Iterable[Path]) -> None:
    """Remove parts that are not recorded any more, and what graphs kept of them."""
    for path in paths:
        path.unlink(missing_ok=True)
        storage.remove_folder(drawn_folder(path))


def latest_reading(machine: Machine) -> Work | None:
    """Return the newest work that reads a large file of this machine, whatever became of it."""
    return Work.objects.filter(WorkKind.READING.q, machine=machine).order_by("-pk").first()


def lock_name(machine: Machine) -> str:
    """Return the name of the lock that whoever changes a machine's rows holds."""
    return f"machine-{machine.pk}"


@contextmanager
def write_lock(machine: Machine) -> Iterator[None]:
    """Be the only one who changes the rows of a machine. Raises DataError when somebody else is at it for long."""
    # Older, it is left over from a process that died: reading ends in time.
    stale = settings.READ_SECONDS + STALE_AFTER_SECONDS
    try:
        with MachineTableLockWrite.objects.hold(lock_name(machine), stale_seconds=stale):
            yield
    except LockBusy as error:
        raise DataError(BUSY) from error


def check_not_reading(machine: Machine) -> None:
    """Raise DataError while a worker reads a file of this machine. Ask it under the lock: such work begins under it."""
    reading = latest_reading(machine)
    if reading and reading.is_active:
        raise DataError(READING)


@contextmanager
def part_of(reading: Mapping[str, Any]) -> Iterator[None]:
    """Remove the part that was read when it cannot be recorded."""
    try:
        yield
    except BaseException:
        Path(reading["part"]["path"]).unlink(missing_ok=True)
        raise


def columns_forget(machine: Machine) -> None:
    """Make room for what is read anew. Raises DataError while the machine trains."""
    try:
        machine.columns_proposed()
    except InvalidTransition as error:  # a training was started while the file was read
        raise DataError(TRAINING) from error
    DataLinesOperation.objects.for_machine(machine).for_learning().delete()
    machine.columns.all().delete()


def reading_record(machine: Machine, reading: Mapping[str, Any], user: User | None) -> None:
    """Write what was read of a new table: how, its columns as proposed, its rows."""
    machine.source_options = reading["found"]
    machine.source_notices = reading["notices"]
    machine.source_preview = reading["preview"]
    Column.objects.bulk_create(
        [column_from_profile(machine, position, profile) for position, profile in enumerate(reading["columns"])]
    )
    machine.save(update_fields=["source_options", "source_notices", "source_preview"])
    rows_record(machine, reading, user)


@transaction.atomic
def rows_record(machine: Machine, reading: Mapping[str, Any], user: User | None) -> int:
    """Write that there are more rows; return how many."""
    part = reading["part"]
    DataLinesOperation.objects.create(
        machine_id=machine.pk,
        is_added_for_learning=True,
        path=storage.recorded(Path(part["path"])),
        rows=part["rows"],
        sha256=part["sha256"],
        user=user,
    )
    operations = DataLinesOperation.objects.for_machine(machine).for_learning()
    machine.rows_count = sum(operations.values_list("rows", flat=True))
    machine.save(update_fields=["rows_count"])  # no more: a training may have changed the rest meanwhile
    return int(part["rows"])
