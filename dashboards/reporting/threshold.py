"""From which chance on a row is answered with the rarer label: what each threshold finds, misses and costs.

The cheapest threshold is found by trying all; with true chances it lies near alarm / (alarm + miss) (Elkan 2001).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _

from config.formats import MISSING, current_formats
from dashboards.drawing.figure import Head, figures
from dashboards.reporting.page import Section, Table
from dashboards.reporting.parts import Told, cells, picture, section
from machines.engine.errors import Notice, gettext_noop

PER = 1000
COST = gettext_noop("A miss costs %(miss)s, a false alarm %(alarm)s; counted in the %(rows)s rows it was measured on.")
CHEAPEST = gettext_noop("Cheapest: from a chance of %(chance)s on, %(cost)s for 1,000 rows.")


@dataclass(frozen=True)
class Costs:
    """What a person says mistakes cost."""

    miss: float = 1.0
    alarm: float = 1.0
    year: float | None = None  # rows a year


class Threshold:
    """The thresholds of one output of two labels, by place: place 0 answers every row with the label, the last none."""

    def __init__(self, entry: Told, costs: Costs = Costs(), place: int | None = None) -> None:
        self.label, self.rows, self.positives = str(entry["label"]), int(entry["rows"]), int(entry["positives"])
        steps = zip(entry["at"], entry["found"], entry["false"], strict=True)
        self.steps = [*reversed([*steps]), (None, 0, 0)]  # chance, found, false alarms; None: never
        self.costs = costs
        self.place = self.cheapest if place is None else min(max(place, 0), len(self.steps) - 1)

    @property
    def last(self) -> int:
        return len(self.steps) - 1

    @cached_property
    def cheapest(self) -> int:
        """The place that costs least; the highest threshold of several."""
        return min(range(len(self.steps)), key=lambda place: (self.cost(place), -place))

    def cost(self, place: int) -> float:
        """What 1,000 rows cost."""
        _at, found, false = self.steps[place]
        return float(PER * ((self.positives - found) * self.costs.miss + false * self.costs.alarm) / self.rows)

    @property
    def chance(self) -> str:
        return self.chance_at(self.place)

    def chance_at(self, place: int) -> str:
        at = self.steps[place][0]
        return _("never") if at is None else current_formats().percent(at, 1)

    @property
    def counts(self) -> dict[str, int]:
        """Rows by what they are and what they are taken for."""
        _at, found, false = self.steps[self.place]
        others = self.rows - self.positives
        return {"found": found, "missed": self.positives - found, "false": false, "right": others - false}

    @property
    def shown(self) -> dict[str, str]:
        """What the page says of the chosen threshold; static/js/report.js writes the same."""
        formats, counts = current_formats(), self.counts
        told = {name: formats.number(count) for name, count in counts.items()}
        per = {f"{name}_per": formats.number(PER * count / self.rows, 0) for name, count in counts.items()}
        finds = counts["found"] + counts["false"]
        shares = {
            "precision": formats.percent(counts["found"] / finds) if finds else MISSING,
            "recall": formats.percent(counts["found"] / self.positives) if self.positives else MISSING,
        }
        cost = self.cost(self.place)
        year = "" if self.costs.year is None else formats.number(cost * self.costs.year / PER, 0)
        best = {"cheapest": self.chance_at(self.cheapest), "cheapest_cost": formats.number(self.cost(self.cheapest), 2)}
        return {**told, **per, **shares, "cost": formats.number(cost, 2), "year": year, "chance": self.chance, **best}

    @property
    def data(self) -> dict[str, Any]:
        """What static/js/report.js counts with."""
        at, found, false = zip(*self.steps, strict=True)
        words = {"decimal": current_formats().decimal_separator, "never": _("never")}
        return {"rows": self.rows, "positives": self.positives, "at": at, "found": found, "false": false, **words}


def entry_of(output: Told) -> Told | None:
    """What there is to choose from; None with more than two labels, and in reports from before."""
    found = output.get("operating") or []
    return found[0] if output.get("task") == "binary" and found and found[0]["rows"] else None


def threshold(number: int, output: Told, costs: Mapping[int, Costs], places: Mapping[int, int]) -> Section | None:
    entry = entry_of(output)
    if entry is None:
        return None
    chosen = Threshold(entry, costs.get(number, Costs()), places.get(number))
    key, title = f"threshold-{number}", _("Threshold and costs")
    text = _("The machine tells a chance. From which chance on should a row be answered “%(label)s”? That depends on what "
             "a miss costs and what a false alarm costs.") % {"label": chosen.label}  # fmt: skip
    return section(key, title, [text], [_picture(f"costs-{number}", chosen)], [_table(chosen)], output["name"])


def _picture(key: str, chosen: Threshold) -> Any:
    formats = current_formats()
    points = [(at, place) for place, (at, _found, _false) in enumerate(chosen.steps) if at is not None]
    costs = [chosen.cost(place) for _at, place in points]
    line = {
        "type": "scatter", "mode": "lines", "x": figures([at for at, _place in points]), "y": figures(costs),
        "line": {"color": "@0", "width": 2, "shape": "vh"}, "name": _("cost"), "showlegend": False,
    }  # fmt: skip
    marks = [(chosen.place, "@0", _("chosen"), "circle"), (chosen.cheapest, "@1", _("cheapest"), "star")]
    if chosen.place == chosen.cheapest:  # one would cover the other
        marks = [(chosen.place, "@1", _("chosen, and cheapest"), "star")]
    dots = [
        {"type": "scatter", "mode": "markers", "x": [chosen.steps[place][0]], "y": figures([chosen.cost(place)]),
         "marker": {"color": colour, "size": 14 if symbol == "circle" else 11, "symbol": symbol}, "name": name}
        for place, colour, name, symbol in marks if chosen.steps[place][0] is not None
    ]  # fmt: skip
    layout = {
        "showlegend": True, "xaxis": {"tickformat": ".0%", "title": {"text": _("Answered from a chance of")}},
        "yaxis": {"title": {"text": _("Cost of 1,000 rows")}, "rangemode": "tozero"},
    }  # fmt: skip
    heads = (Head(_("Chance from")), Head(_("Found")), Head(_("Missed")), Head(_("False alarms")),
             Head(_("Cost of 1,000 rows")))  # fmt: skip
    rows = [[*figures([at], 4), chosen.steps[place][1], chosen.positives - chosen.steps[place][1],
             chosen.steps[place][2], *figures([chosen.cost(place)])] for at, place in points]  # fmt: skip
    rules = [
        Notice(COST, {"miss": chosen.costs.miss, "alarm": chosen.costs.alarm, "rows": chosen.rows}),
        Notice(CHEAPEST, {"chance": chosen.shown["cheapest"], "cost": formats.number(chosen.cost(chosen.cheapest), 2)}),
    ]
    return picture(key, _("What each threshold costs"), [line, *dots], layout, heads, rows, rules)


def _table(chosen: Threshold) -> Table:
    """The chosen threshold on paper."""
    shown, none = chosen.shown, current_formats().number(0)
    caption = _("Answered “%(label)s” from a chance of %(chance)s on") % {
        "label": chosen.label,
        "chance": chosen.chance,
    }
    heads = cells(_("What"), _("Rows"), _("Of 1,000 rows"))
    names = {"found": _("Found"), "missed": _("Missed"), "false": _("False alarms"), "right": _("Rightly left out")}
    rows = [cells(title, shown[name], shown.get(f"{name}_per", none)) for name, title in names.items()]
    found = [(_("Finds that are right"), shown["precision"]), (_("Share found"), shown["recall"])]
    rows += [cells(title, share, MISSING) for title, share in found]
    return Table(caption, heads, [*rows, cells(_("Cost"), MISSING, shown["cost"])])
