"""The small pictures of a machine's page, each with the figures it was drawn from: what templates need, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from config.formats import current_formats
from machines.figures import figure

MOST_CLASSES = 8  # shown one by one; the rest is taken together


@dataclass(frozen=True)
class Confusion:
    """Rows of what was true, columns of what was answered, the most frequent first."""

    labels: list[str]
    rows: list[tuple[str, list[tuple[str, bool]]]]  # label, its cells: rows, and whether they were answered right


@dataclass(frozen=True)
class Point:
    """One bin of a reliability curve: where it lies in a box of 100 by 100, and in words."""

    x: float
    low_y: float
    high_y: float
    chance: str
    share: str
    low: str
    high: str
    rows: str


@dataclass(frozen=True)
class Reliability:
    line: str
    points: list[Point]


@dataclass(frozen=True)
class Bar:
    low: str
    high: str
    rows: str


@dataclass(frozen=True)
class Residuals:
    """Heights of the bars 0..100 and what each counts."""

    heights: list[float]
    bars: list[Bar]

    @property
    def first(self) -> str:
        return self.bars[0].low

    @property
    def last(self) -> str:
        return self.bars[-1].high

    @property
    def tallest(self) -> Bar:
        return self.bars[self.heights.index(max(self.heights))]


def confusion_of(output: Mapping[str, Any]) -> Confusion | None:
    """Return the table of true and answered labels; None where there is none."""
    labels, counts = confusion_counts(output)
    if not counts:
        return None
    number = current_formats().number
    rows = [[(number(count), i == j) for j, count in enumerate(row)] for i, row in enumerate(counts)]
    return Confusion(labels, list(zip(labels, rows, strict=True)))


def confusion_counts(output: Mapping[str, Any]) -> tuple[list[str], list[list[int]]]:
    """Return the labels, many of them taken together, and rows by true and answered label; no counts if there are none."""
    counts, labels = output.get("confusion") or [], [str(label) for label in output.get("classes", ())]
    if counts and len(labels) > MOST_CLASSES:
        return [*labels[: MOST_CLASSES - 1], _("others")], _folded(counts)
    return labels, counts


def reliability_of(output: Mapping[str, Any]) -> Reliability | None:
    """Return stated chances beside what came true; None where it was not measured."""
    found = output.get("reliability")
    if not found:
        return None
    line = " ".join(f"{100 * point['chance']:.2f},{100 - 100 * point['share']:.2f}" for point in found)
    return Reliability(line, [_point(point) for point in found])


def residuals_of(output: Mapping[str, Any]) -> Residuals | None:
    """Return how far off numbers were; None where it was not measured."""
    found = output.get("residuals")
    if not found:
        return None
    edges, counts = found["edges"], found["counts"]
    words = [figure(edge, edges[1] - edges[0], 1) for edge in edges]
    most, number = max(counts) or 1, current_formats().number
    bars = [Bar(low, high, number(rows)) for low, high, rows in zip(words[:-1], words[1:], counts, strict=True)]
    return Residuals([100 * count / most for count in counts], bars)


def _folded(counts: Sequence[Sequence[int]]) -> list[list[int]]:
    """Add up the rows and the columns from the eighth on."""
    last = MOST_CLASSES - 1
    rows = [*counts[:last], [sum(column) for column in zip(*counts[last:], strict=True)]]
    return [[*row[:last], sum(row[last:])] for row in rows]


def _point(point: Mapping[str, float]) -> Point:
    percent = current_formats().percent
    return Point(
        x=100 * point["chance"],
        low_y=100 - 100 * point["low"],
        high_y=100 - 100 * point["high"],
        chance=percent(point["chance"]),
        share=percent(point["share"]),
        low=percent(point["low"]),
        high=percent(point["high"]),
        rows=current_formats().number(point["rows"]),
    )
