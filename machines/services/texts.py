"""Turns the engine's notices into sentences in the reader's language, with numbers in the reader's format."""

import re
from collections.abc import Mapping
from typing import Any

from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext

from config.formats import current_formats
from machines.engine.errors import Notice

WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[_/.-])(?=\w)")


def sentence(notice: Notice | Mapping[str, Any]) -> str:
    """Return a notice (or its JSON) as a translated sentence."""
    if not isinstance(notice, Notice):
        notice = Notice.from_json(notice)
    template = gettext(notice.template)
    return template % {name: _shown(value) for name, value in notice.values.items()} if notice.values else template


def _shown(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return current_formats().number(value)


def breakable(name: str) -> str:
    """Return a column's name, escaped, with places where a long one may be broken: customerAge, customer_age."""
    return format_html_join(mark_safe("<wbr>"), "{}", ((part,) for part in WORDS.split(name)))
