"""A figure: what Plotly draws, the table beside it, and the sentences that say what was left out.

Colours are places for the page's own, which static/js/graphs.js fills in, so that a figure suits light and dark:
"@0", "@1" ... are the palette's, "@0/0.2" with that opacity, "@ink", "@soft", "@line" and "@paper" the page's words, lines
and ground, and "@scale" in place of a colour scale the one from few to many.

Words of ours stand there in English with a mark, "@word:others", so that a figure can be kept for people of any language
and a label called "others" stays apart from them; `words` translates them.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import ceil, inf, log10
from typing import Any

import orjson

from machines.engine.errors import Notice, gettext_noop
from machines.engine.schema import DataType

MOST_POINTS = 20_000  # marks in one figure
MOST_LABELS = 8  # told apart by colour; the rest is taken together
MOST_BYTES = 1_000_000
MOST_ROWS = 200  # of the table beside it
MOST_LETTERS = 40
MARK = "@word:"
OTHERS = MARK + gettext_noop("others")
_HEADS = (gettext_noop("from"), gettext_noop("to"), gettext_noop("share"))  # in more than one table
ROWS = MARK + gettext_noop("rows")
_WORD = re.compile("|".join(map(re.escape, (OTHERS, ROWS))))
CUT = gettext_noop("The table shows the first %(shown)s of %(rows)s lines.")


@dataclass(frozen=True)
class Field:
    """A column that stands on a place."""

    name: str
    type: DataType
    unit: str = ""

    @property
    def title(self) -> str:
        return plain(f"{self.name} ({self.unit})" if self.unit else self.name, 80)


@dataclass(frozen=True)
class Head:
    """A column of the table beside a figure; `type` says how its cells are written.

    `title` is a column's name or a label; or, if `is_word`, words of ours, in which %(column)s stands for `column`.
    """

    title: str
    type: DataType = DataType.FLOAT
    unit: str = ""
    is_word: bool = False
    column: str = ""

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "type": str(self.type)}


@dataclass(frozen=True)
class Drawing:
    """What one graph shows."""

    traces: list[dict[str, Any]]
    layout: dict[str, Any]
    heads: tuple[Head, ...]
    rows: list[
        list[Any]
    ]  # numbers (moments as seconds since 1970-01-01 UTC), str, None for missing; `to_json` cuts them
    rules: tuple[Notice, ...] = field(default=())  # how rows were counted, taken together or left out

    def to_json(self) -> dict[str, Any]:
        """As JSON. Raises ValueError if it is larger than a browser should be sent: a kind did not keep to its bounds."""
        is_cut = len(self.rows) > MOST_ROWS
        cut = (Notice(CUT, {"shown": MOST_ROWS, "rows": len(self.rows)}),) if is_cut else ()
        told = {
            "traces": self.traces,
            "layout": self.layout,
            "heads": [head.to_json() for head in self.heads],
            "rows": self.rows[:MOST_ROWS],
            "rules": [rule.to_json() for rule in (*self.rules, *cut)],
        }
        size = len(orjson.dumps(told, option=orjson.OPT_SERIALIZE_NUMPY))
        if size > MOST_BYTES:
            raise ValueError(f"a figure of {size} bytes")
        return told


Fields = Mapping[str, Field]  # place -> what stands there


def plain(text: str, most: int = MOST_LETTERS) -> str:
    """A text as Plotly shows it letter by letter: it reads some HTML, which a label must not smuggle in; shortened."""
    return shortened(text, most).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def shortened(text: str, most: int = MOST_LETTERS) -> str:
    """A text of the table beside, which no HTML is read from; words of ours stay whole."""
    return text if len(text) <= most or _WORD.fullmatch(text) else f"{text[: most - 1]}…"


def words(figure: Mapping[str, Any], translate: Callable[[str], str]) -> dict[str, Any]:
    """The figure that `Drawing.to_json` told, with the words of ours in somebody's language.

    The heads of its table have nothing but `title`, `type` and `unit` then.
    """
    told: dict[str, Any] = _translated({**figure, "heads": []}, translate)
    return {**told, "rules": figure["rules"], "heads": [_head(head, translate) for head in figure["heads"]]}


def _head(head: Mapping[str, Any], translate: Callable[[str], str]) -> dict[str, Any]:
    if head["is_word"]:
        title = translate(head["title"])
        title = title % {"column": head["column"]} if head["column"] else title
    else:
        title = _translated(head["title"], translate)
    return {"title": title, "type": head["type"], "unit": head["unit"]}


def _translated(told: Any, translate: Callable[[str], str]) -> Any:
    """Whatever JSON holds. A word may stand within a text: several labels make the title of a facet."""
    if isinstance(told, str):
        return _WORD.sub(lambda found: translate(found[0].removeprefix(MARK)), told) if MARK in told else told
    if isinstance(told, Mapping):
        return {name: _translated(value, translate) for name, value in told.items()}
    if isinstance(told, list):
        return [_translated(value, translate) for value in told]
    return told


def axis(title: Field | str, **more: Any) -> dict[str, Any]:
    """An axis of the layout with its title; moments are given in milliseconds, see `milliseconds`."""
    if isinstance(title, str):
        return {"title": {"text": title}, **more}
    kind = {"type": "date"} if title.type.is_moment else {}
    if title.type is DataType.TIME:
        kind["tickformat"] = "%H:%M"  # of the day, whichever it is
    return {"title": {"text": title.title}, **kind, **more}


def figures(values: Sequence[float] | Any, digits: int = 6) -> list[float | None]:
    """Numbers with as many digits as a picture shows; None for what is not finite."""
    return [
        float(f"{value:.{digits}g}") if value is not None and abs(value) < float("inf") else None for value in values
    ]


def digits_for(low: float, high: float) -> int:
    """How many digits `figures` needs for numbers from low to high to stay apart, far from zero, too."""
    largest, span = max(abs(low), abs(high)), high - low
    return min(17, 6 + max(0, ceil(log10(largest / span)))) if 0 < span < inf and largest / span < inf else 6


def milliseconds(seconds: Sequence[float] | Any) -> list[int | None]:
    """Moments as Plotly reads them: milliseconds since 1970-01-01 UTC; None for what is missing."""
    return [round(second * 1000) if second is not None and abs(second) < inf else None for second in seconds]
