"""A machine: a table whose columns have a meaning, and what was learned from it."""

from collections.abc import Iterable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .access import Action
from .fields import not_negative
from .machine_fields import rules
from .machine_fields.columns import ColumnsFields, SplitKind
from .machine_fields.marketplace import PRICES, MarketplaceFields
from .machine_fields.source import SourceFields
from .machine_fields.states import InvalidTransition, MachineStatus, RerunStep, Transitions
from .machine_fields.statistics import StatisticsFields
from .machine_fields.training import PreparationFields, ResultFields

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from .user import User

__all__ = ["InvalidTransition", "Machine", "MachineStatus", "RerunStep", "SplitKind"]

SMALL_JSON = {"source_options", "source_notices"}
PARTS = ("enc_dec_configuration", "training_nn_model")  # rows of their own that belong to one machine


class MachineQuerySet(models.QuerySet["Machine"]):
    def allowing(self, user: "User | AnonymousUser", action: Action) -> "MachineQuerySet":
        """Return the machines with which this user may do this: their own, those of teams where their role allows

        it, and all of them for a super administrator.
        """
        from . import Team

        if user.is_anonymous or not user.is_active:
            return self.none()
        if user.is_super_admin:
            return self.all()
        teams = Team.objects.allowing(user, action).order_by()
        return self.filter(Q(machine_owner_user=user) | Q(machine_owner_team__in=teams.values("pk")))

    def visible_to(self, user: "User | AnonymousUser") -> "MachineQuerySet":
        return self.allowing(user, Action.SEE)

    def editable_by(self, user: "User | AnonymousUser") -> "MachineQuerySet":
        return self.allowing(user, Action.EDIT)

    def pass_to_teams(self) -> int:
        """Give those that are shared with a team to the team's owner; return how many."""
        from . import Team

        owner = Team.objects.filter(pk=models.OuterRef("machine_owner_team")).order_by().values("admin_user")[:1]
        shared = self.filter(machine_owner_team__admin_user__isnull=False)
        return self.filter(pk__in=list(shared.values_list("pk", flat=True))).update(
            machine_owner_user=models.Subquery(owner)
        )

    def light(self) -> "MachineQuerySet":
        """Leave out the big JSON columns: for lists and forms."""
        return self.defer(*self.model.big_fields())

    def uploaded(self) -> "MachineQuerySet":
        """Return those whose model was uploaded."""
        return self.filter(machine_is_uploaded_model=True)

    def ready(self) -> "MachineQuerySet":
        return self.filter(machine_status=MachineStatus.READY)

    @transaction.atomic
    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete the machines with their models and configurations; work, bills and operations stay."""
        parts = list(self.values(*PARTS))
        deleted = super().delete()
        _delete_parts(parts)
        return deleted


class Machine(
    Transitions,
    MarketplaceFields,
    SourceFields,
    ColumnsFields,
    StatisticsFields,
    PreparationFields,
    ResultFields,
):
    timestamp = models.DateTimeField(_("created at"), auto_now_add=True)
    machine_original = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="OriginalChild",
        verbose_name=_("copied from"),
    )
    machine_owner_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="machines", verbose_name=_("owner")
    )
    machine_owner_team = models.ForeignKey(
        "models.Team",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="machines",
        verbose_name=_("team"),
    )
    machine_name = models.CharField(_("name"), max_length=500, blank=False)
    machine_description = models.TextField(_("description"), blank=True)
    machine_level = models.IntegerField(_("level"), default=1, choices=[(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)])

    objects = MachineQuerySet.as_manager()

    class Meta:
        verbose_name = _("machine")
        verbose_name_plural = _("machines")
        ordering = ["-timestamp", "-pk"]
        indexes = [
            models.Index(fields=["-timestamp"], name="machine_newest"),
            models.Index(fields=["machine_status"], name="machine_status"),
        ]
        constraints = [
            *not_negative("machine", *PRICES, "rows_count", "model_version", "versions_given"),
            models.CheckConstraint(
                condition=Q(machine_level__gte=1, machine_level__lte=5), name="machine_level_1_to_5"
            ),
            models.CheckConstraint(condition=Q(machine_status__in=MachineStatus.values), name="machine_status_known"),
            models.CheckConstraint(condition=RerunStep.chain(), name="machine_rerun_implies_later"),
            models.CheckConstraint(condition=SplitKind.has_column(), name="machine_split_has_column"),
        ]

    def __str__(self) -> str:
        return self.machine_name

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Check what is about to be written, save the parts that are new or changed, then the row."""
        known = {f.name for f in self._meta.concrete_fields if f.attname not in self.get_deferred_fields()}
        names = known if update_fields is None else known.intersection(update_fields)
        rules.check(self, names)
        parts = self._parts_to_save(names)
        with transaction.atomic() if parts else nullcontext():
            for part in parts:
                self._save_part(part)
            super().save(*args, update_fields=update_fields, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            parts = {name: getattr(self, f"{name}_id") for name in PARTS}
            deleted = super().delete(*args, **kwargs)
            _delete_parts([parts])
        return deleted

    @classmethod
    def big_fields(cls) -> list[str]:
        fields = cls._meta.concrete_fields
        return [f.name for f in fields if isinstance(f, models.JSONField) and f.name not in SMALL_JSON]

    @property
    def training_nn_model_extfield(self) -> bytes | None:
        """The bytes of the trained model. Assigning keeps them until save(); deleting takes effect at once."""
        part = self.training_nn_model
        return None if part is None or part.nn_model is None else bytes(part.nn_model)

    @training_nn_model_extfield.setter
    def training_nn_model_extfield(self, value: bytes | None) -> None:
        from . import NNModel

        self.training_nn_model = self.training_nn_model or NNModel()
        self.training_nn_model.nn_model = value
        self._changed_parts().add("training_nn_model")

    @training_nn_model_extfield.deleter
    def training_nn_model_extfield(self) -> None:
        self._delete_part("training_nn_model")

    @property
    def enc_dec_configuration_extfield(self) -> dict[str, Any] | None:
        """The encoding configuration. Assigning keeps it until save(); deleting takes effect at once."""
        part = self.enc_dec_configuration
        return None if part is None else part.enc_dec_config

    @enc_dec_configuration_extfield.setter
    def enc_dec_configuration_extfield(self, value: dict[str, Any] | None) -> None:
        from . import EncDecConfiguration

        self.enc_dec_configuration = self.enc_dec_configuration or EncDecConfiguration()
        self.enc_dec_configuration.enc_dec_config = value
        self._changed_parts().add("enc_dec_configuration")

    @enc_dec_configuration_extfield.deleter
    def enc_dec_configuration_extfield(self) -> None:
        self._delete_part("enc_dec_configuration")

    def _changed_parts(self) -> set[str]:
        changed: set[str] = self.__dict__.setdefault("_changed_part_names", set())
        return changed

    def _parts_to_save(self, names: set[str]) -> list[str]:
        """Return which parts among these fields are new or changed; an unchanged model is not written again."""
        loaded = {name: self._state.fields_cache.get(name) for name in names.intersection(PARTS)}
        return [n for n, part in loaded.items() if part and (part._state.adding or n in self._changed_parts())]

    def _save_part(self, name: str) -> None:
        part = getattr(self, name)
        part.save()
        setattr(self, name, part)  # takes over the key
        self._changed_parts().discard(name)

    def _delete_part(self, name: str) -> None:
        part = getattr(self, name)
        if part is not None and part.pk:
            part.delete()  # SET_NULL clears the column of the machine
        setattr(self, name, None)
        self._changed_parts().discard(name)


def _delete_parts(parts: Iterable[dict[str, Any]]) -> None:
    from . import EncDecConfiguration, NNModel

    rows = list(parts)
    EncDecConfiguration.objects.filter(pk__in=[r["enc_dec_configuration"] for r in rows]).delete()
    NNModel.objects.filter(pk__in=[r["training_nn_model"] for r in rows]).delete()
