"""The columns as uploaded (dfr) and as used (mdc): names, types, roles. The dicts go by column name."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class SplitKind(models.TextChoices):
    """Do several rows belong together? In the engine's words."""

    ROWS = "rows", _("No, each row stands alone")
    GROUP = "group", _("Yes, rows with the same value in a column belong together")
    TIME = "time", _("Yes, rows follow one another in time")

    @classmethod
    def has_column(cls) -> Q:
        """Return the CHECK: there is a column where, and only where, rows belong together."""
        return Q(machine_split_kind=cls.ROWS, machine_split_column="") | (
            Q(machine_split_kind__in=[cls.GROUP, cls.TIME]) & ~Q(machine_split_column="")
        )


class ColumnsFields(models.Model):
    dfr_columns_description_user_df = models.JSONField(_("descriptions"), default=dict, blank=True)
    dfr_columns_type_user_df = models.JSONField(_("types in the file"), default=dict, blank=True)
    dfr_columns_python_user_df = models.JSONField(_("storage types in the file"), default=dict, blank=True)

    mdc_columns_name_input_user_df = models.JSONField(_("inputs in the file"), default=dict, blank=True)
    mdc_columns_name_output_user_df = models.JSONField(_("outputs in the file"), default=dict, blank=True)
    mdc_columns_name_input = models.JSONField(_("inputs"), default=dict, blank=True)
    mdc_columns_name_output = models.JSONField(_("outputs"), default=dict, blank=True)
    mdc_columns_data_type = models.JSONField(_("types"), default=dict, blank=True)
    mdc_columns_json_structure = models.JSONField(_("structure of JSON columns"), default=dict, blank=True)

    mdc_columns_total_count = models.IntegerField(_("columns"), null=True, blank=True)
    mdc_columns_input_count = models.IntegerField(_("input columns"), null=True, blank=True)
    mdc_columns_output_count = models.IntegerField(_("output columns"), null=True, blank=True)
    mdc_columns_count_of_datatypes = models.JSONField(_("columns per type"), default=dict, blank=True)
    mdc_columns_input_count_of_datatypes = models.JSONField(_("inputs per type"), default=dict, blank=True)
    mdc_columns_output_count_of_datatypes = models.JSONField(_("outputs per type"), default=dict, blank=True)

    machine_split_kind = models.CharField(
        _("do several rows belong together?"), max_length=5, choices=SplitKind.choices, default=SplitKind.ROWS
    )
    machine_split_column = models.CharField(
        _("column that tells which rows belong together"), max_length=200, blank=True, default=""
    )

    class Meta:
        abstract = True
