"""Long work: one training or one batch of answers, waiting for a server or done by one."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .fields import MeasureField
from .flags import Flags

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from .server import Server
    from .user import User


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


ACTIVE = (WorkState.WAITING, WorkState.PROCESSING)


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
        """Return the work of the machines this user may train: they may end it."""
        from . import Machine

        return self.filter(machine__in=Machine.objects.editable_by(user).order_by().values("pk"))

    def in_state(self, *states: WorkState) -> "WorkQuerySet":
        return self.filter(WorkState.any_of(*states))

    def active(self) -> "WorkQuerySet":
        return self.in_state(*ACTIVE)

    def waiting(self) -> "WorkQuerySet":
        return self.in_state(WorkState.WAITING)

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

    level = models.IntegerField(_("level"), null=True, blank=True)
    progress = models.FloatField(_("progress"), default=0.0)
    seconds_left = models.FloatField(_("seconds left"), null=True, blank=True)
    message = models.TextField(_("message"), blank=True, default="")
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
        ]
        constraints = [
            models.CheckConstraint(condition=WorkState.exactly_one(), name="work_has_one_state"),
            models.CheckConstraint(condition=WorkKind.exactly_one(), name="work_has_one_kind"),
            models.CheckConstraint(condition=Q(progress__gte=0, progress__lte=1), name="work_progress_0_to_1"),
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
    # processes one wins. They return whether this call was the one.

    def start(self, server: "Server | None" = None) -> bool:
        now = timezone.now()
        return self._move((WorkState.WAITING,), WorkState.PROCESSING, server=server, work_started_at_date_time=now)

    def finish(self, result: dict[str, Any] | None = None) -> bool:
        return self._end((WorkState.PROCESSING,), WorkState.FINISHED, result=result or {}, progress=1.0)

    def fail(self, message: str) -> bool:
        return self._end(ACTIVE, WorkState.ERROR, message=message)

    def cancel(self) -> bool:
        return self._end(ACTIVE, WorkState.CANCELLED, is_cancel_requested=True)

    def request_finish(self) -> bool:
        """Ask for the best model so far."""
        return self._write(ACTIVE, is_finish_requested=True)

    def report(
        self,
        progress: float,
        message: str | None = None,
        *,
        best_score: float | None = None,
        seconds_left: float | None = None,
        curve: list[Any] | None = None,
    ) -> bool:
        """Write how far the worker is. False: stop, somebody has ended this work."""
        news = {"message": message, "best_score": best_score, "curve": curve}
        known = {name: value for name, value in news.items() if value is not None}
        clamped = min(1.0, max(0.0, progress))
        return self._write((WorkState.PROCESSING,), progress=clamped, seconds_left=seconds_left, **known)

    def _end(self, sources: tuple[WorkState, ...], target: WorkState, **values: Any) -> bool:
        return self._move(sources, target, work_finished_at_date_time=timezone.now(), seconds_left=None, **values)

    def _move(self, sources: tuple[WorkState, ...], target: WorkState, **values: Any) -> bool:
        return self._write(sources, **target.columns, **values)

    def _write(self, sources: tuple[WorkState, ...], **values: Any) -> bool:
        is_written = Work.objects.filter(pk=self.pk).in_state(*sources).update(**values) == 1
        if is_written:
            for name, value in values.items():
                setattr(self, name, value)
        return is_written
