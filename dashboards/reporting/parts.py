"""What all sections of a report are made with."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext as _

from config.formats import NO_BREAK, current_formats
from dashboards.drawing.figure import Drawing, Head, plain
from dashboards.graph_view import Cell, graph_view
from dashboards.reporting.page import Section, Table
from machines.engine.errors import Notice
from machines.engine.schema import DataType
from machines.figures import figure
from machines.services.texts import WORDS

Told = Mapping[str, Any]
DASH = f"{NO_BREAK}– "
PALE = {"color": "@soft", "width": 1.5, "dash": "dash"}
LINE, MOST_LINES = 15, 3  # letters in a line of a name beside a picture, and lines
SHARE_AXIS = {"tickformat": ".0%", "range": [-0.02, 1.02]}


@dataclass(frozen=True)
class Picture:
    """One figure before it is shown: its key, its title, and what `Drawing.to_json` told."""

    key: str
    title: str
    drawn: dict[str, Any]


def picture(
    key: str,
    title: str,
    traces: list[dict[str, Any]],
    layout: dict[str, Any],
    heads: Sequence[Head],
    rows: list[list[Any]],
    rules: Sequence[Notice] = (),
) -> Picture:
    return Picture(key, title, Drawing(traces, layout, tuple(heads), rows, tuple(rules)).to_json())


def section(
    key: str,
    title: str,
    paragraphs: Sequence[str] = (),
    pictures: Sequence[Picture] = (),
    tables: Sequence[Table] = (),
    output: str = "",
) -> Section:
    """A section; sentences that say nothing ("") are left out."""
    views = [(each.key, graph_view(each.drawn, each.title)) for each in pictures]
    drawn = {each.key: each.drawn for each in pictures}
    return Section(key, title, [text for text in paragraphs if text], views, list(tables), output, drawn)


def wrapped(name: str) -> str:
    """A name beside a lying picture, in lines so short that the picture keeps most of the width on a phone."""
    return "<br>".join(plain(part) for part in _lines(name))


def height_of(names: Sequence[str]) -> int:
    """How many pixels a picture needs for a line or more each, none over its neighbour's."""
    counts = [len(_lines(name)) for name in names]
    room = max((low + high for low, high in pairwise([1, *counts, 1])), default=2) / 2
    return round(110 + len(names) * (9 + 17 * room))


def _lines(name: str) -> list[str]:
    lines = [""]
    for piece in _pieces(name):
        if len(lines[-1]) + len(piece) <= LINE:
            lines[-1] += piece
        else:
            lines.append(piece.strip())
    lines = [line for line in lines if line] or [""]
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES - 1], f"{lines[MOST_LINES - 1][: LINE - 1]}…"]
    return lines


def _pieces(name: str) -> Iterator[str]:
    """Words; those that are longer than a line in parts, best where a new word begins: customerAge, customer_age."""
    for place, word in enumerate(name.split()):
        parts = [word] if len(word) <= LINE else WORDS.split(word)
        for number, part in enumerate(parts):
            for at in range(0, len(part), LINE):
                yield (" " if place and not number and not at else "") + part[at : at + LINE]


def text_head(title: str) -> Head:
    return Head(title, DataType.LABEL)


def interval_heads() -> tuple[Head, Head]:
    """Of the two columns that say where a value lies with 95 % confidence."""
    return Head(_("95 % from")), Head(_("to"))


def between(value: float, low: float, high: float, *, is_share: bool = False) -> tuple[str, str]:
    """A value and its interval, with as many digits as its width allows."""
    if is_share:
        percent = current_formats().percent
        return percent(value), f"{percent(low)}{DASH}{percent(high)}"
    words = [figure(number, high - low) for number in (value, low, high)]
    return words[0], f"{words[1]}{DASH}{words[2]}"


def errors(values: Sequence[float], lows: Sequence[float], highs: Sequence[float], colour: str) -> dict[str, Any]:
    """Bars from low to high around points, as Plotly takes them."""
    above = [high - value for value, high in zip(values, highs, strict=True)]
    below = [value - low for value, low in zip(values, lows, strict=True)]
    return {"type": "data", "symmetric": False, "array": above, "arrayminus": below,
            "color": colour, "thickness": 1.5, "width": 4}  # fmt: skip


def band(x: Sequence[float], low: Sequence[float], high: Sequence[float], colour: str) -> list[dict[str, Any]]:
    """The space between two lines, to be drawn before the line in it."""
    edge = {"type": "scatter", "mode": "lines", "x": list(x), "line": {"width": 0}, "hoverinfo": "skip",
            "showlegend": False}  # fmt: skip
    return [{**edge, "y": list(low)}, {**edge, "y": list(high), "fill": "tonexty", "fillcolor": f"{colour}/0.2"}]


def straight(x: Sequence[float], y: Sequence[float], name: str) -> dict[str, Any]:
    """A dashed line to compare with."""
    return {"type": "scatter", "mode": "lines", "x": list(x), "y": list(y), "name": name, "line": PALE,
            "hoverinfo": "skip"}  # fmt: skip


def cells(*texts: str, numbers_from: int = 1) -> list[Cell]:
    """A row of a table: words first, numbers from a place on."""
    return [Cell(text, place >= numbers_from) for place, text in enumerate(texts)]
