"""Public links to graphs: one of them, or a machine's page of graphs, for people without an account, at /g/<token>/."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from . import tokens
from .access import Action

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from .public_link import PublicLinkState
    from .user import User


class GraphLinkQuerySet(models.QuerySet["GraphLink"]):
    def visible_to(self, user: "User | AnonymousUser") -> "GraphLinkQuerySet":
        """Return the links of the machines that this user may publish."""
        from . import Machine

        return self.filter(machine__in=Machine.objects.allowing(user, Action.PUBLISH).order_by().values("pk"))

    editable_by = visible_to

    def by_token(self, token: str) -> "GraphLinkQuerySet":
        return self.filter(token_hash=tokens.digest(token))

    def backed(self) -> "GraphLinkQuerySet":
        """Note on each link as `is_backed` whether who made it may publish its machine today."""
        from .public_link import maker_may

        return self.annotate(is_backed=Case(When(maker_may(), then=True), default=False))

    def usable(self) -> "GraphLinkQuerySet":
        """Return those that show something: a link dies with its maker's power."""
        from .public_link import maker_may

        in_time = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
        return self.filter(in_time, maker_may(), revoked_at=None)


class GraphLink(models.Model):
    """Shows `graph`, or all graphs of the machine when there is none named."""

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
    token_seed = models.CharField(_("seed"), max_length=64, editable=False)
    token_hash = models.CharField(_("hash of the token"), max_length=64, unique=True, editable=False)
    allowed_sites = models.JSONField(
        _("sites that may embed it"), default=list, blank=True, help_text=_("Such as https://clinic.example.org")
    )
    uses = models.PositiveIntegerField(_("times opened"), default=0)
    expires_at = models.DateTimeField(_("ends at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last opened at"), null=True, blank=True)
    created_at = models.DateTimeField(_("made at"), auto_now_add=True)

    objects = GraphLinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("public link to graphs")
        verbose_name_plural = _("public links to graphs")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding:
            self.token_seed = tokens.new_seed()
            self.token_hash = tokens.digest(tokens.derive("graphs", self.token_seed))
        super().save(*args, **kwargs)

    @property
    def link(self) -> str:
        """The address; "" when SECRET_KEY has changed since: it still works, but cannot be shown again."""
        token = tokens.derive("graphs", self.token_seed)
        return f"{settings.SITE_URL}/g/{token}/" if tokens.digest(token) == self.token_hash else ""

    @property
    def title(self) -> str:
        """What people see above what it shows."""
        return self.graph.name if self.graph else self.machine.machine_name

    @property
    def embedders(self) -> list[str]:
        """The sites that may show it in a frame, checked once more before they enter a header."""
        from .public_link import is_origin

        return [site for site in self.allowed_sites if isinstance(site, str) and is_origin(site)]

    @property
    def state(self) -> "PublicLinkState":
        from .public_link import PublicLinkState

        if self.revoked_at:
            return PublicLinkState.REVOKED
        if not getattr(self, "is_backed", True):
            return PublicLinkState.STOPPED
        is_over = self.expires_at is not None and self.expires_at <= timezone.now()
        return PublicLinkState.EXPIRED if is_over else PublicLinkState.OPEN

    def note_use(self) -> None:
        """Count that somebody opened it."""
        GraphLink.objects.filter(pk=self.pk).update(uses=F("uses") + 1, last_used_at=timezone.now())

    def revoke(self) -> bool:
        now = timezone.now()
        is_done = GraphLink.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=now) == 1
        self.revoked_at = self.revoked_at or now
        return is_done
