"""What was done for money, and the movements of money that belong to it."""

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .fields import MoneyField
from .flags import Flags

if TYPE_CHECKING:
    from .user import User


class OperationKind(Flags):
    TRAINING = "is_training_operation", _("Training")
    SOLVING = "is_solving_operation", _("Answers")
    SOLVING_WITH_API = "is_solving_with_api_operation", _("Answers by API")
    SOLVING_WITH_API_MARKET = "is_solving_with_api_market_operation", _("Answers bought by API")
    BUY_DATA_SOURCE = "is_buy_data_source_operation", _("Data bought")
    MACHINE_COPY = "is_machine_copy_operation", _("Machine copied")
    MACHINE_COPY_UPDATE = "is_machine_copy_update_operation", _("Copy updated")
    CREDIT_FROM_USER = "is_credit_from_user_operation", _("Money paid in")
    PAY_A_BILL = "is_pay_a_bill_operation", _("Bill paid")


class Movement(models.Model):
    """One amount that enters or leaves the balance of one user."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="%(class)ss",
        verbose_name=_("user"),
    )
    amount = MoneyField(_("amount"))
    date_time = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        abstract = True
        ordering = ["-pk"]
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="%(class)s_amount_above_zero")]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.amount}"


class Credit(Movement):
    class Meta(Movement.Meta):
        verbose_name = _("credit in USD")
        verbose_name_plural = _("credits in USD")


class Debit(Movement):
    class Meta(Movement.Meta):
        verbose_name = _("debit in USD")
        verbose_name_plural = _("debits in USD")


class CreditIXIOO(Movement):
    class Meta(Movement.Meta):
        verbose_name = _("credit in EAML tokens")
        verbose_name_plural = _("credits in EAML tokens")


class DebitIXIOO(Movement):
    class Meta(Movement.Meta):
        verbose_name = _("debit in EAML tokens")
        verbose_name_plural = _("debits in EAML tokens")


class OperationQuerySet(models.QuerySet["Operation"]):
    def of_kind(self, kind: OperationKind) -> "OperationQuerySet":
        return self.filter(kind.q)

    def visible_to(self, user: "User") -> "OperationQuerySet":
        """Return what this user did or what was done with their machines."""
        if user.is_super_admin:
            return self.all()
        return self.filter(Q(operation_user=user) | Q(machine_owner=user))


class Operation(models.Model):
    """The facts of one event that may cost money. Survives its machine and its people."""

    id = models.UUIDField(primary_key=True, editable=False, default=uuid4)
    machine = models.ForeignKey(
        "models.Machine",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="operations",
        verbose_name=_("machine"),
    )
    machine_name = models.CharField(_("name of the machine"), max_length=500, blank=True, default="")
    machine_owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="operations_on_machines",
        verbose_name=_("owner of the machine"),
    )
    operation_user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="operations",
        verbose_name=_("user"),
    )
    is_training_operation = models.BooleanField(_("training"), default=False)
    is_solving_operation = models.BooleanField(_("answers"), default=False)
    is_solving_with_api_operation = models.BooleanField(_("answers by API"), default=False)
    is_solving_with_api_market_operation = models.BooleanField(_("answers bought by API"), default=False)
    is_buy_data_source_operation = models.BooleanField(_("data bought"), default=False)
    is_machine_copy_operation = models.BooleanField(_("machine copied"), default=False)
    is_machine_copy_update_operation = models.BooleanField(_("copy updated"), default=False)
    is_credit_from_user_operation = models.BooleanField(_("money paid in"), default=False)
    is_pay_a_bill_operation = models.BooleanField(_("bill paid"), default=False)
    count_of_lines = models.IntegerField(_("rows"), blank=True, null=True)
    count_of_training_epoch = models.IntegerField(_("epochs"), blank=True, null=True)
    date_time = models.DateTimeField(_("at"), auto_now_add=True)
    credit = models.OneToOneField(
        Credit,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="operation",
        verbose_name=_("credit in USD"),
    )
    debit = models.OneToOneField(
        Debit, on_delete=models.PROTECT, null=True, blank=True, related_name="operation", verbose_name=_("debit in USD")
    )
    credit_ixioo = models.OneToOneField(
        CreditIXIOO,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="operation",
        verbose_name=_("credit in EAML tokens"),
    )
    debit_ixioo = models.OneToOneField(
        DebitIXIOO,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="operation",
        verbose_name=_("debit in EAML tokens"),
    )

    objects = OperationQuerySet.as_manager()

    class Meta:
        verbose_name = _("operation")
        verbose_name_plural = _("operations")
        ordering = ["-date_time"]
        indexes = [models.Index(fields=["-date_time"], name="operation_newest")]
        constraints = [models.CheckConstraint(condition=OperationKind.exactly_one(), name="operation_has_one_kind")]

    def __str__(self) -> str:
        kind = self.kind
        return f"{kind.label if kind else '?'} {self.id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding and self.machine and not self.machine_name:
            self.machine_name = self.machine.machine_name
        super().save(*args, **kwargs)

    @property
    def kind(self) -> OperationKind | None:
        return OperationKind.of(self)
