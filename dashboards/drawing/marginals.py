"""How x and how y are distributed, above and beside a picture of both."""

from typing import Any

import numpy as np
import polars as pl

from dashboards.drawing.figure import Fields, digits_for, figures

BINS = 40
SHARE = 0.82  # of the picture that both axes share


def marginals(frame: pl.LazyFrame, fields: Fields, bins: int = BINS) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Bars for the traces, and the layout's axes: xaxis and yaxis of the picture, xaxis2 and yaxis2 of the bars."""
    traces = []
    for place, turned in (("x", False), ("y", True)):
        edges, counts = histogram(frame, place, bins)
        middles, rows = figures((edges[:-1] + edges[1:]) / 2, digits_for(edges[0], edges[-1])), counts.tolist()
        bars = (
            {"x": rows, "y": middles, "orientation": "h", "xaxis": "x2"}
            if turned
            else {"x": middles, "y": rows, "yaxis": "y2"}
        )
        traces.append({"type": "bar", **bars, "marker": {"color": "@soft/0.5"}, "hoverinfo": "skip"})
    layout = {
        "xaxis": {"domain": [0, SHARE]}, "yaxis": {"domain": [0, SHARE]}, "bargap": 0, "showlegend": False,
        "xaxis2": {"domain": [SHARE + 0.02, 1], "showticklabels": False},
        "yaxis2": {"domain": [SHARE + 0.02, 1], "showticklabels": False},
    }  # fmt: skip
    return traces, layout


def apart(low: float, high: float) -> tuple[float, float]:
    """Ends with room between them, for a column with one value, too."""
    room = max(0.5, abs(low) / 1e6) if low == high else 0.0
    return low - room, high + room


def histogram(frame: pl.LazyFrame, place: str, bins: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Edges [bins + 1] of equal width and how many rows lie between them [bins], as numpy.histogram counts."""
    column = pl.col(place)
    low, high = frame.select(column.min().alias("low"), column.max().alias("high")).collect().row(0)
    low, high = apart(low, high)
    edges = np.linspace(low, high, bins + 1)
    number = ((column - low) / (high - low) * bins).floor().clip(0, bins - 1).cast(pl.Int32)
    found = frame.group_by(number.alias("bin")).len().drop_nulls().collect()
    counts = np.zeros(bins, np.int64)
    counts[found["bin"].to_numpy()] = found["len"].to_numpy()
    return edges, counts
