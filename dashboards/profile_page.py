"""What the page of the data profile shows, worked out before the template."""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from django.core.paginator import Page, Paginator
from django.utils.translation import gettext as _

from config.formats import current_formats
from dashboards.graph_view import GraphView, graph_view
from dashboards.profile_advice import Advice, advice
from dashboards.profile_lines import Line
from dashboards.profiling import CHANCE, discreet, matters, named
from dashboards.profiling.pictures import MEASURES, Words, heatmap, two_times
from dashboards.profiling.spread import spread
from models import Column, DataLinesOperation, Machine
from models.column import ColumnType

COLUMNS_PER_PAGE = 50
MOST_DRIFTS = 3  # that are drawn
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # at the beginning of a cell: a spreadsheet would compute it


class ProfileView:
    """A profile that is there; for those who may not edit the machine without what only a few rows share."""

    least_rows = discreet.LEAST_ROWS

    def __init__(
        self,
        machine: Machine,
        columns: Sequence[Column],
        told: Mapping[str, Any],
        *,
        may_edit: bool,
        page: str | None = None,
    ) -> None:
        self.machine, self.columns, self.may_edit, self._page = machine, columns, may_edit, page
        self.told = told if may_edit else discreet.discreet(told)
        self._words = Words(_, current_formats().number)

    @property
    def warnings(self) -> list[Advice]:
        return [advice(self.machine, self.columns, each, may_edit=self.may_edit) for each in self.told["warnings"]]

    @property
    def facts(self) -> list[tuple[str, str]]:
        """The table at a glance."""
        formats, told = current_formats(), self.told
        types = Counter(str(about["type"]) for about in told["columns"])
        missing, cells = sum(about["missing"] for about in told["columns"]), told["looked"] * len(told["columns"])
        empty, twice = formats.number(missing), told["duplicates"]["rows"]
        twins = "; ".join(named(group) for group in told["twins"])
        facts = [
            (_("Columns"), " · ".join(f"{formats.number(n)} {ColumnType(type).label}" for type, n in types.items())),
            (_("Empty cells"), f"{empty} ({formats.percent(missing / cells)})" if missing else empty),
            (_("Rows that repeat another one"), formats.number(twice)),
            (_("Columns that say the same"), twins or _("none")),
        ]
        return [*facts, (_("Uploads"), formats.number(told["parts"]))] if told["parts"] > 1 else facts

    @property
    def looked(self) -> str:
        """Which rows were looked at, if not all."""
        if self.told["looked"] == self.told["rows"]:
            return ""
        number = current_formats().number
        return _(
            "%(shown)s of %(rows)s rows were looked at, chosen at random. All figures are of these; only rows that repeat "
            "another one are counted in all."
        ) % {"shown": number(self.told["looked"]), "rows": number(self.told["rows"])}

    @cached_property
    def page(self) -> "Page[Any]":
        return Paginator(self.told["columns"], COLUMNS_PER_PAGE).get_page(self._page)

    @property
    def lines(self) -> list[Line]:
        pks = {column.name: column.pk for column in self.columns}
        return [Line(about, pks[about["name"]]) for about in self.page]

    def spread(self, column: Column) -> dict[str, Any] | None:
        """The figure of how a column's values spread, if there is one."""
        about = next((about for about in self.told["columns"] if about["name"] == column.name), None)
        return spread(about) if about else None

    @cached_property
    def heatmap(self) -> GraphView | None:
        if not self.told["pairs"]:
            return None
        return graph_view(heatmap(self.told, self._words), _("What has to do with what"))

    @cached_property
    def drifts(self) -> list[GraphView]:
        """The most drifted columns, their two distributions: by upload, then by date."""
        dates, found = self._upload_dates, []
        for about in self.told["by_part"][:MOST_DRIFTS]:
            if matters(about):
                title = _("“%(column)s” by upload") % {"column": about["column"]}
                before, after = self._upload(dates, 0), self._upload(dates, about["group"])
                found.append(graph_view(two_times(about, before, after, self._words), title))
        for about in self.told["by_half"][:MOST_DRIFTS]:
            if matters(about):
                title = _("“%(column)s” by “%(date)s”") % {"column": about["column"], "date": self.told["date"]}
                both = two_times(about, _("older half"), _("newer half"), self._words)
                found.append(graph_view(both, title))
        return found

    @property
    def drift_lines(self) -> list[tuple[str, str, str]]:
        """Each column with its index and p-value by upload and by date, the most drifted first."""
        by_part = {about["column"]: about for about in self.told["by_part"]}
        by_half = {about["column"]: about for about in self.told["by_half"]}
        most: dict[str, float] = {}
        for about in (*self.told["by_part"], *self.told["by_half"]):
            most[about["column"]] = max(most.get(about["column"], 0.0), about["index"])
        names = sorted(most, key=lambda name: (-most[name], name))[:COLUMNS_PER_PAGE]
        return [(name, _drift_text(by_part.get(name)), _drift_text(by_half.get(name))) for name in names]

    def csv(self) -> str:
        """All pairs of columns, for a spreadsheet: plain numbers, and no cell that it would compute."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow([_("column"), _("other column"), _("measure"), _("value")])
        for pair in self.told["pairs"]:
            value = "" if pair["value"] is None else f"{pair['value']:.6g}"
            writer.writerow([_safe(pair["a"]), _safe(pair["b"]), _(MEASURES[pair["measure"]]), value])
        return out.getvalue()

    @cached_property
    def _upload_dates(self) -> list[Any]:
        operations = DataLinesOperation.objects.for_machine(self.machine).for_learning().order_by("pk")
        return list(operations.values_list("date_time", flat=True)) if self.told["by_part"] else []

    def _upload(self, dates: list[Any], number: int) -> str:
        if number >= len(dates):
            return _("upload %(number)s") % {"number": number + 1}
        return _("upload %(number)s, %(date)s") % {"number": number + 1, "date": current_formats().date(dates[number])}


def _drift_text(about: Mapping[str, Any] | None) -> str:
    """Index and p-value, as "0.31 (p < 0.001)"."""
    if about is None:
        return ""
    number, chance = current_formats().number, about["chance"]
    shown = f"p < {number(CHANCE)}" if chance < CHANCE else f"p = {number(round(chance, 3))}"
    return f"{number(round(about['index'], 2))} ({shown})"


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text
