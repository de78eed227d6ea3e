"""The bills of the first generation, kept for what was written there. New money is in billing.py."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from .fields import MoneyField, not_negative

COSTS = ("TrainingCostMachineUSD", "SolvingCostMachineUSD", "SolvingAPIIncomeUSD")


class Billing(models.Model):
    """Survives its machine and its people."""

    machine = models.ForeignKey(
        "models.Machine",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="billings",
        verbose_name=_("machine"),
    )
    machine_name = models.CharField(_("name of the machine"), max_length=500, blank=True, default="")
    machine_owner_user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="billings_on_machines",
        verbose_name=_("owner of the machine"),
    )
    Operation_User = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="billings",
        verbose_name=_("user"),
    )
    date_time = models.DateTimeField(_("at"), auto_now_add=True)

    OperationIsTraining = models.BooleanField(_("training"), null=True, blank=True)
    CountOfLinesTraining = models.IntegerField(_("rows learned from"), blank=True, null=True)
    TrainingCostMachineUSD = MoneyField(_("cost of the training in USD"))

    OperationIsSolving = models.BooleanField(_("answers"), null=True, blank=True)
    CountOfLinesSolvedOwner = models.IntegerField(_("rows answered for the owner"), blank=True, null=True)
    SolvingCostMachineUSD = MoneyField(_("cost of the answers in USD"))

    OperationIsSolvingAPI = models.BooleanField(_("answers by API"), null=True, blank=True)
    CountOfLinesSolvedAPI = models.IntegerField(_("rows answered by API"), null=True, blank=True)
    SolvingAPIIncomeUSD = MoneyField(_("income of the owner in USD"))

    class Meta:
        verbose_name = _("bill")
        verbose_name_plural = _("bills")
        ordering = ["-pk"]
        constraints = not_negative("billing", *COSTS)

    def __str__(self) -> str:
        return f"Billing {self.pk} {self.machine_name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding and self.machine and not self.machine_name:
            self.machine_name = self.machine.machine_name
        super().save(*args, **kwargs)
