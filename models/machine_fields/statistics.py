"""Statistics of the columns, each a dict by column name, as in the seed. Pages show Column.profile."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class StatisticsFields(models.Model):
    mdc_columns_unique_values_count = models.JSONField(_("different values"), default=dict, blank=True)
    mdc_columns_missing_percentage = models.JSONField(_("missing percentage"), default=dict, blank=True)
    mdc_columns_most_frequent_values_count = models.JSONField(
        _("count of the most frequent values"), default=dict, blank=True
    )
    mdc_columns_values_mean = models.JSONField(_("mean"), default=dict, blank=True)
    mdc_columns_values_std_dev = models.JSONField(_("standard deviation"), default=dict, blank=True)
    mdc_columns_values_skewness = models.JSONField(_("skewness"), default=dict, blank=True)
    mdc_columns_values_kurtosis = models.JSONField(_("kurtosis"), default=dict, blank=True)
    mdc_columns_values_min = models.JSONField(_("minimum"), default=dict, blank=True)
    mdc_columns_values_max = models.JSONField(_("maximum"), default=dict, blank=True)
    mdc_columns_values_quantile02 = models.JSONField(_("quantile 0.2"), default=dict, blank=True)
    mdc_columns_values_quantile03 = models.JSONField(_("quantile 0.3"), default=dict, blank=True)
    mdc_columns_values_quantile07 = models.JSONField(_("quantile 0.7"), default=dict, blank=True)
    mdc_columns_values_quantile08 = models.JSONField(_("quantile 0.8"), default=dict, blank=True)
    mdc_columns_values_sem = models.JSONField(_("standard error of the mean"), default=dict, blank=True)
    mdc_columns_values_median = models.JSONField(_("median"), default=dict, blank=True)
    mdc_columns_values_mode = models.JSONField(_("mode"), default=dict, blank=True)
    mdc_columns_values_str_percent_uppercase = models.JSONField(
        _("percentage of upper-case letters"), default=dict, blank=True
    )
    mdc_columns_values_str_percent_lowercase = models.JSONField(
        _("percentage of lower-case letters"), default=dict, blank=True
    )
    mdc_columns_values_str_percent_digit = models.JSONField(_("percentage of digits"), default=dict, blank=True)
    mdc_columns_values_str_percent_punctuation = models.JSONField(
        _("percentage of punctuation"), default=dict, blank=True
    )
    mdc_columns_values_str_percent_operators = models.JSONField(_("percentage of operators"), default=dict, blank=True)
    mdc_columns_values_str_percent_underscore = models.JSONField(
        _("percentage of underscores"), default=dict, blank=True
    )
    mdc_columns_values_str_percent_space = models.JSONField(_("percentage of spaces"), default=dict, blank=True)
    mdc_columns_values_str_language_en = models.JSONField(_("share of English"), default=dict, blank=True)
    mdc_columns_values_str_language_fr = models.JSONField(_("share of French"), default=dict, blank=True)
    mdc_columns_values_str_language_de = models.JSONField(_("share of German"), default=dict, blank=True)
    mdc_columns_values_str_language_it = models.JSONField(_("share of Italian"), default=dict, blank=True)
    mdc_columns_values_str_language_es = models.JSONField(_("share of Spanish"), default=dict, blank=True)
    mdc_columns_values_str_language_pt = models.JSONField(_("share of Portuguese"), default=dict, blank=True)
    mdc_columns_values_str_language_others = models.JSONField(_("share of other languages"), default=dict, blank=True)
    mdc_columns_values_str_language_none = models.JSONField(_("share of no language"), default=dict, blank=True)

    class Meta:
        abstract = True
