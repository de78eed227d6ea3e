"""What the owner of an uploaded model said of an input, held against the values that somebody sends."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from django.utils.translation import gettext as _

from config.formats import current_formats
from machines.presenters import span_text

MOST_LABELS = 20  # named in a sentence


def told_span(item: Mapping[str, Any]) -> str:
    """Return the range that an owner expects, which may be open at one end; "" where nothing is said."""
    low, high, number = item.get("low"), item.get("high"), current_formats().number
    if low is not None and high is not None:
        return span_text(item["type"], low, high)
    if low is not None:
        return _("from %(low)s") % {"low": number(low)}
    return "" if high is None else _("up to %(high)s") % {"high": number(high)}


def is_unexpected(item: Mapping[str, Any], values: Any) -> Any:
    """Whether a value, or each of an array, lies outside that range."""
    low, high = item.get("low"), item.get("high")
    return (values < (-np.inf if low is None else low)) | (values > (np.inf if high is None else high))


def told_problems(item: Mapping[str, Any], values: Any) -> Iterator[tuple[int, str]]:
    """Yield the row and what is wanted there for each value that the model needs and misses, or cannot take."""
    missing = values == "" if values.dtype == object else np.isnan(values)
    if item["required"]:
        yield from ((int(row), _("The model needs a value here.")) for row in np.flatnonzero(missing))
    if item["type"] == "LABEL":
        known = {*item["labels"], ""}
        wanted = _("Send one of its labels: %(labels)s.") % {"labels": ", ".join(item["labels"][:MOST_LABELS])}
        yield from ((row, wanted) for row, value in enumerate(values) if value not in known)
    elif item.get("whole"):
        wanted = _("Send a whole number.")
        yield from ((int(row), wanted) for row in np.flatnonzero(~missing & (values != np.floor(values))))
