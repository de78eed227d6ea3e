"""The safety report of an uploaded model in words: what was found when its file was checked."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.formats import current_formats
from machines.services.texts import sentence
from models import ModelVersion
from models.model_version import Served

Facts = list[tuple[str, str]]


@dataclass(frozen=True)
class Report:
    """The safety report of one version, in words."""

    version: ModelVersion

    @cached_property
    def found(self) -> dict[str, Any]:
        return dict(self.version.report)

    @property
    def facts(self) -> Facts:
        found, number = self.found, current_formats().number
        rows = [
            (_("Made with"), made(self.version)),
            (_("Answers"), self._served()),
            (_("Opened in"), self._lock()),
            (_("Compared with the original"), self._parity()),
            (_("A look at the file"), self._look()),
            (_("Numbers learned"), number(found["parameters"]) if found.get("parameters") is not None else ""),
            (_("ONNX opset"), str(found.get("opset") or "")),
            (_("Took"), current_formats().duration(found["seconds"]) if found.get("seconds") is not None else ""),
        ]
        return [(term, value) for term, value in rows if value]

    @property
    def operators(self) -> list[tuple[str, int]]:
        """Operators of the converted model, the most frequent first."""
        counted: dict[str, int] = self.found.get("operators") or {}
        return sorted(counted.items(), key=lambda item: (-item[1], item[0]))

    @property
    def notices(self) -> list[str]:
        """Everything its owner should know: of the check, of answers that vary."""
        told = [sentence(notice) for notice in self.found.get("notices") or []]
        if self.found.get("varies"):
            told.append(_("It does not always give the same answer to the same row."))
        return told

    def _served(self) -> str:
        if self.version.served == Served.CONVERTED:
            return _("by a standard ONNX copy, in a locked process")
        why = self.found.get("why_native")
        words = _("by the file itself, in a locked process, because it could not be converted")
        return f"{words}: {sentence(why)}" if why else words

    def _lock(self) -> str:
        if "is_locked" not in self.found:
            return ""
        if self.found["is_locked"]:
            return _("a locked process: no files, no network, no other programs")
        return _("a process of its own; this server cannot lock it, so only formats without code are taken")

    def _look(self) -> str:
        """What the scanner says, a courtesy: what it finds is as often good as bad."""
        return " ".join(_(note) for note in self.found.get("scanner") or [] if note)

    def _parity(self) -> str:
        parity = self.found.get("parity")
        if not parity:
            return ""
        rows = sum(parity["batches"])
        words = ngettext(
            "differs by %(worst)s at most in %(n)s row", "differs by %(worst)s at most in %(n)s rows", rows
        )
        return words % {"worst": current_formats().number(parity["worst"]), "n": rows}


def made(version: ModelVersion) -> str:
    """What it is: framework and format."""
    labels = [version.get_framework_display(), version.get_format_display() if version.format else ""]
    return " · ".join(str(label) for label in labels if label)
