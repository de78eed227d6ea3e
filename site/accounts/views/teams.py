"""To be written."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse


def team_list(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def new(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def switch(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def detail(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def settings(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def transfer(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def delete(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def leave(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def member(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def remove(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404


def why(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    raise Http404
