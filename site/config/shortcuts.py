"""Answers of a view: the whole page to a browser, a named part of it to htmx."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails


def is_partial(request: HttpRequest) -> bool:
    """Return whether htmx asks for a part of the page: not a boosted link, not the page restored from history."""
    htmx: HtmxDetails | None = getattr(request, "htmx", None)
    return htmx is not None and bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def render_page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    partial: str | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render `template`, or its partial of that name when htmx asks for a part and there is one."""
    name = f"{template}#{partial}" if partial and is_partial(request) else template
    response = render(request, name, dict(context or {}), status=status)
    patch_vary_headers(response, ["HX-Request", "HX-Boosted", "HX-History-Restore-Request"])
    return response


def redirect_to(request: HttpRequest, url: str) -> HttpResponse:
    """Send the person on, with a header that htmx follows or as browsers do. `url` may be the name of a page."""
    if getattr(request, "htmx", None):
        return HttpResponseClientRedirect(resolve_url(url))
    return redirect(url)


def field_of(form: forms.BaseForm, name: str) -> Any:
    """Return a field as what it is: Django's types know its base class only, not its choices, nor words of our own."""
    return form.fields[name]
