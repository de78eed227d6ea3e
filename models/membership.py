"""A person's place in a team."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from .access import Action, Role

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from .user import User


class MembershipQuerySet(models.QuerySet["Membership"]):
    def visible_to(self, user: "User | AnonymousUser") -> "MembershipQuerySet":
        from . import Team

        return self.filter(team__in=Team.objects.allowing(user, Action.SEE).values("pk"))

    def editable_by(self, user: "User | AnonymousUser") -> "MembershipQuerySet":
        from . import Team

        return self.filter(team__in=Team.objects.allowing(user, Action.MANAGE).values("pk"))


class Membership(models.Model):
    team = models.ForeignKey(
        "models.Team", on_delete=models.CASCADE, related_name="memberships", verbose_name=_("team")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("member")
    )
    role = models.CharField(_("role"), max_length=20, choices=Role.stored_choices(), default=Role.PREDICTOR)
    joined_at = models.DateTimeField(_("joined at"), auto_now_add=True)
    invite = models.ForeignKey(
        "models.Invite",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="memberships",
        verbose_name=_("came with"),
    )

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        db_table = "models_team_users"  # where the seed's many-to-many field has kept members from the start
        unique_together = [("team", "user")]
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(role__in=[role.value for role in Role.stored()]), name="membership_role_known"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()}"
