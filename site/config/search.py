"""What is typed into a search box, and the rows that match it."""

from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest

LONGEST = 200
MOST_WORDS = 8


def typed(request: HttpRequest, name: str = "q") -> str:
    """Return what stands in the address under this name, fit for a database: no NUL, not too long."""
    return request.GET.get(name, "").replace("\0", "").strip()[:LONGEST]


def matching(text: str, *fields: str) -> Q:
    """Return the condition that every word of `text` occurs in one of the fields, whatever the case."""
    found = Q()
    for word in text.split()[:MOST_WORDS]:
        in_one = Q()
        for field in fields:
            in_one |= Q(**{f"{field}__icontains": word})
        found &= in_one
    return found


def rest_of_query(**values: str) -> str:
    """Return the part of an address that keeps a search while its pages are turned: "q=anna&", or ""."""
    given = {name: value for name, value in values.items() if value}
    return f"{urlencode(given)}&" if given else ""
