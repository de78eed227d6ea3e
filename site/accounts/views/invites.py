"""To be written."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse


def invite_list(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def invite_bulk(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def invite_change(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def invite_open(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404
