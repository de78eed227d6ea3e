"""The columns as uploaded (dfr) and as used (mdc): names, types, roles. The dicts go by column name."""

from django.db import models
from django.utils.translation import gettext_lazy as _


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

    class Meta:
        abstract = True
