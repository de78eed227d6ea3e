"""Teams: people who share machines."""

import secrets
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from .user import User


class TeamQuerySet(models.QuerySet["Team"]):
    def of(self, user: "User") -> "TeamQuerySet":
        """Return the teams of which this user is a member or the admin."""
        return self.filter(Q(pk__in=user.Teams.values("pk")) | Q(admin_user=user))

    @transaction.atomic
    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete the teams and their permissions; machines stay with their owner."""
        permissions = [pk for pk in self.values_list("permission", flat=True) if pk is not None]
        deleted = super().delete()
        Permission.objects.filter(pk__in=permissions).delete()
        return deleted


class Team(models.Model):
    name = models.CharField(_("name"), max_length=200)
    admin_user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.CASCADE,
        related_name="administered_teams",
        verbose_name=_("admin"),
    )
    users = models.ManyToManyField(
        settings.AUTH_USER_MODEL, related_name="Teams", blank=True, verbose_name=_("members")
    )
    url = models.URLField(_("invitation link"), unique=True, default=None, null=True, blank=True)
    permission = models.OneToOneField(
        Permission, on_delete=models.CASCADE, null=True, blank=True, verbose_name=_("permission")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = TeamQuerySet.as_manager()

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        ordering = ["name", "pk"]
        indexes = [models.Index(fields=["name"], name="team_name")]

    def __str__(self) -> str:
        return self.name

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        permission = self.permission
        with transaction.atomic():
            deleted = super().delete(*args, **kwargs)
            if permission:
                permission.delete()
        return deleted

    @transaction.atomic
    def add_user_to_team(self, user: "User") -> None:
        self.users.add(user)
        user.user_permissions.add(self.permission or self.create_permission())

    @transaction.atomic
    def remove_user_from_team(self, user: "User") -> None:
        """Take the membership and the permission away. The admin stays."""
        if user.pk == self.admin_user_id:
            raise ValueError("The admin cannot leave the team. Name another admin first.")
        self.users.remove(user)
        if self.permission:
            user.user_permissions.remove(self.permission)

    def generate_link(self) -> str:
        """Replace the invitation link by a new one that cannot be guessed, and return it."""
        self.url = f"{settings.SITE_URL}/invites/{secrets.token_urlsafe(32)}/"
        self.save(update_fields=["url"])
        return self.url

    def create_permission(self) -> Permission:
        """Return the permission of this team, made at the first call."""
        self.permission, _created = Permission.objects.get_or_create(
            codename=f"can_use_team_{self.pk}",
            content_type=ContentType.objects.get_for_model(Team),
            defaults={"name": f"Can use team with id={self.pk}"},
        )
        self.save(update_fields=["permission"])
        return self.permission

    def has_member(self, user: "User") -> bool:
        return user.pk == self.admin_user_id or self.users.filter(pk=user.pk).exists()
