"""What a program sends along with a model's file."""

from collections.abc import Iterator
from itertools import accumulate
from typing import Any

import orjson
from django import forms
from django.core.files.base import File
from django.utils.translation import gettext_lazy as _

from machines.forms.data import NAME_LENGTH, safe_name
from models.model_version import Framework

JSON_LENGTH = 200_000  # characters
JSON_DEPTH = 50


class StrictJson(forms.CharField):
    """JSON in a field of a form, such as every database keeps: no NaN, no NUL, no lists in one another without end."""

    def __init__(self) -> None:
        super().__init__(required=False, max_length=JSON_LENGTH)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        depth = max(accumulate((letter in "[{") - (letter in "]}") for letter in text), default=0)
        if depth > JSON_DEPTH or "\\u0000" in text:
            raise forms.ValidationError(_("This JSON cannot be kept here."))
        try:
            return orjson.loads(text) if text else None
        except orjson.JSONDecodeError as error:
            raise forms.ValidationError(_("This is no valid JSON: %(why)s."), params={"why": error}) from error


class VersionCallForm(forms.Form):
    """A file, what it was made with, and what its inputs mean."""

    framework = forms.ChoiceField(
        choices=Framework.choices,
        error_messages={
            "required": _("Say what the model was made with: tensorflow, pytorch or onnx."),
            "invalid_choice": _("“%(value)s” is none of tensorflow, pytorch and onnx."),
        },
    )
    file = forms.FileField(
        error_messages={
            "required": _("Send the model in the field “file”, as a file."),
            "invalid": _("Send the model in the field “file”, as a file."),
            "empty": _("This file is empty."),
        }
    )
    layers = StrictJson()
    input_columns = StrictJson()

    def given(self) -> dict[str, Any]:
        """Return what the service takes of this form."""
        file: File[bytes] = self.cleaned_data["file"]
        chunks: Iterator[bytes] = file.chunks()
        given = {name: value for name, value in self.cleaned_data.items() if name != "file"}
        return given | {"file_name": safe_name(file.name or ""), "chunks": chunks}


class UploadCallForm(VersionCallForm):
    """The same with the name of a new model."""

    name = forms.CharField(max_length=NAME_LENGTH, error_messages={"required": _("Give the model a name.")})

    field_order = ("name",)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name.startswith("__") and name.endswith("__"):
            raise forms.ValidationError(_("Names between double underscores are reserved. Choose another one."))
        return name
