"""How a person reads and types numbers and moments. Everywhere else: floats and UTC, no separators, no orders."""

import datetime as dt
import math
import re
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import SupportsFloat, cast

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.utils.translation.trans_real import parse_accept_lang_header

from config.readings import plain_spaces, read_date, read_iso_moment, read_number, read_time

MISSING = "–"
NO_BREAK = "\N{NO-BREAK SPACE}"
GROUP = "\N{NARROW NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
GROUPED_FROM = 10_000
DECIMALS = 4  # significant decimals of a number whose digits nobody chose
PLAIN_FROM, PLAIN_TO = Decimal("1e-6"), Decimal("1e15")  # outside these a number is written with an exponent
ROUNDING = Context(prec=400, rounding=ROUND_HALF_UP)


@dataclass(frozen=True)
class Formats:
    """A person's preferences. What is written by one of these methods can be typed back into its twin."""

    time_format: str = "24H"
    date_format: str = "DMY"
    date_separator: str = "/"
    datetime_separator: str = " "
    decimal_separator: str = ","

    @classmethod
    def from_accept_language(cls, header: str) -> "Formats":
        """Return what people who read the first language of the header are used to."""
        for language, _quality in parse_accept_lang_header(header or ""):
            return _of_language(language.lower())
        return cls()

    # Numbers

    def number(self, value: SupportsFloat, digits: int | None = None) -> str:
        """Write a number to be read; without `digits`, with as many decimals as mean something."""
        exact = _decimal(value)
        if exact is None:
            return MISSING
        if exact and not PLAIN_FROM <= abs(exact) < PLAIN_TO and digits is None:
            mantissa, _e, power = f"{float(exact):.{DECIMALS - 1}e}".partition("e")
            return self._pointed(f"{_trimmed(mantissa)}e{int(power)}").replace("-", MINUS)
        rounded = round_half_up(exact, _decimals(exact) if digits is None else digits)
        text = f"{rounded:f}" if digits is not None else _trimmed(f"{rounded:f}")
        return self._pointed(_grouped(text)).replace("-", MINUS)

    def number_for_input(self, value: SupportsFloat) -> str:
        """Write a number to be edited: every digit, no grouping. `parse_number` gives the same float back."""
        exact = _decimal(value)
        if exact is None:
            return ""
        if exact and not PLAIN_FROM <= abs(exact) < PLAIN_TO:
            return self._pointed(repr(float(exact)))
        return self._pointed(_trimmed(f"{exact:f}"))

    def parse_number(self, text: str) -> float:
        """Read a typed number; ValueError holds a sentence for the person."""
        typed = text.strip().replace(MINUS, "-")
        other = "." if self.decimal_separator == "," else ","
        own_reading, other_reading = read_number(typed, self.decimal_separator), read_number(typed, other)
        if own_reading is not None and other_reading is not None and own_reading != other_reading:
            if self.decimal_separator not in typed:  # 1.234 from a person who writes 1,5
                raise ValueError(self._two_readings(text, own_reading, other_reading))
            return own_reading
        reading = other_reading if own_reading is None else own_reading
        if reading is None:
            example = _("Write for example 30 or %(decimal)s.") % {"decimal": self._pointed("30.5")}
            raise ValueError(_refusal(_("“%(typed)s” is not a number."), text, example))
        return reading

    def percent(self, share: SupportsFloat, digits: int = 0) -> str:
        """Write a share of one. What is not everything never rounds to 100 %, what is not nothing never to 0 %."""
        exact = _decimal(share)
        if exact is None:
            return MISSING
        hundredths, step = exact * 100, Decimal(1).scaleb(-digits)
        rounded = round_half_up(hundredths, digits)
        if rounded == 100 and hundredths < 100:
            return f">{NO_BREAK}{self.number(100 - step, digits)}{NO_BREAK}%"
        if rounded == 0 and hundredths > 0:
            return f"<{NO_BREAK}{self.number(step, digits)}{NO_BREAK}%"
        return f"{self.number(rounded, digits)}{NO_BREAK}%"

    def _pointed(self, text: str) -> str:
        return text.replace(".", self.decimal_separator)

    def _two_readings(self, text: str, own: float, other: float) -> str:
        readings = {"own": self.number_for_input(own), "other": self.number_for_input(other)}
        return _refusal(_("“%(typed)s” can be read in two ways."), text, _("Write %(own)s or %(other)s.") % readings)

    # Moments

    def date(self, value: dt.date) -> str:
        day = _utc(value) if isinstance(value, dt.datetime) else value
        parts = {"D": f"{day.day:02}", "M": f"{day.month:02}", "Y": f"{day.year:04}"}
        return self.date_separator.join(parts[part] for part in self.date_format)

    def time(self, value: dt.datetime | dt.time) -> str:
        """Write a time of day: our own moments to the minute, a value of someone's data with its seconds."""
        moment = _utc(value) if isinstance(value, dt.datetime) else value
        seconds = f":{moment.second:02}" if moment.second and moment.tzinfo is None else ""
        if self.time_format == "24H":
            return f"{moment.hour:02}:{moment.minute:02}{seconds}"
        half = "AM" if moment.hour < 12 else "PM"
        return f"{moment.hour % 12 or 12}:{moment.minute:02}{seconds}{NO_BREAK}{half}"

    def moment(self, value: dt.datetime) -> str:
        zone = f"{NO_BREAK}UTC" if value.tzinfo else ""
        return f"{self.date(value)}{self.datetime_separator}{self.time(value)}{zone}"

    def parse_date(self, text: str) -> dt.date:
        """Read a date in the person's own order or ISO, with any separator; ValueError holds a sentence."""
        try:
            return read_date(text.strip(), self.date_format)
        except ValueError:
            example = _("Write for example %(date)s.") % {"date": self.date(dt.date(2026, 2, 28))}
            raise ValueError(_refusal(_("“%(typed)s” is not a date."), text, example)) from None

    def parse_time(self, text: str) -> dt.time:
        """Read a time of day, 24-hour or with AM/PM; ValueError holds a sentence."""
        try:
            return read_time(plain_spaces(text))
        except ValueError:
            example = _("Write for example %(time)s.") % {"time": self.time(dt.time(14, 30))}
            raise ValueError(_refusal(_("“%(typed)s” is not a time."), text, example)) from None

    def parse_moment(self, text: str) -> dt.datetime:
        """Read a moment in the person's own form or ISO as UTC; a date alone is its midnight."""
        typed = plain_spaces(text)
        try:
            return read_iso_moment(typed) or self._own_moment(typed)
        except ValueError:
            moment = dt.datetime(2026, 2, 28, 14, 30)  # noqa: DTZ001 - an example of what is typed, without a zone
            example = _("Write for example %(moment)s.") % {"moment": self.moment(moment)}
            raise ValueError(_refusal(_("“%(typed)s” is not a date and time."), text, example)) from None

    def _own_moment(self, typed: str) -> dt.datetime:
        day, _separator, hour = re.sub(r" ?(UTC|Z)$", "", typed).replace("T", " ", 1).partition(" ")
        return dt.datetime.combine(self.parse_date(day), self.parse_time(hour) if hour else dt.time(), dt.UTC)

    def duration(self, seconds: SupportsFloat | dt.timedelta) -> str:
        """Write how long something takes, no more exactly than a person plans by."""
        total = seconds.total_seconds() if isinstance(seconds, dt.timedelta) else float(seconds)
        if not math.isfinite(total):
            return MISSING
        if total < 1:
            return _("less than a second")
        if total < 57.5:
            step = 1 if total < 10 else 5
            return _("about %(count)d s") % {"count": step * round(total / step)}
        minutes = max(1, round(total / 60))
        if minutes < 60:
            return _("%(count)d min") % {"count": minutes}
        hours, minutes = divmod(minutes, 60)
        if hours < 48:
            return _hours(hours, minutes)
        days = round(total / 86_400)
        return ngettext("%(count)d day", "%(count)d days", days) % {"count": days}


def round_half_up(value: Decimal, digits: int) -> Decimal:
    rounded = value.quantize(Decimal(1).scaleb(-digits), context=ROUNDING)
    return rounded if rounded else abs(rounded)  # there is no minus zero


def _decimal(value: SupportsFloat) -> Decimal | None:
    """Return the number a person would write for this one: 0.1 for float32(0.1); None for nan and infinities."""
    try:
        exact = Decimal(int(value)) if isinstance(value, bool) else Decimal(str(value))
    except InvalidOperation:
        raise TypeError(f"{value!r} is not a number") from None
    return exact if exact.is_finite() else None


def _decimals(value: Decimal) -> int:
    """Four significant decimals; fewer behind large numbers, where they mean less."""
    power = value.adjusted() if value else 0  # 0 for 3.5, 2 for 350, -3 for 0.0035
    return DECIMALS - 1 - power if power < 0 else max(0, min(DECIMALS, 6 - power))


def _trimmed(text: str) -> str:
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _grouped(text: str) -> str:
    whole, point, part = text.partition(".")
    size = whole.lstrip("-")
    return f"{int(whole):,}".replace(",", GROUP) + point + part if len(size) >= len(str(GROUPED_FROM)) else text


def _refusal(sentence: str, typed: str, advice: str) -> str:
    if not typed.strip():
        return advice
    shown = typed.strip() if len(typed.strip()) <= 40 else f"{typed.strip()[:40]}…"
    return f"{sentence % {'typed': shown}} {advice}"


def _utc(value: dt.datetime) -> dt.datetime:
    return value.astimezone(dt.UTC) if value.tzinfo else value


def _hours(hours: int, minutes: int) -> str:
    if not minutes or hours >= 10:
        return _("%(hours)d h") % {"hours": hours}
    return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}


_POINT_LANGUAGES = {"en", "zh", "ja", "ko", "th", "he", "hi", "de-ch", "de-li", "es-mx"}
_DATES = {
    "en-us": ("MDY", "/"),
    "en-ca": ("YMD", "-"),
    "sv": ("YMD", "-"),
    "lt": ("YMD", "-"),
    "zh": ("YMD", "/"),
    "ja": ("YMD", "/"),
    "hu": ("YMD", "."),
    "ko": ("YMD", "."),
    "nl": ("DMY", "-"),
} | dict.fromkeys(("de", "pl", "ru", "uk", "cs", "sk", "tr", "fi", "da", "nb", "no", "ro", "bg"), ("DMY", "."))


def _of_language(language: str) -> Formats:
    base = language.partition("-")[0]
    order, separator = _DATES.get(language) or _DATES.get(base) or ("DMY", "/")
    return Formats(
        time_format="12H" if language == "en-us" else "24H",
        date_format=order,
        date_separator=separator,
        decimal_separator="." if {language, base} & _POINT_LANGUAGES else ",",
    )


# The formats of the moment

_current: ContextVar[Formats | None] = ContextVar("formats", default=None)


def current_formats() -> Formats:
    """Return the formats of the person whose request this is; the defaults outside a request."""
    formats = _current.get()
    return Formats() if formats is None else formats


class use_formats:  # a context manager, written as a class because every answer of the REST interface enters it
    """Write in someone's formats for a while: a preview, an e-mail, a task on their behalf."""

    __slots__ = ("_formats", "_token")

    def __init__(self, formats: Formats) -> None:
        self._formats = formats

    def __enter__(self) -> None:
        self._token = _current.set(self._formats)

    def __exit__(self, *error: object) -> None:
        _current.reset(self._token)


class FormatsMiddleware:
    """Sets `request.formats`; nobody's session or row is read until a format is really used."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        formats = cast(Formats, SimpleLazyObject(lambda: formats_of(request)))
        request.formats = formats  # type: ignore[attr-defined]
        with use_formats(formats):
            return self.get_response(request)


def formats_of(request: HttpRequest) -> Formats:
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        return cast(Formats, user.formats)
    return Formats.from_accept_language(request.headers.get("Accept-Language", ""))
