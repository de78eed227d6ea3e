"""How a column writes its numbers and dates: what its cells cannot mean otherwise decides, then its neighbours do."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from machines.engine.columns import numbers
from machines.engine.columns.cells import Cells
from machines.engine.reading.options import ReadOptions
from machines.engine.schema import CellFormat, DateOrder, DecimalMark

FORMATS: dict[DecimalMark, tuple[CellFormat, ...]] = {
    ".": (CellFormat("."), CellFormat(".", ","), CellFormat(".", " "), CellFormat(".", "'")),
    ",": (CellFormat(","), CellFormat(",", "."), CellFormat(",", " "), CellFormat(",", "'")),
}
VOTERS = 2_000  # different cells that vote
# A mark with other than three digits after it, or a second mark after a first: only a decimal mark can stand there.
POINT = re.compile(
    r"(?:^|[^0-9.,])(?:[0-9]*\.(?:[0-9]{1,2}|[0-9]{4,})|0\.[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]+)(?![0-9.,])"
)
COMMA = re.compile(
    r"(?:^|[^0-9.,])(?:[0-9]*,(?:[0-9]{1,2}|[0-9]{4,})|0,[0-9]+|[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+)(?![0-9.,])"
)
DAY_AND_MONTH = r"^(?:[A-Za-zé]+\.?,? )?([0-9]{1,2})[-/. ]([0-9]{1,2})[-/. ](?:[0-9]{4}|[0-9]{2})(?:[^0-9].*)?$"


@dataclass(frozen=True)
class Habits:
    """What the whole file suggests. `order_is_sure` is False where no date of the file decides."""

    decimal: DecimalMark = "."
    decimal_is_sure: bool = False
    order: DateOrder = "DMY"
    order_is_sure: bool = False


def find_habits(columns: Iterable[pl.Series], found: ReadOptions) -> Habits:
    """Look at the first rows of every column; `found` holds what the person said, and the delimiter."""
    marks: Counter[DecimalMark] = Counter()
    orders: Counter[DateOrder] = Counter()
    for column in columns:
        cells = column.drop_nulls().unique()
        if mark := _sure_decimal(cells):
            marks[mark] += 1
        if order := sure_order(cells):
            orders[order] += 1
    decimal: DecimalMark = marks.most_common(1)[0][0] if marks else "," if found.delimiter == ";" else "."
    order = orders.most_common(1)[0][0] if orders else "MDY" if decimal == "." and found.delimiter == "," else "DMY"
    return Habits(
        found.decimal or decimal,
        bool(found.decimal or marks),
        found.date_order or order,
        bool(found.date_order or orders),
    )


def _sure_decimal(cells: pl.Series) -> DecimalMark | None:
    """The mark that only a decimal can be, in a column where most cells are numbers."""
    if not cells.str.contains("[0-9][.,][0-9]").any():
        return None
    for mark, pattern in ((".", POINT), (",", COMMA)):
        formats = FORMATS["." if mark == "." else ","]
        reads = max(_count(cells, format) for format in formats)
        if reads >= 0.8 * len(cells) and any(pattern.search(cell) for cell in cells.head(200)):
            return "." if mark == "." else ","
    return None


def _count(cells: pl.Series, format: CellFormat) -> int:
    return int(cells.str.contains(numbers.number_pattern(format)).sum())


def number_format(cells: Cells, habits: Habits, found: ReadOptions) -> CellFormat:
    """The format that reads most cells. On a tie: the file's decimal mark, and no thousands."""
    values = cells.spread(VOTERS)
    candidates = _candidates(habits, found)
    if not values.str.contains("[0-9][.,'’ \u00a0\u202f]").any():
        return candidates[0]
    if _count(values, candidates[0]) == len(values):
        return candidates[0]
    counts = [_count(values, format) for format in candidates]
    best = max(counts)
    tied = [format for format, count in zip(candidates, counts, strict=True) if count == best]
    if not habits.decimal_is_sure and CellFormat(".") in tied and not values.str.contains(",").any():
        return CellFormat(".")  # "1.234" alone, in a file that decides nothing: a decimal
    return tied[0]


def _candidates(habits: Habits, found: ReadOptions) -> list[CellFormat]:
    other: DecimalMark = "," if habits.decimal == "." else "."
    formats = [*FORMATS[habits.decimal], *([] if found.decimal else FORMATS[other])]
    if found.thousands is not None:
        chosen = [format for format in formats if format.thousands == found.thousands]
        return chosen or [CellFormat(habits.decimal, found.thousands)]
    return formats


def is_unsure_number(cells: Cells, format: CellFormat, habits: Habits) -> bool:
    """Every mark could be thousands as well as decimal, as in "1,234"."""
    if habits.decimal_is_sure:
        return False
    marked = cells.sample.filter(cells.sample.str.contains("[.,]"))
    if not len(marked) or (format.thousands == "" and format.decimal == "."):
        return False
    return not any(POINT.search(cell) or COMMA.search(cell) or len(re.findall("[.,]", cell)) > 1 for cell in marked)


def sure_order(cells: pl.Series) -> DateOrder | None:
    """The order of day and month that numbers above 12 decide, by majority."""
    first, second = _day_and_month(cells)
    days_first, days_second = int((first > 12).sum()), int((second > 12).sum())
    if days_first == days_second:
        return None
    return "DMY" if days_first > days_second else "MDY"


def _day_and_month(cells: pl.Series) -> tuple[pl.Series, pl.Series]:
    parts = [cells.str.extract(DAY_AND_MONTH, at).cast(pl.Int64, strict=False).drop_nulls() for at in (1, 2)]
    return parts[0], parts[1]


@dataclass(frozen=True)
class Order:
    """The order of day and month in one column, and whether its cells leave it open or contradict each other."""

    order: DateOrder
    is_open: bool = False
    is_mixed: bool = False


def date_order(cells: Cells, habits: Habits, found: ReadOptions) -> Order:
    """What the person said, else what the column decides, else the habit of the file."""
    values = cells.spread(10 * VOTERS)
    first, second = _day_and_month(values)
    if not len(first):
        return Order(found.date_order or "YMD")
    mixed = bool((first > 12).any() and (second > 12).any())
    if found.date_order and found.date_order != "YMD":
        return Order(found.date_order, is_mixed=mixed)
    if sure := sure_order(values):
        return Order(sure, is_mixed=mixed)
    dotted = bool(cells.sample.str.contains(r"^[0-9]{1,2}\.[0-9]").any())
    order: DateOrder = "DMY" if dotted and not habits.order_is_sure else habits.order
    differs = bool((first != second).any()) if len(first) == len(second) else True
    return Order(order, is_open=not habits.order_is_sure and not dotted and differs, is_mixed=mixed)
