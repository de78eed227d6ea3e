"""Work as such: asked for, ended early, cancelled, tried again, and forgotten by rule."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from machines.engine.errors import DataError, gettext_noop
from machines.jobs.estimates import estimate
from machines.jobs.folders import remove_folder_of
from machines.jobs.queue import send
from models import Machine, Server, User, Work
from models.audit import AuditAction, record
from models.work import WorkKind, WorkState

MOST_ACTIVE = 100  # of one person
TOO_MANY = gettext_noop(
    "You have %(count)s works that wait or run. Wait for some of them, or cancel what you do not need."
)
LEFT_BEHIND = timedelta(hours=1)  # after which a cancelled work needs its folder no more, whatever became of its worker


@transaction.atomic
def work_make(
    *,
    kind: WorkKind,
    user: User | None,
    machine: Machine | None = None,
    size: int | None = None,
    at_most: float | None = None,
    **values: Any,
) -> Work:
    """Accept a work, put it into its queue and return it. Other values are those of Work's columns.

    `at_most` is how many seconds a training may take.

    Raises DataError when this person has MOST_ACTIVE works that wait or run; their own data they get in any case.
    """
    if user and kind is not WorkKind.EXPORT and Work.objects.active().asked_by(user).count() >= MOST_ACTIVE:
        raise DataError(TOO_MANY, count=MOST_ACTIVE)
    values.setdefault("memory_mb", settings.WORK_MEMORY_MB)
    seconds = estimate(kind, level=values.get("level"), size=size, at_most=at_most)
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
    """Ask for the best that was found so far; it is there within seconds. Only a training finds something on its way."""
    return work.kind is WorkKind.TRAINING and work.request_finish()


@transaction.atomic
def work_cancel(*, work: Work, user: User | None = None) -> bool:
    """End a work at once and drop what it found; return whether this call ended it.

    Its worker notices within a second. Nobody waits for it: it may have died. If `user`, who ends it, is somebody else
    than whoever asked for it, these are told, and the log says so.
    """
    from machines.jobs.kinds import job_of  # the jobs of all kinds make works

    is_waiting = Work.objects.waiting().filter(pk=work.pk).exists()
    is_ended = work.cancel()
    if is_ended:
        job_of(work).cancelled(work)
        if is_waiting:  # else its worker cleans up
            transaction.on_commit(lambda: remove_folder_of(work))
        if user and work.user_id != user.pk:
            Work.objects.filter(pk=work.pk).update(told_at=None)
            _note(AuditAction.WORK_CANCELLED, work, user)
    return is_ended


@transaction.atomic
def work_retry(*, work: Work, user: User | None = None) -> bool:
    """Let a failed work be tried again, and note which `user` wants that; return whether this call did it.

    Raises DataError where it cannot be.
    """
    from machines.jobs.kinds import job_of  # as above

    is_waiting = work.retry()
    if is_waiting:
        job_of(work).retried(work)
        send(work)
        if user:
            _note(AuditAction.WORK_RETRIED, work, user)
    return is_waiting


def _note(action: AuditAction, work: Work, user: User) -> None:
    record(action, actor=user, team=work.machine.machine_owner_team if work.machine else None, target=work)


def machine_held(*, work: Work) -> Machine | None:
    """Lock a work and then its machine: everywhere in this order, the other may deadlock. Call it in a transaction.

    Returns None, and ends the work, when the machine was deleted meanwhile.
    """
    Work.objects.select_for_update(of=("self",)).filter(pk=work.pk).values_list("pk").first()
    machine = Machine.objects.select_for_update(of=("self",)).filter(pk=work.machine_id or 0).first()
    if machine is None:
        work.cancel()
    return machine


def works_prune() -> int:
    """Forget ended work after WORK_DAYS, but the newest training of each machine, and files after WORK_FILE_DAYS.

    Of cancelled work nothing is kept: its files go as soon as no worker can be at it. Returns how many were forgotten.
    """
    ended = Work.objects.ended()
    kept = Q(work_finished_at_date_time__lt=_days_ago(settings.WORK_FILE_DAYS))
    left = WorkState.CANCELLED.q & Q(work_finished_at_date_time__lt=timezone.now() - LEFT_BEHIND)
    for work in ended.exclude(folder="").filter(kept | left):
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
