"""Reading files in a child process: small ones while the person waits, large ones as work."""

import errno
import os
import threading
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import transaction

from machines import storage
from machines.child import ChildFailedError, run_child
from machines.engine.errors import DataError, Notice, gettext_noop
from machines.engine.job import DISK_FULL
from machines.jobs.job import Answer, Job, Request
from machines.services.columns import schema_of
from machines.services.rows import (
    columns_forget,
    latest_reading,
    part_of,
    part_paths,
    reading_record,
    remove_parts,
    rows_record,
)
from machines.services.works import machine_held, work_make
from models import Machine, User, Work
from models.work import WorkKind

PREVIEW_ROWS = 8
LARGE_BYTES = 20_000_000  # of text; smaller files are read within a second or so
READ_AT_ONCE = 2  # files one web process reads at the same time: each may take READ_MEMORY_MB
PLACE_SECONDS = 20  # how long an upload waits for its turn
_PLACES = threading.BoundedSemaphore(READ_AT_ONCE)
# Address space that a reader claims beyond its memory, with room to spare
RESERVED_MB, RESERVED_PER_CORE_MB = 4096, 100
MODULE = "machines.engine.reading"
WORDS = {
    "deadline": gettext_noop("Reading this file takes too long. Upload a smaller part of it."),
    "memory": gettext_noop("Reading this file needs too much memory. Upload a smaller part of it."),
    "crash": gettext_noop("This file cannot be read. Save it again as CSV in UTF-8 and try once more."),
}
NOT_ALLOWED = gettext_noop("Whoever uploaded this file may no longer change this machine.")
NOT_KEPT = gettext_noop("The file is not kept here any more. Upload it again.")
NEWER = gettext_noop("Another file of this machine was read, or is being read, meanwhile.")


def read_in_child(request: Request) -> Answer:
    """Run a request of `machines.engine.reading` in a child process and return its answer.

    Raises DataError, and OSError when a disk is full.
    """
    if not _PLACES.acquire(timeout=PLACE_SECONDS):
        raise DataError(gettext_noop("Several files are being read just now. Try again in a minute."))
    try:
        reading = run_child(
            MODULE,
            {"preview_rows": PREVIEW_ROWS, **request},
            seconds=settings.READ_SECONDS,
            memory_mb=settings.READ_MEMORY_MB,
            address_mb=settings.READ_MEMORY_MB + RESERVED_MB + RESERVED_PER_CORE_MB * (os.cpu_count() or 1),
        )
    except ChildFailedError as error:
        raise DataError(WORDS.get(error.reason, WORDS["crash"])) from error
    finally:
        _PLACES.release()
    if reading.get("kind") == "error":
        notice = Notice.from_json(reading["error"])
        if notice.template == DISK_FULL:  # told as when this process itself finds the disk full
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise DataError(notice.template, **notice.values)
    return reading


def is_large(file: Path) -> bool:
    return file.stat().st_size > LARGE_BYTES


def reading_start(*, machine: Machine, user: User, file: Path, name: str, folder: str = "", **request: Any) -> Work:
    """Let a worker read a file in the storage. Call it under the lock of the machine's rows.

    `request` may hold the `kind` ("append" adds rows, else the table is new) and the `options` of reading; `folder`, as
    recorded, is one that goes with the end of the work.
    """
    parameters = {"path": storage.recorded(file), "name": name, **request}
    return work_make(
        kind=WorkKind.READING,
        user=user,
        machine=machine,
        size=file.stat().st_size,
        memory_mb=settings.READ_MEMORY_MB,
        folder=folder,
        parameters=parameters,
    )


def _check(work: Work) -> None:
    """Raise DataError when who uploaded was removed, or given a lower role, while the work waited."""
    if not Machine.objects.editable_by(work.user or AnonymousUser()).filter(Work=work).exists():
        raise DataError(NOT_ALLOWED)


def _prepare(work: Work, folder: Path) -> Request:
    machine, parameters = work.machine, dict(work.parameters)
    assert machine is not None, "checked before"
    place = storage.absolute(parameters["path"])
    schema = {"schema": schema_of(machine).to_json()} if parameters.get("kind") == "append" else {}
    target = storage.absolute(machine.source_path).parent  # where the machine's other parts lie
    return {"preview_rows": PREVIEW_ROWS, **parameters, "path": str(place), "folder": str(target), **schema}


def _record(work: Work, folder: Path, answer: Answer) -> None:
    with part_of(answer):
        machine = machine_held(work=work)
        if machine is None or not work.finish({"rows": answer["rows"]}):
            Path(answer["part"]["path"]).unlink(missing_ok=True)
        elif work.parameters.get("kind") == "append":
            rows_record(machine, answer, work.user)
        else:
            _replace(machine, answer, work.user)


def _replace(machine: Machine, answer: Answer, user: User | None) -> None:
    old_parts = part_paths(machine)
    columns_forget(machine)
    reading_record(machine, answer, user)
    transaction.on_commit(lambda: remove_parts(old_parts), robust=True)


def _retried(work: Work) -> None:
    """Raise DataError where the file is gone, or something newer would be lost."""
    if work.machine is None or not storage.absolute(work.parameters["path"]).exists():
        raise DataError(NOT_KEPT)
    if latest_reading(work.machine) != work:
        raise DataError(NEWER)


JOB = Job(
    module=MODULE,
    seconds=lambda work: settings.READ_SECONDS,
    check=_check,
    prepare=_prepare,
    record=_record,
    retried=_retried,
    words=WORDS,
)
