"""The words of graphs: what the places are called, and what is wrong in a sentence."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from machines.engine.errors import DataError, Notice
from machines.services.texts import sentence

# As they stand in a sentence; a field's label begins with a capital.
PLACE_WORDS: Mapping[str, Any] = MappingProxyType({
    "x": "x", "y": "y", "z": "z", "hue": _("colour"), "size": _("size"), "style": _("shape"),
    "col": _("side by side"), "row": _("one below the other"), "color": _("colour"),
    "animation_frame": _("moving picture"),
})  # fmt: skip


def place_label(place: str) -> str:
    word = str(PLACE_WORDS[place])
    return word if len(word) == 1 else str(capfirst(word))


def fault_sentence(fault: Notice | DataError) -> str:
    """Return what keeps a graph from being drawn, translated, with the names of its places."""
    notice = fault.notice if isinstance(fault, DataError) else fault
    values = dict(notice.values)
    if values.get("place") in PLACE_WORDS:
        values["place"] = str(PLACE_WORDS[values["place"]])
    if "what" in values:
        values["what"] = gettext(values["what"])
    return sentence(Notice(notice.template, values, notice.weight))
