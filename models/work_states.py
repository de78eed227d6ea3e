"""What a work can be, and for how long it may be held."""

from datetime import timedelta

from django.conf import settings
from django.db.models.expressions import Combinable
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from .flags import Flags


class WorkState(Flags):
    WAITING = "is_work_status_wait_for_server_start", _("Waiting")
    PROCESSING = "is_work_status_server_processing", _("Running")
    FINISHED = "is_work_status_server_finished", _("Finished")
    ERROR = "is_work_status_server_error", _("Failed")
    CANCELLED = "is_work_status_cancelled", _("Cancelled")

    @property
    def is_active(self) -> bool:
        return self in {WorkState.WAITING, WorkState.PROCESSING}


class WorkKind(Flags):
    TRAINING = "is_work_training", _("Training")
    SOLVING = "is_work_solving", _("Answers")
    READING = "is_work_reading", _("Reading a file")
    EXPORT = "is_work_export", _("Export")
    CHECKING = "is_work_checking", _("Checking a model")
    PROFILING = "is_work_profiling", _("Data profile")


ACTIVE = (WorkState.WAITING, WorkState.PROCESSING)
ENDED = (WorkState.FINISHED, WorkState.ERROR, WorkState.CANCELLED)
MOST_ATTEMPTS = 3


def lease() -> Combinable:
    """Return until when a server may do a work without another sign of life."""
    return Now() + timedelta(seconds=settings.WORK_LEASE_SECONDS)
