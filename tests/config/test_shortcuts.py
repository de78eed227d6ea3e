"""The whole page to a browser, its part to htmx."""

import pytest
from django.template import engines
from django_htmx.middleware import HtmxMiddleware

from config.shortcuts import is_partial, redirect_to, render_page

TEMPLATE = "page.html"
PAGE = "<h1>{{ word }}</h1>{% partialdef result inline %}<p id='result'>{{ word }}</p>{% endpartialdef %}"


@pytest.fixture
def page(tmp_path, settings):
    (tmp_path / TEMPLATE).write_text(PAGE)
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    yield
    engines._engines = {}


def asked(rf, **headers):
    request = rf.get("/", headers={"HX-" + name.replace("_", "-"): "true" for name in headers})
    HtmxMiddleware(lambda request: None)(request)
    return request


def test_a_browser_gets_the_page(rf, page):
    response = render_page(asked(rf), TEMPLATE, {"word": "Hello"}, partial="result")
    assert response.content.decode() == "<h1>Hello</h1><p id='result'>Hello</p>"
    assert "HX-Request" in response["Vary"]


def test_htmx_gets_the_part(rf, page):
    response = render_page(asked(rf, Request=True), TEMPLATE, {"word": "Hello"}, partial="result", status=422)
    assert response.content.decode() == "<p id='result'>Hello</p>"
    assert response.status_code == 422
    assert "HX-Request" in response["Vary"]


@pytest.mark.parametrize("header", ["Boosted", "History_Restore_Request"])
def test_a_boosted_link_and_the_history_get_the_page(rf, page, header):
    request = asked(rf, Request=True, **{header: True})
    assert not is_partial(request)
    assert b"<h1>" in render_page(request, TEMPLATE, {"word": "Hello"}, partial="result").content


def test_a_request_that_never_met_htmx_gets_the_page(rf):
    assert not is_partial(rf.get("/"))


def test_a_redirect_is_one_that_the_asker_follows(rf):
    assert redirect_to(asked(rf), "/there/")["Location"] == "/there/"
    response = redirect_to(asked(rf, Request=True), "/there/")
    assert (response.status_code, response["HX-Redirect"]) == (200, "/there/")
