"""The one question about rows: do several of them belong to the same person or time?"""

from collections.abc import Collection, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from config.shortcuts import field_of
from machines.engine.schema import DataType
from machines.engine.splits import Split
from machines.forms.fields import SearchInput
from models.machine import SplitKind

MOST_LISTED = 50  # columns beyond which nobody looks through a list: a name is typed
MOST_OFFERED = 200  # names while it is typed, of columns of the kind that usually tells; any other may be typed
CHOOSE = ("", _("Choose a column"))
LABELS, MOMENTS = {DataType.LABEL}, {kind for kind in DataType if kind.is_moment}
MISSING = {
    SplitKind.GROUP: _("Choose the column that tells which rows belong together."),
    SplitKind.TIME: _("Choose the column that tells when."),
}


class ColumnField(forms.ChoiceField):
    """A column, chosen from a list; where there are many, by its name, in which case and outer spaces do not matter."""

    def offer(self, columns: Sequence[tuple[str, str]], usual: Collection[DataType]) -> None:
        """Take name and type of each column; those of the `usual` types are offered first."""
        names = [name for name, _type in columns]
        if len(names) > MOST_LISTED:
            likely = sorted(columns, key=lambda column: column[1] not in usual)
            self.widget = SearchInput([name for name, _type in likely[:MOST_OFFERED]], _("Type the name of a column"))
        self.choices = [CHOOSE, *((name, name) for name in names)]
        self.names = names

    def to_python(self, value: Any) -> str:
        """Return the column that is meant, else what was typed."""
        typed = super().to_python(value)
        alike = [name for name in self.names if name.strip().casefold() == typed.strip().casefold()]
        return alike[0] if typed not in self.names and len(alike) == 1 else typed


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
    group = ColumnField(
        label=_("The same value in"),
        required=False,
        help_text=_("The machine is measured on values it has never seen. The column need not be an input."),
        error_messages={"invalid_choice": _("There is no column “%(value)s” to choose here. Choose another one.")},
    )
    time = ColumnField(
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
        ordered = [column for column in columns if DataType(column[1]).is_numeric]
        for name, offered, usual in (("group", columns, LABELS), ("time", ordered, MOMENTS)):
            field_of(self, name).offer(offered, usual)
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
