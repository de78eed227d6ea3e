"""What the pages of machines show, worked out before the template: no logic in templates."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from config.formats import Formats, current_formats
from machines.forms.data import ENCODINGS, ColumnForm
from machines.forms.splits import SplitForm
from machines.services.columns import column_update, reading_of
from machines.services.splits import split_choose, split_columns, split_of, split_suggestions
from machines.services.texts import breakable, sentence
from models import Column, DataLinesOperation, Machine

MOMENTS = {"DATE", "TIME", "DATETIME"}
MOST_SAMPLES = 4
SAMPLES_LENGTH = 90  # characters


@dataclass
class ColumnRow:
    """One row of the column page."""

    column: Column
    form: ColumnForm
    is_new_output: bool = False

    def save(self) -> bool:
        """Write what was changed, if it is valid; return whether it was."""
        if self.form.is_bound and not self.form.has_changed():
            return True  # without the queries of its checks: most rows of a page are as they were
        if not self.form.is_valid():
            return False
        changes = {name: self.form.cleaned_data[name] for name in self.form.changed_data}
        column_update(column=self.column, changes=changes)
        self.is_new_output = "role" in changes and self.column.role == "output"
        return True

    @property
    def name(self) -> str:
        return breakable(self.column.name)

    @cached_property
    def reading(self) -> dict[str, Any]:
        return reading_of(self.column)

    @property
    def samples(self) -> str:
        """The first values, parted by a mark that is in no number; fewer where they are long."""
        samples = list(self.column.profile.get("samples", [])[:MOST_SAMPLES])
        while len(samples) > 1 and sum(map(len, samples)) > SAMPLES_LENGTH:
            samples.pop()
        return " · ".join(samples)

    @property
    def reason(self) -> str:
        reason = self.column.profile.get("reason")
        return sentence(reason) if reason and self.column.type == self.column.profile.get("type") else ""

    @property
    def role_reason(self) -> str:
        reason = self.column.profile.get("role_reason")
        return sentence(reason) if reason and self.column.role == self.column.profile.get("role") == "output" else ""

    @property
    def flags(self) -> list[str]:
        return [sentence(flag) for flag in self.column.profile.get("flags", [])]

    @property
    def missing(self) -> str:
        count, rows = self.column.profile.get("missing", 0), self.column.profile.get("rows", 0)
        if not count:
            return ""
        return _("%(count)s empty (%(share)s)") % {
            "count": current_formats().number(count),
            "share": current_formats().percent(count / max(1, rows)),
        }

    @property
    def distinct(self) -> str:
        count = self.column.profile.get("distinct", 0)
        return ngettext("%(count)s value", "%(count)s different values", count) % {
            "count": current_formats().number(count)
        }

    @property
    def unreadable(self) -> str:
        """A sentence about cells that the chosen type cannot read; they count as missing."""
        failed, failures = self.reading.get("failed", 0), self.reading.get("failures", [])
        if not failed:
            return ""
        return ngettext(
            "%(count)s cell cannot be read this way and counts as missing: %(cells)s",
            "%(count)s cells cannot be read this way and count as missing: %(cells)s",
            failed,
        ) % {"count": current_formats().number(failed), "cells": ", ".join(f"“{cell}”" for cell in failures)}

    @property
    def asks_about_zeros(self) -> bool:
        """Whether 0 may stand for "not measured" here, or was said to."""
        return self.column.type == "FLOAT" and (
            self.column.zero_is_missing or bool(self.column.profile.get("zeros_suspect"))
        )

    @property
    def heights(self) -> list[float]:
        """Bars of the small histogram, the highest 100: the numbers' bins or the most frequent labels."""
        counts = self.reading.get("histogram") or [count for _value, count in self.reading.get("top", [])]
        most = max(counts, default=0)
        return [round(100 * count / most, 1) for count in counts] if most else []

    @property
    def span(self) -> str:
        low, high = self.reading.get("low"), self.reading.get("high")
        if self.column.zero_is_missing and self.reading.get("low_without_zero") is not None:
            low = self.reading["low_without_zero"]
        return span_text(self.column.type, low, high)


@dataclass
class SplitQuestion:
    """The question of the column page: do several rows belong together?"""

    machine: Machine
    data: QueryDict | None = None

    @cached_property
    def form(self) -> SplitForm:
        """Its choices are the columns as they are when it is first looked at: after the rows have been saved."""
        data = self.data if self.data and "split-kind" in self.data else None
        return SplitForm(data, columns=split_columns(self.machine), split=split_of(self.machine))

    def save(self) -> bool:
        """Write the answer if it is new and valid; return whether it was valid. Nothing sent changes nothing."""
        if not self.form.is_bound:
            return True
        if not self.form.is_valid():
            return False
        if self.form.split != split_of(self.machine):
            split_choose(machine=self.machine, split=self.form.split)
        return True

    @cached_property
    def suggestions(self) -> list[str]:
        template = _("“%(column)s” repeats: about %(rows)s rows for each value. Do they belong together?")
        number = current_formats().number
        return [
            template % {"column": item.column, "rows": number(round(item.rows_per_value, 1))}
            for item in split_suggestions(self.machine)
        ]


DELIMITERS = {
    ",": gettext_lazy("comma"),
    ";": gettext_lazy("semicolon"),
    "\t": gettext_lazy("tab"),
    "|": gettext_lazy("vertical bar"),
}
DECIMALS = {".": gettext_lazy("decimal point"), ",": gettext_lazy("decimal comma")}


def source_context(machine: Machine) -> dict[str, Any]:
    """Return how the file was read: in a few words, what was noticed, and its first rows."""
    options = machine.source_options
    columns = list(machine.columns.values_list("name", "type", "format"))
    marks = {format.get("decimal") for _name, type, format in columns if type == "FLOAT"}
    words = [
        ENCODINGS.get(options.get("encoding") or "", options.get("encoding") or ""),
        str(DELIMITERS.get(options.get("delimiter") or "", "")),
        str(DECIMALS.get("," if "," in marks else "." if marks else "", "")),
    ]
    return {
        "read_as": ", ".join(word for word in words if word),
        "notices": [sentence(notice) for notice in machine.source_notices],
        "parts": DataLinesOperation.objects.for_machine(machine).for_learning().count(),
        "preview": {"names": [name for name, _type, _format in columns], "rows": machine.source_preview or []},
    }


def span_text(type: str, low: float | None, high: float | None) -> str:
    """Return "44 – 199" for a column's lowest and highest value, in the reader's format; "" when there are none."""
    if low is None or high is None:
        return ""
    return f"{value_text(type, low)} – {value_text(type, high)}"


def value_text(type: str, value: float) -> str:
    """Return one value of a numeric or moment column in the reader's format."""
    formats: Formats = current_formats()
    if type not in MOMENTS:
        return formats.number(value)
    moment = datetime.fromtimestamp(value, UTC)
    if type == "DATE":
        return formats.date(moment.date())
    return formats.time(moment.time()) if type == "TIME" else formats.moment(moment)


def level_choices(form: forms.Form, seconds: Mapping[int, float]) -> Iterator[tuple[Any, str]]:
    """Yield the level's radio buttons with the time each may take at most, given in seconds by level."""
    for widget in form["level"].subwidgets:
        yield widget, current_formats().duration(seconds[int(str(widget.data["value"]))])
