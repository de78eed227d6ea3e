"""What every page with the navigation says of a person's own work."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from dashboards.news import News


def own_work(request: HttpRequest) -> dict[str, Any]:
    """Return the news of this person's work; read when a page shows them."""
    return {"news": SimpleLazyObject(lambda: News.of(request))}
