"""What the machine cannot know: where it has seen few rows, where it errs more than usual, and what lies outside."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.formats import NO_BREAK, current_formats
from dashboards.drawing.figure import Head, figures, plain, shortened
from dashboards.graph_view import Cell
from dashboards.reporting.page import Section, Table
from dashboards.reporting.parts import DASH, Picture, Told, between, errors, picture, section, straight, text_head
from machines.engine.errors import Notice, gettext_noop
from machines.presenters import span_text, value_text

FEW_ROWS, FEW_SHARE = 30, 0.01  # fewer rows than this, or a smaller share of them, are too few to learn from
MOST_SAID = 5  # sentences of one kind
MOST_LABELS = 12  # listed in the table of what lies outside
MOST_ON_PAPER = 3  # columns that are drawn where nobody can choose
HOW = gettext_noop(
    "Bars are 95 %% intervals; the dashed line is the usual error. Pale bars stand on fewer than %(few)s rows learned from, "
    "or less than 1 %% of them."
)


def thin(
    number: int, output: Told, inputs: Mapping[str, Told], chosen: int | None, rows_trained: int
) -> Section | None:
    """`inputs`: what the trained file says of its columns; `chosen`: the column that is drawn, None for the first few."""
    regions = [about for about in output.get("regions") or [] if about["bins"]]
    if not regions:
        return None
    few = max(FEW_ROWS, FEW_SHARE * rows_trained)
    unlike = _unlike(output, regions, inputs)
    said = [*_few(regions, inputs, few), *unlike]
    todo = _("To change that, add rows of these kinds and train again.") if said else _(
        "There are enough rows everywhere, and no part of the data is answered worse than usual.")  # fmt: skip
    numbers = range(min(MOST_ON_PAPER, len(regions))) if chosen is None else [chosen if chosen < len(regions) else 0]
    drawn = [_picture(f"thin-{number}-{at}", output, regions[at], inputs, few) for at in numbers]
    return section(f"thin-{number}", _("What it cannot know"), [*said, todo], drawn, output=output["name"])


def columns_of(output: Told) -> list[str]:
    """The columns that can be chosen."""
    return [str(about["column"]) for about in output.get("regions") or [] if about["bins"]]


def place(found: Told, about: Told) -> str:
    """Where a group of rows lies, in words: "below 40", "between 40 and 60", "north"."""
    kind, low, high = found["kind"], found.get("low"), found.get("high")
    if kind == "missing":
        return _("empty")
    if kind == "rest":
        return _("other labels")
    if kind == "rare":
        return _("a rare label")
    if kind == "label":
        return f"“{shortened(str(found['label']))}”"
    low, high = (None if edge is None else value_text(about.get("type", "FLOAT"), edge) for edge in (low, high))
    if low is None or high is None:
        return _("below %(edge)s") % {"edge": high} if low is None else _("from %(edge)s on") % {"edge": low}
    return f"{low}{DASH}{high}"


def _few(regions: Sequence[Told], inputs: Mapping[str, Told], few: float) -> Iterator[str]:
    found = [(about, each) for about in regions for each in about["bins"] if each["rows"] < few]
    for about, each in sorted(found, key=lambda both: both[1]["rows"])[:MOST_SAID]:
        rows = int(each["rows"])
        words = {"rows": current_formats().number(rows), "column": about["column"],
                 "place": place(each, inputs.get(about["column"], {}))}  # fmt: skip
        if not rows:
            yield _("No row was learned from where “%(column)s” is %(place)s: answers there are guesses.") % words
            continue
        yield ngettext(
            "Only %(rows)s row was learned from where “%(column)s” is %(place)s: answers there are guesses.",
            "Only %(rows)s rows were learned from where “%(column)s” is %(place)s: answers there are guesses.", rows,
        ) % words  # fmt: skip


def _unlike(output: Told, regions: Sequence[Told], inputs: Mapping[str, Told]) -> list[str]:
    """Where even the lower end of the error lies above the usual one."""
    usual, is_share = output.get("usual_error"), output.get("task") != "number"
    if usual is None:
        return []
    found = [(about, each) for about in regions for each in about["bins"]
             if each["error"] is not None and each["error_low"] > usual]  # fmt: skip
    said = []
    for about, each in sorted(found, key=lambda both: usual - both[1]["error_low"])[:MOST_SAID]:
        value, span = between(each["error"], each["error_low"], each["error_high"], is_share=is_share)
        words = {"column": about["column"], "place": place(each, inputs.get(about["column"], {})), "value": value,
                 "span": span, "usual": between(usual, each["error_low"], each["error_high"], is_share=is_share)[0]}  # fmt: skip
        template = (
            _("Where “%(column)s” is %(place)s, %(value)s of its answers are wrong (%(span)s); usually %(usual)s.")
            if is_share
            else _("Where “%(column)s” is %(place)s, it is off by %(value)s (%(span)s); usually by %(usual)s.")
        )
        said.append(template % words)
    return said


def _picture(key: str, output: Told, about: Told, inputs: Mapping[str, Told], few: float) -> Picture:
    is_share, described = output.get("task") != "number", inputs.get(about["column"], {})
    bins, column = about["bins"], str(about["column"])
    names = [place(each, described) for each in bins]
    measured = [(at, each) for at, each in enumerate(bins) if each["error"] is not None]
    values, lows, highs = ([each[name] for _at, each in measured] for name in ("error", "error_low", "error_high"))
    trace = {
        "type": "bar", "x": [at for at, _each in measured], "y": figures(values, 4), "showlegend": False,
        "marker": {"color": ["@0/0.35" if each["rows"] < few else "@0" for _at, each in measured]},
        "error_y": errors(values, lows, highs, "@ink"),
    }  # fmt: skip
    title = _("Share answered wrong") if is_share else _("How far off on average")
    unit = described.get("unit")
    ticks = {"tickvals": [*range(len(bins))], "ticktext": [plain(name, 24) for name in names]}
    layout: dict[str, Any] = {
        "showlegend": True,
        "xaxis": {**ticks, "title": {"text": plain(f"{column} ({unit})" if unit else column)}},
        "yaxis": {**({"tickformat": ".0%"} if is_share else {}), "rangemode": "tozero", "title": {"text": title}},
    }
    usual = output.get("usual_error")
    line = [] if usual is None else [straight([-0.5, len(bins) - 0.5], [usual, usual], _("usual"))]
    heads = (text_head(shortened(column)), Head(_("Rows learned from")), Head(_("Rows measured")), Head(title),
             Head(_("95 % from")), Head(_("to")))  # fmt: skip
    rows = [[name, each["rows"], each["measured"], *figures([each["error"], each["error_low"], each["error_high"]], 4)]
            for name, each in zip(names, bins, strict=True)]  # fmt: skip
    words = _("Errors by “%(column)s”") % {"column": column}
    return picture(key, words, [trace, *line], layout, heads, rows, [Notice(HOW, {"few": FEW_ROWS})])


def outside(inputs: Sequence[Told], shares: Mapping[str, float]) -> Section | None:
    """What no row has shown: numbers beyond the lowest and the highest, labels never met."""
    known = sorted(
        (about for about in inputs if about.get("low") is not None or about.get("labels")),
        key=lambda about: -(shares.get(about["name"]) or 0),
    )
    if not known:
        return None
    rows = [[Cell(about["name"]), Cell(_seen(about))] for about in known]
    table = Table(_("What it has seen"), [Cell(_("Column")), Cell(_("Seen in training"))], rows)
    text = _(
        "Beyond these values and labels nothing is known. Its ranges grow there, and chances move towards the usual."
    )
    return section("outside", _("What lies outside"), [text], tables=[table])


def _seen(about: Told) -> str:
    if about.get("low") is not None:
        span = span_text(about["type"], about["low"], about["high"])
        return _("%(span)s, about nine tenths of the rows") % {"span": span} if about.get("is_middle") else span
    labels = [shortened(str(label)) for label in about["labels"]]
    more = len(labels) - MOST_LABELS if len(labels) > MOST_LABELS else 0
    more += about.get("hidden") or 0
    return ", ".join(labels[:MOST_LABELS]) + (f"{NO_BREAK}+{more}" if more > 0 else "")
