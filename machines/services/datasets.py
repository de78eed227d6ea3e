"""Data in: an uploaded file becomes a machine with typed columns and its rows in Parquet.

Large files are read by a worker; then the machine is there at once, and its columns come with the end of that work.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from django.db import transaction

from machines import storage
from machines.engine.errors import DataError, gettext_noop
from machines.services.columns import schema_of
from machines.services.reading import is_large, read_in_child, reading_start
from machines.services.rows import (
    TRAINING,
    check_not_reading,
    columns_forget,
    part_of,
    part_paths,
    reading_record,
    remove_parts,
    rows_record,
    write_lock,
)
from models import Machine, Team, User
from models.audit import AuditAction, record
from models.machine import MachineStatus

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
        request = {"path": str(source), "name": file_name, "options": {}, "folder": str(folder)}
        reading = None if is_large(source) else read_in_child(request)
        with transaction.atomic():
            machine = _machine_create(user, name, team, file_name, source)
            if reading:
                reading_record(machine, reading, user)
            else:
                reading_start(machine=machine, user=user, file=source, name=file_name)
        return machine
    except BaseException:
        storage.remove_folder(folder)
        raise


def dataset_read_again(*, machine: Machine, options: Mapping[str, Any], user: User) -> bool:
    """Read the kept file of a machine with other options; columns are proposed anew. False when a worker will do that.

    Raises DataError and changes nothing.
    """
    source = _source(machine)
    if machine.machine_status == MachineStatus.TRAINING:
        raise DataError(TRAINING)
    with write_lock(machine):
        check_not_reading(machine)
        if is_large(source):
            reading_start(machine=machine, user=user, file=source, name=machine.source_name, options=dict(options))
            return False
        request = {"path": str(source), "name": machine.source_name, "options": dict(options)}
        reading = read_in_child(request | {"folder": str(source.parent)})
        old_parts = part_paths(machine)
        with part_of(reading), transaction.atomic():
            columns_forget(machine)
            reading_record(machine, reading, user)
    remove_parts(old_parts)
    return True


def rows_add(*, machine: Machine, file_name: str, chunks: Iterable[bytes], user: User) -> int | None:
    """Add the rows of another file to a machine and return how many; None when a worker will read them.

    Raises DataError naming the column that does not fit.
    """
    folder = _source(machine).parent
    incoming = storage.new_incoming()
    try:
        storage.write_whole(incoming, chunks)
        with write_lock(machine):
            check_not_reading(machine)
            if is_large(incoming):
                _read_later(machine, incoming, file_name, user)
                return None
            request = {"kind": "append", "path": str(incoming), "name": file_name, "options": {}, "folder": str(folder)}
            reading = read_in_child(request | {"schema": schema_of(machine).to_json()})
            with part_of(reading):
                return rows_record(machine, reading, user)
    finally:
        incoming.unlink(missing_ok=True)


def _read_later(machine: Machine, incoming: Path, file_name: str, user: User) -> None:
    """Keep the file in the folder of the work that reads it, with which it goes."""
    folder = storage.new_folder("works")
    try:
        source = folder / "source"
        storage.move(incoming, source)
        kept = storage.recorded(folder)
        reading_start(machine=machine, user=user, file=source, name=file_name, folder=kept, kind="append", options={})
    except BaseException:
        storage.remove_folder(folder)
        raise


def _source(machine: Machine) -> Path:
    if not machine.source_path:
        raise DataError(NO_SOURCE)
    return storage.absolute(machine.source_path)


def _machine_create(user: User, name: str, team: Team | None, file_name: str, source: Path) -> Machine:
    machine = Machine(machine_name=name, machine_owner_user=user, machine_owner_team=team)
    machine.source_name, machine.source_path = file_name, storage.recorded(source)
    machine.save()
    if team:
        record(AuditAction.MACHINE_SHARED, actor=user, team=team, target=machine)
    return machine
