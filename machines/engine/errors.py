"""The one error that bad data may cause, and the one shape of a message about data.

Messages are English templates with named values, so that the website can translate the template first and fill it in after.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


def gettext_noop(template: str) -> str:
    """Mark a template for translation without translating it here; `makemessages` finds it by this name."""
    return template


class Weight(StrEnum):
    """How much a notice matters to the person who reads it."""

    INFO = "info"
    WARNING = "warning"


@dataclass(frozen=True)
class Notice:
    """A sentence about data: `template` in English with `%(name)s` places, and the values for them."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    weight: Weight = Weight.INFO

    def __str__(self) -> str:
        return self.template % self.values if self.values else self.template

    def to_json(self) -> dict[str, Any]:
        return {"template": self.template, "values": dict(self.values), "weight": str(self.weight)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Notice":
        return cls(data["template"], dict(data["values"]), Weight(data["weight"]))


class DataError(ValueError):
    """Data that cannot be used. The sentence says what, where (line or column) and what to do."""

    def __init__(self, template: str, **values: Any) -> None:
        self.notice = Notice(template, values, Weight.WARNING)
        super().__init__(str(self.notice))
