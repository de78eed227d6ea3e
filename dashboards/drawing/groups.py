"""Rows in groups by their labels: what the kinds with labels on an axis share."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from dashboards.drawing.facets import NOTHING, Grid
from dashboards.drawing.figure import Fields, Head, plain
from dashboards.drawing.sampling import LEFT_OUT, complete, folded
from machines.engine.errors import DataError, Notice
from machines.engine.schema import DataType

MOST_ON_AXIS = 12  # labels side by side
MOST_TOLD = 200  # letters of a label in the table


@dataclass(frozen=True)
class Groups:
    """Rows that have a value on every place, and by which labels they are told apart."""

    frame: pl.LazyFrame
    rows: int
    labels: Mapping[str, list[str]]  # place -> the most frequent first; [""] on a place where nothing stands
    rules: tuple[Notice, ...]

    @property
    def by(self) -> list[str]:
        """The places with labels on them."""
        return [place for place, labels in self.labels.items() if labels != [""]]

    def cells(self, found: pl.DataFrame) -> list[dict[str, Any]]:
        """What was found of each group, in the labels' order; every place has a label."""
        order = {place: {label: number for number, label in enumerate(known)} for place, known in self.labels.items()}
        cells = found.with_columns(pl.col(self.by).cast(pl.String)).to_dicts()
        whole = [{**dict.fromkeys(self.labels, ""), **cell} for cell in cells]
        return sorted(whole, key=lambda cell: [order[place][cell[place]] for place in order])

    @property
    def grid(self) -> Grid:
        """The facets."""
        return Grid(*([label for label in self.labels.get(place, [""]) if label] for place in ("col", "row")))

    def hues(self, cells: list[dict[str, Any]]) -> Iterator[tuple[int, list[dict[str, Any]], dict[str, Any]]]:
        """For each facet and each label of hue in it: its number, its cells, and what names its trace and gives it axes."""
        named = set[str]()
        for col, row in self.grid:
            here = [cell for cell in cells if (cell["col"], cell["row"]) == (col or "", row or "")]
            for number, hue in enumerate(self.labels["hue"]):
                mine = [cell for cell in here if cell["hue"] == hue]
                if mine:
                    name = {"name": plain(hue), "legendgroup": str(number), "showlegend": hue not in named}
                    named.add(hue)
                    yield number, mine, name | self.grid.axes(col, row)

    def told(self, cell: Mapping[str, Any]) -> list[str]:
        """The labels of a cell as the table shows them: shortened, for some are whole texts."""
        labels = [str(cell[place]) for place in self.by]
        return [label if len(label) <= MOST_TOLD else f"{label[: MOST_TOLD - 1]}…" for label in labels]

    def heads(self, fields: Fields) -> list[Head]:
        """The table's columns that hold the labels."""
        return [Head(fields[place].name, DataType.LABEL) for place in self.by]


def grouped(frame: pl.LazyFrame, fields: Fields, value: str, most: Mapping[str, int]) -> Groups:
    """Rows by the labels of the places in `most`, so many of each; raises DataError if there are none."""
    given = [place for place in most if place in fields]
    frame, rows, missing = complete(frame, value, *given)
    if not rows:
        raise DataError(NOTHING)
    labels, rules = {place: [""] for place in most}, list[Notice]()
    for place in given:
        frame, known, said = folded(frame, place, fields[place].name, most[place])
        labels[place] = [*dict.fromkeys(known)]
        rules += said
    if missing:
        rules.append(Notice(LEFT_OUT, {"rows": missing}))
    return Groups(frame, rows, labels, tuple(rules))


def label_axis(labels: list[str], is_turned: bool = False) -> dict[str, Any]:
    """An axis with a label at each whole number: Plotly would take labels that look like numbers for such.

    Turned it goes from the top down.
    """
    ends, texts = [-0.5, len(labels) - 0.5], [plain(label) for label in labels]
    return {"tickmode": "array", "tickvals": [*range(len(labels))], "ticktext": texts, "zeroline": False,
            "showgrid": False, "range": ends[::-1] if is_turned else ends}  # fmt: skip


def legend(fields: Fields) -> dict[str, Any]:
    """The layout's part that names the labels of hue."""
    return (
        {"showlegend": True, "legend": {"title": {"text": fields["hue"].title}}}
        if "hue" in fields
        else {"showlegend": False}
    )


def joined(shapes: list[tuple[Any, Any]]) -> dict[str, list[Any]]:
    """Lines or outlines, each (x, y), as x and y of one trace: a gap after each."""
    return {
        "x": [value for x, _ in shapes for value in [*x, None]],
        "y": [value for _, y in shapes for value in [*y, None]],
    }
