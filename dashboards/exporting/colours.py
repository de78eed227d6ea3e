"""The colours of figures (dashboards/drawing/figure.py) outside the website. static/css/tokens.css is where they are chosen."""

import re
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import TypeAlias

from django.conf import settings

TOKENS = settings.BASE_DIR / "static" / "css" / "tokens.css"
WORDS = {"ink": "ink", "soft": "ink-soft", "line": "line", "paper": "paper"}
COLOURS = 8
SCALE = ("scale-0", "scale-1", "scale-2", "scale-3")
_LIGHT = re.compile(r"--([\w-]+): light-dark\((#\w{6}),")
_TOKEN = re.compile(r"@(\w+)(?:/([\d.]+))?")

Paint: TypeAlias = Callable[[str], str]  # "accent" -> a colour


@cache
def root() -> str:
    """What tokens.css says of :root, for a file that goes without the site."""
    return TOKENS.read_text(encoding="utf-8").partition(":root {")[2].partition("}")[0].strip()


@cache
def _known() -> dict[str, str]:
    return dict(_LIGHT.findall(root()))


def light(name: str) -> str:
    """A colour of the light page: paper is always white."""
    return _known()[name]


def named(name: str) -> str:
    """The same as a variable: the file has `root` in its style, and follows the reader's light or dark."""
    return f"var(--{name})"


def painted(told: object, paint: Paint) -> tuple[str, float]:
    """A colour of a figure, "@0/0.2" or "@ink", and how opaque it is. Others are not believed: they may be anything."""
    found = _TOKEN.fullmatch(told) if isinstance(told, str) else None
    if not found:
        return paint("c0"), 1.0
    name, opacity = found.groups()
    token = f"c{int(name) % COLOURS}" if name.isdecimal() else WORDS.get(name, "ink-soft")
    return paint(token), min(1.0, float(opacity or 1))


def on_scale(share: float) -> str:
    """The colour of a share of one from few to many; the same on light and dark paper."""
    share = min(1.0, max(0.0, share))
    steps = [_channels(light(name)) for name in SCALE]
    at = min(int(share * (len(steps) - 1)), len(steps) - 2)
    (low, high), part = [*pairwise(steps)][at], share * (len(steps) - 1) - at
    return "#" + "".join(f"{round(a + part * (b - a)):02x}" for a, b in zip(low, high, strict=True))


def filled(scale: object, share: float, paint: Paint) -> tuple[str, float]:
    """The colour of a share on a scale of a figure, and how opaque it is: "@scale", or colours that change at once."""
    if isinstance(scale, list):
        return painted(next(colour for begin, colour in reversed(scale[::2]) if share >= begin), paint)
    return on_scale(share), 1.0


def is_dark(colour: str) -> bool:
    """Whether white letters are read better on it than dark ones."""
    red, green, blue = _channels(colour)
    return 0.299 * red + 0.587 * green + 0.114 * blue < 140


def _channels(colour: str) -> list[int]:
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
