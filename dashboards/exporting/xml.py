"""SVG as text: elements, and letters with the room they take."""

import re
import unicodedata
from collections.abc import Iterable
from html import escape, unescape
from itertools import chain

FONT = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', 'DejaVu Sans', sans-serif"
SIZE = 12.0
NARROW, WIDE = frozenset("iljtfrI.,:;'|!()[] \u202f\u00a0"), frozenset("mwMW@%")
_BREAK = re.compile(r"<br\s*/?>")
_TAG = re.compile(r"</?(?:b|i|sub|sup|em|strong|span)(?: [^<>]*)?>")  # what Plotly reads; labels have none, see `plain`
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def element(name: str, *inside: str, **about: object) -> str:
    """An element. What is inside is SVG already, what is about it is not: `fill_opacity=0.5` -> fill-opacity="0.5"."""
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"' for key, value in about.items() if value is not None
    )
    return f"<{name}{told}>{''.join(inside)}</{name}>" if inside else f"<{name}{told}/>"


def letters(text: str) -> str:
    """A text as XML may hold it."""
    return escape(_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text))


def lines(text: object) -> list[str]:
    """A text of a Plotly figure as people read it: without its HTML, which labels are escaped for."""
    return [unescape(_TAG.sub("", line)) for line in _BREAK.split(str(text))]


def line(text: object) -> str:
    return " ".join(lines(text))


def words(text: str, x: float, y: float, **about: object) -> str:
    return element("text", letters(text), x=x, y=y, **about)


def dot(cx: float, cy: float, radius: float, *, is_diamond: bool, **about: object) -> str:
    if not is_diamond:
        return element("circle", cx=cx, cy=cy, r=radius, **about)
    return element(
        "path", d=path([(cx, cy - radius), (cx + radius, cy), (cx, cy + radius), (cx - radius, cy)]) + "Z", **about
    )


def path(points: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points)


def width(text: str, size: float = SIZE) -> float:
    """About how many pixels a text takes in one of the fonts, rather too many than too few."""
    return size * sum(map(_em, text))


def cut(text: str, most: float, size: float = SIZE) -> str:
    """The text, shortened to at most that many pixels."""
    if width(text, size) <= most:
        return text
    ends = list(chain([0.0], (width(text[: at + 1] + "…", size) for at in range(len(text)))))
    return text[: max(at for at, end in enumerate(ends) if end <= most)] + "…"


def _em(letter: str) -> float:
    if unicodedata.combining(letter):
        return 0.0
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.0
    if letter in NARROW:
        return 0.34
    return 0.93 if letter in WIDE else 0.68 if letter.isupper() else 0.59


def _value(value: object) -> str:
    return number(value) if isinstance(value, float) else letters(str(value))


def number(value: float) -> str:
    """A hundredth of a pixel is enough."""
    return f"{round(value, 2) + 0.0:.8g}"
