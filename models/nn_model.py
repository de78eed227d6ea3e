"""The trained model itself."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class NNModel(models.Model):
    """One self-contained ONNX file. Nothing that runs code when it is loaded: never a pickle."""

    nn_model = models.BinaryField(_("ONNX file"), null=True, blank=True, max_length=750_000_000)

    class Meta:
        verbose_name = _("trained model")
        verbose_name_plural = _("trained models")

    def __str__(self) -> str:
        return f"NNModel {self.pk}"
