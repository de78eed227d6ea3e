"""What a training report consists of: the page, the HTML file and the PDF show the very same sections.

`dashboards.reporting.build.report_page` makes one from a machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dashboards.graph_view import Cell, GraphView


@dataclass(frozen=True)
class Figure:
    """The one figure that counts, large, and what it has to be read with."""

    value: str
    note: str


@dataclass(frozen=True)
class Table:
    """Figures that stand beside no picture."""

    caption: str
    heads: list[Cell]
    rows: list[list[Cell]]

    @property
    def titled(self) -> list[list[tuple[Cell, Cell]]]:
        """Each cell behind the head of its column: on a phone this stands before it."""
        return [[*zip(self.heads, row, strict=True)] for row in self.rows]


@dataclass(frozen=True)
class Section:
    """One question that the report answers: in sentences, pictures (each with its own table) and tables."""

    key: str  # unlike that of any other section: letters, digits and "-", for addresses and anchors
    title: str
    paragraphs: list[str] = field(default_factory=list)
    views: list[tuple[str, GraphView]] = field(default_factory=list)  # key (as above), picture
    tables: list[Table] = field(default_factory=list)
    output: str = ""  # which of the machine's outputs it is about; "" for all of them
    drawn: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # key -> picture as Drawing.to_json told it
    figure: Figure | None = None


@dataclass(frozen=True)
class ReportPage:
    """A whole training report."""

    title: str
    lede: str
    sections: list[Section]

    @property
    def outputs(self) -> set[str]:
        return {section.output for section in self.sections} - {""}

    def view(self, key: str) -> GraphView | None:
        return next((view for section in self.sections for name, view in section.views if name == key), None)

    def drawn(self, key: str) -> Mapping[str, Any] | None:
        """The picture as plain numbers, as a file of its table needs it."""
        return next((section.drawn[key] for section in self.sections if key in section.drawn), None)
