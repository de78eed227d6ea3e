"""Own data as one ZIP file: asked for by a person, packed by a worker, kept for some days. One at a time for each person."""

import math
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.services.own_data import entries_of
from machines import storage
from machines.engine.errors import DataError, Notice, gettext_noop
from machines.jobs.folders import remove_folder_of
from machines.jobs.job import Answer, Job, Request
from machines.jobs.runner import WorkLostError
from machines.services.works import work_cancel, work_make
from models import User, Work
from models.audit import AuditAction, record
from models.work import ACTIVE, WorkKind, WorkState

SECONDS = 1800.0  # for packing, however much it is
MEMORY_MB = 512  # the child needs little, whatever it packs
NOBODY = gettext_noop("Whoever asked for this has no account any more.")
NEWER = gettext_noop("A newer one was asked for meanwhile.")
COLLECTING = Notice(gettext_noop("Collecting your data"))


def exports_of(user: User) -> "QuerySet[Work]":
    return Work.objects.asked_by(user).filter(WorkKind.EXPORT.q).order_by("-pk")


def export_of(user: User) -> Work | None:
    """Return the newest export of a person, whatever became of it."""
    return exports_of(user).first()


def has_file(work: Work) -> bool:
    """Return whether what it made is still kept."""
    return work.state is WorkState.FINISHED and bool(work.folder)


@transaction.atomic
def export_ask(*, user: User) -> Work:
    """Have a person's data prepared, in place of an earlier file. While that runs, asking again changes nothing."""
    list(User.objects.select_for_update(of=("self",)).filter(pk=user.pk).values_list("pk"))  # of two, one is first
    latest = export_of(user)
    if latest and latest.is_active:
        return latest
    export_drop(user=user)
    record(AuditAction.DATA_EXPORTED, actor=user)
    return work_make(kind=WorkKind.EXPORT, user=user, memory_mb=MEMORY_MB)


@transaction.atomic
def export_drop(*, user: User) -> None:
    """End what is being prepared and delete what is kept."""
    for work in exports_of(user).filter(WorkState.any_of(*ACTIVE) | ~Q(folder="")):
        work_cancel(work=work)
        Work.objects.filter(pk=work.pk).update(folder="")
        transaction.on_commit(partial(remove_folder_of, work))


def export_open(*, user: User) -> BinaryIO | None:
    """Return a person's archive to be read; None when there is none, or none any more."""
    work = export_of(user)
    if work is None or not has_file(work):
        return None
    with suppress(FileNotFoundError):
        return _archive(work, storage.absolute(work.folder)).open("rb")
    return None


def _archive(work: Work, folder: Path) -> Path:
    """Each attempt has a name of its own: one that was given up, and does not know it yet, spoils nothing."""
    return folder / f"export-{work.fencing_token}.zip"


def _facts(work: Work, folder: Path) -> Path:
    return folder / f"facts-{work.fencing_token}"


def _check(work: Work) -> None:
    if work.user is None or not work.user.is_active:
        raise DataError(NOBODY)


def _prepare(work: Work, folder: Path) -> Request:
    """Write what stands in the database below the folder, one thing at a time; files of the storage stay where they are."""
    assert work.user is not None, "checked before"
    _empty(folder)
    facts, alive, files = _facts(work, folder), _Alive(work), list[tuple[str, str]]()
    facts.mkdir()
    for name, content in entries_of(work.user):
        place = content if isinstance(content, Path) else facts / str(len(files))
        if not isinstance(content, Path):
            _write(place, content, alive)
        files.append((name, str(place)))
    return {"files": files, "archive": str(_archive(work, folder))}


def _empty(folder: Path) -> None:
    """Remove what an earlier attempt left."""
    for place in folder.iterdir():
        if place.is_dir():
            storage.remove_folder(place)
        else:
            place.unlink(missing_ok=True)


def _write(place: Path, chunks: Iterable[bytes], alive: "_Alive") -> None:
    """Write a file that is needed only until it is packed. What vanished meanwhile is no file: the child notes that."""
    with place.open("wb") as file:
        try:
            for chunk in chunks:
                file.write(chunk)
                alive.tell()
        except FileNotFoundError:
            place.unlink()


class _Alive:
    """Keeps the lease while facts are written, and stops that when the work is somebody else's."""

    def __init__(self, work: Work) -> None:
        self.work, self.told = work, -math.inf

    def tell(self) -> None:
        if time.monotonic() - self.told < settings.WORK_LEASE_SECONDS / 4:
            return
        if not self.work.report(0.0, str(COLLECTING), notice=COLLECTING.to_json()):
            raise WorkLostError
        self.told = time.monotonic()


def _record(work: Work, folder: Path, answer: Answer) -> None:
    if work.finish({name: answer[name] for name in ("bytes", "files", "missing")}):
        transaction.on_commit(lambda: storage.remove_folder(_facts(work, folder)))


def _retried(work: Work) -> None:
    if work.user is not None and export_of(work.user) != work:
        raise DataError(NEWER)


JOB = Job(
    module="machines.engine.pack_job",
    seconds=lambda work: SECONDS,
    check=_check,
    prepare=_prepare,
    record=_record,
    retried=_retried,
    keeps_folder=True,
    file_gb=1024,  # all that somebody has, in one file
)
