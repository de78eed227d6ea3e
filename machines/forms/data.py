"""Forms for data in: upload, reading options, one column, training level."""

from pathlib import PurePosixPath
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.base import File
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from config.shortcuts import field_of
from machines.engine.parameters import LEVEL_SECONDS
from machines.forms.fields import MomentField, NumberField
from models import Column, Team

EXTENSIONS = (".csv", ".tsv", ".txt", ".xlsx", ".json", ".parquet")
NAME_LENGTH = 200
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16 LE",
    "utf-16-be": "UTF-16 BE",
    "utf-32-le": "UTF-32 LE",
    "utf-32-be": "UTF-32 BE",
    "cp1252": "Windows-1252",
    "cp1250": "Windows-1250",
    "cp1251": "Windows-1251",
    "latin-1": "ISO 8859-1",
    "iso8859-15": "ISO 8859-15",
    "mac-roman": "Mac Roman",
}


class TeamField(forms.ModelChoiceField[Team]):
    """A team to share with, or nobody. Which teams are offered, the form says."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Team.objects.none(), required=False, empty_label=_("Nobody else"), **kwargs)
        self.quiet_optional = True


class RowsForm(forms.Form):
    """A file of rows."""

    file = forms.FileField(
        label=_("Table"),
        widget=forms.ClearableFileInput(attrs={"accept": ",".join(EXTENSIONS)}),
        error_messages={
            "required": _("Choose a file to upload."),
            "empty": _("This file is empty. Choose a file with a header and at least one row."),
        },
    )

    def clean_file(self) -> File[bytes]:
        file: File[bytes] = self.cleaned_data["file"]
        if file.size > settings.UPLOAD_LIMIT_BYTES:
            raise forms.ValidationError(
                _("This file is larger than %(limit)s MB. Upload a part of it."), params={"limit": upload_limit_mb()}
            )
        if extension(file.name or "") not in EXTENSIONS:
            raise forms.ValidationError(
                _("“%(name)s” is none of the formats read here: %(formats)s."),
                params={"name": safe_name(file.name or ""), "formats": ", ".join(EXTENSIONS)},
            )
        return file


class UploadForm(RowsForm):
    """A file of rows for a new machine."""

    name = forms.CharField(
        label=_("Name of the machine"),
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
        data: dict[str, Any] = super().clean() or {}
        if data.get("file") and not data.get("name"):
            stem = PurePosixPath(safe_name(data["file"].name)).stem
            data["name"] = stem.replace("_", " ").strip() or str(_("Machine"))
        if str(data.get("name", "")).startswith("__") and str(data.get("name", "")).endswith("__"):
            self.add_error("name", _("Names between double underscores are reserved. Choose another one."))
        return data


def upload_limit_mb() -> int:
    return int(settings.UPLOAD_LIMIT_BYTES / 1_000_000)


def extension(file_name: str) -> str:
    return PurePosixPath(file_name).suffix.lower()


def safe_name(file_name: str) -> str:
    """Return a file name fit to show and to store as text: no folders, control or direction marks, at most 120 characters."""
    name = file_name.replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(letter for letter in name if letter.isprintable()).strip()
    return shown if len(shown) <= 120 else f"{shown[:100]}…{extension(shown)[:19]}"


class ReadOptionsForm(forms.Form):
    """How the file is to be read. An empty choice means: find out."""

    FOUND = ("", _("Find out"))
    YES_NO = [FOUND, ("true", _("Yes")), ("false", _("No"))]

    encoding = forms.ChoiceField(
        label=_("Encoding"),
        required=False,
        choices=[FOUND, *ENCODINGS.items()],
    )
    delimiter = forms.ChoiceField(
        label=_("Between the cells"),
        required=False,
        choices=[FOUND, (",", _("Comma")), (";", _("Semicolon")), ("tab", _("Tab")), ("|", _("Vertical bar"))],
    )
    decimal = forms.ChoiceField(
        label=_("Decimal separator"), required=False, choices=[FOUND, (".", _("Point: 3.14")), (",", _("Comma: 3,14"))]
    )
    thousands = forms.ChoiceField(
        label=_("Between thousands"),
        required=False,
        choices=[FOUND, (",", "1,000"), (".", "1.000"), (" ", "1 000"), ("'", "1'000")],
    )
    date_order = forms.ChoiceField(
        label=_("Order of dates"),
        required=False,
        choices=[FOUND, ("DMY", _("Day, month, year")), ("MDY", _("Month, day, year")), ("YMD", _("Year, month, day"))],
    )
    has_header = forms.ChoiceField(label=_("First row holds the names"), required=False, choices=YES_NO)
    has_description_row = forms.ChoiceField(label=_("A row of descriptions follows"), required=False, choices=YES_NO)
    skip_rows = forms.IntegerField(label=_("Lines to skip at the top"), required=False, min_value=0, max_value=1000)

    @classmethod
    def initial_from(cls, options: dict[str, Any]) -> dict[str, Any]:
        shown = {name: "" if value is None else value for name, value in options.items()}
        for name in ("has_header", "has_description_row"):
            shown[name] = "" if options.get(name) is None else str(options[name]).lower()
        return shown | {"delimiter": "tab" if options.get("delimiter") == "\t" else options.get("delimiter") or ""}

    def options(self) -> dict[str, Any]:
        """Return the choices as the engine's reading options; None where it is to find out."""
        found = {name: None if value == "" else value for name, value in self.cleaned_data.items()}
        for name in ("has_header", "has_description_row"):
            found[name] = {"true": True, "false": False}.get(self.cleaned_data[name])
        return found | {"delimiter": "\t" if found["delimiter"] == "tab" else found["delimiter"]}


class ColumnForm(forms.ModelForm[Column]):
    """One row of the column page. Shown small: labels are for screen readers."""

    range_low = NumberField(label=_("Plausible from"), required=False)
    range_high = NumberField(label=_("Plausible to"), required=False)

    class Meta:
        model = Column
        fields = ["type", "role", "description", "unit", "range_low", "range_high", "zero_is_missing"]
        widgets = {
            "description": forms.TextInput(),
            "type": forms.Select(attrs={"class": "form-select"}),
            "role": forms.Select(attrs={"class": "form-select"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.type == "FLOAT":
            return
        del self.fields["zero_is_missing"]
        for name in ("range_low", "range_high"):
            label = self.fields.pop(name).label
            if self.instance.type in MomentField.kinds:
                self.fields[name] = MomentField(type=self.instance.type, label=label, required=False)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("type") in {"IGNORE", "JSON"} and data.get("role") != "ignored":
            if "type" in self.changed_data:
                data["role"] = "ignored"
            else:
                self.add_error("role", _("A column of this type can only be ignored."))
        low, high = data.get("range_low"), data.get("range_high")
        if low is not None and high is not None and low > high:
            self.add_error("range_high", _("This is below the lower end of the range."))
        return data


class LevelForm(forms.Form):
    level = forms.TypedChoiceField(
        label=_("Level"),
        coerce=int,
        choices=[(level, str(level)) for level in LEVEL_SECONDS],
        initial=1,
        widget=forms.RadioSelect,
    )
