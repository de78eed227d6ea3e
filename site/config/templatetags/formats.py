"""Template filters that write in the formats of the person who reads; built in everywhere (see settings)."""

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

from django import template

from config.formats import MISSING, Formats, current_formats

register = template.Library()


def _written(write: Callable[..., str], value: Any, *args: Any) -> Any:
    """A missing value is a dash; what is not of the kind stays as it is, because a page should not fail over it."""
    if value is None or value == "":
        return MISSING
    try:
        return write(current_formats(), value, *args)
    except (TypeError, ValueError, AttributeError):
        return value


@register.filter
def number(value: Any, digits: int | None = None) -> Any:
    return _written(Formats.number, value, digits)


@register.filter
def percent(value: Any, digits: int = 0) -> Any:
    return _written(Formats.percent, value, digits)


@register.filter
def number_for_input(value: Any) -> Any:
    return "" if value is None else _written(Formats.number_for_input, value)


@register.filter
def duration(value: Any) -> Any:
    return _written(Formats.duration, value)


@register.filter
def date_local(value: date | None) -> Any:
    return _written(Formats.date, value)


@register.filter
def time_local(value: datetime | time | None) -> Any:
    return _written(Formats.time, value)


@register.filter
def moment(value: datetime | None) -> Any:
    return _written(Formats.moment, value)
