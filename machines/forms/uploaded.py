"""Forms for models that were made elsewhere: the file, and a table of rows such as the model takes."""

import json
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any, NoReturn

from django import forms
from django.conf import settings
from django.core.files.base import File
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from config.shortcuts import field_of
from machines.forms.data import EXTENSIONS, NAME_LENGTH, TeamField, extension, safe_name
from models import Team
from models.model_version import Framework

JSON_LENGTH = 200_000  # characters
# Whose files end so. What they are, the check finds out by their content.
FRAMEWORKS = {
    ".keras": Framework.TENSORFLOW, ".h5": Framework.TENSORFLOW, ".hdf5": Framework.TENSORFLOW,
    ".tflite": Framework.TENSORFLOW, ".zip": Framework.TENSORFLOW, ".pt": Framework.PYTORCH, ".pth": Framework.PYTORCH,
    ".pt2": Framework.PYTORCH, ".safetensors": Framework.PYTORCH, ".onnx": Framework.ONNX,
}  # fmt: skip
DATA_ONLY = (".onnx", ".safetensors")  # hold no code: taken even where the system cannot lock
PICKLES = (".pkl", ".pickle", ".joblib")  # the service says why not, and what to do
SAMPLE_BYTES = 5_000_000
TABLES = {"accept": ",".join(EXTENSIONS)}


class JsonField(forms.CharField):
    """JSON as text; None for nothing. What is not JSON, or no database keeps, is refused with its place."""

    widget = forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocomplete": "off"})

    def clean(self, value: Any) -> Any:
        text = str(super().clean(value)).strip()
        try:
            return json.loads(text, parse_constant=_refuse) if text else None
        except json.JSONDecodeError as error:
            words = {"line": error.lineno, "place": error.colno}
            raise forms.ValidationError(
                _("This is no JSON: line %(line)s, character %(place)s."), params=words
            ) from error
        except (ValueError, RecursionError) as error:  # a number of 5,000 digits; lists in lists in lists
            raise forms.ValidationError(_("This is no JSON that can be read.")) from error


class SampleForm(forms.Form):
    """Rows such as the model takes, for names, choices and ranges."""

    sample = forms.FileField(
        label=_("Table"),
        widget=forms.ClearableFileInput(attrs=TABLES),
        help_text=_("Rows such as the model takes, its columns in the model's order. It is not kept."),
        error_messages={"required": _("Choose a file to upload."), "empty": _("This file is empty.")},
    )

    def clean_sample(self) -> File[bytes]:
        file: File[bytes] = self.cleaned_data["sample"]
        if file.size > SAMPLE_BYTES:
            raise forms.ValidationError(_("This file is larger than 5 MB. A thousand rows are enough."))
        if extension(file.name or "") not in EXTENSIONS:
            raise forms.ValidationError(
                _("“%(name)s” is none of the formats read here: %(formats)s."),
                params={"name": safe_name(file.name or ""), "formats": ", ".join(EXTENSIONS)},
            )
        return file


class ModelFileForm(forms.Form):
    """A file that holds a model. `taken`: how its name may end on this server."""

    file = forms.FileField(
        label=_("Model"),
        error_messages={
            "required": _("Choose a file to upload."),
            "empty": _("This file is empty. Save the model once more and upload that file."),
        },
    )
    framework = forms.ChoiceField(
        label=_("Made with"),
        choices=[("", _("Found from the file")), *Framework.choices],
        required=False,
    )
    layers = JsonField(
        label=_("Layers"),
        required=False,
        max_length=JSON_LENGTH,
        help_text=_("JSON. Only for weights alone."),
    )
    input_columns = JsonField(
        label=_("Inputs"),
        required=False,
        max_length=JSON_LENGTH,
        help_text=_("JSON. Only where the check asks for them."),
    )

    def __init__(self, *args: Any, taken: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.taken = taken
        self.fields["file"].widget.attrs["accept"] = ",".join(taken)
        for name in ("framework", "layers", "input_columns"):
            self.fields[name].quiet_optional = True  # type: ignore[attr-defined]  # read by our template of a field

    def clean_file(self) -> File[bytes]:
        file: File[bytes] = self.cleaned_data["file"]
        if file.size > settings.MODEL_UPLOAD_LIMIT_BYTES:
            raise forms.ValidationError(
                _("This file is larger than %(limit)s MB. Save the model without the optimizer's state."),
                params={"limit": model_limit_mb()},
            )
        if extension(file.name or "") not in (*self.taken, *PICKLES):
            raise forms.ValidationError(
                _("“%(name)s” is none of the formats taken here: %(formats)s."),
                params={"name": safe_name(file.name or ""), "formats": ", ".join(self.taken)},
            )
        return file

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("file") and not data.get("framework"):
            data["framework"] = FRAMEWORKS.get(extension(data["file"].name), Framework.PYTORCH).value
        return data

    @property
    def is_open(self) -> bool:
        """Whether somebody has said something where few have to."""
        return any(self[name].value() or self[name].errors for name in ("layers", "input_columns"))

    def given(self) -> dict[str, Any]:
        """Return what the service takes of this form."""
        file: File[bytes] = self.cleaned_data["file"]
        said = {name: self.cleaned_data[name] for name in ("framework", "layers", "input_columns")}
        return said | {"file_name": safe_name(file.name or ""), "chunks": file.chunks()}


class ModelForm(ModelFileForm):
    """A file for a new model."""

    name = forms.CharField(
        label=_("Name"),
        max_length=NAME_LENGTH,
        required=False,
        help_text=_("Left empty, the file's name is taken."),
    )
    team = TeamField(label=_("Share with"), help_text=_("Everybody in that team will see it, each with their role."))

    def __init__(self, *args: Any, teams: QuerySet[Team], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field_of(self, "team").queryset = teams
        if not teams:
            del self.fields["team"]

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if data.get("file") and not data.get("name"):
            data["name"] = PurePosixPath(safe_name(data["file"].name)).stem.replace("_", " ").strip() or str(_("Model"))
        if data.get("name", "").startswith("__") and data["name"].endswith("__"):
            self.add_error("name", _("Names between double underscores are reserved. Choose another one."))
        return data

    def given(self) -> dict[str, Any]:
        return super().given() | {"name": self.cleaned_data["name"], "team": self.cleaned_data.get("team")}


def _refuse(word: str) -> NoReturn:
    raise ValueError(word)  # NaN and Infinity, which JSON does not have


def model_limit_mb() -> int:
    return int(settings.MODEL_UPLOAD_LIMIT_BYTES / 1_000_000)
