"""A column of a machine: what it holds and what it is used as."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class ColumnType(models.TextChoices):
    """The eight types, in the engine's words."""

    FLOAT = "FLOAT", _("Number")
    LABEL = "LABEL", _("Label")
    DATE = "DATE", _("Date")
    TIME = "TIME", _("Time")
    DATETIME = "DATETIME", _("Date and time")
    LANGUAGE = "LANGUAGE", _("Text")
    JSON = "JSON", _("JSON")
    IGNORE = "IGNORE", _("Ignore")


class ColumnRole(models.TextChoices):
    INPUT = "input", _("Input")
    OUTPUT = "output", _("Output")
    IGNORED = "ignored", _("Ignored")


class ColumnQuerySet(models.QuerySet["Column"]):
    def inputs(self) -> "ColumnQuerySet":
        return self.filter(role=ColumnRole.INPUT)

    def outputs(self) -> "ColumnQuerySet":
        return self.filter(role=ColumnRole.OUTPUT)


class Column(models.Model):
    machine = models.ForeignKey(
        "models.Machine", on_delete=models.CASCADE, related_name="columns", verbose_name=_("machine")
    )
    position = models.IntegerField(_("position"))
    name = models.CharField(_("name"), max_length=200)
    type = models.CharField(_("type"), max_length=8, choices=ColumnType.choices, default=ColumnType.LABEL)
    role = models.CharField(_("role"), max_length=7, choices=ColumnRole.choices, default=ColumnRole.INPUT)
    description = models.TextField(_("description"), blank=True, default="")
    unit = models.CharField(_("unit"), max_length=40, blank=True, default="")
    range_low = models.FloatField(_("lowest plausible value"), null=True, blank=True)
    range_high = models.FloatField(_("highest plausible value"), null=True, blank=True)
    zero_is_missing = models.BooleanField(_("0 means not measured"), default=False)
    # {"decimal": ".", "thousands": "", "date_order": "YMD"}; a key left out has that value
    format = models.JSONField(_("how cells are written"), default=dict, blank=True)
    profile = models.JSONField(_("profile"), default=dict, blank=True)

    objects = ColumnQuerySet.as_manager()

    class Meta:
        verbose_name = _("column")
        verbose_name_plural = _("columns")
        ordering = ["machine_id", "position"]
        constraints = [
            models.UniqueConstraint(fields=["machine", "position"], name="column_position_unique"),
            models.UniqueConstraint(fields=["machine", "name"], name="column_name_unique"),
            models.CheckConstraint(condition=Q(type__in=ColumnType.values), name="column_type_known"),
            models.CheckConstraint(condition=Q(role__in=ColumnRole.values), name="column_role_known"),
            models.CheckConstraint(
                condition=~Q(type=ColumnType.IGNORE) | Q(role=ColumnRole.IGNORED),
                name="column_type_ignore_has_role_ignored",
                violation_error_message=_("A column of type Ignore can only be ignored."),
            ),
            models.CheckConstraint(
                condition=Q(range_low__isnull=True) | Q(range_high__isnull=True) | Q(range_low__lte=F("range_high")),
                name="column_range_low_not_above_high",
                violation_error_message=_("The lowest plausible value is above the highest."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        if self.type == ColumnType.IGNORE and self.role != ColumnRole.IGNORED:
            raise ValidationError({"role": _("A column of type Ignore can only be ignored.")})
        if self.range_low is not None and self.range_high is not None and self.range_low > self.range_high:
            raise ValidationError({"range_high": _("The lowest plausible value is above the highest.")})

    @property
    def is_input(self) -> bool:
        return self.role == ColumnRole.INPUT

    @property
    def is_output(self) -> bool:
        return self.role == ColumnRole.OUTPUT

    @property
    def has_range(self) -> bool:
        return self.range_low is not None or self.range_high is not None
