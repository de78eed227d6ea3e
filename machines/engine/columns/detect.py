"""The type of a column: it is read as every type, and the first type that reads it well is proposed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from machines.engine.columns.cells import Cells
from machines.engine.columns.readings import Reading
from machines.engine.errors import Notice, gettext_noop
from machines.engine.schema import DataType

MOST_LABELS = 1_000
LONGEST_LABEL = 100  # characters
WHOLE_IN_FULL = 1e15
GARBAGE = 0.02  # share of filled rows a type may fail to read
DATE_SHAPED = r"^[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}\b"
LEADING_ZERO = r"^0[0-9]{2,}$"
PHONE = r"^(?:\+|00)[0-9][0-9 ()/.-]{6,}$|^\(?[0-9]{2,5}\)?[ /-][0-9][0-9 /-]{4,}$"
CODE_NAMES = re.compile(  # in a title as `plain_name` gives it
    r"\b(?:ids?|uid|uuid|guid|plz|postleitzahl|zip|zip ?code|post ?code|postal ?code|code ?postal|cap|iban|isbn|ean|sku|ssn|vin"
    r"|phone|phone ?number|telefon|telefonnummer|telephone|téléphone|tel|fax|mobile|handy|barcode|imei)\b"
)
NUMBERING_NAMES = re.compile(
    r"\b(?:nr|no|num|number|nummer|numero|numéro|index|idx|key|code|ref|reference|row|record|rank|column 1)\b|#|nummer$|^unnamed"
)
YEAR_NAMES = re.compile(
    r"year|jahr|année|annee|anno|año|\bdate|datum|month|monat|time|step|age|\bday\b|hour|week", re.IGNORECASE
)


@dataclass(frozen=True)
class Detected:
    """A proposed type and why."""

    type: DataType
    reason: Notice
    is_id: bool = False
    is_code: bool = False  # an id whose values repeat: a zip code, a shop number


def detect(cells: Cells, readings: Mapping[DataType, Reading]) -> Detected:
    """The type of a column, from what each type reads of it."""
    number = readings[DataType.FLOAT]
    if readings[DataType.LABEL].read == 0 and number.read == 0:
        return Detected(DataType.IGNORE, Notice(gettext_noop("No cell holds a value")))
    if is_compact_date(cells, readings):
        return _moment(DataType.DATE, readings)
    if reads_well(number):
        return _detect_number(cells, number)
    for type in (DataType.TIME, DataType.DATE, DataType.DATETIME):
        if _is_moment(cells, type, readings):
            return _moment(type, readings)
    if readings[DataType.JSON].read >= 0.9 * max(1, cells.filled):
        template = gettext_noop("%(read)s JSON objects or lists")
        return Detected(DataType.JSON, Notice(template, {"read": readings[DataType.JSON].read}))
    return _detect_text(cells, readings[DataType.LABEL])


def reads_well(reading: Reading) -> bool:
    """Almost every filled cell is readable. One bad cell is forgiven among ten, one or two bad words among many numbers."""
    total = reading.read + reading.failed
    if reading.read < 1:
        return False
    few_words = len(reading.failures) <= 2 and reading.distinct > 20 and reading.failed <= 0.1 * total
    return reading.failed <= GARBAGE * total or (reading.failed == 1 and reading.read >= 10) or few_words


def is_compact_date(cells: Cells, readings: Mapping[DataType, Reading]) -> bool:
    """20240131: eight digits that are a date in every cell."""
    number, dates = readings[DataType.FLOAT], readings[DataType.DATE]
    if dates.read == 0 or dates.failed or number.failed or cells.distinct < 3:
        return False
    return bool(cells.values.filter(cells.values.str.contains("[0-9]")).str.contains("^(19|20)[0-9]{6}$").all())


def _is_moment(cells: Cells, type: DataType, readings: Mapping[DataType, Reading]) -> bool:
    """DATE only where no cell says a time of day; TIME only where none says a day."""
    reading = readings[type]
    shaped = _impossible_dates(cells) if reading.failed and type is not DataType.TIME else 0
    total = reading.read + reading.failed
    if (
        reading.read < 1
        or reading.read < 0.7 * total
        or reading.failed - shaped > max(GARBAGE * total, reading.read >= 10)
    ):
        return False
    if type is DataType.TIME:
        return readings[DataType.DATETIME].read < reading.read
    return type is DataType.DATETIME or not _says_clock(readings)


def _impossible_dates(cells: Cells) -> int:
    """Rows such as 31/02/2024: no date, but clearly meant as one."""
    return int(cells.counts[cells.values.str.contains(DATE_SHAPED).to_numpy()].sum())


def _says_clock(readings: Mapping[DataType, Reading]) -> bool:
    clock = readings[DataType.TIME]
    return clock.read > 0 and (clock.low, clock.high) != (0.0, 0.0)


def _moment(type: DataType, readings: Mapping[DataType, Reading]) -> Detected:
    templates = {
        DataType.DATE: gettext_noop("%(read)s dates"),
        DataType.TIME: gettext_noop("%(read)s times of day"),
        DataType.DATETIME: gettext_noop("%(read)s moments, each a date with a time"),
    }
    return Detected(type, Notice(templates[type], {"read": readings[type].read}))


def _detect_number(cells: Cells, number: Reading) -> Detected:
    if cells.sample.str.contains(LEADING_ZERO).any():
        return _code(gettext_noop("Codes with leading zeros, such as %(example)s"), _first_match(cells, LEADING_ZERO))
    if cells.sample.str.contains(r"^\+[0-9]{8,}$").mean() == 1:
        return _code(gettext_noop("Phone numbers, such as %(example)s"), cells.values[0])
    if is_numbering(cells, number):
        template = gettext_noop("%(distinct)s whole numbers that only number the rows")
        return Detected(DataType.LABEL, Notice(template, {"distinct": number.distinct}), is_id=True)
    if _is_named_code(cells, number):
        return _code(gettext_noop("Codes, not quantities, such as %(example)s"), cells.values[0])
    template = gettext_noop("%(read)s numbers from %(low)s to %(high)s")
    low, high = (_short(value or 0.0) for value in (number.low, number.high))
    return Detected(DataType.FLOAT, Notice(template, {"read": number.read, "low": low, "high": high}))


def _short(value: float) -> float:
    """Whole numbers without a point and in full; of others six digits are enough for a sentence."""
    rounded = value if abs(value) < WHOLE_IN_FULL and value.is_integer() else float(f"{value:.6g}")
    return int(rounded) if rounded.is_integer() else rounded


def _code(template: str, example: str) -> Detected:
    return Detected(DataType.LABEL, Notice(template, {"example": example}), is_id=True, is_code=True)


def _first_match(cells: Cells, pattern: str) -> str:
    return str(cells.sample.filter(cells.sample.str.contains(pattern))[0])


def plain_name(name: str) -> str:
    """A title in lower case with its words parted: "customerID" is "customer id"."""
    parted = re.sub(r"(?<=[a-zäöü])(?=[A-Z])", " ", name).lower()
    return re.sub(r"[_\s.\-]+", " ", parted).strip()


def is_numbering(cells: Cells, number: Reading) -> bool:
    """Whole numbers, each once, that count up by one or whose title says so."""
    if number.distinct < max(10, 0.98 * cells.filled) or not _are_whole(cells):
        return False
    low, high = number.low or 0.0, number.high or 0.0
    if (low >= 1800 and high <= 2199) or YEAR_NAMES.search(cells.name):
        return False
    return high - low + 1 == number.distinct or bool(
        _is_code_name(cells) or NUMBERING_NAMES.search(plain_name(cells.name))
    )


def _are_whole(cells: Cells) -> bool:
    return bool(cells.sample.str.contains("^[0-9]+$").all())


def _is_code_name(cells: Cells) -> bool:
    return bool(CODE_NAMES.search(plain_name(cells.name)))


def _is_named_code(cells: Cells, number: Reading) -> bool:
    return _is_code_name(cells) and _are_whole(cells) and number.distinct >= 3


def _detect_text(cells: Cells, label: Reading) -> Detected:
    filled = cells.values.filter(~pl.Series(cells.missing(DataType.LABEL)))
    if _is_identifier(cells, label):
        template = gettext_noop("%(distinct)s different texts, one for each row")
        return Detected(DataType.LABEL, Notice(template, {"distinct": label.distinct}), is_id=True)
    if cells.sample.str.contains(PHONE).mean() == 1 or (_is_code_name(cells) and label.distinct > 2):
        return _code(gettext_noop("Codes, such as %(example)s"), filled[0])
    if _are_sentences(cells, label):
        template = gettext_noop("%(distinct)s different texts of several words")
        return Detected(DataType.LANGUAGE, Notice(template, {"distinct": label.distinct}))
    if label.distinct == 1:
        return Detected(DataType.LABEL, Notice(gettext_noop("One value in all cells")))
    template = gettext_noop("%(distinct)s different values, all short text")
    return Detected(DataType.LABEL, Notice(template, {"distinct": label.distinct}))


def _is_identifier(cells: Cells, label: Reading) -> bool:
    """Each text once, and none of them a sentence."""
    unique = label.distinct >= 10 and label.distinct >= 0.98 * label.read
    named = _is_code_name(cells) and label.distinct >= 0.9 * label.read and label.distinct >= 3
    return (unique or named) and not _words_are_many(cells)


def _words_are_many(cells: Cells, many: int = 4) -> bool:
    words = cells.sample.str.count_matches(r"\s+").to_numpy() + 1
    return bool(words.mean() >= many)


def _are_sentences(cells: Cells, label: Reading) -> bool:
    """Too many or too long for labels, or written freely: several words and hardly ever the same."""
    if label.distinct > MOST_LABELS:
        return _words_are_many(cells, 3)
    if cells.longest > LONGEST_LABEL:
        return _words_are_many(cells)
    return _words_are_many(cells) and label.distinct > max(20, 0.5 * label.read)
