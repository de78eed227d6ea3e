"""The one error that bad data may cause, and the one shape of a message about data.

Messages are English templates with named values, so that the website can translate the template first and fill it in after.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

PLAIN = re.compile(
    r"(?:[^%]|%%|%\(\w+\)s)*"
)  # places for values, and none of their widths: those could fill the memory
MOST_TEMPLATE, MOST_VALUES = 2_000, 100_000  # characters


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
        """Read what a child process, or the database, says. Raises ValueError for what is no notice of ours."""
        template, values = data["template"], dict(data["values"])
        is_plain = len(template) <= MOST_TEMPLATE and (not values or PLAIN.fullmatch(template))
        if not is_plain or len(str(values)) > MOST_VALUES:
            raise ValueError(f"no notice: {template[:100]!r}")
        return cls(template, values, Weight(data["weight"]))


class DataError(ValueError):
    """Data that cannot be used. The sentence says what, where (line or column) and what to do."""

    def __init__(self, template: str, **values: Any) -> None:
        self.notice = Notice(template, values, Weight.WARNING)
        super().__init__(str(self.notice))
