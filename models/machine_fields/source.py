"""Where a machine's rows, or its uploaded model, come from, and the messages about them."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class SourceFields(models.Model):
    machine_is_uploaded_model = models.BooleanField(_("its model was uploaded, not trained here"), default=False)
    uploaded_version = models.ForeignKey(
        "models.ModelVersion",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("version that answers"),
    )
    versions_given = models.IntegerField(_("versions uploaded so far"), default=0, editable=False)
    source_name = models.CharField(_("name of the file"), max_length=255, blank=True, default="")
    source_path = models.CharField(
        _("path of the rows"), max_length=255, blank=True, default="", help_text=_("Relative to STORAGE_ROOT")
    )
    source_options = models.JSONField(_("how the file was read"), default=dict, blank=True)
    source_notices = models.JSONField(_("what was noticed while reading"), default=list, blank=True)
    source_preview = models.JSONField(_("first rows of the file"), default=list, blank=True)
    rows_count = models.IntegerField(_("rows"), default=0)

    machine_columns_errors = models.JSONField(_("errors, by column"), default=dict, blank=True)
    machine_columns_warnings = models.JSONField(_("warnings, by column"), default=dict, blank=True)
    log_work_message = models.JSONField(_("messages of work, by time"), default=dict, blank=True)
    log_work_status = models.JSONField(_("states of work, by time"), default=dict, blank=True)

    class Meta:
        abstract = True
