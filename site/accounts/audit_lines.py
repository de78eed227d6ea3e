"""The log of actions in words, for its page and its CSV file."""

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import apps
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from models import AuditEntry
from models.access import Action, Role

FORMULA = tuple("=+-@\t\r")  # what makes a spreadsheet run a cell
BOM = "\N{BYTE ORDER MARK}"  # tells spreadsheets that the file is UTF-8
PAIRS = [("before", "role"), ("name_before", "name_now")]
LABELS = {choice.value: choice.label for choice in (*Role, *Action)}
LABELLED = {"before", "role", "wanted"}
WORDS = {
    "role": gettext_lazy("role"),
    "wanted": gettext_lazy("wanted"),
    "former": gettext_lazy("former owner"),
    "machines": gettext_lazy("machines"),
    "members": gettext_lazy("members"),
    "invites": gettext_lazy("invitations"),
    "keys": gettext_lazy("API keys"),
    "invite": gettext_lazy("invitation no."),
    "uses": gettext_lazy("people"),
    "days": gettext_lazy("days"),
    "why": gettext_lazy("why"),
    "count": gettext_lazy("how many"),
}


def details_of(entry: AuditEntry) -> str:
    """Return what else was noted: "Viewer → Editor", "machines: 3"."""
    said = {name: _said(name, value) for name, value in entry.details.items() if value or value is False}
    pairs = [f"{said.pop(old)} → {said.pop(new)}" for old, new in PAIRS if old in said and new in said]
    return ", ".join(pairs + [f"{WORDS.get(name, name)}: {value}" for name, value in said.items()])


def _said(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(_said(name, part) for part in value)
    return str(LABELS.get(value, value) if name in LABELLED and isinstance(value, str) else value)


def kind_of(entry: AuditEntry) -> str:
    """Return what kind of thing it was done to: "machine", "invitation"."""
    try:
        return str(apps.get_model("models", entry.object_type)._meta.verbose_name)
    except LookupError:
        return entry.object_type


def object_of(entry: AuditEntry) -> str:
    """Return what it was done to, with its kind where the name alone does not say it; "" for who did it themselves."""
    if entry.object_type == "user":
        return "" if entry.object_name == entry.actor_name else entry.object_name
    return f"{kind_of(entry)}: {entry.object_name}" if entry.object_name else ""


def csv_of(entries: Iterable[AuditEntry]) -> Iterator[str]:
    """Write the log as CSV, line by line; moments in UTC as ISO 8601."""
    writer = csv.writer(_Echo())
    titles = [_("At (UTC)"), _("Who"), _("What"), _("Kind"), _("Object"), _("Details"), _("From"), _("Code")]
    yield BOM + str(writer.writerow(titles))
    for entry in entries:
        at = entry.at.isoformat(timespec="seconds")
        done = (entry.actor_name, entry.get_action_display(), kind_of(entry), entry.object_name, details_of(entry))
        yield str(writer.writerow([harmless(cell) for cell in (at, *done, entry.ip or "", entry.action)]))


def harmless(cell: str) -> str:
    """Put an apostrophe before what a spreadsheet would run as a formula."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


class _Echo:
    """A file that hands back what is written."""

    def write(self, line: str) -> str:
        return line
