"""What went wrong, as rows that an administrator can read. Written by database_handler.py."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from .user import User


class LoggerQuerySet(models.QuerySet["EasyAutoMLLogger"]):
    def visible_to(self, user: "User | AnonymousUser") -> "LoggerQuerySet":
        """Return everything for the staff, nothing for others: a traceback says much."""
        return self.all() if user.is_active and user.is_staff else self.none()

    def about(self, text: str) -> "LoggerQuerySet":
        """Return the entries in which these words stand; all of them when there are none."""
        if not text:
            return self.all()
        places = ("message", "logger", "main_module", "main_function", "traceback", "host_name")
        anywhere = Q()
        for place in places:
            anywhere |= Q(**{f"{place}__icontains": text})
        return self.filter(anywhere)


class EasyAutoMLLogger(models.Model):
    timestamp = models.DateTimeField(_("at"), auto_now_add=True, db_index=True)
    traceback = models.TextField(_("traceback"), blank=True)
    level = models.TextField(_("level"))
    logger = models.TextField(_("logger"))
    main_module = models.TextField(_("module"))
    main_function = models.TextField(_("function"))
    message = models.TextField(_("message"), blank=True)
    host_name = models.TextField(_("computer"))
    ip = models.TextField(_("address"))

    objects = LoggerQuerySet.as_manager()

    class Meta:
        verbose_name = _("log entry")
        verbose_name_plural = _("log entries")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.level} {self.message[:80]}"
