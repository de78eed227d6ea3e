"""Who did what to which object, when and from where. Entries are added and never changed."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from .access import Action

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from .team import Team
    from .user import User


class AuditAction(models.TextChoices):
    """What is noted. The part before the dot is the group by which a log can be filtered."""

    SIGNED_UP = "account.signed_up", _("made an account")
    SIGNED_IN = "account.signed_in", _("signed in")
    SIGN_IN_FAILED = "account.sign_in_failed", _("could not sign in")
    SIGNED_OUT = "account.signed_out", _("signed out")
    PASSWORD_CHANGED = "account.password_changed", _("changed the password")
    EMAIL_CHANGED = "account.email_changed", _("changed the e-mail address")
    SECOND_FACTOR_ON = "account.second_factor_on", _("turned the second factor on")
    SECOND_FACTOR_OFF = "account.second_factor_off", _("turned the second factor off")
    RECOVERY_CODES_MADE = "account.recovery_codes_made", _("made new recovery codes")
    RECOVERY_CODE_USED = "account.recovery_code_used", _("used a recovery code")
    SESSION_ENDED = "account.session_ended", _("ended a session")
    DATA_EXPORTED = "account.data_exported", _("exported their data")
    POWERS_CHANGED = "account.powers_changed", _("changed what somebody may administer")
    ACCOUNT_DELETED = "account.deleted", _("deleted their account")
    TEAM_MADE = "team.made", _("made the team")
    TEAM_RENAMED = "team.renamed", _("renamed the team")
    TEAM_TRANSFERRED = "team.transferred", _("passed the team on")
    TEAM_DELETED = "team.deleted", _("deleted the team")
    MEMBER_JOINED = "member.joined", _("joined")
    MEMBER_LEFT = "member.left", _("left")
    MEMBER_REMOVED = "member.removed", _("removed a member")
    ROLE_CHANGED = "member.role_changed", _("changed a role")
    INVITE_MADE = "invite.made", _("made an invitation")
    INVITE_RENEWED = "invite.renewed", _("renewed an invitation")
    INVITE_CHANGED = "invite.changed", _("changed an invitation")
    INVITE_REVOKED = "invite.revoked", _("revoked an invitation")
    INVITE_ASKED = "invite.asked", _("asked for a new invitation")
    KEY_MADE = "key.made", _("made an API key")
    KEY_REVOKED = "key.revoked", _("revoked an API key")
    LINK_PUBLISHED = "link.published", _("published a form")
    GRAPHS_PUBLISHED = "link.graphs_published", _("published graphs")
    LINK_REVOKED = "link.revoked", _("revoked a public link")
    MACHINE_SHARED = "machine.shared", _("shared a machine with the team")
    MACHINE_TAKEN_OUT = "machine.taken_out", _("took a machine out of the team")
    MACHINE_DOWNLOADED = "machine.downloaded", _("downloaded a machine")
    MACHINE_DELETED = "machine.deleted", _("deleted a machine")
    MODEL_UPLOADED = "machine.model_uploaded", _("uploaded a model")
    VERSION_USED = "machine.version_used", _("let another version of a model answer")
    VERSION_DELETED = "machine.version_deleted", _("deleted a version of a model")
    SERVER_DRAINED = "server.drained", _("let a server take no more work")
    SERVER_RESUMED = "server.resumed", _("let a server take work again")
    WORK_CANCELLED = "work.cancelled", _("cancelled somebody's work")
    WORK_RETRIED = "work.retried", _("let failed work be tried again")
    DENIED = "access.denied", _("was refused")
    MONEY_MOVED = "money.moved", _("moved money")


class AuditGroup(models.TextChoices):
    ACCOUNT = "account", _("Signing in")
    TEAM = "team", _("Team")
    MEMBER = "member", _("Members")
    INVITE = "invite", _("Invitations")
    KEY = "key", _("API keys")
    LINK = "link", _("Public links")
    MACHINE = "machine", _("Machines")
    SERVER = "server", _("Servers")
    WORK = "work", _("Work")
    ACCESS = "access", _("Refusals")
    MONEY = "money", _("Money")


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    def visible_to(self, user: "User | AnonymousUser") -> "AuditQuerySet":
        """Return what this user did, and the logs of the teams whose log they may read."""
        from . import Team

        if user.is_anonymous or not user.is_active:
            return self.none()
        if user.is_super_admin:
            return self.all()
        own = Q(actor=user) & ~Q(
            action=AuditAction.DENIED
        )  # whose log it is learns nothing about what they may not see
        return self.filter(own | Q(team__in=Team.objects.allowing(user, Action.AUDIT).values("pk")))

    def of_team(self, team: "Team") -> "AuditQuerySet":
        """Return the log of a team: what concerned it, and how its members have signed in since they joined."""
        from . import Membership

        joined = Membership.objects.filter(team=team, user=OuterRef("actor"), joined_at__lte=OuterRef("at"))
        signing_in = Q(Exists(joined), team=None, action__startswith=f"{AuditGroup.ACCOUNT}.")
        return self.filter(Q(team=team) | signing_in)

    def removals(self, *, team: "Team", person: "User") -> "AuditQuerySet":
        """Return when somebody was removed from a team by others."""
        return self.filter(team=team, action=AuditAction.MEMBER_REMOVED, object_id=str(person.pk))

    def in_group(self, group: str) -> "AuditQuerySet":
        return self.filter(action__startswith=f"{group}.")

    def delete(self) -> Any:
        raise TypeError("The log is never deleted.")

    def update(self, **kwargs: Any) -> Any:
        raise TypeError("The log is never changed.")


class AuditEntry(models.Model):
    """Survives its people, its team and its object: their names are kept beside the keys."""

    at = models.DateTimeField(_("at"), auto_now_add=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="audit_entries",
        verbose_name=_("who"),
    )
    actor_name = models.CharField(_("name of who did it"), max_length=254, blank=True, default="")
    action = models.CharField(_("what"), max_length=40, choices=AuditAction.choices)
    team = models.ForeignKey(
        "models.Team",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="audit_entries",
        verbose_name=_("team"),
    )
    team_name = models.CharField(_("name of the team"), max_length=200, blank=True, default="")
    object_type = models.CharField(_("kind of object"), max_length=50, blank=True, default="")
    object_id = models.CharField(_("number of the object"), max_length=40, blank=True, default="")
    object_name = models.CharField(_("object"), max_length=500, blank=True, default="")
    details = models.JSONField(_("details"), default=dict, blank=True)
    ip = models.GenericIPAddressField(_("from"), null=True, blank=True)

    objects = AuditQuerySet.as_manager()

    class Meta:
        verbose_name = _("log of actions")
        verbose_name_plural = _("log of actions")
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["team", "-id"], name="audit_of_team"),
            models.Index(fields=["actor", "-id"], name="audit_of_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name} {self.get_action_display()} {self.object_name}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("The log is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("The log is never deleted.")

    @property
    def group(self) -> str:
        return self.action.partition(".")[0]


def record(
    action: AuditAction,
    *,
    actor: "User | None" = None,
    team: "Team | None" = None,
    target: models.Model | None = None,
    name: str = "",
    **details: Any,
) -> AuditEntry:
    """Note what was done, in the caller's transaction; `name` overrides what the object is called.

    `details` are plain values for JSON, such as role="editor". Never a secret.
    """
    from config.origin import current_ip

    return AuditEntry.objects.create(
        actor=actor if actor is not None and actor.pk else None,
        actor_name=(actor.email or "") if actor is not None else "",
        action=action,
        team=team,
        team_name=team.name if team else "",
        object_type=target._meta.model_name or "" if target is not None else "",
        object_id=str(target.pk or "") if target is not None else "",
        object_name=(name or (str(target) if target is not None else ""))[:500],
        details=details,
        ip=current_ip(),
    )
