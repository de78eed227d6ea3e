"""Works as the lines of a list, for those who asked for them and for the staff."""

from dataclasses import dataclass

from django.db.models import F
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.formats import current_formats
from machines.work_view import WorkView
from machines.work_words import attempt_of, doing_of, message_of, place_of, usual_of, with_places
from models import Work
from models.work import WorkKind, WorkQuerySet, WorkState

TAGS = {WorkState.PROCESSING: "is-training", WorkState.FINISHED: "is-good", WorkState.ERROR: "is-bad"}
NOT_ROWS = {WorkKind.READING, WorkKind.CHECKING, WorkKind.PROFILING}  # their size is in bytes, or cells


def shown(works: WorkQuerySet) -> WorkQuerySet:
    """Return what lines need: without the big columns, with the machine's name of today and the place in the queue."""
    name = Coalesce(F("machine__machine_name"), F("machine_name"))
    return with_places(works).defer("curve", "parameters").annotate(name=name)


def address_of(work: Work) -> str:
    """Return where the result of a work is, or how it goes; "" where there is nothing to see."""
    if work.kind is WorkKind.EXPORT:
        return reverse("accounts:data")
    if work.machine_id is None:
        return ""
    if work.kind is WorkKind.SOLVING:
        return reverse("machines:answers", args=[work.machine_id, work.pk])
    if work.kind is WorkKind.READING:
        return reverse("machines:columns", args=[work.machine_id])
    if work.kind is WorkKind.CHECKING:
        return reverse("uploaded:detail", args=[work.machine_id])
    if work.kind is WorkKind.PROFILING:
        return reverse("dashboards:profile", args=[work.machine_id])
    is_trained = work.state is WorkState.FINISHED
    return reverse("machines:detail" if is_trained else "machines:training", args=[work.machine_id])


@dataclass(frozen=True)
class WorkLine:
    """One work. `work` comes from `shown`."""

    work: Work
    may_end: bool = False
    is_mine: bool = False  # whoever looks has asked for it

    @property
    def name(self) -> str:
        return str(getattr(self.work, "name", ""))

    @property
    def kind(self) -> str:
        return str(self.work.kind.label) if self.work.kind else ""

    @property
    def state(self) -> str:
        return str(self.work.state.label) if self.work.state else ""

    @property
    def tag(self) -> str:
        return TAGS.get(self.work.state, "") if self.work.state else ""

    @property
    def is_running(self) -> bool:
        return self.work.state is WorkState.PROCESSING

    @property
    def is_waiting(self) -> bool:
        return self.work.state is WorkState.WAITING

    @property
    def percent(self) -> int:
        return WorkView(self.work).percent

    @property
    def message(self) -> str:
        """What it does now, or why it failed."""
        return doing_of(self.work) if self.is_running else message_of(self.work)

    @property
    def attempt(self) -> str:
        """Why it is tried again."""
        return attempt_of(self.work)

    @property
    def time(self) -> str:
        """Where it stands in the queue, how long it still takes, or how long it took."""
        if self.is_waiting:
            return " · ".join(filter(None, [place_of(getattr(self.work, "ahead", 0)), usual_of(self.work)]))
        view = WorkView(self.work)
        if self.is_running:
            return view.left
        took = view.elapsed if self.work.state is WorkState.FINISHED else ""
        return _("took %(time)s") % {"time": took} if took else ""

    @property
    def size(self) -> str:
        """How large it is: a level, or rows."""
        if self.work.level:
            return _("level %(level)s") % {"level": self.work.level}
        if not self.work.size or self.work.kind in NOT_ROWS:
            return ""
        words = ngettext("%(count)s row", "%(count)s rows", self.work.size)
        return words % {"count": current_formats().number(self.work.size)}

    @property
    def may_finish(self) -> bool:
        """Whether it can be ended with what it has found."""
        return self.may_end and self.is_running and self.work.kind is WorkKind.TRAINING

    @property
    def may_retry(self) -> bool:
        """Whether it can be tried again as it is: the rows of somebody's file went with its failure."""
        return self.work.state is WorkState.ERROR and self.work.kind is not WorkKind.SOLVING

    @property
    def is_ending(self) -> bool:
        return self.work.is_finish_requested and self.is_running

    @property
    def has_result(self) -> bool:
        """Whether there is something to look at; answers are for whoever asked for them."""
        is_for_all = self.work.kind in {WorkKind.TRAINING, WorkKind.CHECKING, WorkKind.PROFILING}
        return self.work.state is WorkState.FINISHED and (is_for_all or self.is_mine) and bool(self.url)

    @property
    def url(self) -> str:
        return address_of(self.work)

    @property
    def asker(self) -> str:
        return self.work.user.get_full_name() if self.work.user else ""
