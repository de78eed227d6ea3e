"""Which columns tell most, with the interval of each."""

from django.utils.translation import gettext as _

from dashboards.drawing.figure import Head, figures
from dashboards.reporting.page import Section
from dashboards.reporting.parts import (
    Told,
    errors,
    height_of,
    interval_heads,
    picture,
    section,
    text_head,
    wrapped,
)
from machines.engine.errors import Notice, gettext_noop

MOST = 20
HOW = gettext_noop(
    "How much worse answers become when the values of one column are dealt to other rows, as a share of the sum over all "
    "columns. Bars are 95 % intervals."
)


def ranked(report: Told) -> list[tuple[str, float]]:
    """Columns with their share, the most telling first."""
    return sorted((report.get("importance") or {}).items(), key=lambda item: -item[1])


def importance(report: Told) -> Section | None:
    found = ranked(report)[:MOST]
    if not found:
        return None
    key, title = "importance", _("What tells most")
    ranges = report.get("importance_range") or {}
    names, shares = [name for name, _share in found], [share for _name, share in found]
    ends = [ranges.get(name) or (share, share) for name, share in found]
    places = [*range(len(found))]
    trace = {
        "type": "bar", "orientation": "h", "x": figures(shares, 4), "y": places, "marker": {"color": "@0"},
        "error_x": errors(shares, [end[0] for end in ends], [end[1] for end in ends], "@ink"), "showlegend": False,
    }  # fmt: skip
    ticks = {"tickvals": places, "ticktext": [wrapped(name) for name in names], "autorange": "reversed"}
    layout = {
        "showlegend": False, "height": height_of(names), "yaxis": {**ticks, "title": {"text": ""}},
        "xaxis": {"tickformat": ".0%", "title": {"text": _("Share of what all columns tell")}},
    }  # fmt: skip
    heads = (text_head(_("Column")), Head(_("Share")), *interval_heads())
    rows = [[name, *figures([share, *end], 4)] for (name, share), end in zip(found, ends, strict=True)]
    return section(
        key, title, [], [picture(key, _("Importance of each column"), [trace], layout, heads, rows, [Notice(HOW)])]
    )
