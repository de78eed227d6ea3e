"""The form for many rows at once."""

from django import forms
from django.utils.translation import gettext_lazy as _

from machines.forms.data import RowsForm


class SolveForm(RowsForm):
    """A file of rows, and how their answers are to be written."""

    format = forms.ChoiceField(
        label=_("Answers as"),
        choices=[("csv", "CSV"), ("parquet", "Parquet")],
        initial="csv",
        widget=forms.RadioSelect,
    )
