"""To be written."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse


def security(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def session_end(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def activity(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def data(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def export(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def delete(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404
