"""Public links: a machine's form for people without an account, at /p/<token>/."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from . import tokens
from .access import Action

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from .user import User


class PublicLinkState(models.TextChoices):
    """Worked out from the row, never stored."""

    OPEN = "open", _("Open")
    USED = "used", _("Used up")
    EXPIRED = "expired", _("Expired")
    REVOKED = "revoked", _("Revoked")


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
    def state(self) -> PublicLinkState:
        if self.revoked_at:
            return PublicLinkState.REVOKED
        if self.max_uses is not None and self.uses >= self.max_uses:
            return PublicLinkState.USED
        is_over = self.expires_at is not None and self.expires_at <= timezone.now()
        return PublicLinkState.EXPIRED if is_over else PublicLinkState.OPEN

    def claim(self) -> bool:
        """Count one answer, if there is one left. Of two at once, one gets the last."""
        found = PublicLink.objects.open().filter(pk=self.pk)
        return found.update(uses=F("uses") + 1, last_used_at=timezone.now()) == 1

    def revoke(self) -> bool:
        now = timezone.now()
        is_done = PublicLink.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=now) == 1
        self.revoked_at = self.revoked_at or now
        return is_done
