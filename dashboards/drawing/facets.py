"""The same picture once for every label of `col` and of `row`, side by side with shared axes.

A kind folds its frame with `faceted`, asks `Grid.axes(col, row)` for the axes of each trace and takes `Grid.layout` for all
of them. Without facets the grid is one picture on the axes "x" and "y".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from dashboards.drawing.figure import MOST_LETTERS, Field, Fields, axis, plain
from dashboards.drawing.sampling import folded
from machines.engine.errors import Notice, gettext_noop

MOST_FACETS = 6  # in either direction; the rest is taken together
GAP = 0.03  # of the picture's width between two facets
TITLE_GAP = 0.2  # of a facet's height: room for its title
HEIGHT = 220  # pixels of a facet where several stand above each other
TITLE_LETTERS = 90  # of all titles in one line
NOTHING = gettext_noop("No row has a value on every place that was chosen. Choose other columns.")
REACHING = {"autorange": True}  # left to itself, Plotly gives facets beside an axis with a range one of -1 to 4
_NONE: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Grid:
    """The labels from left to right and from top to bottom; [] where nothing stands on `col` or on `row`."""

    cols: list[str]
    rows: list[str]

    def __len__(self) -> int:
        return max(1, len(self.cols)) * max(1, len(self.rows))

    def __iter__(self) -> Iterator[tuple[str | None, str | None]]:
        """The (col, row) of every facet, line by line; None where nothing stands there."""
        nothing: list[None] = [None]
        return ((col, row) for row in self.rows or nothing for col in self.cols or nothing)

    def axes(self, col: str | None = None, row: str | None = None) -> dict[str, str]:
        """What a trace says to stand in a facet: {"xaxis": "x2", "yaxis": "y2"}."""
        number = [*self].index((col if self.cols else None, row if self.rows else None)) + 1
        return {"xaxis": _numbered("x", number), "yaxis": _numbered("y", number)}

    def layout(
        self, x: Field | str, y: Field | str, x_more: Mapping[str, Any] = _NONE, y_more: Mapping[str, Any] = _NONE
    ) -> dict[str, Any]:
        """Axes of the same reach and a small title above each facet; `x_more` and `y_more` go to every axis (type, range)."""
        x_more, y_more = (more if "range" in more else {**REACHING, **more} for more in (x_more, y_more))
        told, notes, (wide, high) = dict[str, Any](), [], (max(1, len(self.cols)), max(1, len(self.rows)))
        across, down = _parts(wide, GAP / wide**0.5), _parts(high, TITLE_GAP / high if high > 1 else 0)[::-1]
        for number, (col, row) in enumerate(self):
            at_x, at_y = number % wide, number // wide
            is_low, is_left = at_y == high - 1, at_x == 0
            names = self.axes(col, row)
            # One title in the middle of each direction: several long ones would run into each other.
            x_title = x if is_low and at_x == (wide - 1) // 2 else ""
            y_title = y if is_left and at_y == (high - 1) // 2 else ""
            shared_x, shared_y = ({"matches": "x"}, {"matches": "y"}) if number else ({}, {})
            told[_numbered("xaxis", number + 1)] = {
                **axis(x), **axis(x_title), **shared_x, "domain": across[at_x], "anchor": names["yaxis"],
                "showticklabels": is_low, **x_more,
            }  # fmt: skip
            told[_numbered("yaxis", number + 1)] = {
                **axis(y), **axis(y_title), **shared_y, "domain": down[at_y], "anchor": names["xaxis"],
                "showticklabels": is_left, **y_more,
            }  # fmt: skip
            if col is not None or row is not None:
                notes.append(
                    _title([label for label in (row, col) if label is not None], wide, across[at_x], down[at_y])
                )
        return {**told, **({"annotations": notes} if notes else {}), **({"height": HEIGHT * high} if high > 1 else {})}


def faceted(frame: pl.LazyFrame, fields: Fields) -> tuple[pl.LazyFrame, Grid, tuple[Notice, ...]]:
    """The frame with the rare labels of `col` and `row` taken together, their grid, and the sentences that say so.

    Rows without a label there belong to no facet: leave them out first, with `complete`.
    """
    labels, rules = dict[str, list[str]](col=[], row=[]), list[Notice]()
    for place in labels:
        if place in fields:
            frame, labels[place], said = folded(frame, place, fields[place].name, MOST_FACETS)
            rules.extend(said)
    return frame, Grid(labels["col"], labels["row"]), tuple(rules)


def _numbered(name: str, number: int) -> str:
    """Plotly counts axes from the first, which has no number: x, x2, x3."""
    return name if number == 1 else f"{name}{number}"


def _parts(count: int, gap: float) -> list[list[float]]:
    """So many equal parts of 0 to 1 with gaps between them."""
    width = (1 - gap * (count - 1)) / count
    return [[round(at * (width + gap), 4), round(at * (width + gap) + width, 4)] for at in range(count)]


def _title(labels: list[str], wide: int, across: list[float], down: list[float]) -> dict[str, Any]:
    most = min(MOST_LETTERS, TITLE_LETTERS // wide // len(labels))
    return {
        "text": " · ".join(plain(label, most) for label in labels),
        "hovertext": " · ".join(plain(label, 5 * MOST_LETTERS) for label in labels),
        "x": sum(across) / 2, "y": down[1], "xref": "paper", "yref": "paper", "xanchor": "center", "yanchor": "bottom",
        "showarrow": False, "font": {"size": 11},
    }  # fmt: skip
