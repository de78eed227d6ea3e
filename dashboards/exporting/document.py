"""A training report as both files show it: its sections, with their pictures drawn."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.utils.text import slugify
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from config.formats import current_formats
from dashboards.exporting.colours import Paint, light
from dashboards.exporting.shapes import UnsupportedError
from dashboards.exporting.svg import svg
from dashboards.graph_view import Cell, GraphView
from dashboards.reporting.page import ReportPage, Section, Table

MOST_LINES, MOST_NUMBERS = 60, 25  # of a table on paper, and of one beside a picture; the HTML file has all of them
MOST_LETTERS = 24  # that nothing but the end of a line can part
COLOURS = ("ink", "ink-soft", "line", "accent", "sunk", "paper")
_LONG = re.compile(rf"(\S{{{MOST_LETTERS}}})(?=\S)")
_NO_LETTER = re.compile("[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class Picture:
    """A figure and its drawing; "" where it cannot be drawn, and its table has to say it all."""

    key: str
    view: GraphView
    svg: str


@dataclass(frozen=True)
class Part:
    """A section and its pictures."""

    section: Section
    pictures: list[Picture]


@dataclass(frozen=True)
class Document:
    """What goes into a file."""

    title: str
    lede: str
    facts: list[str]
    language: str
    parts: list[Part]


def document(page: ReportPage, now: datetime, paint: Paint = light, missing: str = "") -> Document:
    """Return the report with its pictures, painted for the file that it is for; `missing` says why a part is not there."""
    parts = [
        Part(section, [Picture(key, view, _drawn(view, paint, key)) for key, view in section.views])
        for section in page.sections
    ]
    facts = [_("File made on %(day)s") % {"day": current_formats().date(now)}, *([missing] if missing else [])]
    return Document(page.title, page.lede, facts, get_language() or "en", parts)


def file_name(machine: str, now: datetime, ending: str) -> str:
    return f"{slugify(machine) or 'machine'}-report-{now:%Y-%m-%d}.{ending}"


def _drawn(view: GraphView, paint: Paint, key: str) -> str:
    try:
        return svg(view, paint, key)
    except UnsupportedError:
        return ""


def for_paper(told: Document) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the document as JSON for templates/dashboards/export/report.typ, and its pictures by the names of their files."""
    pictures = [picture for part in told.parts for picture in part.pictures]
    files = {picture.key: f"{number}.svg" for number, picture in enumerate(pictures) if picture.svg}
    language, _minus, region = told.language.partition("-")
    return {
        "title": _shown(told.title), "lede": _shown(told.lede), "facts": told.facts,
        "language": language, "region": region.upper() if len(region) == 2 else None,
        "colours": {name: light(name) for name in COLOURS},
        "words": {
            "numbers": _("The numbers"), "page": _("Page {page} of {pages}"),
            "no_picture": _("This picture is not drawn on paper. Its numbers are at the end."),
        },
        "parts": [_part(part, files) for part in told.parts],
        "numbers": [_table(_numbers_of(picture.view), MOST_NUMBERS) for picture in pictures if picture.view.rows],
    }, {files[picture.key]: picture.svg for picture in pictures if picture.svg}  # fmt: skip


def _part(part: Part, files: dict[str, str]) -> dict[str, Any]:
    section = part.section
    return {
        "title": _shown(section.title), "output": _shown(section.output),
        "figure": {name: _shown(text) for name, text in asdict(section.figure).items()} if section.figure else None,
        "paragraphs": [_shown(text) for text in section.paragraphs],
        "pictures": [_picture(picture, section.title, files) for picture in part.pictures],
        "tables": [_table(table) for table in section.tables],
    }  # fmt: skip


def _picture(picture: Picture, title: str, files: dict[str, str]) -> dict[str, Any]:
    """One that is called like its section needs no title of its own."""
    view = picture.view
    return {
        "title": "" if view.title == title else _shown(view.title), "file": files.get(picture.key),
        "alt": _shown(" ".join([f"{view.title}.", *view.rules])), "rules": [_shown(rule) for rule in view.rules],
    }  # fmt: skip


def _numbers_of(view: GraphView) -> Table:
    return Table(view.title, view.heads, view.rows)


def _table(table: Table, most: int = MOST_LINES) -> dict[str, Any]:
    left_out = len(table.rows) - most
    note = ngettext(
        "%(count)s further line is in the HTML file.", "%(count)s further lines are in the HTML file.", max(1, left_out)
    ) % {"count": current_formats().number(left_out)}
    return {
        "title": _shown(table.caption), "heads": _cells(table.heads), "note": note if left_out > 0 else "",
        "rows": [_cells(row) for row in table.rows[:most]],
    }  # fmt: skip


def _cells(cells: Sequence[Cell]) -> list[dict[str, Any]]:
    return [{**asdict(cell), "text": _shown(cell.text)} for cell in cells]


def _shown(text: str) -> str:
    """A text for paper: long words may break anywhere, and what is no letter is none."""
    return _LONG.sub("\\1\N{ZERO WIDTH SPACE}", _NO_LETTER.sub("\N{REPLACEMENT CHARACTER}", str(text)))
