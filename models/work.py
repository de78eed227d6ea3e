"""Long work: waiting for a server, done by one, ended. This row is the truth about it, whatever happens to processes.

A server that does the work holds a lease, which it renews while it is alive. When the lease is over, somebody else may
take the work; the fencing token, one higher with each start, then tells the old holder's writes from the new one's
(Kleppmann 2016, "How to do distributed locking"). Leases are measured by the clock of the database alone.
"""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .fields import MeasureField
from .work_states import ACTIVE, ENDED, MOST_ATTEMPTS, WorkKind, WorkState, lease

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from .server import Server
    from .user import User


__all__ = ["ACTIVE", "ENDED", "MOST_ATTEMPTS", "Work", "WorkKind", "WorkQuerySet", "WorkState", "lease"]


class WorkQuerySet(models.QuerySet["Work"]):
    def visible_to(self, user: "User | AnonymousUser") -> "WorkQuerySet":
        """Return the work of the machines this user may see; of deleted machines, what they asked for."""
        from . import Machine

        if user.is_anonymous or not user.is_active:
            return self.none()
        if user.is_super_admin:
            return self.all()
        machines = Machine.objects.visible_to(user).order_by().values("pk")
        return self.filter(Q(machine__in=machines) | Q(machine__isnull=True, user=user))

    def editable_by(self, user: "User | AnonymousUser") -> "WorkQuerySet":
        """Return the work this user may end: of the machines they may train, and what they asked for themselves."""
        from . import Machine

        if user.is_anonymous or not user.is_active:
            return self.none()
        if user.is_super_admin:
            return self.all()
        machines = Machine.objects.editable_by(user).order_by().values("pk")
        mine = Q(user=user) & ~WorkKind.TRAINING.q
        return self.visible_to(user).filter(Q(machine__in=machines) | Q(machine__isnull=True) | mine)

    def asked_by(self, user: "User") -> "WorkQuerySet":
        return self.filter(user=user)

    def in_state(self, *states: WorkState) -> "WorkQuerySet":
        return self.filter(WorkState.any_of(*states))

    def active(self) -> "WorkQuerySet":
        return self.in_state(*ACTIVE)

    def ended(self) -> "WorkQuerySet":
        return self.in_state(*ENDED)

    def waiting(self) -> "WorkQuerySet":
        return self.in_state(WorkState.WAITING)

    def running(self) -> "WorkQuerySet":
        return self.in_state(WorkState.PROCESSING)

    def abandoned(self) -> "WorkQuerySet":
        """Return what runs by its state, but has shown no sign of life for the length of a lease."""
        return self.running().filter(Q(lease_until__isnull=True) | Q(lease_until__lt=Now()))

    def trainings(self) -> "WorkQuerySet":
        return self.filter(WorkKind.TRAINING.q)


class Work(models.Model):
    """Survives its machine, its server and the person who asked for it."""

    machine = models.ForeignKey(
        "models.Machine",
        related_name="Work",
        on_delete=models.SET_NULL,
        null=True,
        verbose_name=_("machine"),
    )
    machine_name = models.CharField(_("name of the machine"), max_length=500, blank=True, default="")
    server = models.ForeignKey(
        "models.Server",
        related_name="works",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("server"),
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        related_name="works",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("asked for by"),
    )

    is_work_training = models.BooleanField(_("training"), null=True, blank=True)
    is_work_solving = models.BooleanField(_("answers"), null=True, blank=True)
    is_work_reading = models.BooleanField(_("reading"), null=True, blank=True)
    is_work_export = models.BooleanField(_("export"), null=True, blank=True)
    is_work_checking = models.BooleanField(_("check of an uploaded model"), null=True, blank=True)
    is_work_profiling = models.BooleanField(_("data profile"), null=True, blank=True)
    is_work_status_wait_for_server_start = models.BooleanField(_("waiting"), null=True, blank=True)
    is_work_status_server_processing = models.BooleanField(_("running"), null=True, blank=True)
    is_work_status_server_finished = models.BooleanField(_("finished"), null=True, blank=True)
    is_work_status_server_error = models.BooleanField(_("failed"), null=True, blank=True)
    is_work_status_cancelled = models.BooleanField(_("cancelled"), null=True, blank=True)
    is_cancel_requested = models.BooleanField(_("to be cancelled"), default=False)
    is_finish_requested = models.BooleanField(_("to be finished early"), default=False)

    created_at = models.DateTimeField(_("asked for at"), auto_now_add=True)
    work_started_at_date_time = models.DateTimeField(_("started at"), null=True, blank=True)
    work_finished_at_date_time = models.DateTimeField(_("ended at"), null=True, blank=True)
    work_duration_estimation_seconds = MeasureField(_("estimated seconds"))

    queue = models.CharField(_("queue"), max_length=20, default="cpu")
    delivery = models.CharField(_("message in the queue"), max_length=64, blank=True, default="")
    queued_at = models.DateTimeField(_("put in the queue at"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    fencing_token = models.BigIntegerField(_("fencing token"), default=0)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    memory_mb = models.PositiveIntegerField(_("memory it may take, in MB"), default=0)
    size = models.BigIntegerField(_("rows, bytes of a file that is read, or cells of a profile"), null=True, blank=True)
    parameters = models.JSONField(_("parameters"), default=dict, blank=True)
    folder = models.CharField(_("folder"), max_length=255, blank=True, default="", help_text=_("Below STORAGE_ROOT"))
    told_at = models.DateTimeField(_("told about the end at"), null=True, blank=True)

    level = models.IntegerField(_("level"), null=True, blank=True)
    progress = models.FloatField(_("progress"), default=0.0)
    seconds_left = models.FloatField(_("seconds left"), null=True, blank=True)
    message = models.TextField(_("message"), blank=True, default="", help_text=_("In English"))
    notice = models.JSONField(_("message to be translated"), default=dict, blank=True)
    best_score = models.FloatField(_("best score"), null=True, blank=True)
    curve = models.JSONField(_("scores so far"), default=list, blank=True)
    result = models.JSONField(_("result"), default=dict, blank=True)

    objects = WorkQuerySet.as_manager()

    class Meta:
        verbose_name = _("work")
        verbose_name_plural = _("works")
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["created_at"], condition=WorkState.any_of(*ACTIVE), name="work_active"),
            models.Index(fields=["machine", "-created_at"], name="work_of_machine"),
            models.Index(fields=["queue", "id"], condition=WorkState.WAITING.q, name="work_waiting"),
            models.Index(fields=["work_finished_at_date_time"], name="work_ended"),
            models.Index(fields=["user"], condition=Q(told_at__isnull=True), name="work_not_told"),
        ]
        constraints = [
            models.CheckConstraint(condition=WorkState.exactly_one(), name="work_has_one_state"),
            models.CheckConstraint(condition=WorkKind.exactly_one(), name="work_has_one_kind"),
            models.CheckConstraint(condition=Q(progress__gte=0, progress__lte=1), name="work_progress_0_to_1"),
            models.CheckConstraint(
                condition=Q(lease_until__isnull=True) | WorkState.PROCESSING.q, name="work_lease_only_while_running"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind.label if self.kind else '?'} {self.pk} {self.machine_name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """New work waits, unless told otherwise, and remembers the name of its machine."""
        if self._state.adding:
            if self.state is None:
                WorkState.WAITING.set_on(self)
            if self.machine and not self.machine_name:
                self.machine_name = self.machine.machine_name
        super().save(*args, **kwargs)

    @property
    def state(self) -> WorkState | None:
        return WorkState.of(self)

    @property
    def kind(self) -> WorkKind | None:
        return WorkKind.of(self)

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE

    # Transitions. Each is one UPDATE on the condition that the work is still in the state it leaves, so of two
    # processes one wins. Those of a server also ask for its fencing token. They return whether this call was the one.

    def start(self, server: "Server | None" = None) -> bool:
        """Take the work, and the lease. The time that it takes is counted from the first start."""
        values = {"attempts": self.attempts + 1, "fencing_token": self.fencing_token + 1, "lease_until": lease()}
        begun = {"work_started_at_date_time": self.work_started_at_date_time or timezone.now()}
        return self._move((WorkState.WAITING,), WorkState.PROCESSING, server=server, **values, **begun)

    def finish(self, result: dict[str, Any] | None = None) -> bool:
        return self._end((WorkState.PROCESSING,), WorkState.FINISHED, result=result or {}, progress=1.0)

    def fail(self, message: str, notice: dict[str, Any] | None = None) -> bool:
        return self._end((WorkState.PROCESSING,), WorkState.ERROR, message=message, notice=notice or {})

    def give_back(self, *, is_attempt: bool = True, message: str = "", notice: dict[str, Any] | None = None) -> bool:
        """Let it wait for another server; `is_attempt` says whether this one counts as a failed attempt."""
        attempts = self.attempts if is_attempt else max(0, self.attempts - 1)
        values: dict[str, Any] = {"attempts": attempts, "message": message, "notice": notice or {}}
        if is_attempt:  # kept for those who watch the next attempt, whose own messages take the place of this one
            values["result"] = {"failed_attempt": notice} if notice else {}
        return self._move(
            (WorkState.PROCESSING,), WorkState.WAITING, server=None, lease_until=None, seconds_left=None, **values
        )

    def cancel(self) -> bool:
        """Somebody does not want it any more, whoever does it."""
        return self._end(ACTIVE, WorkState.CANCELLED, is_fenced=False, is_cancel_requested=True, told_at=timezone.now())

    def request_finish(self) -> bool:
        """Ask for the best model so far."""
        return self._write(ACTIVE, is_fenced=False, is_finish_requested=True)

    def retry(self) -> bool:
        """Let what failed wait once more, with all its attempts."""
        said: dict[str, Any] = {
            "message": "",
            "notice": {},
            "result": {},
            "progress": 0.0,
            "best_score": None,
            "curve": [],
        }
        said["is_finish_requested"] = False
        ends = {"work_started_at_date_time": None, "work_finished_at_date_time": None, "told_at": None}
        return self._move((WorkState.ERROR,), WorkState.WAITING, server=None, attempts=0, **said, **ends)

    def beat(self) -> bool:
        """Renew the lease. False: stop, this work is no longer yours."""
        return self._write((WorkState.PROCESSING,), lease_until=lease())

    def report(
        self,
        progress: float,
        message: str | None = None,
        *,
        notice: dict[str, Any] | None = None,
        best_score: float | None = None,
        seconds_left: float | None = None,
        curve: Any = None,
    ) -> bool:
        """Write how far the server is, and renew the lease. False: stop, this work is no longer yours."""
        news = {"message": message, "notice": notice, "best_score": best_score, "curve": curve}
        known = {name: value for name, value in news.items() if value is not None}
        known |= {"progress": min(1.0, max(0.0, progress)), "seconds_left": seconds_left}
        return self._write((WorkState.PROCESSING,), lease_until=lease(), **known)

    def queued(self, delivery: str) -> bool:
        """Note which message of the queue will bring it to a server."""
        return self._write((WorkState.WAITING,), delivery=delivery, queued_at=timezone.now())

    def _end(self, sources: tuple[WorkState, ...], target: WorkState, **values: Any) -> bool:
        ends = {"work_finished_at_date_time": timezone.now(), "seconds_left": None, "lease_until": None}
        return self._move(sources, target, **ends, **values)

    def _move(self, sources: tuple[WorkState, ...], target: WorkState, **values: Any) -> bool:
        return self._write(sources, **target.columns, **values)

    def _write(self, sources: tuple[WorkState, ...], *, is_fenced: bool = True, **values: Any) -> bool:
        rows = Work.objects.filter(pk=self.pk).in_state(*sources)
        if is_fenced:
            rows = rows.filter(fencing_token=self.fencing_token)
        is_written = rows.update(**values) == 1
        if is_written:
            for name, value in values.items():
                if not isinstance(value, Combinable):  # known to the database alone
                    setattr(self, name, value)
        return is_written
