"""Kind 11: letter values, a boxplot for many rows: the more rows, the further into the tails its boxes go."""

from itertools import pairwise
from typing import Any

import polars as pl
from scipy.stats import norm

from dashboards.drawing.figure import MOST_LABELS, Drawing, Fields, Head, axis, figures
from dashboards.drawing.groups import grouped, joined, label_axis
from dashboards.drawing.order import order_statistics
from machines.engine.errors import Notice, gettext_noop
from machines.engine.schema import DataType

LETTERS = "MFEDCBAZYXWVUTSRQPONLKJIHG"  # median, fourths, eighths ..., Tukey's names; enough for 2 ** 25 rows and more
TRUSTED = 2 * norm.ppf(0.975) ** 2
MOST_BEYOND = 50
WIDTH = 0.4  # half of the widest box; labels stand 1 apart
BOXES = gettext_noop(
    "Letter values of all %(rows)s rows: beyond the widest box, which holds half of a label's rows, each next box holds "
    "half of those left on its side, as long as their number can be trusted with 95 %% confidence. Points are the rows "
    "beyond the last box."
)


def depths(rows: int) -> list[float]:
    """How far from either end each letter value lies, the median first (1: the lowest and the highest row).

    Hofmann, Wickham and Kafadar 2017, doi 10.1080/10618600.2017.1305277: a depth d is half of the one before, and its
    95 % interval is d +- z sqrt(d / 2); letters go on as long as it does not reach the next one, that is d > 2 z ** 2.
    The fourths are there from four rows on, so that small labels have a box, too.
    """
    found = [(1 + rows) / 2]
    while len(found) < len(LETTERS) and rows >= 4:
        depth = (1 + int(found[-1])) / 2
        if len(found) > 1 and depth <= TRUSTED:
            break
        found.append(depth)
    return found


def letter_values(frame: pl.LazyFrame, fields: Fields) -> Drawing:
    """Letter values per label of x, all from one sorting of the rows of each."""
    groups = grouped(frame, fields, "y", {"x": MOST_LABELS})
    found, values_of = order_statistics(groups.frame, ["x"], "y", _places)
    cells = groups.cells(found.with_columns(pl.Series("number", range(len(found)))))
    shapes: list[list[tuple[Any, Any]]] = [[] for _ in range(max(len(depths(rows)) for rows in found["rows"]))]
    points, told = [], []
    for number, cell in enumerate(cells):
        values, rows = values_of[cell["number"]], cell["rows"]
        letters = [(depth, *_pair(values, rows, depth)) for depth in depths(rows)]
        _, low, high = letters[-1]
        beyond = [values[place] for place in _tails(rows, letters[-1][0])]
        points += [(number, value) for value in beyond if not low <= value <= high]
        for level, shape in enumerate(_outlines(number, letters)):
            shapes[level] += shape
        told += [
            [*groups.told(cell), rows, letter, *figures(each)] for letter, each in zip(LETTERS, letters, strict=False)
        ]
    unit = fields["y"].unit
    heads = (*groups.heads(fields), Head("rows", is_word=True),
             Head(gettext_noop("letter"), DataType.LABEL, is_word=True), Head(gettext_noop("depth"), is_word=True),
             Head(gettext_noop("low"), unit=unit, is_word=True), Head(gettext_noop("high"), unit=unit, is_word=True))  # fmt: skip
    layout = {
        "xaxis": axis(fields["x"], **label_axis(groups.labels["x"])),
        "yaxis": axis(fields["y"]),
        "showlegend": False,
    }
    rules = (Notice(BOXES, {"rows": groups.rows}), *groups.rules)
    return Drawing(_traces(shapes, points), layout, heads, told, rules)


def _traces(shapes: list[list[tuple[Any, Any]]], points: list[tuple[int, float]]) -> list[dict[str, Any]]:
    """One trace per level of boxes, paler outwards, the medians over them, and the rows beyond."""
    boxes = [
        {"type": "scatter", "mode": "lines", **joined(shape), "fill": "toself", "hoverinfo": "skip",
         "fillcolor": f"@0/{0.8 * (1 - level / len(shapes)):.2f}", "line": {"color": "@0", "width": 1}}
        for level, shape in enumerate(shapes[1:])
    ]  # fmt: skip
    medians = {"type": "scatter", "mode": "lines", **joined(shapes[0]), "line": {"color": "@ink", "width": 2},
               "hoverinfo": "y"}  # fmt: skip
    beyond = {"type": "scatter", "mode": "markers", "x": [x for x, _ in points], "y": figures(y for _, y in points),
              "marker": {"color": "@soft", "size": 4}, "hoverinfo": "y"}  # fmt: skip
    return [*boxes, medians, beyond]


def _outlines(number: int, letters: list[tuple[float, float, float]]) -> list[list[tuple[Any, Any]]]:
    """What each level draws at a position: a line for the median, one box for the fourths, two for each further one."""
    median = figures([letters[0][1]] * 2)
    shapes: list[list[tuple[Any, Any]]] = [[([number - WIDTH, number + WIDTH], median)]]
    for level, ((_, low, high), (_, lower, higher)) in enumerate(pairwise(letters), 1):
        half = WIDTH * (1 - (level - 1) / len(letters))
        left, right = figures([number - half, number + half])
        ends = [(lower, higher)] if level == 1 else [(lower, low), (high, higher)]
        shapes.append([([left, left, right, right, left], figures([a, b, b, a, a])) for a, b in ends])
    return shapes


def _pair(values: dict[int, float], rows: int, depth: float) -> tuple[float, float]:
    """Lower and upper letter value: at half a depth the mean of both neighbours."""
    low, high = int(depth) - 1, int(depth + 0.5) - 1
    return (values[low] + values[high]) / 2, (values[rows - 1 - low] + values[rows - 1 - high]) / 2


def _tails(rows: int, depth: float) -> list[int]:
    """Places in the sorted rows that lie beyond a depth, from either end, at most `MOST_BEYOND` of them."""
    far = min(int(depth), MOST_BEYOND // 2, rows // 2)
    return [*range(far), *range(rows - far, rows)]


def _places(rows: int) -> set[int]:
    """Places in the sorted rows (0: the lowest) that the picture needs of so many."""
    found = {int(depth + half) - 1 for depth in depths(rows) for half in (0, 0.5)}
    return found | {rows - 1 - place for place in found} | set(_tails(rows, depths(rows)[-1]))
