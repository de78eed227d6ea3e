"""What a person says about a new API key."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from models.api_key import ApiKeyQuerySet, Scope

NEVER = "0"
DURATIONS = [("30", _("After 30 days")), ("90", _("After 90 days")), ("365", _("After a year")), (NEVER, _("Never"))]


class KeyForm(forms.Form):
    """`keys` are those that it will stand beside: two that work have different names."""

    name = forms.CharField(
        label=_("Name"),
        max_length=200,
        help_text=_("What uses it, such as “nightly report”."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Give it a name, so that you know later what uses it.")},
    )
    scopes = forms.MultipleChoiceField(
        label=_("It may"),
        choices=Scope.choices,
        initial=[Scope.READ, Scope.PREDICT],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one.")},
    )
    days = forms.ChoiceField(label=_("It ends"), choices=DURATIONS, initial="90")

    def __init__(self, data: Any = None, *, keys: ApiKeyQuerySet) -> None:
        super().__init__(data)
        self.keys = keys

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if self.keys.usable().filter(name__iexact=name).exists():  # also when the page of a new key is sent again
            raise forms.ValidationError(_("There is a working key of this name. Choose another name."))
        return name

    @property
    def lasts(self) -> timedelta | None:
        """How long it is to work; None for ever."""
        days = int(self.cleaned_data["days"])
        return timedelta(days=days) if days else None
