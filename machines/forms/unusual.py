"""What is usual in the columns of rows sent as JSON, and sentences about what is not."""

from collections.abc import Iterator, Mapping, Sequence
from math import inf
from typing import Any, TypeAlias

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from machines.forms.prediction import LABELS_LISTED
from machines.forms.told import told_span
from machines.presenters import span_text


class Span:
    """The lowest and the highest value of a column that training has seen."""

    def __init__(self, item: Mapping[str, Any], is_zero_missing: bool) -> None:
        self.name, self.type, self.low, self.high = item["name"], item["type"], item["low"], item["high"]
        self.is_zero_missing = is_zero_missing

    def unusual(self, cells: Sequence[Any]) -> Sequence[str]:
        """Return a sentence for the values above, and one for those below."""
        for value in cells:  # hardly ever is one beyond, and then it is quickest to look no further than that
            if value > self.high or value < self.low:
                return [*self._said(cells)]
        return ()

    def _said(self, cells: Sequence[Any]) -> Iterator[str]:
        beyond = [value for value in cells if value > self.high or value < self.low]
        if self.is_zero_missing:
            beyond = [value for value in beyond if value != 0]
        if not beyond:
            return
        span, above = span_text(self.type, self.low, self.high), sum(value > self.high for value in beyond)
        template = _("“%(name)s” is above anything seen in training (%(span)s)")
        yield from _counted(above, template, self.name, span)
        template = _("“%(name)s” is below anything seen in training (%(span)s)")
        yield from _counted(len(beyond) - above, template, self.name, span)


class Labels:
    """The labels of a column that training has seen."""

    def __init__(self, item: Mapping[str, Any]) -> None:
        self.name, self.known = item["name"], {*item["labels"], ""}

    def unusual(self, cells: Sequence[Any]) -> Sequence[str]:
        """Return a sentence if there are others."""
        if new := sum(value not in self.known for value in cells):
            return [*_counted(new, _("“%(name)s” holds a label never seen in training"), self.name, "")]
        return ()


class Expected:
    """The range that the owner of an uploaded model expects, which may be open at one end."""

    def __init__(self, item: Mapping[str, Any]) -> None:
        self.name, self.item = item["name"], item
        self.low = -inf if item["low"] is None else item["low"]
        self.high = inf if item["high"] is None else item["high"]

    def unusual(self, cells: Sequence[Any]) -> Sequence[str]:
        """Return a sentence if there are values outside."""
        if count := sum(value > self.high or value < self.low for value in cells):
            where = ngettext("in %(n)s row", "in %(n)s rows", count) % {"n": count}
            words = {"name": self.name, "span": told_span(self.item), "where": where}
            return [_("“%(name)s” is outside what its owner expects (%(span)s) %(where)s.") % words]
        return ()


Usual: TypeAlias = Span | Labels | Expected


def usual_of(item: Mapping[str, Any], *, is_zero_missing: bool) -> Usual | None:
    """Return what is usual in a column, as far as that is known to the last value."""
    low, high = item.get("low"), item.get("high")
    if item.get("is_told"):  # labels are checked, not warned of
        return None if low is None and high is None else Expected(item)
    if low is not None and high is not None:
        return Span(item, is_zero_missing)
    return Labels(item) if 0 < len(item.get("labels") or ()) < LABELS_LISTED else None


def _counted(rows: int, template: str, name: str, span: str) -> Iterator[str]:
    if rows:
        what = template % {"name": name, "span": span}
        where = ngettext("in %(n)s row", "in %(n)s rows", rows) % {"n": rows}
        yield _("%(what)s %(where)s. The answer is less sure.") % {"what": what, "where": where}
