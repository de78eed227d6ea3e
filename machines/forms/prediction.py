"""The form of a machine, generated from its columns: the most important question first."""

import math
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from config.formats import current_formats
from machines.forms.fields import MomentField, NumberField, SearchInput
from machines.forms.told import is_unexpected, told_span
from machines.presenters import span_text
from machines.services.texts import breakable
from models import Column

SELECT_LIMIT = 20  # beyond this a list with a search box
LABEL_LENGTH = 200
TEXT_LENGTH = 20_000
LABELS_LISTED = 200  # a trained file lists so many labels at most (machines.engine.describe)


class PredictionForm(forms.Form):
    """One field per input column. A trained machine requires none of them: leaving one empty says "I don't know".

    An uploaded model has not learned to do without: what its owner gave no value for must be answered, with a label that
    the owner listed.
    `description` is what the trained file says about itself; `columns` holds the owner's words, which may be newer.
    """

    def __init__(self, description: Mapping[str, Any], columns: Mapping[str, Column], data: Any = None) -> None:
        super().__init__(data)
        inputs: list[Mapping[str, Any]] = description["inputs"]
        self.without_zero = {column["name"] for column in description["columns"] if column.get("zero_is_missing")}
        self.inputs: dict[str, Mapping[str, Any]] = {}
        numbered = sorted(enumerate(inputs), key=lambda item: -(item[1].get("importance") or 0))
        for number, item in numbered:
            self.inputs[f"c{number}"] = item
            self.fields[f"c{number}"] = _field(item, columns.get(item["name"]))

    @property
    def values(self) -> dict[str, float | str | None]:
        """Column name -> what was answered; None for "I don't know"."""
        cleaned = {item["name"]: self.cleaned_data.get(name) for name, item in self.inputs.items()}
        return {name: None if value == "" else value for name, value in cleaned.items()}

    @property
    def is_told(self) -> bool:
        """Whether ranges are what an owner expects, not what training has seen."""
        return any(item.get("is_told") for item in self.inputs.values())

    @property
    def answered(self) -> int:
        return sum(value is not None for value in self.values.values())

    def warn_out_of_range(self) -> int:
        """Put a warning on each number outside what was seen in training, or plausible; return how many."""
        warned = 0
        for name, item in self.inputs.items():
            value = self.cleaned_data.get(name)
            words = _unusual(item, self.fields[name], value)
            if words and not (value == 0 and item["name"] in self.without_zero):
                self.fields[name].warning = words  # type: ignore[attr-defined]
                warned += 1
        return warned


def _unusual(item: Mapping[str, Any], field: forms.Field, value: Any) -> str:
    """Return a warning about a value that training has not seen; "" for a usual one."""
    if item.get("is_told"):
        return _unexpected(item, value)
    if isinstance(value, float) and item.get("low") is not None:
        return _beyond(item, field, value)
    labels = item.get("labels", [])
    if value and labels and len(labels) < LABELS_LISTED and value not in labels:
        return _("Never seen in training. The answer is less sure.")
    return ""


def _unexpected(item: Mapping[str, Any], value: Any) -> str:
    if not isinstance(value, float) or not is_unexpected(item, value):
        return ""
    return _("Outside what its owner expects (%(span)s).") % {"span": told_span(item)}


def _beyond(item: Mapping[str, Any], field: forms.Field, value: float) -> str:
    seen = {"span": span_text(item["type"], item["low"], item["high"])}
    if value > item["high"]:
        return _("Above anything seen in training (%(span)s). The answer is less sure.") % seen
    if value < item["low"]:
        return _("Below anything seen in training (%(span)s). The answer is less sure.") % seen
    if not field.low <= value <= field.high:  # type: ignore[attr-defined]
        return _("Outside the plausible range (%(span)s).") % {"span": field.range_text}  # type: ignore[attr-defined]
    return ""


def _field(item: Mapping[str, Any], column: Column | None) -> forms.Field:
    """Return the field for one input column with its words: label, description or unit, range."""
    field = _FIELDS.get(item["type"], _text_field)(item)
    unit = (column.unit if column else "") or item.get("unit", "")
    description = (column.description if column else "") or item.get("description", "")
    field.label = breakable(item["name"])
    field.help_text = ", ".join(part for part in (description, unit) if part)
    field.required = bool(item.get("required"))
    field.quiet_optional = not item.get("is_told")  # type: ignore[attr-defined]
    if item.get("is_told"):
        return _told(field, item)
    if item["type"] != "LABEL" and item.get("low") is not None:
        field.low, field.high = _range(item, column)  # type: ignore[attr-defined]
        field.range_text = span_text(item["type"], field.low, field.high)  # type: ignore[attr-defined]
    return field


def _told(field: forms.Field, item: Mapping[str, Any]) -> forms.Field:
    """Ask as an uploaded model needs it: nothing that it cannot take, and nothing left open that it needs."""
    field.range_text = told_span(item)  # type: ignore[attr-defined]
    field.error_messages["required"] = _("The model needs this value.")
    if field.required:
        field.widget.attrs.pop("placeholder", None)
    if field.required and isinstance(field, forms.ChoiceField):
        field.choices = [("", _("Choose one")), *_sorted(item["labels"])]
    if item.get("whole"):
        field.validators.append(_check_whole)
    if item["type"] == "LABEL":
        field.validators.append(partial(_check_known, frozenset(item["labels"])))
    return field


def _check_whole(value: float) -> None:
    if value != math.floor(value):
        raise forms.ValidationError(_("Type a whole number."))


def _check_known(labels: frozenset[str], value: str) -> None:
    if value not in labels:
        raise forms.ValidationError(_("The model does not know this one. Choose one of the list."))


def _range(item: Mapping[str, Any], column: Column | None) -> tuple[float, float]:
    """Return the owner's plausible range where it is given, else what was seen in training."""
    low = column.range_low if column and column.range_low is not None else item["low"]
    high = column.range_high if column and column.range_high is not None else item["high"]
    return low, high


def _number_field(item: Mapping[str, Any]) -> forms.Field:
    field = NumberField()
    is_negative_possible = (item.get("low") or 0) < 0  # phone keypads for decimals have no minus sign
    field.widget.attrs |= {"placeholder": _("I don't know"), "inputmode": "text" if is_negative_possible else "decimal"}
    return field


def _moment_field(item: Mapping[str, Any]) -> forms.Field:
    return MomentField(type=item["type"])


def _label_field(item: Mapping[str, Any]) -> forms.Field:
    labels = item.get("labels", [])
    if len(labels) <= SELECT_LIMIT:
        return forms.ChoiceField(choices=[("", _("I don't know")), *_sorted(labels)])
    return forms.CharField(max_length=LABEL_LENGTH, widget=SearchInput(labels, _("I don't know")))


def _sorted(labels: Iterable[str]) -> list[tuple[str, str]]:
    return [(label, label) for label in sorted(labels, key=_natural)]


def _natural(label: str) -> tuple[bool, float, str]:
    """Sort numbers written as labels by value, before words."""
    try:
        return False, current_formats().parse_number(label), label
    except ValueError:
        return True, 0.0, label.casefold()


def _text_field(item: Mapping[str, Any]) -> forms.Field:
    return forms.CharField(
        max_length=TEXT_LENGTH, widget=forms.Textarea(attrs={"rows": 3, "placeholder": _("I don't know")})
    )


_FIELDS = {"FLOAT": _number_field, "LABEL": _label_field} | dict.fromkeys(("DATE", "TIME", "DATETIME"), _moment_field)
