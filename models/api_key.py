"""API keys: a program's way in, in the name of a person or of a team."""

import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import BooleanField, Exists, ExpressionWrapper, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from . import tokens
from .access import Action, Role

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from .machine import MachineQuerySet
    from .user import User
    from .work import WorkQuerySet

PREFIX = "eaml_"
SHOWN = len(PREFIX) + 6  # the beginning by which a person recognises a key
NOTED_EVERY = timedelta(minutes=1)


class Scope(models.TextChoices):
    READ = "read", _("Look at machines and models")
    PREDICT = "predict", _("Ask machines and models")
    WRITE = "write", _("Make, change, train, download and delete machines and models")

    @classmethod
    def of(cls, action: Action) -> "Scope":
        """Return the scope that a key needs for this action."""
        return {Action.SEE: cls.READ, Action.PREDICT: cls.PREDICT}.get(action, cls.WRITE)


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def visible_to(self, user: "User | AnonymousUser") -> "ApiKeyQuerySet":
        """Return a person's own keys and those of the teams whose keys they may manage."""
        from . import Team

        if user.is_anonymous or not user.is_active:
            return self.none()
        teams = Team.objects.allowing(user, Action.KEYS).values("pk")
        return self.filter(Q(user=user, team=None) | Q(team__in=teams))

    def editable_by(self, user: "User | AnonymousUser") -> "ApiKeyQuerySet":
        return self.visible_to(user)

    def usable(self, now: datetime | None = None) -> "ApiKeyQuerySet":
        """Return what is neither revoked nor expired, and whose maker is still who they were."""
        in_time = Q(expires_at=None) | Q(expires_at__gt=now or timezone.now())
        return self.filter(in_time, _maker_stands(), revoked_at=None)

    def with_maker(self) -> "ApiKeyQuerySet":
        """Tell of each key whether its maker is still who they were: what `state` asks for."""
        return self.select_related("user").annotate(maker_stands=ExpressionWrapper(_maker_stands(), BooleanField()))

    def by_secret(self, secret: str) -> "ApiKeyQuerySet":
        return self.filter(key_hash=tokens.digest(secret))


def _maker_stands() -> Q:
    """Return the condition that the maker is active and, of a team's key, may still make such keys."""
    from . import Membership

    may_manage = Membership.objects.filter(
        team=OuterRef("team"), user=OuterRef("user"), role__in=Role.which_may(Action.KEYS)
    )
    in_team = Q(team__admin_user=F("user")) | Q(user__is_super_admin=True) | Q(Exists(may_manage))
    return Q(user__is_active=True) & (Q(team=None) | in_team)


class KeyState(models.TextChoices):
    ACTIVE = "active", _("active")
    ASLEEP = "asleep", _("asleep")  # a team's key whose maker is no admin of the team any more
    EXPIRED = "expired", _("expired")
    REVOKED = "revoked", _("revoked")


class ApiKey(models.Model):
    """A person's key acts as that person, a team's key as the team; its scopes say how much of that."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_keys", verbose_name=_("made by")
    )
    team = models.ForeignKey(
        "models.Team",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="api_keys",
        verbose_name=_("team"),
    )
    name = models.CharField(_("name"), max_length=200)
    start = models.CharField(_("begins with"), max_length=20, editable=False)
    key_hash = models.CharField(_("hash of the key"), max_length=64, unique=True, editable=False)
    scopes = models.JSONField(_("scopes"), default=list)
    expires_at = models.DateTimeField(_("ends at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True)
    last_used_ip = models.GenericIPAddressField(_("last used from"), null=True, blank=True)
    created_at = models.DateTimeField(_("made at"), auto_now_add=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.name} ({self.start}…)"

    def make_secret(self) -> str:
        """Give an unsaved key its secret and return it: it is never to be seen again."""
        secret = PREFIX + secrets.token_urlsafe(32)
        self.start, self.key_hash = secret[:SHOWN], tokens.digest(secret)
        return secret

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def state(self) -> KeyState:
        """Return what became of it, as far as `with_maker` was asked about its maker."""
        if self.revoked_at is not None:
            return KeyState.REVOKED
        if self.is_expired:
            return KeyState.EXPIRED
        return KeyState.ACTIVE if getattr(self, "maker_stands", True) else KeyState.ASLEEP

    @property
    def scope_names(self) -> list[str]:
        return [str(scope.label) for scope in Scope if scope in self.scopes]

    def has_scope(self, action: Action) -> bool:
        return Scope.of(action) in self.scopes

    def machines(self, action: Action) -> "MachineQuerySet":
        """Return the machines with which this key may do this."""
        from . import Machine

        if not self.has_scope(action):
            return Machine.objects.none()
        if self.team_id is None:
            return Machine.objects.allowing(self.user, action)
        return Machine.objects.filter(machine_owner_team=self.team_id)

    def works(self, action: Action) -> "WorkQuerySet":
        """Return the work that this key may see or, for any other action, end."""
        from . import Work

        if not self.has_scope(action):
            return Work.objects.none()
        if self.team_id is not None:
            return Work.objects.filter(machine__machine_owner_team=self.team_id)
        works = Work.objects
        return works.visible_to(self.user) if action is Action.SEE else works.editable_by(self.user)

    def note_use(self, ip: str | None) -> None:
        """Remember when and from where it was last used; at most once a minute, because it costs a write."""
        now = timezone.now()
        if self.last_used_at is None or self.last_used_at < now - NOTED_EVERY:
            ApiKey.objects.filter(pk=self.pk).update(last_used_at=now, last_used_ip=ip)

    def revoke(self) -> bool:
        now = timezone.now()
        is_done = ApiKey.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=now) == 1
        self.revoked_at = self.revoked_at or now
        return is_done
