"""Fields that read what a person types in the person's own format, and give the engine's values."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, time
from typing import Any

from django import forms
from django.utils.functional import Promise
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

    def prepare_value(self, value: Any) -> Any:
        return current_formats().number_for_input(value) if isinstance(value, int | float) else value


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

    def prepare_value(self, value: Any) -> Any:
        """Return seconds as the browser's own input takes them: ISO, whatever the person's format."""
        if not isinstance(value, int | float):
            return value
        moment = datetime.fromtimestamp(value, UTC).replace(tzinfo=None, microsecond=0)
        if self.type == "DATETIME":
            return moment.isoformat()
        return moment.date().isoformat() if self.type == "DATE" else moment.time().isoformat()

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


class SearchInput(forms.TextInput):
    """A text box that offers what is known; anything else may be typed."""

    template_name = "machines/_search_input.html"

    def __init__(self, labels: Iterable[str], placeholder: str | Promise) -> None:
        super().__init__(attrs={"placeholder": placeholder, "autocomplete": "off"})
        self.labels = sorted(labels, key=str.casefold)

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        list_id = f"{context['widget']['attrs'].get('id', name)}_list"
        context["widget"]["attrs"]["list"] = list_id
        return context | {"labels": self.labels, "list_id": list_id}
