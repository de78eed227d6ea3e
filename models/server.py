"""Computers that do the long work."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ServerQuerySet(models.QuerySet["Server"]):
    def ready(self) -> "ServerQuerySet":
        return self.filter(server_info_ready=True)


class Server(models.Model):
    server_name = models.CharField(_("name"), max_length=50, unique=True)
    server_date_time = models.DateTimeField(_("known since"), auto_now_add=True)
    server_info_ready = models.BooleanField(_("ready"), null=True, blank=True)
    server_gpu_ram = models.JSONField(_("memory of each graphics card"), default=list, blank=True)

    objects = ServerQuerySet.as_manager()

    class Meta:
        verbose_name = _("server")
        verbose_name_plural = _("servers")
        ordering = ["server_name"]

    def __str__(self) -> str:
        return self.server_name
