"""The picture of what one column does to the answers, of what `dashboards.effects` has worked out."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from dashboards.drawing.figure import Head, figures, milliseconds, plain, shortened
from dashboards.reporting.page import Section
from dashboards.reporting.parts import Picture, Told, band, picture, section, text_head
from machines.engine.errors import Notice, gettext_noop
from machines.engine.schema import DataType

FEW_ROWS, FEW_SHARE = 10, 0.01  # of the table, nearest to a value: fewer of them make a line that nobody should trust
MOST_ON_PAPER = 3  # columns, where nobody can choose
HOW = gettext_noop(
    "Each of %(asked)s rows was asked again with this column changed and all others left as they are. The line is the mean "
    "of the answers, the band the middle 80 %% of the single rows."
)
THIN = gettext_noop(
    "Pale and hollow: fewer than %(few)s of %(rows)s rows, or less than 1 %%, lie nearest to this value. What is said there "
    "is a guess."
)


def effect(told: Told, column: int | None, answer: int) -> Section | None:
    """`column`, `answer`: their places among those worked out; no column: the first few, for paper."""
    columns, answers = told["columns"], told["answers"]
    if not columns:
        return None
    chosen = [*range(min(MOST_ON_PAPER, len(columns)))] if column is None else [column if column < len(columns) else 0]
    said = range(len(answers)) if column is None else [answer if answer < len(answers) else 0]
    pictures = [
        _picture(f"effect-{at}-{which}", told, columns[at], which) for which in _first(said, answers) for at in chosen
    ]
    text = _("What the machine answers when only one column changes. This is what it has learned, not what causes what: "
             "columns that go together cannot be told apart this way.")  # fmt: skip
    return section("effect", _("Effect of one column"), [text], pictures)


def _first(numbers: Sequence[int], answers: Sequence[Told]) -> list[int]:
    """One answer of each output."""
    seen: dict[str, int] = {}
    for number in numbers:
        seen.setdefault(answers[number]["output"], number)
    return [*seen.values()]


def answer_name(about: Told) -> str:
    """ "price", or "risk: yes"."""
    return str(about["output"]) if about["label"] is None else f"{about['output']}: {about['label']}"


def _picture(key: str, told: Told, about: Told, which: int) -> Picture:
    line, name, kind = about["lines"][which], about["name"], DataType(about["type"])
    answer = told["answers"][which]
    is_share, few = answer["label"] is not None, max(FEW_ROWS, FEW_SHARE * told["rows"])
    thin = [count < few for count in about["counts"]]
    x, x_axis = _across(about, kind)
    mean = figures(line["mean"])
    dots: dict[str, Any] = {
        "type": "scatter", "mode": "lines+markers" if kind.is_numeric else "markers", "x": x, "y": mean,
        "line": {"color": "@0", "width": 2}, "showlegend": False,
        "marker": {"size": 8, "color": ["@0/0.3" if is_thin else "@0" for is_thin in thin],
                   "symbol": ["circle-open" if is_thin else "circle" for is_thin in thin]},
    }  # fmt: skip
    traces = [*band(x, line["low"], line["high"], "@0"), dots] if kind.is_numeric else [_bars(x, line), dots]
    title = _("Mean chance of “%(label)s”") % {"label": answer["label"]} if is_share else _("Mean answer")
    y_axis = {"tickformat": ".0%", "rangemode": "tozero"} if is_share else {}
    column = f"{name} ({about['unit']})" if about["unit"] else name
    layout = {
        "showlegend": False, "xaxis": {**x_axis, "title": {"text": plain(column)}},
        "yaxis": {**y_axis, "title": {"text": plain(title)}},
    }  # fmt: skip
    first = Head(shortened(name), kind, about["unit"]) if kind.is_numeric else text_head(shortened(name))
    heads = (first, Head(_("Mean")), Head(_("80 % from")), Head(_("to")), Head(_("Rows")))
    steps = zip(about["values"], line["mean"], line["low"], line["high"], about["counts"], strict=True)
    rows = [[value, *figures([middle, low, high]), count] for value, middle, low, high, count in steps]
    rules = [Notice(HOW, {"asked": told["asked"]})]
    if any(thin):
        rules.append(Notice(THIN, {"few": FEW_ROWS, "rows": told["rows"]}))
    words = {"column": name, "answer": answer_name(answer)}
    return picture(key, _("“%(column)s” and “%(answer)s”") % words, traces, layout, heads, rows, rules)


def _across(about: Told, kind: DataType) -> tuple[list[Any], dict[str, Any]]:
    """Where the values stand, and the axis."""
    if kind.is_moment:
        return milliseconds(about["values"]), {"type": "date"} | (
            {"tickformat": "%H:%M"} if kind is DataType.TIME else {}
        )
    if kind.is_numeric:
        return figures(about["values"]), {}
    places = [*range(len(about["values"]))]
    return places, {"tickvals": places, "ticktext": [plain(str(label), 24) for label in about["values"]]}


def _bars(x: list[Any], line: Told) -> dict[str, Any]:
    """The band of labels, which no line joins."""
    return {
        "type": "bar", "x": x, "base": figures(line["low"]), "marker": {"color": "@0/0.2"}, "showlegend": False,
        "y": figures([high - low for low, high in zip(line["low"], line["high"], strict=True)]), "hoverinfo": "skip",
    }  # fmt: skip
