"""How points look: a trace for each group of them, the legend, the axes, the colour bar and the film's slider."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from dashboards.drawing.facets import Grid
from dashboards.drawing.figure import Fields, digits_for, figures, milliseconds, plain
from machines.engine.schema import DataType

WIDEST = 30  # pixels across the largest point
SMALLEST = 2  # and the smallest
SYMBOLS = (0, 2, 1, 4, 5, 3, 17, 13)  # Plotly's numbers: circle, diamond, square, cross ...
ROOM = 0.04  # of the reach, beside the outermost points
TICKS = 5  # on the colour bar of moments


@dataclass(frozen=True)
class Told:
    """What distinguishes the points: the labels of each place, and from where to where the numbers reach."""

    fields: Fields
    labels: Mapping[str, list[str]]
    reach: Mapping[str, tuple[float, float]]
    grid: Grid
    is_log: bool

    def written(self, place: str, values: pl.Series) -> list[Any]:
        """Numbers and moments as the traces hold them."""
        if self.fields[place].type.is_moment:
            return list(milliseconds(values))
        return list(figures(values, digits_for(*self.reach[place])))


def traces(points: pl.DataFrame, told: Told) -> list[dict[str, Any]]:
    """A trace for each facet, moment of the film and label of hue that has points."""
    by = [
        place
        for place in ("col", "row", "animation_frame", "hue")
        if place in points.columns and place not in told.reach
    ]
    groups = points.partition_by(by, maintain_order=True, as_dict=True) if by else {(): points}
    found, film = [], told.labels["animation_frame"]
    for labels, group in groups.items():
        at = dict(zip(by, labels, strict=True))
        more: dict[str, Any] = {}
        if film:
            more = {"visible": at["animation_frame"] == film[0], "meta": at["animation_frame"]}
        if "hue" in at:
            more |= {"legendgroup": f"hue {told.labels['hue'].index(at['hue'])}", "name": plain(at["hue"])}
        found.append({
            "type": "scattergl", "mode": "markers", "x": told.written("x", group["x"]), "y": told.written("y", group["y"]),
            **told.grid.axes(at.get("col"), at.get("row")), "showlegend": False, "name": "", **more,
            "marker": _marker(group, at, told),
        })  # fmt: skip
    return found


def _marker(group: pl.DataFrame, at: Mapping[str, str], told: Told) -> dict[str, Any]:
    colour = told.labels["hue"].index(at["hue"]) if "hue" in at else 0
    marker: dict[str, Any] = {"size": 6, "color": f"@{colour}/0.65"}
    if "hue" in told.reach:
        marker = {"size": 6, "color": told.written("hue", group["hue"]), "coloraxis": "coloraxis", "opacity": 0.75}
    if "size" in told.reach:
        scale = 2 * told.reach["size"][1] / WIDEST**2  # to Plotly the radius in pixels is sqrt(size / 2 / scale)
        marker |= {"size": figures(group["size"], 4), "sizemode": "area", "sizeref": scale, "sizemin": SMALLEST / 2}
    if "style" in told.labels:
        marker["symbol"] = [SYMBOLS[told.labels["style"].index(label)] for label in group["style"]]
    return marker


def legend(told: Told) -> list[dict[str, Any]]:
    """Traces without points, one for each label: what the legend shows, whichever facets and moments have points of it."""
    shown: dict[str, Any] = {"type": "scatter", "mode": "markers", "x": [None], "y": [None]}
    hues = [
        {**shown, "name": plain(label), "legendgroup": f"hue {number}", "marker": {"size": 8, "color": f"@{number}"}}
        for number, label in enumerate(told.labels.get("hue", []))
    ]
    styles = [
        {**shown, "name": plain(label), "legend": "legend2",
         "marker": {"size": 8, "color": "@soft", "symbol": SYMBOLS[number]}}
        for number, label in enumerate(told.labels.get("style", []))
    ]  # fmt: skip
    return [{**trace, "showlegend": True} for trace in [*hues, *styles]]


def layout(told: Told) -> dict[str, Any]:
    """The axes of all facets, and the legends and the colour bar beside them."""
    fields = told.fields
    found = told.grid.layout(fields["x"], fields["y"], _range(told, "x"), _range(told, "y"))
    found["showlegend"] = "hue" in told.labels or "style" in told.labels
    if "hue" in told.labels:
        found["legend"] = {"title": {"text": fields["hue"].title}, "y": 1, "yanchor": "top", "tracegroupgap": 0}
    elif "hue" in told.reach:
        # A colour bar stands where the legend would, and leaves the lower half to that of the symbols.
        bar = {"title": {"text": fields["hue"].title}, "len": 0.55, "y": 1, "yanchor": "top"}
        (low, high), kind = told.reach["hue"], fields["hue"].type
        if kind.is_moment:
            at = np.linspace(low, high, TICKS)
            bar |= {"tickvals": milliseconds(at), "ticktext": [_moment(second, kind, high - low) for second in at]}
            low, high = low * 1000, high * 1000
        found["coloraxis"] = {"colorscale": "@scale", "cmin": low, "cmax": high, "colorbar": bar}
    if "style" in told.labels:
        still = {"itemclick": False, "itemdoubleclick": False}  # a trace holds several symbols
        found["legend2"] = {"title": {"text": fields["style"].title}, "y": 0.4, "yanchor": "top", **still}
    return found


def _range(told: Told, place: str) -> dict[str, Any]:
    """From where to where an axis goes: over all rows, in every facet and moment alike."""
    low, high = told.reach[place]
    kind: dict[str, Any] = {"type": "log"} if told.is_log else {}
    if told.is_log:
        low, high = float(np.log10(low)), float(np.log10(high))
    elif told.fields[place].type.is_moment:
        low, high = low * 1000, high * 1000
    room = (high - low) * ROOM
    return {**kind, "range": [low - room, high + room]} if room else kind


def _moment(second: float, kind: DataType, span: float) -> str:
    written = str(np.datetime64(round(second), "s"))  # 2024-05-01T12:30:00
    if kind is DataType.TIME:
        return written[11:16]
    return written[:16].replace("T", " ") if span < 5 * 86400 else written[:10]


def slider(traces: list[dict[str, Any]], told: Told) -> dict[str, Any]:
    """A slider of which each step shows the points of one moment; the traces of the legend, which follow, stay."""
    film, still = told.labels["animation_frame"], [True] * len(legend(told))
    moments = [trace.pop("meta") for trace in traces]  # a whole label, of any length
    letters = max(8, 100 // len(film))
    steps = [
        {"label": plain(label, letters), "method": "restyle",
         "args": [{"visible": [*(moment == label for moment in moments), *still]}]}
        for label in film
    ]  # fmt: skip
    title = told.fields["animation_frame"].title
    return {"active": 0, "steps": steps, "currentvalue": {"prefix": f"{title}: "}, "pad": {"t": 50}}
