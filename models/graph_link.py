"""Public links to graphs: one of them, or a machine's page of graphs, for people without an account, at /g/<token>/."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .shared_link import SharedLink, SharedLinkQuerySet


class GraphLink(SharedLink):
    """Shows `graph`, or all graphs of the machine when there is none named."""

    purpose: ClassVar[str] = "graphs"
    folder: ClassVar[str] = "g"

    machine = models.ForeignKey(
        "models.Machine", on_delete=models.CASCADE, related_name="graph_links", verbose_name=_("machine")
    )
    graph = models.ForeignKey(
        "models.Graph",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="links",
        verbose_name=_("graph"),
        help_text=_("None means all graphs of the machine."),
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="graph_links",
        verbose_name=_("made by"),
    )

    objects = SharedLinkQuerySet["GraphLink"].as_manager()

    class Meta(SharedLink.Meta):
        verbose_name = _("public link to graphs")
        verbose_name_plural = _("public links to graphs")

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """What people see above what it shows."""
        return self.graph.name if self.graph else self.machine.machine_name

    def note_use(self) -> None:
        """Count that somebody opened it."""
        GraphLink.objects.filter(pk=self.pk).update(uses=F("uses") + 1, last_used_at=timezone.now())
