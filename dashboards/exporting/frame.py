"""What stands around a picture: axes with their ticks and titles, the legend, the notes of the layout."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from dashboards.exporting.bars import heat_range
from dashboards.exporting.colours import Paint, filled, painted
from dashboards.exporting.scales import Kind, Reading, Scale
from dashboards.exporting.scatter import DIAMONDS, line_look
from dashboards.exporting.shapes import Axes
from dashboards.exporting.ticks import Tick, ticks
from dashboards.exporting.xml import cut, dot, element, line, width, words

LINE = 17.0  # pixels from one line of words to the next
CLOSE = 14.0  # the same within one name
GAP = 8.0
KEY = 22.0  # of a legend's sign
MOST_LEFT = 210.0  # pixels for the words of the upright axis
STEPS = 24  # of a colour bar


@dataclass(frozen=True)
class Frame:
    """The pixels of the picture within its axes."""

    left: float
    top: float
    right: float
    bottom: float


def title_of(told: Mapping[str, Any]) -> str:
    title = told.get("title", "")
    return line(title.get("text", "") if isinstance(title, Mapping) else title)


def legend(
    traces: Sequence[tuple[Mapping[str, Any], str]], layout: Mapping[str, Any], most: float, axes: Axes
) -> tuple[list[str], float]:
    """The signs and names of the traces in lines of at most that many pixels, and the height of all of them."""
    named = [(trace, colour) for trace, colour in traces if trace.get("name") and trace.get("showlegend") is not False]
    if layout.get("showlegend") is False or not named or (len(named) < 2 and not layout.get("showlegend")):
        return [], 0.0
    found, x, y = list[str](), 0.0, LINE - 4
    for trace, colour in named:
        name = cut(line(trace["name"]), most - KEY - GAP)
        if x and x + KEY + width(name) > most:
            x, y = 0.0, y + LINE
        found += [_sign(trace, colour, x, y - 4, axes), words(name, x + KEY, y, fill=axes.paint("ink"))]
        x += KEY + width(name) + 2 * GAP
    return found, y + GAP


def _sign(trace: Mapping[str, Any], colour: str, x: float, y: float, axes: Axes) -> str:
    """A short piece of what the trace draws."""
    marker = trace.get("marker", {}).get("color")
    fill, opacity = painted(
        marker if isinstance(marker, str) else trace.get("line", {}).get("color", colour), axes.paint
    )
    if trace["type"] == "bar":
        return element("rect", x=x + 2, y=y - 5, width=12.0, height=10.0, fill=fill, fill_opacity=opacity)
    mode, parts = trace.get("mode", "lines"), list[str]()
    if trace.get("fill") not in (None, "", "none"):
        shade, part = painted(trace.get("fillcolor") or f"{colour}/0.2", axes.paint)
        parts.append(element("rect", x=x, y=y - 5, width=16.0, height=10.0, fill=shade, fill_opacity=part))
    look = line_look(trace, axes, colour)
    if "lines" in mode and look["stroke_width"]:
        parts.append(element("line", x1=x, x2=x + 16, y1=y, y2=y, **look))
    if "markers" in mode:
        symbol = trace.get("marker", {}).get("symbol")
        is_diamond = isinstance(symbol, int | str) and symbol in DIAMONDS
        parts.append(dot(x + 8, y, 5.0 if is_diamond else 4.0, is_diamond=is_diamond, fill=fill, fill_opacity=opacity))
    return "".join(parts)


def left_room(told: Mapping[str, Any], marks: Sequence[Tick]) -> float:
    """How many pixels the words of the upright axis take."""
    widest = max((width(part) for _at, text in marks for part in text.split("\n")), default=0.0)
    return min(MOST_LEFT, widest) + GAP + (LINE + 4 if title_of(told) else 0) + 4


def upright(scale: Scale, told: Mapping[str, Any], frame: Frame, marks: Sequence[Tick], paint: Paint) -> list[str]:
    found = []
    for at, text in marks:
        y = scale.pixel(at)
        if told.get("showgrid") is not False:
            found.append(element("line", x1=frame.left, x2=frame.right, y1=y, y2=y, stroke=paint("line")))
        parts = text.split("\n")
        first = y + 4 - (len(parts) - 1) * CLOSE / 2
        found += [words(cut(part, MOST_LEFT), frame.left - GAP, first + CLOSE * at, text_anchor="end")
                  for at, part in enumerate(parts)]  # fmt: skip
    if title := title_of(told):
        middle = (frame.top + frame.bottom) / 2
        shown = cut(title, max(frame.bottom - frame.top, 80.0))
        found.append(
            words(
                shown, 12.0, middle, text_anchor="middle", fill=paint("ink"), transform=f"rotate(-90 12 {middle:.1f})"
            )
        )
    return found


def is_slanted(scale: Scale, marks: Sequence[Tick]) -> bool:
    """Whether the words below stand too close for lying ones."""
    room = abs(scale.end - scale.begin) / max(1, len(marks))
    return len(marks) > 1 and max(width(text) for _at, text in marks) > room + (room if len(marks) == 2 else 0) - 2


def lower_room(told: Mapping[str, Any], scale: Scale, marks: Sequence[Tick]) -> float:
    slanted = 0.72 * min(110.0, max(width(text) for _at, text in marks)) if is_slanted(scale, marks) else 0.0
    return (LINE + slanted if marks else 0.0) + (LINE + 4 if title_of(told) else 0) + 6


def level(scale: Scale, told: Mapping[str, Any], frame: Frame, marks: Sequence[Tick], paint: Paint) -> list[str]:
    found, slanted = list[str](), is_slanted(scale, marks)
    for at, name in marks:
        text = name.replace("\n", " ")
        x, y = scale.pixel(at), frame.bottom + LINE
        if told.get("showgrid") is not False:
            found.append(element("line", x1=x, x2=x, y1=frame.top, y2=frame.bottom, stroke=paint("line")))
        turn = (
            {"text_anchor": "end", "transform": f"rotate(-45 {x:.1f} {y:.1f})"}
            if slanted
            else {"text_anchor": "middle"}
        )
        found.append(words(cut(text, 110.0) if slanted else text, x, y, **turn))
    if title := title_of(told):
        below = frame.bottom + lower_room(told, scale, marks) - 6
        shown = cut(title, frame.right - 20)
        found.append(words(shown, (frame.left + frame.right) / 2, below, text_anchor="middle", fill=paint("ink")))
    return found


def colour_bar(trace: Mapping[str, Any], right: float, frame: Frame, paint: Paint) -> list[str]:
    """From few to many, beside the picture."""
    low, high = heat_range(trace)
    told = trace.get("colorbar", {})
    middle, found = (frame.bottom + frame.top) / 2, list[str]()
    share = Scale(Reading(Kind.LINEAR), 0.0, 1.0, frame.bottom, frame.top)
    for begin, end in _pieces(trace.get("colorscale")):
        fill, opacity = filled(trace.get("colorscale", "@scale"), (begin + end) / 2, paint)
        top, foot = share.pixel(end), share.pixel(begin) + (0.5 if opacity == 1 else 0)  # no gap below
        box = {"x": right - 80, "y": top, "width": 12.0, "height": foot - top}
        found.append(element("rect", **box, fill=fill, fill_opacity=opacity))
    if high > low:
        bar = Scale(Reading(Kind.LINEAR), low, high, frame.bottom, frame.top)
        found += [words(cut(text, 44), right - 64, bar.pixel(at) + 4) for at, text in ticks(bar, told, 5)]
    if title := title_of(told):
        turn = {"text_anchor": "middle", "transform": f"rotate(-90 {right - 4:.1f} {middle:.1f})"}
        found.append(words(cut(title, frame.bottom - frame.top), right - 4, middle, **turn))
    return found


def _pieces(scale: object) -> Iterator[tuple[float, float]]:
    """From where to where a colour goes, as shares: those of a scale that changes at once, or many small ones."""
    ends = [at / STEPS for at in range(STEPS + 1)]
    if isinstance(scale, list):
        ends = [*(at for at, _colour in scale[::2]), 1.0]
    yield from pairwise(ends)
