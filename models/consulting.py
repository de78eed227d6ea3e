"""Work by consultants: from the request to the finished contract."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .fields import SizedBinaryField, not_negative
from .flags import Flags

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from .user import User

CATEGORIES = [
    ("1", _("Data Engineering")),
    ("2", _("Machine performance")),
    ("3", _("API Integration")),
    ("4", _("Other")),
]


class ConsultingState(Flags):
    OPEN = "is_status_request_open", _("Open")
    WAITING_APPROVAL = "is_status_waiting_consultant_approval", _("Waiting for approval")
    CONTRACT = "is_status_contract", _("Under contract")
    FINISHED = "is_status_contract_finished", _("Finished")


class ConsultingRequestQuerySet(models.QuerySet["ConsultingRequest"]):
    def in_state(self, state: ConsultingState) -> "ConsultingRequestQuerySet":
        return self.filter(state.q)

    def visible_to(self, user: "User | AnonymousUser") -> "ConsultingRequestQuerySet":
        """Return what this user asked for, alone or in a team, or does as the consultant."""
        from . import Team

        if user.is_anonymous or not user.is_active:
            return self.none()
        if user.is_super_admin:
            return self.all()
        return self.filter(
            Q(user=user) | Q(team__in=Team.objects.of(user).order_by().values("pk")) | Q(consultant_user=user)
        )


class ConsultingRequest(models.Model):
    """Survives its machine, its team and its people."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="consulting_requests",
        verbose_name=_("customer"),
    )
    team = models.ForeignKey(
        "models.Team",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="consulting_requests",
        verbose_name=_("team"),
    )
    category = models.CharField(_("category"), max_length=1, choices=CATEGORIES)
    description = models.TextField(_("description"), blank=True)
    file = SizedBinaryField(verbose_name=_("file"), size_class=3, null=True, blank=True)
    machine = models.ForeignKey(
        "models.Machine",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="consulting_requests",
        verbose_name=_("machine"),
    )
    machine_name = models.CharField(_("name of the machine"), max_length=500, blank=True, default="")
    created_at = models.DateTimeField(_("asked at"), auto_now_add=True)

    is_status_request_open = models.BooleanField(_("open"), blank=True, null=True)
    is_status_waiting_consultant_approval = models.BooleanField(_("waiting for approval"), blank=True, null=True)
    is_status_contract = models.BooleanField(_("under contract"), blank=True, null=True)
    is_status_contract_finished = models.BooleanField(_("finished"), blank=True, null=True)

    consultant_user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="Consultant_User",
        verbose_name=_("consultant"),
    )
    amount_usd = models.DecimalField(_("amount in USD"), max_digits=20, decimal_places=8, null=True, blank=True)
    budget_estimation = models.DecimalField(
        _("estimated budget in USD"), max_digits=20, decimal_places=8, null=True, blank=True
    )
    delay_days = models.IntegerField(_("days until delivery"), null=True, blank=True)

    objects = ConsultingRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("consulting request")
        verbose_name_plural = _("consulting requests")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=ConsultingState.exactly_one(), name="consulting_request_has_one_state"),
            *not_negative("consulting_request", "amount_usd", "budget_estimation", "delay_days"),
        ]

    def __str__(self) -> str:
        return f"{self.get_category_display()} {self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """A new request is open, unless told otherwise, and remembers the name of its machine."""
        if self._state.adding:
            if self.state is None:
                ConsultingState.OPEN.set_on(self)
            if self.machine and not self.machine_name:
                self.machine_name = self.machine.machine_name
        super().save(*args, **kwargs)

    @property
    def state(self) -> ConsultingState | None:
        return ConsultingState.of(self)
