"""Where an axis has its ticks, at round numbers, and what stands there in the reader's format."""

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from config.formats import GROUP, MINUS, current_formats
from dashboards.exporting.scales import Kind, Scale
from dashboards.exporting.xml import line, lines

Tick: TypeAlias = tuple[float, str]  # coordinate, words
SECOND, DAY, YEAR = 1000, 86_400_000, 31_556_952_000
STEPS = [SECOND * step for step in (1, 5, 15, 30, 60, 300, 900, 1800, 3600, 10_800, 21_600, 43_200)]
DAYS = [DAY * step for step in (1, 2, 7, 14)]
MONTHS = (1, 3, 6)
FIRST_MONTH, LAST_MONTH = 12, 12 * 10_000 - 1  # counted from the year 0, so that round years are round
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
SHORT_FROM = 1_000_000  # numbers from here are written in millions or billions
UNITS = ((1e9, "G"), (1e6, "M"))
_PERCENT = re.compile(r"\.(\d)%")


def ticks(scale: Scale, told: Mapping[str, Any], most: int) -> list[Tick]:
    """Return at most about that many ticks; those that the layout names itself are all there."""
    if told.get("showticklabels") is False:
        return []
    if "tickvals" in told:
        return _named(scale, told)
    if scale.reading.kind is Kind.CATEGORY:
        every = math.ceil(len(scale.reading.places) / max(1, most))
        return [(float(at), line(label)) for label, at in scale.reading.places.items() if at % every == 0]
    low, high = sorted((scale.low, scale.high))
    if scale.reading.kind is Kind.DATE:
        return _moments(low, high, most, bool(told.get("tickformat")))
    written = _written(told)
    if scale.reading.kind is Kind.LOG:
        return _powers(low, high, most, written)
    values, digits = round_numbers(low, high, most, told.get("dtick"))
    return [(value, written(value, digits)) for value in values]


def round_numbers(low: float, high: float, most: int, step: Any = None) -> tuple[list[float], int]:
    """Multiples of 1, 2 or 5 times a power of ten from low to high, and how many decimals these need."""
    if not isinstance(step, int | float) or not 0 < step < high - low:
        rough = (high - low) / max(1, most)
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * many for many in (1, 2, 5, 10) if power * many >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    found = [at * step for at in range(first, first + 200) if at * step <= high + 1e-9 * step]
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return [0.0 if abs(value) < step / 2 else value for value in found], digits


def _named(scale: Scale, told: Mapping[str, Any]) -> list[Tick]:
    values = told["tickvals"]
    names = told.get("ticktext") or [_written(told)(value, None) for value in values]
    found = [
        (scale.reading.coordinate(value), "\n".join(lines(name))) for value, name in zip(values, names, strict=False)
    ]
    return [(at, name) for at, name in found if at is not None and scale.holds(at)]


def _written(told: Mapping[str, Any]) -> Callable[[float, int | None], str]:
    """How numbers of this axis are written: in percent, or as they are, with what the layout puts around them."""
    formats, share = current_formats(), _PERCENT.fullmatch(str(told.get("tickformat", "")))
    if share:
        return lambda value, digits: f"{formats.number(100 * value, max((digits or 2) - 2, int(share[1])))} %"
    before, after = line(told.get("tickprefix", "")), line(told.get("ticksuffix", ""))
    return lambda value, digits: f"{before}{_number(value, digits)}{after}"


def _number(value: float, digits: int | None) -> str:
    for size, unit in UNITS:
        if abs(value) >= SHORT_FROM and size <= abs(value) < 1e12:
            return f"{current_formats().number(value / size)}{GROUP}{unit}"
    if value and not 1e-4 <= abs(value) < SHORT_FROM:
        return f"{value:.3g}".replace("e-0", "e-").replace("e+", "e").replace("-", MINUS)
    return current_formats().number(value, digits)


def _powers(low: float, high: float, most: int, written: Callable[[float, int | None], str]) -> list[Tick]:
    """Powers of ten; between few of them 2 and 5 as well, and round numbers where there is hardly one."""
    whole = range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1)
    if len(whole) < 2:
        values, digits = round_numbers(10**low, 10**high, most)
        return [(math.log10(value), written(value, digits)) for value in values if value > 0]
    every = math.ceil(len(whole) / max(1, most))
    many = (1, 2, 5) if 3 * len(whole) <= most else (1,)
    found = [
        power + math.log10(part) for power in range(whole[0] - 1, whole[-1] + 1) for part in many if power % every == 0
    ]
    return [(at, written(float(f"{10**at:.1g}"), None)) for at in found if low - 1e-9 <= at <= high + 1e-9]


def _moments(low: float, high: float, most: int, is_of_day: bool) -> list[Tick]:
    """Whole seconds, hours, days, months or years, in milliseconds since 1970; none outside the years of calendars."""
    low, high = max(low, _of_month(FIRST_MONTH)), min(high, _of_month(LAST_MONTH))
    rough, formats = (high - low) / max(1, most), current_formats()
    step = next((step for step in [*STEPS, *DAYS] if step >= rough), 0)
    if not step:
        return _months(low, high, most)
    found = [_moment(at * step) for at in range(math.ceil(low / step), math.floor(high / step) + 1)]
    if step >= DAY:
        return [(_since(at), formats.date(at)) for at in found]
    if is_of_day or high - low < DAY:
        return [(_since(at), formats.time(at.time())) for at in found]
    return [(_since(at), f"{formats.date(at)} {formats.time(at.time())}") for at in found]


def _months(low: float, high: float, most: int) -> list[Tick]:
    """The first of months; with room for few of them, years."""
    years = (high - low) / YEAR
    step = next((step for step in MONTHS if step * most >= 12 * years), 0)
    step = step or 12 * max(1, round(round_numbers(0, years, most)[0][1]))
    first, last = (at.year * 12 + at.month - 1 for at in (_moment(low), _moment(high)))
    months = [at for at in range(first, last + 1) if at % step == 0 and low <= _of_month(at) <= high]
    if step >= 12:
        return [(_of_month(at), str(at // 12)) for at in months]
    return [(_of_month(at), current_formats().date(_moment(_of_month(at)))) for at in months]


def _moment(at: float) -> dt.datetime:
    return EPOCH + dt.timedelta(milliseconds=at)


def _of_month(at: int) -> float:
    """The first of a month."""
    return _since(dt.datetime(at // 12, at % 12 + 1, 1, tzinfo=dt.UTC))


def _since(moment: dt.datetime) -> float:
    return (moment - EPOCH).total_seconds() * 1000
