"""How the cells of a machine's columns become numbers and back."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class EncDecConfiguration(models.Model):
    enc_dec_config = models.JSONField(_("configuration"), default=dict, blank=True, null=True)

    class Meta:
        verbose_name = _("encoding configuration")
        verbose_name_plural = _("encoding configurations")

    def __str__(self) -> str:
        return f"EncDecConfiguration {self.pk}"
