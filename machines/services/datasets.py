"""Data in: an uploaded file becomes a machine with typed columns and its rows in Parquet."""

import errno
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from machines import storage
from machines.child import ChildFailedError, run_child
from machines.engine.errors import DataError, Notice, gettext_noop
from machines.engine.job import DISK_FULL
from machines.services.columns import column_from_profile, schema_of
from models import Column, DataLinesOperation, Machine, MachineTableLockWrite, Team, User
from models.audit import AuditAction, record
from models.machine import InvalidTransition, MachineStatus
from models.machine_table_lock_write import LockBusy

PREVIEW_ROWS = 8
READ_AT_ONCE = 2  # files one web process reads at the same time: each may take READ_MEMORY_MB
PLACE_SECONDS = 20  # how long an upload waits for its turn
_PLACES = threading.BoundedSemaphore(READ_AT_ONCE)
RESERVED_MB, RESERVED_PER_CORE_MB = (
    4096,
    100,
)  # address space that a reader claims beyond its memory, with room to spare
STALE_AFTER_SECONDS = 60  # beyond what reading may take
TRAINING = gettext_noop("This machine is training. Wait for its end, or cancel it, before the file is read anew.")
BUSY = gettext_noop("Something else is changing this right now. Try again in a minute.")
NO_SOURCE = gettext_noop("The file of this machine is not kept here, so no rows can be read for it.")


def dataset_upload(
    *, user: User, name: str, file_name: str, chunks: Iterable[bytes], team: Team | None = None
) -> Machine:
    """Keep an uploaded file, read it and return a new machine with its columns proposed, shared with a team or not.

    Raises DataError with a sentence for the person; then nothing of the upload is kept.
    """
    folder = storage.new_folder()
    try:
        source = folder / "source"
        storage.write_whole(source, chunks)
        reading = read_in_child({"path": str(source), "name": file_name, "options": {}, "folder": str(folder)})
        return _machine_create(user, name, team, file_name, source, reading)
    except BaseException:
        storage.remove_folder(folder)
        raise


def dataset_read_again(*, machine: Machine, options: Mapping[str, Any], user: User) -> None:
    """Read the kept file of a machine with other options; columns are proposed anew. Raises DataError and changes nothing."""
    source = _source(machine)
    if machine.machine_status == MachineStatus.TRAINING:
        raise DataError(TRAINING)
    with write_lock(machine):
        reading = read_in_child(
            {"path": str(source), "name": machine.source_name, "options": dict(options), "folder": str(source.parent)}
        )
        old_parts = part_paths(machine)
        with _part_of(reading), transaction.atomic():
            _columns_forget(machine)
            _reading_record(machine, reading, user)
    for path in old_parts:
        path.unlink(missing_ok=True)


def rows_add(*, machine: Machine, file_name: str, chunks: Iterable[bytes], user: User) -> int:
    """Add the rows of another file to a machine and return how many. Raises DataError naming the column that does not fit."""
    folder = _source(machine).parent
    incoming = storage.new_incoming()
    try:
        storage.write_whole(incoming, chunks)
        with write_lock(machine):
            request = {"kind": "append", "path": str(incoming), "name": file_name, "options": {}, "folder": str(folder)}
            reading = read_in_child(request | {"schema": schema_of(machine).to_json()})
            with _part_of(reading):
                return _rows_record(machine, reading, user)
    finally:
        incoming.unlink(missing_ok=True)


def lock_name(machine: Machine) -> str:
    """Return the name of the lock that whoever changes a machine's rows holds."""
    return f"machine-{machine.pk}"


def part_paths(machine: Machine) -> list[Path]:
    """Return the Parquet parts with the rows a machine learns from, oldest first."""
    parts = DataLinesOperation.objects.for_machine(machine).for_learning().order_by("pk")
    return [storage.absolute(path) for path in parts.values_list("path", flat=True)]


def _source(machine: Machine) -> Path:
    if not machine.source_path:
        raise DataError(NO_SOURCE)
    return storage.absolute(machine.source_path)


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


@contextmanager
def _part_of(reading: Mapping[str, Any]) -> Iterator[None]:
    """Remove the part that was read when it cannot be recorded."""
    try:
        yield
    except BaseException:
        Path(reading["part"]["path"]).unlink(missing_ok=True)
        raise


def _columns_forget(machine: Machine) -> None:
    try:
        machine.columns_proposed()
    except InvalidTransition as error:  # a training was started while the file was read
        raise DataError(TRAINING) from error
    DataLinesOperation.objects.for_machine(machine).for_learning().delete()
    machine.columns.all().delete()


def read_in_child(request: dict[str, Any]) -> dict[str, Any]:
    """Run a request of `machines.engine.reading` in a child process and return its answer.

    Raises DataError, and OSError when a disk is full.
    """
    request |= {"preview_rows": PREVIEW_ROWS}
    if not _PLACES.acquire(timeout=PLACE_SECONDS):
        raise DataError(gettext_noop("Several files are being read just now. Try again in a minute."))
    try:
        reading = run_child(
            "machines.engine.reading",
            request,
            seconds=settings.READ_SECONDS,
            memory_mb=settings.READ_MEMORY_MB,
            address_mb=settings.READ_MEMORY_MB + RESERVED_MB + RESERVED_PER_CORE_MB * (os.cpu_count() or 1),
        )
    except ChildFailedError as error:
        raise DataError(_FAILURES.get(error.reason, _FAILURES["crash"])) from error
    finally:
        _PLACES.release()
    if not reading.get("ok"):
        notice = Notice.from_json(reading["error"])
        if notice.template == DISK_FULL:  # told as when this process itself finds the disk full
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise DataError(notice.template, **notice.values)
    return reading


_FAILURES = {
    "deadline": gettext_noop("Reading this file takes too long. Upload a smaller part of it."),
    "memory": gettext_noop("Reading this file needs too much memory. Upload a smaller part of it."),
    "crash": gettext_noop("This file cannot be read. Save it again as CSV in UTF-8 and try once more."),
}


@transaction.atomic
def _machine_create(
    user: User, name: str, team: Team | None, file_name: str, source: Path, reading: Mapping[str, Any]
) -> Machine:
    machine = Machine(machine_name=name, machine_owner_user=user, machine_owner_team=team)
    machine.source_name, machine.source_path = file_name, storage.recorded(source)
    machine.save()
    if team:
        record(AuditAction.MACHINE_SHARED, actor=user, team=team, target=machine)
    _reading_record(machine, reading, user)
    return machine


def _reading_record(machine: Machine, reading: Mapping[str, Any], user: User) -> None:
    machine.source_options = reading["found"]
    machine.source_notices = reading["notices"]
    machine.source_preview = reading["preview"]
    Column.objects.bulk_create(
        [column_from_profile(machine, position, profile) for position, profile in enumerate(reading["columns"])]
    )
    machine.save(update_fields=["source_options", "source_notices", "source_preview"])
    _rows_record(machine, reading, user)


def _rows_record(machine: Machine, reading: Mapping[str, Any], user: User) -> int:
    part = reading["part"]
    with transaction.atomic():
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
