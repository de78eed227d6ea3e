"""Public links: a machine's form for people without an account, at /p/<token>/."""

import re
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from . import tokens
from .access import Action, Role

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from .user import User


LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
ORIGIN = re.compile(rf"(?:https://{LABEL}(?:\.{LABEL})*|http://localhost)(?::([1-9][0-9]{{0,4}}))?")
ORIGIN_LENGTH = 253


def is_origin(text: str) -> bool:
    """Return whether this is scheme://host[:port] and nothing else: it is written into a header."""
    found = ORIGIN.fullmatch(text) if len(text) <= ORIGIN_LENGTH else None
    return found is not None and int(found[1] or 443) < 65_536


class PublicLinkState(models.TextChoices):
    """Worked out from the row, never stored."""

    OPEN = "open", _("Open")
    USED = "used", _("Used up")
    EXPIRED = "expired", _("Expired")
    REVOKED = "revoked", _("Revoked")
    STOPPED = "stopped", _("Stopped")  # whoever made it may no longer publish this machine


class PublicLinkQuerySet(models.QuerySet["PublicLink"]):
    def visible_to(self, user: "User | AnonymousUser") -> "PublicLinkQuerySet":
        """Return the links of the machines that this user may publish."""
        from . import Machine

        return self.filter(machine__in=Machine.objects.allowing(user, Action.PUBLISH).order_by().values("pk"))

    editable_by = visible_to

    def by_token(self, token: str) -> "PublicLinkQuerySet":
        return self.filter(token_hash=tokens.digest(token))

    def open(self) -> "PublicLinkQuerySet":
        has_uses = Q(max_uses=None) | Q(uses__lt=F("max_uses"))
        in_time = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
        return self.filter(has_uses, in_time, revoked_at=None)

    def backed(self) -> "PublicLinkQuerySet":
        """Note on each link as `is_backed` whether who made it may publish its machine today."""
        return self.annotate(is_backed=Case(When(maker_may(), then=True), default=False))

    def usable(self) -> "PublicLinkQuerySet":
        """Return the open ones that answer: a link dies with its maker's power, and with the model."""
        has_model = Q(machine__training_nn_model__isnull=False) | Q(machine__uploaded_version__isnull=False)
        return self.open().filter(maker_may(), has_model)


def maker_may() -> Q:
    """The condition that who made a link may publish its machine today: `Machine.objects.allowing`, seen from any link."""
    from . import Membership

    may_publish = Membership.objects.filter(
        team=OuterRef("machine__machine_owner_team"),
        user=OuterRef("created_by"),
        role__in=Role.which_may(Action.PUBLISH),
    )
    return Q(created_by__is_active=True) & (
        Q(machine__machine_owner_user=F("created_by"))
        | Q(machine__machine_owner_team__admin_user=F("created_by"))
        | Q(created_by__is_super_admin=True)
        | Q(Exists(may_publish))
    )


class PublicLink(models.Model):
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
    token_seed = models.CharField(_("seed"), max_length=64, editable=False)
    token_hash = models.CharField(_("hash of the token"), max_length=64, unique=True, editable=False)
    questions = models.JSONField(
        _("questions"), default=list, blank=True, help_text=_("Names of columns; none means all of them.")
    )
    allowed_sites = models.JSONField(
        _("sites that may embed it"), default=list, blank=True, help_text=_("Such as https://clinic.example.org")
    )
    max_uses = models.PositiveIntegerField(_("answers at most"), null=True, blank=True)
    uses = models.PositiveIntegerField(_("answers"), default=0)
    expires_at = models.DateTimeField(_("ends at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True)
    created_at = models.DateTimeField(_("made at"), auto_now_add=True)

    objects = PublicLinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("public link")
        verbose_name_plural = _("public links")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(max_uses=None) | Q(uses__lte=F("max_uses")), name="public_link_uses_at_most"
            )
        ]

    def __str__(self) -> str:
        return self.name or f"{self.machine_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding:
            self.token_seed = tokens.new_seed()
            self.token_hash = tokens.digest(tokens.derive("public", self.token_seed))
        super().save(*args, **kwargs)

    @property
    def link(self) -> str:
        """The address; "" when SECRET_KEY has changed since: it still works, but cannot be shown again."""
        token = tokens.derive("public", self.token_seed)
        return f"{settings.SITE_URL}/p/{token}/" if tokens.digest(token) == self.token_hash else ""

    @property
    def title(self) -> str:
        """What people see above the form."""
        return self.name or self.machine.machine_name

    @property
    def embedders(self) -> list[str]:
        """The sites that may show the form in a frame, checked once more before they enter a header."""
        return [site for site in self.allowed_sites if isinstance(site, str) and is_origin(site)]

    @property
    def state(self) -> PublicLinkState:
        if self.revoked_at:
            return PublicLinkState.REVOKED
        if not getattr(self, "is_backed", True):
            return PublicLinkState.STOPPED
        if self.max_uses is not None and self.uses >= self.max_uses:
            return PublicLinkState.USED
        is_over = self.expires_at is not None and self.expires_at <= timezone.now()
        return PublicLinkState.EXPIRED if is_over else PublicLinkState.OPEN

    def claim(self) -> bool:
        """Count one answer, if there is one left. Of two at once, one gets the last.

        The condition reads this row alone: with a join Django would move it into a subquery, which PostgreSQL does not
        look at again after it has waited for somebody else's claim.
        """
        found = PublicLink.objects.open().filter(pk=self.pk)
        return found.update(uses=F("uses") + 1, last_used_at=timezone.now()) == 1

    def revoke(self) -> bool:
        now = timezone.now()
        is_done = PublicLink.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=now) == 1
        self.revoked_at = self.revoked_at or now
        return is_done
