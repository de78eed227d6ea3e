"""What went wrong, as rows that an administrator can read. Written by database_handler.py."""

from django.db import models
from django.utils.translation import gettext_lazy as _


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

    class Meta:
        verbose_name = _("log entry")
        verbose_name_plural = _("log entries")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.level} {self.message[:80]}"
