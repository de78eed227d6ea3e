"""Dates, times of day and both, as people write them. Every cell may be written in its own way; only the order of day
and month belongs to the column. One cell at a time and without polars: the website's forms use it, too. `arrays.py`
reads whole columns.
"""

import re
from datetime import date
from typing import NamedTuple

from machines.engine.schema import CellFormat, DataType, DateOrder

DAY = 86_400.0
EPOCH = date(1970, 1, 1).toordinal()

# English, German, French, Spanish, Italian, Portuguese, Dutch. A word of three letters or more that begins a name is that month.
MONTHS = (
    "january januar jänner janvier janv enero gennaio janeiro januari",
    "february februar février fevrier febrero febbraio fevereiro februari",
    "march märz maerz mrz mars marzo março marco maart mrt",
    "april avril abril aprile",
    "may mai mayo maggio maio mei",
    "june juni juin junio giugno junho",
    "july juli juillet julio luglio julho",
    "august août aout agosto augustus",
    "september septembre septiembre settembre setembro",
    "october oktober octobre octubre ottobre outubro",
    "november novembre noviembre novembro",
    "december dezember décembre decembre diciembre dicembre dezembro",
)
_NAMES = tuple((name, number) for number, names in enumerate(MONTHS, start=1) for name in names.split())

_WORD = r"(?P<word>[^\W\d_]{3,10})\.?"
_DAY = r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th|er|\.)?"
_YEAR = r"(?P<year>[0-9]{4}|'?[0-9]{2})"
_GAP = r"(?:[ ,./-]|de |of )*"
_NUMERIC = re.compile(r"([0-9]{1,4})([-/. ])([0-9]{1,2})\2([0-9]{1,4})")
_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_YEAR_MONTH = re.compile(r"([0-9]{4})[-/]([0-9]{1,2})")
_WORDED = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_DAY}{_GAP}{_WORD}{_GAP}{_YEAR}",
        rf"{_WORD}{_GAP}{_DAY}(?:,? +|-|/){_YEAR}",
        rf"(?P<year>[0-9]{{4}}){_GAP}{_WORD}{_GAP}{_DAY}",
        rf"{_WORD}[ ,./-]+(?P<year>[0-9]{{4}})",
    )
)
_WEEKDAY = re.compile(
    r"^(?:mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so|lun|mar|mer|jeu|ven|sam|dim)[a-zé]*\.?,? +", re.I
)
_CLOCK = re.compile(
    r"(?P<hour>[0-9]{1,2})(?:(?P<mark>[:.h])(?P<minute>[0-9]{2})(?:(?P=mark)(?P<second>[0-9]{2})(?P<part>[.,][0-9]{1,9})?)?)?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?(?: ?Uhr)?"
)
_ZONE = re.compile(r" ?(?:(?:Z|UTC|GMT)|(?:UTC|GMT)?(?P<sign>[-+])(?P<hour>[0-9]{2}):?(?P<minute>[0-9]{2})?)$")
_BETWEEN = re.compile(r"[ T]|, ?")
LONGEST = 48  # characters


class Moment(NamedTuple):
    """What one cell says: `day` is its midnight in seconds since 1970-01-01, `clock` the seconds of the day."""

    day: float | None
    clock: float | None


NOTHING = Moment(None, None)


def parse_moment(text: str, type: DataType, format: CellFormat) -> float | None:
    """Seconds as in `schema.Table`, or None where the cell holds no moment of that type."""
    if type is DataType.TIME and (clock := _read_clock(" ".join(text.split()), alone=True)) is not None:
        return clock % DAY  # "10.05.12" could be a date, but not here
    return as_type(read_moment(text, format.date_order), type)


def as_type(moment: Moment, type: DataType) -> float | None:
    """The value of a moment in a column of the type DATE, TIME or DATETIME."""
    day, clock = moment
    if type is DataType.TIME:
        return None if clock is None else clock % DAY
    if day is None:
        return None
    whole = day + (clock or 0.0)
    return whole if type is DataType.DATETIME else whole // DAY * DAY


def read_moment(text: str, order: DateOrder) -> Moment:
    """Read a date, a time, or a date followed by a time and perhaps a zone."""
    text = " ".join(text.split())
    if not text or len(text) > LONGEST or not any("0" <= letter <= "9" for letter in text):
        return NOTHING
    found = _read_plain(text, order)
    if found == NOTHING and (weekday := _WEEKDAY.match(text)):
        return _read_plain(text[weekday.end() :], order)
    return found


def _read_plain(text: str, order: DateOrder) -> Moment:
    if (day := read_date(text, order)) is not None:
        return Moment(day, None)
    if (clock := _read_clock(text, alone=True)) is not None:
        return Moment(None, clock)
    return _read_both(text, order)


def _read_both(text: str, order: DateOrder) -> Moment:
    """Try every place where the date may end, the last one first."""
    for gap in reversed(list(_BETWEEN.finditer(text))):
        clock = _read_clock(text[gap.end() :], alone=False)
        day = read_date(text[: gap.start()], order) if clock is not None else None
        if day is not None:
            return Moment(day, clock)
    return NOTHING


def read_date(text: str, order: DateOrder) -> float | None:
    """Seconds of the midnight a date begins with, or None (also for 31/02)."""
    if match := _NUMERIC.fullmatch(text):
        return _read_numeric(match[1], match[3], match[4], order)
    if match := _COMPACT.fullmatch(text) or _YEAR_MONTH.fullmatch(text):
        year, month, day = int(match[1]), int(match[2]), int(match[3]) if match.lastindex == 3 else 1
        return _seconds(year, month, day) if 1800 <= year <= 2199 else None
    for pattern in _WORDED:
        if match := pattern.fullmatch(text):
            found = match.groupdict()
            return _seconds(_full_year(found["year"]), month_number(found["word"]), int(found.get("day") or 1))
    return None


def _read_numeric(first: str, second: str, third: str, order: DateOrder) -> float | None:
    """Three numbers. Four digits are a year; otherwise `order` decides, or the other order where that cannot be."""
    if (
        (len(first) > 2 and len(first) != 4)
        or len(third) == 3
        or len(first) + len(third) > 6
        or len(third) == 1 == len(first)
    ):
        return None
    if len(first) == 4:
        return _seconds(int(first), int(second), int(third))
    if len(third) < 2 or (order == "YMD" and len(third) == 2 and len(first) == 2):
        return _seconds(_full_year(first), int(second), int(third))
    year = _full_year(third)
    day, month = (int(second), int(first)) if order == "MDY" else (int(first), int(second))
    value = _seconds(year, month, day)
    return _seconds(year, day, month) if value is None else value


def _full_year(text: str) -> int:
    year = int(text.lstrip("'"))
    if len(text.lstrip("'")) == 4:
        return year
    return year + (2000 if year < 69 else 1900)


def _seconds(year: int, month: int, day: int) -> float | None:
    try:
        return (date(year, month, day).toordinal() - EPOCH) * DAY
    except ValueError:
        return None


def month_number(word: str) -> int:
    """1 to 12, or 0 for a word that is no month."""
    word = word.lower()
    return next((number for name, number in _NAMES if name.startswith(word)), 0) if len(word) >= 3 else 0


def _read_clock(text: str, *, alone: bool) -> float | None:
    """Seconds of the day, less the zone's offset. Alone, "12" or "18.00" is a number and no time."""
    offset = 0.0
    if not alone and (zone := _ZONE.search(text)):
        text = text[: zone.start()]
        offset = _zone_offset(zone)
    match = _CLOCK.fullmatch(text)
    if match is None or (match["minute"] is None and not match["half"]):
        return None
    if match["mark"] == "." and match["second"] is None and not match["half"]:
        return None
    return _clock_seconds(match, offset)


def _zone_offset(zone: re.Match[str]) -> float:
    if zone["sign"] is None:
        return 0.0
    seconds = int(zone["hour"]) * 3600.0 + int(zone["minute"] or 0) * 60.0
    return -seconds if zone["sign"] == "-" else seconds


def _clock_seconds(match: re.Match[str], offset: float) -> float | None:
    hour, minute, second = int(match["hour"]), int(match["minute"] or 0), int(match["second"] or 0)
    if match["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match["half"] in "Pp" else 0)
    if hour > 23 or minute > 59 or second > 60:
        return None
    part = float("0" + match["part"].replace(",", ".")) if match["part"] else 0.0
    return hour * 3600.0 + minute * 60.0 + second + part - offset
