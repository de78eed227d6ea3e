"""Figures with as many digits as mean something: how many that is follows from the width of their range."""

import math

from config.formats import current_formats

MOST_DECIMALS = 8


def figure(value: float, width: float, digits: int = 2) -> str:
    """Write a value whose range is `width` wide, to `digits` significant digits of that width.

    41.27 in a range 11 wide is "41" with two digits and "41.3" with three; 280572 in one of 147364 is "280 000".
    """
    decimals = digits - 1 - math.floor(math.log10(width)) if width > 0 and math.isfinite(width) else digits
    decimals = min(decimals, MOST_DECIMALS)
    return current_formats().number(round(value, decimals), max(0, decimals))
