"""To be written."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse


def own_keys(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def own_key(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def team_keys(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def team_key(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404
