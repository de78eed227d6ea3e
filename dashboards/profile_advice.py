"""The warnings of a profile with the page where to do something about each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from machines.engine.errors import Notice
from machines.services.texts import sentence
from machines.views.data import COLUMNS_PER_PAGE
from models import Column, Machine

COLUMNS, ROWS, TABLE, TRAINING = "machines:columns", "machines:rows", "machines:new", "machines:training"
WORDS = {
    COLUMNS: gettext_noop("To the columns"),
    ROWS: gettext_noop("Add rows"),
    TABLE: gettext_noop("Upload a corrected table"),
    TRAINING: gettext_noop("To the training"),
}
PLACES = {
    "leak": COLUMNS, "parts": COLUMNS, "halves": COLUMNS, "twins": COLUMNS, "constant": COLUMNS, "single": COLUMNS,
    "sparse": COLUMNS, "answer": TABLE, "duplicates": TABLE, "outliers": TABLE, "rare": ROWS, "fresh": TRAINING,
}  # fmt: skip


@dataclass(frozen=True)
class Advice:
    """A warning, and where to do what it says: without an address for those who may not."""

    text: str
    url: str = ""
    link: str = ""


def advice(machine: Machine, columns: Sequence[Column], warning: Mapping[str, Any], *, may_edit: bool) -> Advice:
    text = sentence(Notice.from_json(warning["notice"]))
    if not may_edit:
        return Advice(text)
    place = PLACES[warning["what"]]
    url = reverse(place) if place == TABLE else reverse(place, args=[machine.pk])
    return Advice(text, url + (_column(columns, warning["columns"]) if place == COLUMNS else ""), _(WORDS[place]))


def _column(columns: Sequence[Column], names: Sequence[str]) -> str:
    """The rest of the address: the page of the columns, and the row on it, of the column that the warning names first."""
    for at, column in enumerate(columns):
        if column.name in names:
            return f"?page={1 + at // COLUMNS_PER_PAGE}#column-{column.pk}"
    return ""
