"""Fields that read what a person types in the person's own format, and give the engine's values."""

from collections.abc import Callable
from datetime import UTC, datetime, time
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from config.formats import current_formats


class NumberField(forms.Field):
    """A number typed as text: accepts the person's decimal separator and grouping."""

    widget = forms.TextInput
    default_error_messages = {"required": _("Type a number.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.widget.attrs.setdefault("inputmode", "decimal")
        self.widget.attrs.setdefault("autocomplete", "off")

    def to_python(self, value: Any) -> float | None:
        return _read(value, current_formats().parse_number)


class MomentField(forms.Field):
    """A date, a time or both, through the browser's own input; gives seconds as the engine counts them."""

    kinds = {"DATE": "date", "TIME": "time", "DATETIME": "datetime-local"}

    def __init__(self, *, type: str, **kwargs: Any) -> None:
        self.type = type
        widget = forms.TextInput(attrs={} if type == "DATE" else {"step": "1"})
        widget.input_type = self.kinds[type]
        super().__init__(widget=widget, **kwargs)

    def to_python(self, value: Any) -> float | None:
        return _read(value, self._seconds)

    def _seconds(self, text: str) -> float:
        formats = current_formats()
        if self.type == "TIME":
            moment = formats.parse_time(text)
            return moment.hour * 3600 + moment.minute * 60 + moment.second
        if self.type == "DATETIME":
            return formats.parse_moment(text).timestamp()
        return datetime.combine(formats.parse_date(text), time(), UTC).timestamp()


def _read(value: Any, parse: Callable[[str], float]) -> float | None:
    text = str(value or "").strip()
    if not text:
        return None
    try:
        return parse(text)
    except ValueError as error:
        raise forms.ValidationError(str(error)) from error
