"""Uploaded models: each file that somebody gave a machine, what became of it when it was checked, and how it answers."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from .access import Action
    from .user import User


class Framework(models.TextChoices):
    TENSORFLOW = "tensorflow", _("TensorFlow, Keras")
    PYTORCH = "pytorch", _("PyTorch")
    ONNX = "onnx", _("ONNX")


class ModelFormat(models.TextChoices):
    KERAS = "keras", ".keras"
    H5 = "h5", ".h5"
    SAVED_MODEL = "savedmodel", _("SavedModel (zip)")
    TFLITE = "tflite", ".tflite"
    TORCHSCRIPT = "torchscript", "TorchScript"
    PT2 = "pt2", _(".pt2 (torch.export)")
    STATE_DICT = "state_dict", "state_dict"
    SAFETENSORS = "safetensors", ".safetensors"
    ONNX = "onnx", ".onnx"


class Served(models.TextChoices):
    """How a checked model answers. Either way only inside the locked runner."""

    CONVERTED = "converted", _("Converted to ONNX")
    NATIVE = "native", _("In its own framework")


class VersionState(models.TextChoices):
    CHECKING = "checking", _("Checking")
    READY = "ready", _("Ready")
    REFUSED = "refused", _("Refused")


class InvalidVersionTransition(ValueError):
    """A version's check has ended already."""


class ModelVersionQuerySet(models.QuerySet["ModelVersion"]):
    def allowing(self, user: "User | AnonymousUser", action: "Action") -> "ModelVersionQuerySet":
        from . import Machine

        return self.filter(machine__in=Machine.objects.allowing(user, action).order_by().values("pk"))

    def visible_to(self, user: "User | AnonymousUser") -> "ModelVersionQuerySet":
        from .access import Action

        return self.allowing(user, Action.SEE)

    def editable_by(self, user: "User | AnonymousUser") -> "ModelVersionQuerySet":
        from .access import Action

        return self.allowing(user, Action.EDIT)

    def light(self) -> "ModelVersionQuerySet":
        """Leave out the files: for pages and lists."""
        return self.defer("file", "onnx")

    def ready(self) -> "ModelVersionQuerySet":
        return self.filter(state=VersionState.READY)


class ModelVersion(models.Model):
    """One uploaded file. Small files lie in the row, larger ones in the storage (settings.MODEL_ROW_BYTES)."""

    machine = models.ForeignKey(
        "models.Machine", on_delete=models.CASCADE, related_name="versions", verbose_name=_("machine")
    )
    number = models.IntegerField(_("version"))
    created_at = models.DateTimeField(_("uploaded at"), auto_now_add=True)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("uploaded by")
    )

    framework = models.CharField(_("framework"), max_length=12, choices=Framework.choices)
    format = models.CharField(_("format"), max_length=12, choices=ModelFormat.choices, blank=True, default="")
    file_name = models.CharField(_("name of the file"), max_length=255)
    size_bytes = models.BigIntegerField(_("bytes"))
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    layers = models.JSONField(_("layers"), null=True, blank=True, help_text=_("Of a file that holds weights alone"))

    state = models.CharField(
        _("state"), max_length=8, choices=VersionState.choices, default=VersionState.CHECKING, editable=False
    )
    notice = models.JSONField(_("why it was refused"), default=dict, blank=True)
    served = models.CharField(_("served"), max_length=10, choices=Served.choices, blank=True, default="")
    report = models.JSONField(_("safety report"), default=dict, blank=True)
    signature = models.JSONField(_("inputs and outputs"), default=dict, blank=True)
    description = models.JSONField(_("what the inputs mean"), default=dict, blank=True)
    is_described = models.BooleanField(_("described by a person"), default=False)

    # Each is kept in one of two places.
    file = models.BinaryField(_("file"), null=True, blank=True)
    file_path = models.CharField(_("path of the file"), max_length=255, blank=True, default="")
    onnx = models.BinaryField(_("ONNX file"), null=True, blank=True)
    onnx_path = models.CharField(_("path of the ONNX file"), max_length=255, blank=True, default="")

    objects = ModelVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("version of an uploaded model")
        verbose_name_plural = _("versions of uploaded models")
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["machine", "number"], name="version_number_once_per_machine"),
            models.CheckConstraint(condition=Q(state__in=VersionState.values), name="version_state_known"),
            models.CheckConstraint(condition=Q(size_bytes__gte=0), name="version_size_not_negative"),
            models.CheckConstraint(
                condition=~Q(state=VersionState.READY) | Q(served__in=Served.values), name="version_ready_is_served"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file_name}, {self.number}"

    def accept(self, **found: Any) -> bool:
        """End the check well, with what it found; False if it has ended already."""
        return self._end(VersionState.READY, found)

    def refuse(self, notice: dict[str, Any]) -> bool:
        """End the check with the reason why not; False if it has ended already."""
        return self._end(VersionState.REFUSED, {"notice": notice})

    def check_again(self) -> None:
        """Go back to the check that did not come to an end. Raises InvalidVersionTransition when the file was judged."""
        rows = type(self).objects.filter(pk=self.pk, state=VersionState.REFUSED, served="")
        if not rows.update(state=VersionState.CHECKING, notice={}):
            raise InvalidVersionTransition(self.pk)
        self.state, self.notice = VersionState.CHECKING, {}

    def _end(self, state: VersionState, found: dict[str, Any]) -> bool:
        rows = type(self).objects.filter(pk=self.pk, state=VersionState.CHECKING)
        if not rows.update(state=state, **found):
            return False
        self.state = state
        for name, value in found.items():
            setattr(self, name, value)
        return True
