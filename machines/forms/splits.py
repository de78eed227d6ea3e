"""The one question about rows: do several of them belong to the same person or time?"""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from config.shortcuts import field_of
from machines.engine.schema import DataType
from machines.engine.splits import Split
from models.machine import SplitKind

CHOOSE = ("", _("Choose a column"))
MISSING = {
    SplitKind.GROUP: _("Choose the column that tells which rows belong together."),
    SplitKind.TIME: _("Choose the column that tells when."),
}


class SplitForm(forms.Form):
    """Three answers; two of them need a column. What the other one's column holds does not matter."""

    prefix = "split"

    kind = forms.ChoiceField(
        label=_("Do several rows belong together?"),
        choices=SplitKind.choices,
        widget=forms.RadioSelect,
        help_text=_(
            "Such as several visits of one patient, or sales day by day. If some of them were learned from and the "
            "others measured on, the figures would be better than the machine."
        ),
    )
    group = forms.ChoiceField(
        label=_("The same value in"),
        required=False,
        help_text=_("The machine is measured on values it has never seen. The column need not be an input."),
        error_messages={"invalid_choice": _("There is no column “%(value)s” to choose here. Choose another one.")},
    )
    time = forms.ChoiceField(
        label=_("In the order of"),
        required=False,
        help_text=_("The machine is measured on the latest rows. Dates, times and numbers have an order."),
        error_messages={
            "invalid_choice": _("“%(value)s” is no column of dates, times or numbers. Choose another one.")
        },
    )

    def __init__(self, data: Any = None, *, columns: Sequence[tuple[str, str]], split: Split) -> None:
        """`columns`: name and type of each that may be chosen; `split`: what was said before."""
        initial = {"kind": str(split.kind), str(split.kind): split.column or ""}
        super().__init__(data, initial=initial)
        able = {"group": columns, "time": [column for column in columns if DataType(column[1]).is_numeric]}
        for name, offered in able.items():
            field_of(self, name).choices = [CHOOSE, *((column, column) for column, _type in offered)]
            field_of(self, name).quiet_optional = True

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        kind = data.get("kind")
        for other in {SplitKind.GROUP, SplitKind.TIME} - {kind}:
            self.errors.pop(other, None)
        if kind in MISSING and not data.get(kind) and kind not in self.errors:
            self.add_error(kind, MISSING[SplitKind(kind)])
        return data

    @property
    def split(self) -> Split:
        """What was said, of a valid form."""
        kind = self.cleaned_data["kind"]
        return Split.from_json({"kind": kind, "column": self.cleaned_data.get(kind)})
