"""Every batch of rows that was added to a machine, and where its file is."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from .machine import Machine


class DataLinesOperationQuerySet(models.QuerySet["DataLinesOperation"]):
    def for_machine(self, machine: "Machine") -> "DataLinesOperationQuerySet":
        return self.filter(machine_id=machine.pk)

    def for_learning(self) -> "DataLinesOperationQuerySet":
        return self.filter(is_added_for_learning=True)


class DataLinesOperation(models.Model):
    # A number, not a foreign key, as in the seed: the record stays when the machine goes.
    machine_id = models.IntegerField(_("machine"), db_index=True)
    is_added_for_learning = models.BooleanField(_("to learn from"), null=True, blank=True)
    is_added_for_solving = models.BooleanField(_("to answer"), null=True, blank=True)
    date_time = models.DateTimeField(_("at"), auto_now_add=True)
    path = models.CharField(_("path"), max_length=255, blank=True, default="", help_text=_("Relative to STORAGE_ROOT"))
    rows = models.IntegerField(_("rows"), default=0)
    sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True, default="")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="data_lines_operations",
        verbose_name=_("user"),
    )

    objects = DataLinesOperationQuerySet.as_manager()

    class Meta:
        verbose_name = _("rows added")
        verbose_name_plural = _("rows added")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(rows__gte=0), name="data_lines_operation_rows_not_negative")
        ]

    def __str__(self) -> str:
        return f"{self.rows} rows for machine {self.machine_id}"
