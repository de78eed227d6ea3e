"""The pictures of a profile, as `dashboards.drawing.figure` describes figures. No rows and no libraries: pages draw these."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from dashboards.drawing.figure import Drawing, Head, plain, shortened
from dashboards.profiling import CHANCE, MATTERS, named
from machines.engine.errors import Notice, gettext_noop
from machines.engine.schema import DataType

MEASURES: Mapping[str, str] = {
    "spearman": gettext_noop("Spearman’s rank correlation"),
    "eta": gettext_noop("correlation ratio"),
    "cramer": gettext_noop("Cramér’s V"),
}
COLUMN, OTHER, STRENGTH = gettext_noop("column"), gettext_noop("other column"), gettext_noop("strength")
MEASURE, VALUE, MISSING = gettext_noop("measure"), gettext_noop("value"), gettext_noop("empty")
REST = gettext_noop("others")
HOW = gettext_noop(
    "0 is nothing to do with each other, 1 is everything. Two numbers: Spearman’s rank correlation, without its sign in "
    "the picture; a number and labels: the correlation ratio; two columns of labels: Cramér’s V, corrected for chance. "
    "Texts take part with their length."
)
ALONE = gettext_noop("Not compared, for they never change or hardly any value comes again: %(columns)s.")
SAMPLED = gettext_noop("Compared in %(shown)s of %(rows)s rows, chosen at random.")
LEFT_OUT = gettext_noop("%(count)s columns that have less to do with the outputs are left out.")
TENTHS = gettext_noop(
    "Numbers are counted in the tenths of the earlier rows. Index %(index)s; from %(mark)s on it matters. Chi-squared test: "
    "p < %(chance)s."
)
LENGTH = gettext_noop("Of texts the length is counted, in letters.")
RARE = gettext_noop("a rare label")


@dataclass(frozen=True)
class Words:
    """How the person reads: a word of ours translated, a number written."""

    say: Callable[[str], str]
    number: Callable[[float], str]


def heatmap(told: Mapping[str, Any], words: Words) -> dict[str, Any]:
    """All pairs of the compared columns as squares, and as a table, strongest first."""
    names = told["compared"]
    place = {name: at for at, name in enumerate(names)}
    values: list[list[float | None]] = [[None] * len(names) for _ in names]
    hints = [[plain(name) for _ in names] for name in names]
    rows = []
    for pair in told["pairs"]:
        value, at, other = pair["value"], place[pair["a"]], place[pair["b"]]
        measure = words.say(MEASURES[pair["measure"]])
        rows.append([shortened(pair["a"]), shortened(pair["b"]), measure, None if value is None else round(value, 3)])
        if value is not None:
            values[at][other] = values[other][at] = round(abs(value), 4)
            shown = f"{plain(pair['a'])}<br>{plain(pair['b'])}<br>{measure}: {words.number(round(value, 3))}"
            hints[at][other] = hints[other][at] = shown
    trace = {
        "type": "heatmap", "x": [*range(len(names))], "y": [*range(len(names))], "z": values, "zmin": 0, "zmax": 1,
        "text": hints, "hoverinfo": "text", "hoverongaps": False, "xgap": 1, "ygap": 1, "colorscale": "@scale",
        "colorbar": {"title": {"text": words.say(STRENGTH)}},
    }  # fmt: skip
    ticks = {"tickvals": [*range(len(names))], "ticktext": [plain(name, 24) for name in names], "showgrid": False}
    layout = {
        "xaxis": {**ticks, "tickangle": -45, "title": {"text": ""}},
        "yaxis": {**ticks, "autorange": "reversed", "title": {"text": ""}},
        "height": 240 + 16 * len(names),
    }
    text = DataType.LABEL
    heads = [Head(words.say(title), text) for title in (COLUMN, OTHER, MEASURE)]
    return Drawing([trace], layout, (*heads, Head(words.say(VALUE))), rows, tuple(_rules(told))).to_json()


def _rules(told: Mapping[str, Any]) -> list[Notice]:
    rules = [Notice(HOW)]
    if told["compared_rows"] < told["looked"]:
        rules.append(Notice(SAMPLED, {"shown": told["compared_rows"], "rows": told["rows"]}))
    if told["left_out"]:
        rules.append(Notice(LEFT_OUT, {"count": told["left_out"]}))
    if told["alone"]:
        rules.append(Notice(ALONE, {"columns": named(told["alone"])}))
    return rules


def two_times(found: Mapping[str, Any], before: str, after: str, words: Words) -> dict[str, Any]:
    """How a column was spread before and after, side by side. `before` and `after` name the two times."""
    kept = [at for at, shares in enumerate(zip(found["before"], found["after"], strict=True)) if any(shares)]
    places = [label for at, label in enumerate(_places(found, words)) if at in kept]
    sides = [(before, "before", "@0"), (after, "after", "@1")]
    traces = [
        {
            "type": "bar", "name": plain(name), "x": [*range(len(kept))],
            "y": [round(found[key][at], 6) for at in kept], "marker": {"color": colour},
        }
        for name, key, colour in sides
    ]  # fmt: skip
    ticks = {"tickvals": [*range(len(kept))], "ticktext": [plain(label, 20) for label in places]}
    layout = {
        "barmode": "group", "showlegend": True, "height": 300,
        "xaxis": {**ticks, "title": {"text": plain(found["column"])}},
        "yaxis": {"tickformat": ".0%", "rangemode": "tozero", "title": {"text": ""}},
    }  # fmt: skip
    shares = [[round(100 * found[key][at], 2) for _, key, _ in sides] for at in kept]
    rows = [[label, *both] for label, both in zip(places, shares, strict=True)]
    heads = (Head(shortened(found["column"]), DataType.LABEL), Head(before, unit="%"), Head(after, unit="%"))
    rules = [Notice(TENTHS, {"index": round(found["index"], 2), "mark": MATTERS, "chance": CHANCE})]
    rules += [Notice(LENGTH)] if found["is_length"] else []
    return Drawing(traces, layout, heads, rows, tuple(rules)).to_json()


def _places(found: Mapping[str, Any], words: Words) -> list[str]:
    """The words under the bars, as many as there are shares."""
    if found["ends"] is None:
        rest = [words.say(REST)] * (len(found["before"]) - 1 - len(found["labels"]))
        labels = [words.say(RARE) if label is None else label for label in found["labels"]]
        return [*labels, *rest, words.say(MISSING)]
    ends: Sequence[str] = [words.number(end) for end in found["ends"]]
    between = [f"{low} – {high}" for low, high in pairwise(ends)]
    return [f"≤ {ends[0]}", *between, f"> {ends[-1]}", words.say(MISSING)]
