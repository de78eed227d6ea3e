"""Reading what a person typed: text in, value out; which characters count as a number, a date, a time."""

import math
import re
from datetime import UTC, date, datetime, time

LONGEST = 400  # characters of a typed number; no float needs more

_GROUPS = r" '’\u2009\u00a0\u202f"  # between thousands: space, apostrophes, thin, no-break and narrow no-break space
_DATE = re.compile(r"([0-9]{1,4})([-/.])([0-9]{1,2})\2([0-9]{1,4})")
_TIME = re.compile(r"([0-9]{1,2})(?::([0-9]{2}))?(?::([0-9]{2})(?:\.([0-9]{1,6}))?)?(?: ?([AaPp])\.?[Mm]\.?)?")


def _number_pattern(decimal: str, group: str) -> re.Pattern[str]:
    point = re.escape(decimal)
    thousands = rf"[1-9][0-9]{{0,2}}(?:(?P<group>[{_GROUPS}{group}])[0-9]{{3}})(?:(?P=group)[0-9]{{3}})*"
    return re.compile(
        rf"(?P<sign>[+-]?)(?=[0-9]|{point}[0-9])"
        rf"(?P<whole>{thousands}|[0-9]*)(?:{point}(?P<part>[0-9]*))?"
        rf"(?P<power>[eE][+-]?[0-9]{{1,4}})?"
    )


_NUMBERS = {",": _number_pattern(",", "."), ".": _number_pattern(".", ",")}


def read_number(typed: str, decimal: str) -> float | None:
    """Return the number that the text means when `decimal` separates its decimals."""
    match = _NUMBERS[decimal].fullmatch(typed) if len(typed) <= LONGEST else None
    if match is None:
        return None
    whole = re.sub(r"[^0-9]", "", match["whole"]) or "0"
    value = float(f"{match['sign']}{whole}.{match['part'] or '0'}{match['power'] or ''}")
    return value if math.isfinite(value) else None


def plain_spaces(text: str) -> str:
    return re.sub(r"\s+", " ", text.strip())


def read_date(typed: str, order: str) -> date:
    match = _DATE.fullmatch(typed)
    if match is None:
        raise ValueError
    order = "YMD" if len(match[1]) == 4 else order
    parts = dict(zip(order, (match[1], match[3], match[4]), strict=True))
    if len(parts["Y"]) != 4:  # 03/04/26: nobody should guess
        raise ValueError
    return date(int(parts["Y"]), int(parts["M"]), int(parts["D"]))


def read_time(typed: str) -> time:
    match = _TIME.fullmatch(typed)
    if match is None or not (match[2] or match[5]):  # a lone 14 is not a time, 2 PM is
        raise ValueError
    hour, half = int(match[1]), (match[5] or "").upper()
    if half and not 1 <= hour <= 12:
        raise ValueError
    if half:
        hour = hour % 12 + (12 if half == "P" else 0)
    return time(hour, int(match[2] or 0), int(match[3] or 0), int((match[4] or "0").ljust(6, "0")))


def read_iso_moment(typed: str) -> datetime | None:
    """Return the moment if the text is ISO 8601 with a time and an optional zone."""
    if not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}", typed):
        return None
    try:
        moment = datetime.fromisoformat(typed)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
