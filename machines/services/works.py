"""Work as such: asked for, ended early, cancelled, tried again, and forgotten by rule."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from machines.jobs.estimates import estimate
from machines.jobs.folders import remove_folder_of
from machines.jobs.queue import send
from models import Machine, Server, User, Work
from models.work import WorkKind


@transaction.atomic
def work_make(
    *, kind: WorkKind, user: User | None, machine: Machine | None = None, size: int | None = None, **values: Any
) -> Work:
    """Accept a work, put it into its queue and return it. Other values are those of Work's columns."""
    values.setdefault("memory_mb", settings.WORK_MEMORY_MB)
    seconds = estimate(kind, level=values.get("level"), size=size)
    work = Work.objects.create(
        user=user,
        machine=machine,
        size=size,
        work_duration_estimation_seconds=seconds,
        **kind.columns,
        **values,
    )
    send(work)
    return work


def work_finish_early(*, work: Work) -> bool:
    """Ask for the best that was found so far; it is there within seconds."""
    return work.request_finish()


@transaction.atomic
def work_cancel(*, work: Work) -> bool:
    """End a work at once and drop what it found; return whether this call ended it.

    Its worker notices within a second. Nobody waits for it: it may have died.
    """
    from machines.jobs.kinds import job_of  # the jobs of all kinds make works

    is_waiting = Work.objects.waiting().filter(pk=work.pk).exists()
    is_ended = work.cancel()
    if is_ended:
        job_of(work).cancelled(work)
        if is_waiting:  # else its worker cleans up
            transaction.on_commit(lambda: remove_folder_of(work))
    return is_ended


@transaction.atomic
def work_retry(*, work: Work) -> bool:
    """Let a failed work be tried again; return whether this call did that. Raises DataError where it cannot be."""
    from machines.jobs.kinds import job_of  # as above

    is_waiting = work.retry()
    if is_waiting:
        job_of(work).retried(work)
        send(work)
    return is_waiting


def works_prune() -> int:
    """Forget ended work after WORK_DAYS, but the newest training of each machine, and files after WORK_FILE_DAYS.

    Returns how many works were forgotten.
    """
    ended = Work.objects.ended()
    for work in ended.exclude(folder="").filter(work_finished_at_date_time__lt=_days_ago(settings.WORK_FILE_DAYS)):
        remove_folder_of(work)
        Work.objects.filter(pk=work.pk).update(folder="")
    trainings = Work.objects.trainings().filter(machine__isnull=False).order_by().values("machine")
    newest = trainings.annotate(newest=Max("pk")).values("newest")
    old = ended.filter(work_finished_at_date_time__lt=_days_ago(settings.WORK_DAYS))
    return old.exclude(pk__in=newest).delete()[0]


def servers_prune() -> int:
    """Forget workers that stopped a day ago; return how many."""
    return Server.objects.filter(heartbeat_at__lt=_days_ago(1)).delete()[0]


def _days_ago(days: int) -> Any:
    return timezone.now() - timedelta(days=days)
