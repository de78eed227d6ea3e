"""How much each key asked each machine, by day: what metering stands on."""

from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from .fields import not_negative

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from .user import User


class UsageQuerySet(models.QuerySet["Usage"]):
    def visible_to(self, user: "User | AnonymousUser") -> "UsageQuerySet":
        from . import Machine

        return self.filter(machine__in=Machine.objects.visible_to(user).order_by().values("pk"))


class Usage(models.Model):
    machine = models.ForeignKey(
        "models.Machine", on_delete=models.CASCADE, related_name="usage", verbose_name=_("machine")
    )
    api_key = models.ForeignKey("models.ApiKey", on_delete=models.CASCADE, related_name="usage", verbose_name=_("key"))
    day = models.DateField(_("day"))
    calls = models.BigIntegerField(_("calls"), default=0)
    rows = models.BigIntegerField(_("rows"), default=0)

    objects = UsageQuerySet.as_manager()

    class Meta:
        verbose_name = _("use of a machine")
        verbose_name_plural = _("use of machines")
        ordering = ["-day", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["machine", "api_key", "day"], name="usage_once_a_day"),
            *not_negative("usage", "calls", "rows"),
        ]

    def __str__(self) -> str:
        return f"{self.machine_id}, {self.day}: {self.calls}"
