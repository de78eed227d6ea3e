"""The queue: it only brings a work to a server that has time. Lost, doubled or late messages do no harm.

This is all that knows how messages are sent and what became of them, through the task interface alone; which backend
carries them is the setting TASKS.
"""

from datetime import timedelta

from django.utils import timezone
from django_tasks import default_task_backend
from django_tasks.base import TaskResultStatus
from django_tasks.exceptions import TaskResultDoesNotExist

from models import Work

PATIENCE = timedelta(minutes=15)  # with backends that do not tell what became of a message
ON_ITS_WAY = {TaskResultStatus.READY, TaskResultStatus.RUNNING}


def send(work: Work, *, seconds: float = 0.0) -> None:
    """Put a waiting work into its queue, to be brought to a server after so many seconds."""
    from machines.tasks import work_run  # tasks import what sends

    task = work_run.using(queue_name=work.queue)
    if seconds and default_task_backend.supports_defer:
        task = task.using(run_after=timezone.now() + timedelta(seconds=seconds))
    work.queued(str(task.enqueue(work.pk).id))


def is_on_its_way(work: Work) -> bool:
    """Return whether a message will still bring this work to a server."""
    if not work.delivery:
        return False
    if not default_task_backend.supports_get_result:
        return work.queued_at is not None and timezone.now() - work.queued_at < PATIENCE
    try:
        return default_task_backend.get_result(work.delivery).status in ON_ITS_WAY
    except TaskResultDoesNotExist:
        return False
