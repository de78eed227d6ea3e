"""Teams: people who share machines."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .access import Action, Role

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from .user import User


class TeamQuerySet(models.QuerySet["Team"]):
    def of(self, user: "User") -> "TeamQuerySet":
        """Return the teams of which this user is a member or the owner."""
        return self.filter(Q(pk__in=user.memberships.values("team")) | Q(admin_user=user))

    def allowing(self, user: "User | AnonymousUser", action: Action) -> "TeamQuerySet":
        """Return the teams in which this user may do this; all of them for a super administrator."""
        from . import Membership

        if user.is_anonymous or not user.is_active:
            return self.none()
        if user.is_super_admin:
            return self.all()
        memberships = Membership.objects.filter(user=user, role__in=Role.which_may(action)).order_by()
        return self.filter(Q(admin_user=user) | Q(pk__in=memberships.values("team")))

    def visible_to(self, user: "User | AnonymousUser") -> "TeamQuerySet":
        return self.allowing(user, Action.SEE)

    def editable_by(self, user: "User | AnonymousUser") -> "TeamQuerySet":
        return self.allowing(user, Action.MANAGE)

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
        verbose_name=_("owner"),
    )
    users = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        through="models.Membership",
        related_name="Teams",
        blank=True,
        verbose_name=_("members"),
    )
    # The seed's column. It stays empty: a link is a secret, and invitations keep its hash only.
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
    def add_user_to_team(self, user: "User", role: Role = Role.PREDICTOR) -> None:
        """Make somebody a member; who is one already keeps their role."""
        self.users.add(user, through_defaults={"role": role})
        user.user_permissions.add(self.permission or self.create_permission())

    @transaction.atomic
    def remove_user_from_team(self, user: "User") -> None:
        """Take membership and permission away. Machines they shared stay with the team and go to its owner."""
        if user.pk == self.admin_user_id:
            raise ValueError("The admin cannot leave the team. Name another admin first.")
        self.users.remove(user)
        if self.permission:
            user.user_permissions.remove(self.permission)
        if self.admin_user_id:
            self.machines.filter(machine_owner_user=user).update(machine_owner_user=self.admin_user_id)

    def generate_link(self) -> str:
        """Return a new invitation link, good for 25 people and 7 days. The address itself is not stored."""
        from . import Invite

        assert self.admin_user is not None
        invite = Invite.objects.create(team=self, invited_by=self.admin_user, max_uses=25)
        return invite.link

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
        return self.role_of(user) is not None

    def role_of(self, user: "User") -> Role | None:
        if user.pk == self.admin_user_id:
            return Role.OWNER
        role = self.memberships.filter(user=user).values_list("role", flat=True).first()
        return Role(role) if role else None
