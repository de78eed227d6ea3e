"""The states of a machine and the chain of preparation steps. Only these enums write their columns."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class MachineStatus(models.TextChoices):
    NEW = "new", _("New")
    TYPED = "typed", _("Ready to train")
    TRAINING = "training", _("Training")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Failed")


IDLE = tuple(status for status in MachineStatus if status is not MachineStatus.TRAINING)


class InvalidTransition(ValueError):
    """A machine cannot go from the state it is in to the state asked for."""


class RerunStep(models.TextChoices):
    """What must be done again, in the order in which it is done. A set step implies all later ones."""

    MDC = "machine_is_re_run_mdc", _("Columns")
    ICI = "machine_is_re_run_ici", _("Importance of inputs")
    FE = "machine_is_re_run_fe", _("Feature engineering")
    ENC_DEC = "machine_is_re_run_enc_dec", _("Encoding")
    NN_CONFIG = "machine_is_re_run_nn_config", _("Shape of the network")
    MODEL = "machine_is_re_run_model", _("Model")

    @property
    def and_later(self) -> "list[RerunStep]":
        steps = list(RerunStep)
        return steps[steps.index(self) :]

    @classmethod
    def chain(cls) -> Q:
        """Return the CHECK: where a step is set, the next one is set too."""
        steps, found = list(cls), Q()
        for step, following in pairwise(steps):
            found &= Q(**{step.value: False}) | Q(**{following.value: True})
        return found


class Transitions(models.Model):
    """The named transitions of Machine. Each writes the state, its message and nothing else."""

    machine_status = models.CharField(
        _("state"), max_length=10, choices=MachineStatus.choices, default=MachineStatus.NEW, editable=False
    )
    machine_status_message = models.TextField(_("message about the state"), blank=True, default="", editable=False)
    model_version = models.IntegerField(_("version of the trained model"), default=0, editable=False)

    class Meta:
        abstract = True

    @property
    def can_answer(self) -> bool:
        """Whether there is a model, trained here or uploaded."""
        return bool(self.training_nn_model_id or self.uploaded_version_id)  # type: ignore[attr-defined]  # of Machine

    def columns_proposed(self) -> None:
        """The file was read again: its columns are to be looked at before the next training."""
        self._become(MachineStatus.NEW, IDLE)

    def columns_confirmed(self) -> None:
        """The columns are as the owner wants them. A trained model of before keeps answering until the next one."""
        self._become(MachineStatus.TYPED, IDLE)

    def training_started(self) -> None:
        """Of two that start a training at the same moment one gets InvalidTransition."""
        self._become(MachineStatus.TRAINING, [MachineStatus.TYPED, MachineStatus.READY, MachineStatus.FAILED])

    def training_succeeded(self) -> None:
        """Make the machine ready with one more version. Save what was trained in the same transaction."""
        self._become(MachineStatus.READY, [MachineStatus.TRAINING], model_version=F("model_version") + 1)
        self.refresh_from_db(fields=["model_version"])

    def training_failed(self, sentence: str) -> None:
        """A machine that could answer before still can."""
        self._leave_training(MachineStatus.FAILED, sentence)

    def training_cancelled(self) -> None:
        self._leave_training(MachineStatus.TYPED, "")

    def model_given(self) -> None:
        """A file is to be checked. A machine that has another version keeps answering with it."""
        self._become(MachineStatus.READY if self.can_answer else MachineStatus.NEW, IDLE)

    def model_uploaded(self, number: int) -> None:
        """Make the machine ready with this version of its uploaded model: a new one, or an older one again."""
        self._become(
            MachineStatus.READY, [MachineStatus.NEW, MachineStatus.READY, MachineStatus.FAILED], model_version=number
        )
        self.model_version = number

    def model_refused(self, sentence: str) -> None:
        """A machine that has another version keeps answering with it."""
        target = MachineStatus.READY if self.can_answer else MachineStatus.FAILED
        self._become(target, IDLE, machine_status_message=sentence)

    def rerun_from(self, step: RerunStep) -> None:
        """Ask for this step and all later ones to be done again."""
        self._write_steps(step.and_later, True)

    def rerun_done(self, step: RerunStep) -> None:
        """Tell that this step has been done. Earlier ones must have been done before."""
        waiting = [s for s in RerunStep if getattr(self, s.value)]
        if waiting and waiting[0] is not step and step in waiting:
            raise InvalidTransition(f"{waiting[0].name} comes before {step.name}.")
        self._write_steps([step], False)

    @property
    def rerun_next(self) -> RerunStep | None:
        return next((step for step in RerunStep if getattr(self, step.value)), None)

    def _leave_training(self, without_model: MachineStatus, sentence: str) -> None:
        target = MachineStatus.READY if self.can_answer else without_model
        self._become(target, [MachineStatus.TRAINING], machine_status_message=sentence)

    def _become(self, target: MachineStatus, allowed: Sequence[MachineStatus], **values: Any) -> None:
        """Write the state in one UPDATE, on the condition that the row, not this copy of it, is in an allowed one."""
        values = {"machine_status": target, "machine_status_message": ""} | values
        rows = type(self)._base_manager.filter(pk=self.pk)
        if not rows.filter(machine_status__in=allowed).update(**values):
            now = rows.values_list("machine_status", flat=True).first()
            raise InvalidTransition(f"A machine that is {now} cannot become {target.value}.")
        self.machine_status, self.machine_status_message = target, values["machine_status_message"]

    def _write_steps(self, steps: Sequence[RerunStep], value: bool) -> None:
        for step in steps:
            setattr(self, step.value, value)
        self.save(update_fields=[step.value for step in steps])
