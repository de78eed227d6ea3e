"""Public links: a machine's form for people without an account, at /p/<token>/."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .shared_link import LinkState, SharedLink, SharedLinkQuerySet


class PublicLinkQuerySet(SharedLinkQuerySet["PublicLink"]):
    def open(self) -> Self:
        """Return those that were not revoked, have not ended and have an answer left."""
        return super().open().filter(Q(max_uses=None) | Q(uses__lt=F("max_uses")))

    def usable(self) -> Self:
        """Return the open ones that answer: a link dies with its maker's power, and with the model."""
        has_model = Q(machine__training_nn_model__isnull=False) | Q(machine__uploaded_version__isnull=False)
        return super().usable().filter(has_model)


class PublicLink(SharedLink):
    purpose: ClassVar[str] = "public"
    folder: ClassVar[str] = "p"

    machine = models.ForeignKey(
        "models.Machine", on_delete=models.CASCADE, related_name="public_links", verbose_name=_("machine")
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="public_links",
        verbose_name=_("made by"),
    )
    name = models.CharField(_("name"), max_length=200, blank=True, default="")
    questions = models.JSONField(
        _("questions"), default=list, blank=True, help_text=_("Names of columns; none means all of them.")
    )
    max_uses = models.PositiveIntegerField(_("answers at most"), null=True, blank=True)
    uses = models.PositiveIntegerField(_("answers"), default=0)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True)

    objects = PublicLinkQuerySet.as_manager()

    class Meta(SharedLink.Meta):
        verbose_name = _("public link")
        verbose_name_plural = _("public links")
        constraints = [
            models.CheckConstraint(
                condition=Q(max_uses=None) | Q(uses__lte=F("max_uses")), name="public_link_uses_at_most"
            )
        ]

    def __str__(self) -> str:
        return self.name or f"{self.machine_id}"

    @property
    def title(self) -> str:
        """What people see above the form."""
        return self.name or self.machine.machine_name

    @property
    def state(self) -> LinkState:
        state = super().state
        is_used_up = self.max_uses is not None and self.uses >= self.max_uses
        return LinkState.USED if is_used_up and state in {LinkState.OPEN, LinkState.EXPIRED} else state

    def claim(self) -> bool:
        """Count one answer, if there is one left. Of two at once, one gets the last.

        The condition reads this row alone: with a join Django would move it into a subquery, which PostgreSQL does not
        look at again after it has waited for somebody else's claim.
        """
        found = PublicLink.objects.open().filter(pk=self.pk)
        return found.update(uses=F("uses") + 1, last_used_at=timezone.now()) == 1
