"""What the page of the data profile says of one column."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.formats import current_formats
from dashboards.graph_view import GraphView, graph_view
from dashboards.profiling.spread import bins, spread
from machines.presenters import span_text, value_text
from machines.services.texts import breakable
from models.column import ColumnRole, ColumnType

SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)  # the quantiles of `profiling.measures`


@dataclass(frozen=True)
class Line:
    """One column of the table."""

    about: Mapping[str, Any]
    pk: int

    @property
    def name(self) -> str:
        return breakable(self.about["name"])

    @property
    def plain_name(self) -> str:
        return str(self.about["name"])

    @property
    def type(self) -> str:
        return str(ColumnType(self.about["type"]).label)

    @property
    def role(self) -> str:
        return str(ColumnRole(self.about["role"]).label)

    @property
    def is_output(self) -> bool:
        return bool(self.about["role"] == ColumnRole.OUTPUT)

    @property
    def missing_share(self) -> str:
        return current_formats().percent(self.about["missing"] / self.about["rows"]) if self.about["missing"] else ""

    @property
    def heights(self) -> list[float]:
        """Bars of the small histogram, the highest 100: of a number's bins, or of the most frequent values."""
        has_bins = "histogram" in self.about
        counts = (
            [bin.rows or 0 for bin in bins(self.about)] if has_bins else [count for _value, count in self.about["top"]]
        )
        most = max(counts, default=0)
        return [round(100 * count / most, 1) for count in counts] if most else []

    @property
    def spread(self) -> str:
        """The values from the lowest to the highest, or how long the texts are."""
        if lengths := self.about.get("lengths"):
            if self.about["type"] == ColumnType.LABEL:
                return ""
            shown = span_text("FLOAT", lengths["low"], lengths["high"])
            return _("%(span)s characters") % {"span": shown}
        span = span_text(self.about["type"], self.about.get("low"), self.about.get("high"))
        return _("nine in ten: %(span)s") % {"span": span} if span and "is_middle" in self.about else span

    @property
    def outliers(self) -> str:
        found = self.about.get("outliers")
        if not found or not found["count"]:
            return ""
        number, count = current_formats().number, found["count"]
        told = ngettext("%(count)s number is far off", "%(count)s numbers are far off", count) % {
            "count": number(count)
        }
        return f"{told}: {' · '.join(map(number, found['examples']))}" if found["examples"] else told

    @property
    def key(self) -> str:
        """Of the graph, unique on the page."""
        return f"profile-column-{self.pk}"

    @cached_property
    def graph(self) -> GraphView | None:
        drawn = spread(self.about)
        title = _("How the values of “%(column)s” spread") % {"column": self.plain_name}
        return graph_view(drawn, title) if drawn else None

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Mean and quantiles with their words; of texts, their lengths."""
        if "quantiles" in self.about:
            shares = zip(SHARES, self.about["quantiles"], strict=True)
            below = [
                (_("%(share)s below") % {"share": current_formats().percent(share)}, value) for share, value in shares
            ]
            below[2] = (_("median"), below[2][1])
            return [(word, self._value(value)) for word, value in ((_("mean"), self.about["mean"]), *below)]
        if lengths := self.about.get("lengths"):
            number = current_formats().number
            middle = {_("median length"): lengths["median"], _("mean length"): round(lengths["mean"], 1)}
            return [(word, number(value)) for word, value in middle.items()]
        return []

    @property
    def frequent(self) -> list[tuple[str, str, str]]:
        """The most frequent numbers that come again, how many rows hold each, and which share of the known that is.

        Those of texts are in the graph.
        """
        if "mean" not in self.about:
            return []
        formats, known = current_formats(), self.about["rows"] - self.about["missing"]
        return [
            (self._value(value), formats.number(count), formats.percent(count / known))
            for value, count in self.about["top"]
            if count > 1
        ]

    def _value(self, value: float) -> str:
        return value_text(self.about["type"], value)
