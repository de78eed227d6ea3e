"""To be written."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse


def log(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def log_csv(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404
