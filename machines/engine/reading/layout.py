"""Where the table is within a file's rows: what stands above it, its titles, a row of descriptions, notes below."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from machines.engine.columns.missing import is_missing
from machines.engine.columns.moments import read_moment
from machines.engine.columns.numbers import parse_number
from machines.engine.reading.options import ReadOptions
from machines.engine.schema import CellFormat, DataType

Row = list[str]

HEAD = 1_000  # rows looked at from the top
TAIL = 60  # and from the bottom
HIGHEST_TITLE = 60  # a table begins within its first rows
MOST_CELLS = 40_000  # looked at below the titles
ROLE_WORDS = re.compile(r"\b(input|output|target|ignored?)s?\b", re.IGNORECASE)
TOTAL_WORDS = re.compile(
    r"(grand |sub)?(totals?|sum|summe|gesamt|gesamtsumme|insgesamt|totale|totaal|totaux|somme|average|mittelwert)\b[ :]*$",
    re.IGNORECASE,
)
NUMBER_STYLES = (CellFormat(".", ","), CellFormat(",", "."), CellFormat(",", " "), CellFormat(".", "'"))


@dataclass(frozen=True)
class Layout:
    """Row numbers count from 0 within the rows given to `find_layout`."""

    width: int
    skip_rows: int
    titles: Row | None
    descriptions: Row | None
    first: int  # the first row of values
    notes: int = 0  # rows below the table that are notes
    totals: int = 0  # rows below the table that are totals


def find_layout(head: Sequence[Row], tail: Sequence[Row], options: ReadOptions, *, complete: bool) -> Layout:
    """Find the table from the first rows and the last ones; `complete` when `head` holds all of them."""
    width = _common_width(head)
    start = _find_start(head, width) if options.skip_rows is None else options.skip_rows
    while start < len(head) and not any(head[start]):
        start += 1
    body = [row for row in head[start + 1 :] if any(row)]
    first_row = head[start] if start < len(head) else []
    has_titles = _is_header(first_row, body) if options.has_header is None else options.has_header
    titles = _align_titles(first_row, width, body) if has_titles else None
    if titles is not None and start > 0:
        titles = _add_groups(titles, head[start - 1])
    first = start + 1 if has_titles else start
    width = max(width, len(titles or []))
    described = titles is not None and _has_descriptions(body, width, options.has_description_row)
    notes, totals = _find_end(tail, width, len(head) - first if complete else len(tail))
    if not described:
        return Layout(width, start, titles, None, first, notes, totals)
    first = next(at for at in range(first, len(head)) if any(head[at]))
    return Layout(width, start, titles, head[first], first + 1, notes, totals)


def _filled(row: Row) -> int:
    return sum(1 for cell in row if cell)


def _reach(row: Row) -> int:
    """The number of cells up to the last filled one."""
    return max((at for at, cell in enumerate(row, start=1) if cell), default=0)


def _common_width(rows: Sequence[Row]) -> int:
    counts = Counter(len(row) for row in rows if any(row))
    return max(counts.items(), key=lambda item: (item[1], item[0]))[0] if counts else 1


def _find_start(head: Sequence[Row], width: int) -> int:
    """The row the table begins with: below titles and notes that fill only a part of its width."""
    for at, row in enumerate(head[:HIGHEST_TITLE]):
        if _reach(row) >= width and _is_title_row(row) and _all_above_are_notes(head, at, width):
            return at
    typical = median([_filled(row) for row in head if any(row)] or [1])
    for at, row in enumerate(head[:HIGHEST_TITLE]):
        if _filled(row) >= min(2, width) and _reach(row) >= 0.6 * width and _filled(row) >= 0.3 * typical:
            return at
    return 0


def _is_title_row(row: Row) -> bool:
    filled = [cell for cell in row if cell]
    return len(set(filled)) >= 0.5 * len(row) and not any(is_value(cell) for cell in filled if not _is_year(cell))


def _all_above_are_notes(head: Sequence[Row], at: int, width: int) -> bool:
    """Each row above is short: half the width, or cut off early and parted from the table."""
    above = head[:at]
    if not any(any(row) for row in above):
        return True
    parted = any(not any(row) for row in above)
    differs = _has_values(head[at + 1 : at + 30])
    return all(
        _filled(row) <= width / 2 or (_reach(row) < width and parted) or (len(row) < width and differs) for row in above
    )


def _has_values(rows: Sequence[Row]) -> bool:
    return any(is_value(cell) for row in rows for cell in row)


def is_value(cell: str) -> bool:
    """Whether a cell is a number or a moment, however it is written."""
    if not any("0" <= letter <= "9" for letter in cell):
        return False
    return _is_number(cell) or read_moment(cell, "DMY") != (None, None)


def _is_number(cell: str) -> bool:
    return any(parse_number(cell, style) is not None for style in NUMBER_STYLES)


def _is_year(cell: str) -> bool:
    return len(cell) == 4 and cell.isdigit() and "1800" <= cell <= "2199"


def _columns(rows: Sequence[Row], width: int) -> list[list[str]]:
    """The filled cells of each column: of the first 200 rows, of a wide table's first 20 at least."""
    rows = rows[: min(200, max(20, MOST_CELLS // max(1, width)))]
    return [[row[at] for row in rows if at < len(row) and row[at]] for at in range(width)]


def _is_value_column(cells: Sequence[str]) -> bool:
    cells = [cell for cell in cells if not is_missing(cell, DataType.FLOAT)]
    return bool(cells) and sum(is_value(cell) for cell in cells) >= 0.8 * len(cells)


def _is_header(row: Row, body: Sequence[Row]) -> bool:
    """Titles are words over values. Over words, they are titles unless one occurs below itself."""
    if not body:
        return not any(is_value(cell) for cell in row)
    columns = _columns(body, len(row))
    over_values = [
        (title, cells) for title, cells in zip(row, columns, strict=True) if title and _is_value_column(cells)
    ]
    if not over_values:
        return not _occurs_below(row, columns)
    values = [title for title, cells in over_values if is_value(title) and not _is_year_over_others(title, cells)]
    return len(values) < 0.5 * len(over_values) or _are_counted(values)


def _is_year_over_others(title: str, cells: Sequence[str]) -> bool:
    """ "2015" over values of that year, not over other years."""
    return _is_year(title) and sum(_is_year(cell) for cell in cells) < 0.5 * len(cells)


def _occurs_below(row: Row, columns: Sequence[Sequence[str]]) -> bool:
    """Whether a title is also a value of its column, as it is when the first row is a row like the others."""
    return any(title in cells for title, cells in zip(row, columns, strict=True) if title) or (
        len(row) > 1 and len({cell for cell in row if cell}) < 0.5 * _filled(row)
    )


def _are_counted(titles: Sequence[str]) -> bool:
    """0, 1, 2 ... as programs write for columns without a name."""
    return len(titles) > 3 and list(titles) == [str(number) for number in range(len(titles))]


def _align_titles(row: Row, width: int, body: Sequence[Row]) -> Row:
    """R leaves out the title of its row names: then all titles move one to the right."""
    if len(row) == width - 1 and all(row) and body and all(len(cells) == width and cells[-1] for cells in body[:50]):
        return ["", *row]
    return row + [""] * (width - len(row))


def _add_groups(titles: Row, above: Row) -> Row:
    """Two rows of titles, the upper one naming groups: "Sales" over "2023", "2024" gives "Sales 2023", "Sales 2024"."""
    if len(set(filter(None, titles))) == _filled(titles) or _filled(above) < 2 or _filled(above) >= len(titles):
        return titles
    group, groups = "", []
    for at in range(len(titles)):
        group = (above[at] if at < len(above) else "") or group
        groups.append(group)
    return [f"{group} {title}".strip() for group, title in zip(groups, titles, strict=True)]


def _has_descriptions(body: Sequence[Row], width: int, forced: bool | None) -> bool:
    """A row of words, no value among them, over columns of values: a description of each column.

    A row whose words are also values further below is a row like the others.
    """
    if not body:
        return False
    if forced is not None:
        return forced
    row, columns = body[0], _columns(body[1:], width)
    if not any(row) or len(body) < 3 or any(is_value(cell) for cell in row):
        return False
    over_values = [cell for cell, cells in zip(row, columns, strict=False) if _is_value_column(cells)]
    described = [cell for cell in over_values if cell and not is_missing(cell, DataType.FLOAT)]
    if not over_values or len(described) < 0.5 * len(over_values) or not described:
        return False
    if any(ROLE_WORDS.search(cell) for cell in row):
        return True
    return not any(cell in cells for cell, cells in zip(row, columns, strict=False) if cell)


def _find_end(tail: Sequence[Row], width: int, most: int) -> tuple[int, int]:
    """How many rows at the end are notes, and how many above those are totals. Blank rows between are counted along.

    Where rows begin with words, a line of words may be a row whose other cells are empty: it stays.
    """
    rows = [row for row in tail if any(row)]
    labels = Counter(row[0] for row in rows if row)
    begins_with_values = _is_value_column([row[0] for row in rows if len(row) >= width and row[0]])
    end = len(tail)
    while end > len(tail) - most and (
        not any(tail[end - 1]) or (begins_with_values and _is_note(tail, end - 1, width))
    ):
        end -= 1
    notes, table_end = len(tail) - end, end
    while end > len(tail) - most and _is_total(tail[end - 1], labels, width):
        end -= 1
    return notes, table_end - end if any(any(row) for row in tail[end:table_end]) else 0


def _is_note(tail: Sequence[Row], at: int, width: int) -> bool:
    """Text in the first cells only, parted from the table or shorter than its rows."""
    row = tail[at]
    if width < 2 or not row[0] or is_value(row[0]) or any(_is_number(cell) for cell in row[1:]):
        return False
    parted = any(not any(above) for above in tail[max(0, at - 5) : at])
    if _filled(row) == 1:
        return parted or len(row) < width
    return parted and _reach(row) < width and len(row) < width


def _is_total(row: Row, labels: Counter[str], width: int) -> bool:
    if not any(row):
        return True
    label = next(cell for cell in row if cell)
    is_only = labels[row[0]] == 1 or not row[0]
    return width > 1 and is_only and bool(TOTAL_WORDS.match(label)) and any(is_value(cell) for cell in row)
