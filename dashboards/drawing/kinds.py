"""The thirteen kinds of graph: which columns each takes where. No rows and no libraries here: pages read this, too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from machines.engine.errors import Notice, Weight, gettext_noop
from machines.engine.schema import Column, DataType

PLACES = ("x", "y", "z", "hue", "size", "style", "col", "row", "color", "animation_frame")
NUMBER = frozenset({DataType.FLOAT})
ORDERED = frozenset({DataType.FLOAT, DataType.DATE, DataType.TIME, DataType.DATETIME})
LABEL = frozenset({DataType.LABEL})
EITHER = ORDERED | LABEL
WORDS: Mapping[frozenset[DataType], str] = MappingProxyType({
    NUMBER: gettext_noop("a number"),
    ORDERED: gettext_noop("a number or a moment"),
    LABEL: gettext_noop("labels"),
    EITHER: gettext_noop("a number, a moment or labels"),
})  # fmt: skip
NEEDS = gettext_noop("It needs %(what)s on %(place)s.")
CANNOT = gettext_noop("“%(column)s” cannot stand on %(place)s: it takes %(what)s.")
GONE = gettext_noop("There is no column “%(column)s” any more. Choose another for %(place)s.")
TWICE = gettext_noop("“%(column)s” stands on x and on y. Choose two different columns.")


@dataclass(frozen=True)
class Place:
    """What may stand on an axis, or tell marks apart."""

    takes: frozenset[DataType]
    is_needed: bool = False


def _need(takes: frozenset[DataType]) -> Place:
    return Place(takes, is_needed=True)


_MAY_LABEL, _MAY_NUMBER, _MAY_EITHER = Place(LABEL), Place(NUMBER), Place(EITHER)

# By the number of models.graph.GraphType; after the examples of seaborn's gallery that the titles name.
KINDS: Mapping[int, Mapping[str, Place]] = MappingProxyType({
    1: {"x": _need(ORDERED), "y": _need(ORDERED), "hue": _MAY_EITHER, "size": _MAY_NUMBER, "style": _MAY_LABEL,
        "col": _MAY_LABEL, "row": _MAY_LABEL, "animation_frame": _MAY_LABEL},
    2: {"x": _need(ORDERED), "y": _need(NUMBER), "hue": _MAY_LABEL, "style": _MAY_LABEL, "col": _MAY_LABEL,
        "row": _MAY_LABEL},
    3: {"x": _need(NUMBER), "y": _need(NUMBER)},
    4: {"x": _need(NUMBER), "hue": _MAY_LABEL, "col": _MAY_LABEL, "row": _MAY_LABEL},
    5: {"x": _need(NUMBER), "y": _need(NUMBER)},
    6: {"x": _need(NUMBER), "y": _need(NUMBER), "hue": _MAY_NUMBER, "size": _MAY_NUMBER,
        "animation_frame": _MAY_LABEL},
    7: {"x": _need(NUMBER), "y": _need(NUMBER)},
    8: {"x": _need(LABEL), "y": _need(NUMBER), "hue": _MAY_LABEL, "col": _MAY_LABEL, "row": _MAY_LABEL},
    9: {"x": _need(LABEL), "y": _need(NUMBER), "hue": _MAY_LABEL},
    10: {"x": _need(LABEL), "y": _need(NUMBER), "hue": _MAY_LABEL, "col": _MAY_LABEL, "row": _MAY_LABEL},
    11: {"x": _need(LABEL), "y": _need(NUMBER)},
    12: {"x": _need(NUMBER), "y": _need(LABEL)},
    13: {"y": _need(LABEL), "x": _MAY_NUMBER, "z": _MAY_NUMBER, "hue": _MAY_LABEL},
})  # fmt: skip


def fitting(kind: int, place: str, columns: Sequence[Column]) -> list[Column]:
    """The columns that may stand on a place."""
    return [column for column in columns if column.type in KINDS[kind][place].takes]


def faults(kind: int, chosen: Mapping[str, str], columns: Sequence[Column]) -> dict[str, Notice]:
    """What keeps a choice of columns (place -> name, "" for none) from being drawn, by place; {} if nothing does."""
    known, found = {column.name: column for column in columns}, dict[str, Notice]()
    for place, rule in KINDS[kind].items():
        name = chosen.get(place) or ""
        words = {"place": place, "column": name, "what": WORDS[rule.takes]}
        if not name:
            if rule.is_needed:
                found[place] = Notice(NEEDS, {"place": place, "what": words["what"]}, Weight.WARNING)
        elif name not in known:
            found[place] = Notice(GONE, {"place": place, "column": name}, Weight.WARNING)
        elif known[name].type not in rule.takes:
            found[place] = Notice(CANNOT, words, Weight.WARNING)
    if not found and chosen.get("y") and chosen.get("x") == chosen.get("y"):
        found["y"] = Notice(TWICE, {"column": chosen["y"]}, Weight.WARNING)
    return found
