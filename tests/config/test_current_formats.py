"""Whose formats a page is written in, and what that costs."""

from datetime import UTC, datetime

import pytest
from django.http import HttpResponse
from django.template import engines

from config.formats import Formats, FormatsMiddleware, current_formats, use_formats

POINT = Formats(decimal_separator=".")


class Person:
    is_authenticated = True
    formats = POINT


def through_middleware(request, view):
    return FormatsMiddleware(view)(request)


def show(template, **values):
    return engines["django"].from_string(template).render(values)


def test_outside_a_request_the_defaults_hold():
    assert current_formats() == Formats()


def test_a_person_signed_in_has_their_own(rf):
    request = rf.get("/", headers={"Accept-Language": "fr"})
    request.user = Person()
    through_middleware(request, lambda request: HttpResponse(current_formats().number(30.5)))
    assert request.formats.number(30.5) == "30.5"


def test_a_visitor_has_those_of_the_browser(rf):
    request = rf.get("/", headers={"Accept-Language": "fr"})
    assert through_middleware(request, lambda r: HttpResponse(current_formats().number(30.5))).content == b"30,5"
    request = rf.get("/", headers={"Accept-Language": "en-GB"})
    assert through_middleware(request, lambda r: HttpResponse(current_formats().number(30.5))).content == b"30.5"


def test_nobody_is_asked_for_while_no_format_is_used(rf):
    class Request(type(rf.get("/"))):
        @property
        def user(self):
            raise AssertionError("asked for the user")

    request = rf.get("/")
    request.__class__ = Request
    through_middleware(request, lambda request: HttpResponse(show("{{ nothing|number }}", nothing=None)))


def test_the_formats_end_with_the_request(rf):
    def fails(request):
        raise RuntimeError

    request = rf.get("/")
    request.user = Person()
    with pytest.raises(RuntimeError):
        through_middleware(request, fails)
    assert current_formats() == Formats()


def test_formats_can_be_borrowed():
    with use_formats(POINT):
        assert current_formats() is POINT
    assert current_formats() == Formats()


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("{{ value|number }}", "1234.568"),
        ("{{ value|number:1 }}", "1234.6"),
        ("{{ share|percent }}", "72\u00a0%"),
        ("{{ share|percent:1 }}", "72.3\u00a0%"),
        ("{{ value|number_for_input }}", "1234.5678"),
        ("{{ moment|moment }}", "28/02/2026 14:05\u00a0UTC"),
        ("{{ moment|date_local }}", "28/02/2026"),
        ("{{ moment|time_local }}", "14:05"),
        ("{{ value|duration }}", "21 min"),
        ("{{ nothing|number }}{{ nothing|moment }}{{ nothing|percent }}", "–––"),
        ("{{ nothing|number_for_input }}", ""),
        ("{{ word|number }}", "&lt;b&gt;"),
        ("{{ word|moment }}", "&lt;b&gt;"),
    ],
)
def test_the_filters_are_built_in(template, shown):
    values = {"value": 1234.5678, "share": 0.7234, "nothing": None, "word": "<b>"}
    with use_formats(POINT):
        assert show(template, moment=datetime(2026, 2, 28, 14, 5, tzinfo=UTC), **values) == shown
