"""People: they sign in with their e-mail address."""

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.mail import send_mail
from django.core.validators import EmailValidator
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from .fields import MoneyField, not_negative

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from config.formats import Formats

    from .team import Team


class UserQuerySet(models.QuerySet["User"]):
    def visible_to(self, user: "User | AnonymousUser") -> "UserQuerySet":
        """Return the person and those who share a team with them; everybody for the staff."""
        from . import Team

        if user.is_anonymous or not user.is_active:
            return self.none()
        if user.is_staff or user.is_super_admin:
            return self.all()
        teams = Team.objects.of(user).order_by().values("pk")
        return self.filter(Q(pk=user.pk) | Q(memberships__team__in=teams) | Q(administered_teams__in=teams)).distinct()

    @transaction.atomic
    def delete(self) -> tuple[int, dict[str, int]]:
        """Leave to other people's teams what was shared with them; delete the rest and the own teams."""
        from . import Machine, Team

        people = list(self.values_list("pk", flat=True))
        Machine.objects.filter(machine_owner_user__in=people).exclude(
            machine_owner_team__admin_user__in=people
        ).pass_to_teams()
        Machine.objects.filter(machine_owner_user__in=people).delete()
        Team.objects.filter(admin_user__in=people).delete()
        return super().delete()


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]  # a class made at run time
    use_in_migrations = False

    def create_user(self, email: str | None = None, password: str | None = None, **extra_fields: Any) -> "User":
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user: User = self.model(email=email, **extra_fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(
        self,
        email: str,
        password: str,
        first_name: str | None = None,
        last_name: str | None = None,
        **extra_fields: Any,
    ) -> "User":
        powers = {"is_staff": True, "is_superuser": True, "is_super_admin": True}
        names = {"first_name": first_name, "last_name": last_name}
        return self.create_user(email, password, **extra_fields | names | powers)

    def get_by_natural_key(self, username: str | None) -> "User":
        user: User = self.get(email=(username or "").strip().lower())
        return user


class User(AbstractBaseUser, PermissionsMixin):
    email = models.EmailField(
        _("e-mail address"),
        null=True,
        unique=True,
        validators=[EmailValidator()],
        help_text=_("Primary email address for authentication"),
        error_messages={"unique": _("Someone with this e-mail address is already here.")},
    )
    first_name = models.CharField(_("first name"), max_length=140, null=True, blank=True)
    last_name = models.CharField(_("last name"), max_length=140, null=True, blank=True)
    user_profile = models.TextField(
        _("profile"), null=True, blank=True, help_text=_("User profile description and preferences")
    )
    time_format = models.CharField(
        _("time format"),
        max_length=3,
        default="24H",
        choices=[("12H", _("12 Hour")), ("24H", _("24 Hour"))],
        help_text=_("Preferred time format display"),
    )
    date_format = models.CharField(
        _("date format"),
        max_length=3,
        default="DMY",
        choices=[("DMY", _("Day-Month-Year")), ("MDY", _("Month-Day-Year")), ("YMD", _("Year-Month-Day"))],
        help_text=_("Preferred date format display"),
    )
    date_separator = models.CharField(
        _("date separator"),
        max_length=1,
        default="/",
        choices=[("/", _("Slash")), ("-", _("Dash")), (".", _("Dot"))],
        help_text=_("Date component separator"),
    )
    datetime_separator = models.CharField(
        _("separator between date and time"),
        max_length=1,
        default=" ",
        choices=[(" ", _("Space")), ("T", _("T separator"))],
        help_text=_("Date-time separator"),
    )
    decimal_separator = models.CharField(
        _("decimal separator"),
        max_length=1,
        default=",",
        choices=[(",", _("Comma")), (".", _("Dot"))],
        help_text=_("Decimal number separator"),
    )
    user_balance = MoneyField(_("balance in USD"), help_text=_("USD balance for platform usage"))
    user_ixioo_balance = MoneyField(
        _("balance in EAML tokens"), help_text=_("EAML token balance for advanced features")
    )
    coupon_balance = MoneyField(_("coupon balance"), help_text=_("Promotional coupon balance"))
    coupons_activated_date = models.JSONField(_("coupons, by date of activation"), default=dict, blank=True)
    last_billing_time = models.DateTimeField(_("last billed at"), null=True, blank=True)
    is_super_admin = models.BooleanField(
        _("super administrator"), default=False, help_text=_("Super administrator with full system access")
    )
    is_staff = models.BooleanField(_("staff"), default=False, help_text=_("Staff member with administrative access"))
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Active user account status"))
    date_joined = models.DateTimeField(_("joined at"), auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_unique_whatever_case"),
            *not_negative("user", "user_balance", "user_ixioo_balance", "coupon_balance"),
        ]

    def __str__(self) -> str:
        return self.email or f"#{self.pk}"

    def clean(self) -> None:
        super().clean()
        self._normalize_email()

    def save(self, *args: Any, **kwargs: Any) -> None:
        self._normalize_email()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        from . import Machine, Team

        with transaction.atomic():
            mine = Machine.objects.filter(machine_owner_user=self)
            mine.exclude(machine_owner_team__admin_user=self).pass_to_teams()
            mine.delete()
            Team.objects.filter(admin_user=self).delete()
            return super().delete(*args, **kwargs)

    def get_full_name(self) -> str:
        """Return the name, or what stands before the @ while no name is given."""
        full = f"{self.first_name or ''} {self.last_name or ''}".strip()
        return full or (self.email or "").partition("@")[0]

    def get_short_name(self) -> str:
        return (self.first_name or "").strip() or self.get_full_name()

    def get_user_teams(self) -> "models.QuerySet[Team]":
        from . import Team

        return Team.objects.of(self)

    def create_team(self, team_name: str) -> "Team":
        """Create a team with this user as its admin and first member."""
        from . import Team

        with transaction.atomic():
            team = Team.objects.create(name=team_name, admin_user=self)
            team.add_user_to_team(self)
        return team

    @classmethod
    def get_super_admin(cls) -> "User | None":
        found: User | None = cls.objects.filter(is_super_admin=True, is_active=True).order_by("pk").first()
        return found

    def email_user(self, subject: str, message: str, from_email: str | None = None, **kwargs: Any) -> int:
        return send_mail(subject, message, from_email, [self.email or ""], **kwargs)

    @property
    def formats(self) -> "Formats":
        from config.formats import Formats

        return Formats(
            time_format=self.time_format,
            date_format=self.date_format,
            date_separator=self.date_separator,
            datetime_separator=self.datetime_separator,
            decimal_separator=self.decimal_separator,
        )

    def _normalize_email(self) -> None:
        # "deferred" must not be loaded only to be normalised
        if "email" in self.__dict__:
            self.email = (self.email or "").strip().lower() or None
