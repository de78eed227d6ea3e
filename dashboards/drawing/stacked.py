"""Kind 4: how many rows lie where on a logarithmic axis, stacked by label."""

from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from dashboards.drawing.facets import NOTHING, Grid, faceted
from dashboards.drawing.figure import ROWS, Drawing, Fields, Head, digits_for, figures, plain, shortened
from dashboards.drawing.groups import legend
from dashboards.drawing.sampling import LEFT_OUT, complete, folded
from machines.engine.errors import DataError, Notice, gettext_noop

BINS = 40
NO_PLACE = gettext_noop("Rows left out because zero and less have no place on a logarithmic axis: %(rows)s.")
NONE_ABOVE = gettext_noop("All values of “%(column)s” are zero or less; these have no place on a logarithmic axis.")
WIDTH = gettext_noop("Each bar counts rows; all are equally wide on the logarithmic axis.")


def stacked_histogram(frame: pl.LazyFrame, fields: Fields) -> Drawing:
    """Counts in bins whose edges are equally far apart in log10, the same for every label and facet."""
    keys = [place for place in ("hue", "col", "row") if place in fields]
    frame, rows, missing = complete(frame, "x", *keys)
    above = frame.filter(pl.col("x") > 0)
    kept = above.select(pl.len()).collect().item()
    if not rows:
        raise DataError(NOTHING)
    if not kept:
        raise DataError(NONE_ABOVE, column=fields["x"].name)
    above, grid, rules = faceted(above, fields)
    hues: list[str] = []
    if "hue" in keys:
        above, hues, said = folded(above, "hue", fields["hue"].name)
        rules = (*rules, *said)
    edges, counts = histograms(above, keys)
    traces = [_trace(edges, bars, place, grid, hues) for place, bars in sorted(counts.items(), key=_order(hues))]
    named = set[str]()
    for trace in traces:  # in the legend once, however many facets there are
        trace["showlegend"] = bool(hues) and trace["legendgroup"] not in named
        named.add(trace["legendgroup"])
    said = (
        *((Notice(NO_PLACE, {"rows": rows - kept}),) if kept < rows else ()),
        *((Notice(LEFT_OUT, {"rows": missing}),) if missing else ()),
    )
    layout = grid.layout(fields["x"], ROWS, {"type": "log"}) | {"barmode": "stack", "bargap": 0} | legend(fields)
    heads, told = _table(edges, counts, fields, hues)
    return Drawing(traces, layout, heads, told, (Notice(WIDTH), *rules, *said))


Place = tuple[str | None, str | None, str | None]  # hue, col, row
Counts = dict[Place, np.ndarray[Any, Any]]


def histograms(frame: pl.LazyFrame, keys: list[str]) -> tuple[np.ndarray[Any, Any], Counts]:
    """Edges [BINS + 1] and for each (hue, col, row) how many rows lie between them [BINS], as numpy.histogram counts."""
    log = pl.col("x").log10()
    low, high = frame.select(log.min().alias("low"), log.max().alias("high")).collect().row(0)
    low, high = (low - 0.5, high + 0.5) if low == high else (low, high)
    number = ((log - low) / (high - low) * BINS).floor().clip(0, BINS - 1).cast(pl.Int32)
    found = frame.group_by(*keys, number.alias("bin")).len().collect()
    counts: Counts = {}
    for cells in found.iter_rows(named=True):
        place = (cells.get("hue"), cells.get("col"), cells.get("row"))
        counts.setdefault(place, np.zeros(BINS, np.int64))[cells["bin"]] = cells["len"]
    return 10 ** np.linspace(low, high, BINS + 1), counts


def _order(hues: list[str]) -> Any:
    """Stacks in the same order in every facet."""
    return lambda found: (hues.index(found[0][0]) if hues else 0, found[0][1] or "", found[0][2] or "")


def _trace(
    edges: np.ndarray[Any, Any], bars: np.ndarray[Any, Any], place: Place, grid: Grid, hues: list[str]
) -> dict[str, Any]:
    """The bars of one label in one facet. Their widths are given in units of x, of which the axis takes the logarithm."""
    hue, col, row = place
    color, there = hues.index(str(hue)) if hues else 0, np.flatnonzero(bars)
    low, high, name = edges[there], edges[there + 1], plain(str(hue)) if hues else ""
    middles = figures((low + high) / 2, digits_for(edges[0], edges[-1]))
    return {
        "type": "bar", "x": middles, "width": figures(high - low), "y": bars[there].tolist(),
        "name": name, "legendgroup": str(color), "marker": {"color": f"@{color}/0.8", "line": {"width": 0}},
        **grid.axes(col, row),
    }  # fmt: skip


def _table(
    edges: np.ndarray[Any, Any], counts: Counts, fields: Fields, hues: list[str]
) -> tuple[tuple[Head, ...], list[list[Any]]]:
    """One line per facet and bin: its edges, and its rows by label."""
    facets = [place for place in ("col", "row") if place in fields]
    shown = figures(edges, digits_for(edges[0], edges[-1]))
    cut = [*pairwise(shown)]
    told, names = list[list[Any]](), list[str | None](hues) or [None]
    for col, row in sorted({(col, row) for _, col, row in counts}, key=lambda facet: (facet[0] or "", facet[1] or "")):
        parts = [counts.get((hue, col, row), np.zeros(BINS, np.int64)) for hue in names]
        facet = [shortened(label) for label in (col, row) if label is not None]
        told += [[*facet, *cut[at], *(int(part[at]) for part in parts)] for at in range(BINS)]
    heads = (
        *(Head(fields[place].name, fields[place].type) for place in facets),
        *(Head(end, unit=fields["x"].unit, is_word=True) for end in ("from", "to")),
        *(Head(shortened(hue)) for hue in hues or [ROWS]),
    )  # fmt: skip
    return heads, told
