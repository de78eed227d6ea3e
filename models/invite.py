"""Invitations into a team: a link with a role, an end and a number of uses."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from . import tokens
from .access import Action, Role

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from .user import User

DAYS = 7
MOST_USES = 1000


class Landing(models.TextChoices):
    """Where a new member arrives."""

    HOME = "home", _("The home page")
    TEAM = "team", _("The team's page")
    MACHINE = "machine", _("A machine's page")
    FORM = "form", _("A machine's form")


class InviteState(models.TextChoices):
    """Worked out from the row, never stored."""

    OPEN = "open", _("Open")
    USED = "used", _("Used up")
    EXPIRED = "expired", _("Expired")
    REVOKED = "revoked", _("Revoked")


class MailState(models.TextChoices):
    NONE = "", _("Not sent by e-mail")
    WAITING = "waiting", _("Being sent")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Could not be sent")


class InviteQuerySet(models.QuerySet["Invite"]):
    def visible_to(self, user: "User | AnonymousUser") -> "InviteQuerySet":
        """Return the invitations of the teams in which this user may invite."""
        from . import Team

        return self.filter(team__in=Team.objects.allowing(user, Action.INVITE).values("pk"))

    editable_by = visible_to

    def by_hash(self, hashed: str) -> "InviteQuerySet":
        return self.filter(Q(token_hash=hashed) | Q(mail_hash=hashed))

    def by_token(self, token: str) -> "InviteQuerySet":
        return self.by_hash(tokens.digest(token))

    def open(self) -> "InviteQuerySet":
        """Return what has neither ended, nor been used up, nor been revoked."""
        return self.filter(revoked_at=None, expires_at__gt=timezone.now(), uses__lt=F("max_uses"))

    def usable(self) -> "InviteQuerySet":
        """Return the open ones whose maker may still invite: an invitation dies with its maker's power."""
        from . import Membership

        may_invite = Membership.objects.filter(
            team=OuterRef("team"), user=OuterRef("invited_by"), role__in=Role.which_may(Action.INVITE)
        )
        still = Q(team__admin_user=F("invited_by")) | Exists(may_invite) | Q(invited_by__is_super_admin=True)
        return self.open().filter(still, invited_by__is_active=True)


class Invite(models.Model):
    """The link can be shown again (see models.tokens). What is mailed is another link to the same invitation:

    whoever comes by it has proved that the address is theirs.
    """

    team = models.ForeignKey("models.Team", on_delete=models.CASCADE, related_name="invites", verbose_name=_("team"))
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="invites", verbose_name=_("invited by")
    )
    role = models.CharField(_("role"), max_length=20, choices=Role.stored_choices(), default=Role.PREDICTOR)
    token_seed = models.CharField(_("seed"), max_length=64, editable=False)
    token_hash = models.CharField(_("hash of the link's token"), max_length=64, unique=True, editable=False)
    mail_hash = models.CharField(_("hash of the mailed token"), max_length=64, unique=True, editable=False)
    email = models.EmailField(_("e-mail address"), blank=True, default="")
    is_locked = models.BooleanField(_("for this address only"), default=False)
    domain = models.CharField(_("for addresses of this domain only"), max_length=253, blank=True, default="")
    max_uses = models.PositiveIntegerField(
        _("uses at most"), default=1, validators=[MinValueValidator(1), MaxValueValidator(MOST_USES)]
    )
    uses = models.PositiveIntegerField(_("uses"), default=0)
    expires_at = models.DateTimeField(_("ends at"))
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True, default="")
    landing = models.CharField(_("first page"), max_length=10, choices=Landing.choices, default=Landing.HOME)
    landing_machine = models.ForeignKey(
        "models.Machine", on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("machine")
    )
    note = models.TextField(_("note"), max_length=500, blank=True, default="")
    mail_state = models.CharField(
        _("e-mail"), max_length=10, choices=MailState.choices, blank=True, default=MailState.NONE
    )
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    created_at = models.DateTimeField(_("made at"), auto_now_add=True)

    objects = InviteQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(uses__lte=F("max_uses")), name="invite_uses_at_most"),
            models.CheckConstraint(
                condition=Q(role__in=[role.value for role in Role.stored()]), name="invite_role_known"
            ),
            models.CheckConstraint(condition=~Q(is_locked=True, email=""), name="invite_lock_needs_address"),
        ]

    def __str__(self) -> str:
        return f"{self.team} · {self.get_role_display()}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = self.email.strip().lower()
        if self._state.adding:
            self.expires_at = self.expires_at or timezone.now() + timedelta(days=DAYS)
            self._new_tokens()
        super().save(*args, **kwargs)

    def _new_tokens(self) -> None:
        self.token_seed = tokens.new_seed()
        self.token_hash = tokens.digest(tokens.derive("invite", self.token_seed))
        self.mail_hash = tokens.digest(tokens.derive("invite.mail", self.token_seed))

    @property
    def link(self) -> str:
        return self._address("invite", self.token_hash)

    @property
    def mail_link(self) -> str:
        return self._address("invite.mail", self.mail_hash)

    def _address(self, purpose: str, stored: str) -> str:
        """Return the link; "" when SECRET_KEY has changed since, so that only a new one can be shown."""
        token = tokens.derive(purpose, self.token_seed)
        return f"{settings.SITE_URL}/invites/{token}/" if tokens.digest(token) == stored else ""

    @property
    def state(self) -> InviteState:
        if self.revoked_at:
            return InviteState.REVOKED
        if self.uses >= self.max_uses:
            return InviteState.USED
        return InviteState.EXPIRED if self.expires_at <= timezone.now() else InviteState.OPEN

    @property
    def whom(self) -> str:
        """For whom it is: an address, the addresses of a domain, or whoever has the link."""
        anyone = _("%(domain)s addresses") % {"domain": self.domain} if self.domain else _("Anyone with the link")
        return self.email or str(anyone)

    @property
    def is_restricted(self) -> bool:
        return self.is_locked or bool(self.domain)

    def rotate(self) -> None:
        """Give it a new link; the old ones lead nowhere from now on."""
        self._new_tokens()
        self.save(update_fields=["token_seed", "token_hash", "mail_hash"])

    def claim(self) -> bool:
        """Count one use, if there is one left and the maker may still invite. Of two at once, one gets the last."""
        # What a second claim changes stands outside the subquery: PostgreSQL, after waiting for the row, looks at that
        # part once more, and not at the rows that the subquery had found before.
        usable = Invite.objects.usable().filter(pk=self.pk).order_by().values("pk")
        return Invite.objects.open().filter(pk__in=usable).update(uses=F("uses") + 1) == 1

    def revoke(self) -> bool:
        now = timezone.now()
        is_done = Invite.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=now) == 1
        self.revoked_at = self.revoked_at or now
        return is_done

    def admits(self, email: str) -> bool:
        """Return whether somebody with this (proved) address may use it."""
        if self.is_locked and email.lower() != self.email:
            return False
        return not self.domain or email.lower().rpartition("@")[2] == self.domain.lower()


class InviteRequestQuerySet(models.QuerySet["InviteRequest"]):
    def visible_to(self, user: "User | AnonymousUser") -> "InviteRequestQuerySet":
        return self.filter(invite__in=Invite.objects.visible_to(user).order_by().values("pk"))

    editable_by = visible_to

    def waiting(self) -> "InviteRequestQuerySet":
        return self.filter(answered_at=None)


class InviteRequest(models.Model):
    """Somebody met an invitation that had ended and asks for another."""

    invite = models.ForeignKey(
        "models.Invite", on_delete=models.CASCADE, related_name="requests", verbose_name=_("invitation")
    )
    email = models.EmailField(_("e-mail address"))
    created_at = models.DateTimeField(_("asked at"), auto_now_add=True)
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True)

    objects = InviteRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("request for an invitation")
        verbose_name_plural = _("requests for an invitation")
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["invite", "email"], name="invite_request_once")]

    def __str__(self) -> str:
        return f"{self.email} · {self.invite}"
