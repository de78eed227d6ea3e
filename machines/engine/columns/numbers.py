"""Numbers as people write them: "1,234.50", "12,5 %", "(1.234,50 €)", "1e-3".

A strict grammar in ASCII digits, never float() alone. `parse_number` reads one cell with nothing but `re`; the website's
forms use it, too. `arrays.parse_numbers` reads whole columns by the same patterns, so that both always agree.
"""

import math
import re
from functools import lru_cache

from machines.engine.columns.missing import is_missing
from machines.engine.schema import CellFormat, DataType

LONGEST = 64  # characters of one number; more is a code, not a quantity
CURRENCIES = (
    r"(?i:US\$|R\$|C\$|A\$|[$€£¥₹₽₩₺₴₪฿]|CHF|EUR|USD|GBP|JPY|CNY|INR|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|BRL|MXN|ZAR|TRY|KRW|RUB"
    r"|SFr\.|Fr\.|kr\.?|zł|Kč|Ft|Rs\.?)"
)
BLANK = "[ \u00a0\u202f\u2009]"
SIGN = "[-+\u2212]"
THOUSANDS = {"": "", ",": ",", ".": r"\.", " ": BLANK, "'": "['\u2019]"}
DECIMALS = {".": r"\.", ",": ","}


def digits_pattern(format: CellFormat) -> str:
    """The digits of a number with their marks, without sign, currency or percent."""
    decimal, thousands = DECIMALS[format.decimal], THOUSANDS[format.thousands]
    grouped = f"[1-9][0-9]{{0,2}}(?:{thousands}[0-9]{{3}})+|" if thousands else ""
    return rf"(?:(?:{grouped}[0-9]+)(?:{decimal}[0-9]*)?|{decimal}[0-9]+)(?:[eE][-+]?[0-9]+)?"


def number_pattern(format: CellFormat) -> str:
    """A whole cell. Written for Python's `re` and for polars: no look-around. Group 1 or 2 holds the digits."""
    digits = digits_pattern(format)
    before = f"(?:{SIGN}?{BLANK}*(?:{CURRENCIES}{BLANK}*)?|{CURRENCIES}{BLANK}*{SIGN}{BLANK}*)"
    after = f"(?:{BLANK}*(?:{CURRENCIES}|%))?"
    plain = f"{before}({digits}){after}(?:-)?"
    accounting = rf"\((?:{CURRENCIES}{BLANK}*)?({digits}){after}\)"
    return f"^(?:{plain}|{accounting})$"


# A minus before the first digit, a bookkeeper's bracket, or a minus at the very end.
NEGATIVE_PATTERN = "^[^0-9]*[-\u2212(]|-$"


@lru_cache(maxsize=64)
def _compiled(format: CellFormat) -> re.Pattern[str]:
    return re.compile(number_pattern(format))


_NEGATIVE = re.compile(NEGATIVE_PATTERN)


def parse_number(text: str, format: CellFormat) -> float | None:
    """The number one cell holds, or None. "12,5 %" is 12.5; "nan", "1e400", "1_000" and "0x10" are not numbers."""
    text = text.strip()
    match = _compiled(format).match(text) if len(text) <= LONGEST and not text.endswith("\n") else None
    if match is None:
        return None
    digits = match.group(1) or match.group(2)
    for mark in THOUSANDS[format.thousands].strip("[]").replace("\\", ""):
        digits = digits.replace(mark, "")
    value = float(digits.replace(format.decimal, "."))
    if not math.isfinite(value):
        return None
    return -value if _NEGATIVE.search(text) else value


def is_missing_number(text: str) -> bool:
    """Whether a cell of a number column says that there is no number."""
    return is_missing(text, DataType.FLOAT)
