"""What speaks against using a column, and what a person should know before using it."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from machines.engine.columns.cells import Cells
from machines.engine.columns.formats import Habits, is_unsure_number
from machines.engine.columns.numbers import parse_number
from machines.engine.columns.readings import numeric_values
from machines.engine.errors import Notice, Weight, gettext_noop
from machines.engine.schema import CellFormat, DataType

if TYPE_CHECKING:
    from machines.engine.columns.profile import ColumnProfile

MOST_LABELS = 1_000
MOST_MISSING, ENOUGH = 0.75, 500  # share of empty cells; so many others are worth learning from all the same
USED = Notice(gettext_noop("Used to find the answer"))


def against(profile: "ColumnProfile", *, is_code: bool) -> list[Notice]:
    """Reasons to leave a column out. Each is a proposal: the column stays in sight."""
    found = []
    filled = profile.rows - profile.missing
    if profile.type is DataType.IGNORE or filled == 0:
        found.append(_warn(gettext_noop("All cells are empty.")))
    elif profile.missing >= MOST_MISSING * profile.rows and filled < ENOUGH:
        share = round(100 * profile.missing / profile.rows)
        found.append(_warn(gettext_noop("%(share)s %% of the cells are empty."), share=share))
    if filled > 1 and profile.distinct == 1 and not profile.missing:
        found.append(_warn(gettext_noop("All cells hold the same value.")))
    if profile.is_id and (not is_code or profile.distinct >= 0.95 * filled):
        found.append(_warn(gettext_noop("It identifies the rows and says nothing about them.")))
    if profile.type is DataType.JSON:
        found.append(_warn(gettext_noop("The values within its JSON have columns of their own.")))
    return found


def notes(profile: "ColumnProfile", cells: Cells, habits: Habits, *, is_open: bool, is_mixed: bool) -> list[Notice]:
    """What a person should check."""
    reading, found = profile.reading, []
    if profile.type.is_numeric and reading.failed:
        template = gettext_noop("Unreadable cells that count as empty: %(count)s, such as %(examples)s.")
        found.append(_warn(template, count=reading.failed, examples=", ".join(reading.failures)))
    if profile.type is DataType.LABEL and profile.distinct > MOST_LABELS and not profile.is_id:
        template = gettext_noop(
            "It has %(count)s different values; a machine learns little from values that rarely recur."
        )
        found.append(_warn(template, count=profile.distinct))
    if profile.zeros_suspect:
        template = gettext_noop("Cells that are 0, far below all others: %(count)s. Does 0 mean “not measured” here?")
        found.append(_warn(template, count=profile.zeros))
    if profile.type is DataType.FLOAT and is_unsure_number(cells, reading.format, habits):
        found.append(_about_mark(cells, reading.format))
    if profile.type in {DataType.DATE, DataType.DATETIME} and (is_open or is_mixed):
        found.append(_about_order(cells, reading.format, is_mixed))
    return found


def _about_mark(cells: Cells, format: CellFormat) -> Notice:
    example = next(cell for cell in cells.sample if "." in cell or "," in cell)
    number = parse_number(example, format)
    template = gettext_noop("“%(example)s” is read as %(number)s. If that is wrong, choose the other decimal mark.")
    return _warn(template, example=example, number="" if number is None else f"{number:.10g}")


def _about_order(cells: Cells, format: CellFormat, is_mixed: bool) -> Notice:
    if is_mixed:
        template = gettext_noop("Some dates have the day first, others the month. Check dates such as %(example)s.")
        return _warn(template, example=cells.values[0])
    if format.date_order == "MDY":
        template = gettext_noop("Dates such as %(example)s are read with the month first. Is that right?")
    else:
        template = gettext_noop("Dates such as %(example)s are read with the day first. Is that right?")
    return _warn(template, example=cells.values[0])


def sample_numbers(cells: Cells, format: CellFormat) -> NDArray[np.float64]:
    """The different numbers of a column."""
    values = numeric_values(cells, DataType.FLOAT, format)
    return values[np.isfinite(values)]


def _warn(template: str, **values: object) -> Notice:
    return Notice(template, values, Weight.WARNING)
