"""Links that show something of a machine to people without an account: what those to its form and to its graphs share."""

import re
from typing import TYPE_CHECKING, ClassVar, Self, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from . import tokens
from .access import Action, Role

if TYPE_CHECKING:
    from typing import Any

    from django.contrib.auth.models import AnonymousUser

    from .user import User


LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
ORIGIN = re.compile(rf"(?:https://{LABEL}(?:\.{LABEL})*|http://localhost)(?::([1-9][0-9]{{0,4}}))?")
ORIGIN_LENGTH = 253
Link = TypeVar("Link", bound="SharedLink", covariant=True)


def is_origin(text: str) -> bool:
    """Return whether this is scheme://host[:port] and nothing else: it is written into a header."""
    found = ORIGIN.fullmatch(text) if len(text) <= ORIGIN_LENGTH else None
    return found is not None and int(found[1] or 443) < 65_536


class LinkState(models.TextChoices):
    """Worked out from the row, never stored."""

    OPEN = "open", _("Open")
    USED = "used", _("Used up")
    EXPIRED = "expired", _("Expired")
    REVOKED = "revoked", _("Revoked")
    STOPPED = "stopped", _("Stopped")  # whoever made it may no longer publish this machine


class SharedLinkQuerySet(models.QuerySet[Link]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """Return the links of the machines that this user may publish."""
        from . import Machine

        return self.filter(machine__in=Machine.objects.allowing(user, Action.PUBLISH).order_by().values("pk"))

    editable_by = visible_to

    def by_token(self, token: str) -> Self:
        return self.filter(token_hash=tokens.digest(token))

    def open(self) -> Self:
        """Return those that were not revoked and have not ended."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()), revoked_at=None)

    def backed(self) -> Self:
        """Note on each link as `is_backed` whether who made it may publish its machine today."""
        return self.annotate(is_backed=Case(When(maker_may(), then=True), default=False))

    def usable(self) -> Self:
        """Return the open ones that show something: a link dies with its maker's power."""
        return self.open().filter(maker_may())


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


class SharedLink(models.Model):
    """A secret address. Its token is derived from `token_seed`, and looked up by `token_hash`."""

    purpose: ClassVar[str]  # of its token: one of another purpose is another
    folder: ClassVar[str]  # of its address

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

    class Meta:
        abstract = True
        ordering = ["-pk"]

    def save(self, *args: "Any", **kwargs: "Any") -> None:
        if self._state.adding:
            self.token_seed = tokens.new_seed()
            self.token_hash = tokens.digest(tokens.derive(self.purpose, self.token_seed))
        super().save(*args, **kwargs)

    @property
    def link(self) -> str:
        """The address; "" when SECRET_KEY has changed since: it still works, but cannot be shown again."""
        token = tokens.derive(self.purpose, self.token_seed)
        is_same = tokens.digest(token) == self.token_hash
        return f"{settings.SITE_URL}/{self.folder}/{token}/" if is_same else ""

    @property
    def embedders(self) -> list[str]:
        """The sites that may show it in a frame, checked once more before they enter a header."""
        return [site for site in self.allowed_sites if isinstance(site, str) and is_origin(site)]

    @property
    def state(self) -> LinkState:
        if self.revoked_at:
            return LinkState.REVOKED
        if not getattr(self, "is_backed", True):
            return LinkState.STOPPED
        is_over = self.expires_at is not None and self.expires_at <= timezone.now()
        return LinkState.EXPIRED if is_over else LinkState.OPEN

    def revoke(self) -> bool:
        """End it at once; return whether this call did it."""
        now = timezone.now()
        is_done = type(self)._default_manager.filter(pk=self.pk, revoked_at=None).update(revoked_at=now) == 1
        self.revoked_at = self.revoked_at or now
        return is_done
