"""What a training is asked for: its level and, for who knows networks, what theirs must have."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from config.shortcuts import field_of
from machines.engine.parameters import LARGEST_LAYER, LOSSES, OPTIMIZERS
from machines.forms.data import LevelForm

MOST_LAYERS = 8
CHOSEN = ("", _("Automatic"))


class TrainingForm(LevelForm):
    """The level, and three wishes that may be left open."""

    loss = forms.ChoiceField(
        label=_("Loss"),
        required=False,
        choices=[CHOSEN, *((name, name) for name in LOSSES if name != "auto")],
        help_text=_("Where it does not suit an answer, another one is used there, and the report says so."),
    )
    optimizer = forms.ChoiceField(
        label=_("Optimizer"), required=False, choices=[CHOSEN, *((name, name) for name in OPTIMIZERS)]
    )
    shape = forms.CharField(
        label=_("Hidden layers"),
        required=False,
        max_length=100,
        help_text=_("The width of each, such as 64, 32. Left empty, they are chosen from the data."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, data: Any = None, *, level: int, wishes: Mapping[str, Any]) -> None:
        """`wishes`: what was fixed before, see services.network."""
        widths = ", ".join(map(str, wishes.get("shape", ())))
        super().__init__(data, initial={"level": level} | dict(wishes) | {"shape": widths})
        for name in ("loss", "optimizer", "shape"):
            field_of(self, name).quiet_optional = True

    def clean_shape(self) -> list[int]:
        parts = [part for part in re.split(r"[\s,;x×-]+", self.cleaned_data["shape"].strip()) if part]
        widths = [int(part) if part.isdecimal() and len(part) <= 4 else 0 for part in parts]
        if len(widths) > MOST_LAYERS or not all(0 < width <= LARGEST_LAYER for width in widths):
            raise forms.ValidationError(
                _("Write up to %(layers)s whole numbers from 1 to %(width)s, such as 64, 32."),
                params={"layers": MOST_LAYERS, "width": LARGEST_LAYER},
            )
        return widths

    @property
    def wishes(self) -> dict[str, Any] | None:
        """What was fixed, of a valid form; None where nobody was asked."""
        if "optimizer" not in self.data:
            return None
        return {name: value for name in ("loss", "optimizer", "shape") if (value := self.cleaned_data[name])}
