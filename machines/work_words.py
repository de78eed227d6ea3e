"""What pages and programs say of a work: its state and its place in words, why it is tried again, how it ended."""

from typing import Any

from django.db.models import Case, Count, OuterRef, Subquery, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from config.formats import current_formats
from machines.engine.errors import Notice
from machines.services.texts import sentence
from models import Work
from models.work import MOST_ATTEMPTS, WorkKind, WorkQuerySet, WorkState

LOST = gettext_noop("The server that did it has stopped.")
ENDED = gettext_noop("This work has ended already.")
NOT_EARLY = gettext_noop("Only a training can be finished early. Cancel other work.")
ENDS = {  # what is told of an end, where there is a machine and where there is none
    (WorkKind.TRAINING, WorkState.FINISHED): gettext_noop("“%(name)s” is trained."),
    (WorkKind.TRAINING, WorkState.ERROR): gettext_noop("The training of “%(name)s” failed: %(why)s"),
    (WorkKind.TRAINING, WorkState.CANCELLED): gettext_noop(
        "The training of “%(name)s” was cancelled by somebody else."
    ),
    (WorkKind.SOLVING, WorkState.FINISHED): gettext_noop("The answers of “%(name)s” are ready."),
    (WorkKind.SOLVING, WorkState.ERROR): gettext_noop("“%(name)s” could not answer your rows: %(why)s"),
    (WorkKind.SOLVING, WorkState.CANCELLED): gettext_noop("The answers of “%(name)s” were cancelled by somebody else."),
    (WorkKind.READING, WorkState.FINISHED): gettext_noop("The file for “%(name)s” has been read."),
    (WorkKind.READING, WorkState.ERROR): gettext_noop("The file for “%(name)s” could not be read: %(why)s"),
    (WorkKind.READING, WorkState.CANCELLED): gettext_noop(
        "Reading the file for “%(name)s” was cancelled by somebody else."
    ),
    (WorkKind.CHECKING, WorkState.FINISHED): gettext_noop("The model “%(name)s” is checked and can answer."),
    (WorkKind.CHECKING, WorkState.ERROR): gettext_noop("The file for the model “%(name)s” was refused: %(why)s"),
    (WorkKind.CHECKING, WorkState.CANCELLED): gettext_noop(
        "The check of the model “%(name)s” was cancelled by somebody else."
    ),
    (WorkKind.PROFILING, WorkState.FINISHED): gettext_noop("The data profile of “%(name)s” is ready."),
    (WorkKind.PROFILING, WorkState.ERROR): gettext_noop("The rows of “%(name)s” could not be looked at: %(why)s"),
    (WorkKind.PROFILING, WorkState.CANCELLED): gettext_noop(
        "The data profile of “%(name)s” was cancelled by somebody else."
    ),
    (WorkKind.EXPORT, WorkState.FINISHED): gettext_noop("Your export is ready."),
    (WorkKind.EXPORT, WorkState.ERROR): gettext_noop("Your export failed: %(why)s"),
    (WorkKind.EXPORT, WorkState.CANCELLED): gettext_noop("Your export was cancelled by somebody else."),
}


def with_places(works: WorkQuerySet) -> WorkQuerySet:
    """Tell of each work how many others wait in its queue before it; those that do not wait have none."""
    others = Work.objects.waiting().filter(queue=OuterRef("queue"), pk__lt=OuterRef("pk")).order_by()
    counted = others.values("queue").annotate(count=Count("pk")).values("count")
    place = When(WorkState.WAITING.q, then=Coalesce(Subquery(counted), 0))
    return works.annotate(ahead=Case(place, default=0))


def ahead_of(work: Work) -> int:
    """Return how many others wait in its queue before it."""
    return Work.objects.waiting().filter(queue=work.queue, pk__lt=work.pk).count()


def message_of(work: Work) -> str:
    """Return what its server does now, or why it failed; of an attempt that failed `attempt_of` tells."""
    is_of_before = work.is_active and work.notice and work.notice == work.result.get("failed_attempt")
    if is_of_before or work.state not in {WorkState.PROCESSING, WorkState.ERROR}:
        return ""
    return sentence(work.notice) if work.notice else _(work.message) if work.message else ""


def doing_of(work: Work) -> str:
    """Return what becomes of a work now, whatever is known of it; "" when it is over."""
    if work.state is WorkState.WAITING:
        return _("Waiting for the worker")
    if work.state is not WorkState.PROCESSING:
        return ""
    return _("Coming to an end") if work.is_finish_requested else message_of(work) or _("Starting")


def place_of(ahead: int) -> str:
    if not ahead:
        return _("next in the queue")
    return ngettext("%(count)s before it", "%(count)s before it", ahead) % {"count": current_formats().number(ahead)}


def usual_of(work: Work) -> str:
    """Return how long works like this have taken; "" when nobody knows."""
    seconds = work.work_duration_estimation_seconds
    if seconds is None:
        return ""
    return _("usually takes %(time)s") % {"time": current_formats().duration(seconds)}


def attempt_of(work: Work) -> str:
    """Return that a work is tried again, and why; "" at its first attempt and when it is over."""
    number = work.attempts + (work.state is WorkState.WAITING)
    if not work.is_active or number < 2:
        return ""
    failed: dict[str, Any] | None = work.result.get("failed_attempt")
    words = {"number": number, "most": MOST_ATTEMPTS, "why": sentence(failed or Notice(LOST))}
    return _("Trying again (%(number)s of %(most)s): %(why)s") % words


def end_of(work: Work, name: str) -> str:
    """Return how an ended work ended, in one sentence."""
    assert work.kind and work.state, "the database refuses work without them"
    return _(ENDS[work.kind, work.state]) % {"name": name, "why": message_of(work)}
