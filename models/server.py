"""The processes that do the long work: each worker announces itself, and shows every few seconds that it is alive."""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from .work import WorkQuerySet


class ServerQuerySet(models.QuerySet["Server"]):
    def ready(self) -> "ServerQuerySet":
        return self.filter(server_info_ready=True)

    def alive(self) -> "ServerQuerySet":
        """Return those that have shown a sign of life within the length of a lease, by the database's clock."""
        return self.ready().filter(heartbeat_at__gte=Now() - timedelta(seconds=settings.WORK_LEASE_SECONDS))

    def silent(self) -> "ServerQuerySet":
        """Return those that were ready once, and have not been heard of for the length of a lease."""
        return self.ready().filter(heartbeat_at__lt=Now() - timedelta(seconds=settings.WORK_LEASE_SECONDS))


class Server(models.Model):
    server_name = models.CharField(_("name"), max_length=50, unique=True)
    server_date_time = models.DateTimeField(_("known since"), auto_now_add=True)
    server_info_ready = models.BooleanField(_("ready"), null=True, blank=True)
    server_gpu_ram = models.JSONField(_("memory of each graphics card, in MB"), default=list, blank=True)
    host = models.CharField(_("computer"), max_length=255, blank=True, default="")
    queues = models.JSONField(_("queues"), default=list, blank=True)
    cores = models.PositiveIntegerField(_("cores"), default=0)
    memory_mb = models.PositiveIntegerField(_("memory for work, in MB"), default=0)
    version = models.CharField(_("version"), max_length=50, blank=True, default="")
    heartbeat_at = models.DateTimeField(_("last sign of life"), null=True, blank=True)
    is_draining = models.BooleanField(_("takes no more work"), default=False)

    objects = ServerQuerySet.as_manager()

    class Meta:
        verbose_name = _("server")
        verbose_name_plural = _("servers")
        ordering = ["server_name"]

    def __str__(self) -> str:
        return self.server_name

    def beat(self) -> bool:
        """Show that it is alive. Returns False when the row is gone."""
        return Server.objects.filter(pk=self.pk).update(heartbeat_at=Now(), server_info_ready=True) == 1

    def stop(self) -> None:
        Server.objects.filter(pk=self.pk).update(server_info_ready=False)

    def drain(self, is_draining: bool) -> None:
        """Let it take no more work, or take work again."""
        Server.objects.filter(pk=self.pk).update(is_draining=is_draining)
        self.is_draining = is_draining

    def works_beside(self) -> "WorkQuerySet":
        """Return what runs on the same computer, by this worker and others."""
        from . import Work

        return Work.objects.running().filter(Q(server=self) | Q(server__host=self.host))
