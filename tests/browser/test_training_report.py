"""The training report in a real browser: the slider counts what the server counts, and columns can be chosen."""

from typing import Any

import pytest
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from models import User
from tests.browsing import faults, keep, listen, sign_in, unexpected
from tests.dashboards.reporting.told import LABELS
from tests.dashboards.reporting.trained import trained

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("files_as_they_lie"),
]
WIDE = """() => [...document.querySelectorAll(".scroll")].filter(part => !part.closest("details")
    && part.scrollWidth > part.clientWidth + 1).map(part => part.textContent.trim().slice(0, 40))"""
SHOWN = "() => Object.fromEntries([...document.querySelectorAll('[data-show]')].map(it => [it.dataset.show, it.textContent]))"


def opened(chromium: Any, client: Client, url: str, **more: Any) -> Any:
    context = chromium.new_context(locale="en", **more)
    sign_in(context, client, url)
    return context.new_page()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (320, "dark")])
def test_report(
    chromium: Any, live_server: LiveServer, alice: User, alice_client: Client, width: int, scheme: str
) -> None:
    address = f"{live_server.url}/machines/{trained(alice).pk}/report/"
    viewport = {"width": width, "height": 800}
    page = opened(chromium, alice_client, live_server.url, viewport=viewport, color_scheme=scheme)
    said = listen(page)
    page.goto(address)
    _the_slider_counts(page, chromium, alice_client, live_server.url, address)
    _columns_are_chosen(page)
    page.locator("#roc-0").scroll_into_view_if_needed()  # what was passed over quickly is not drawn
    page.locator("#roc-0 .cartesianlayer").wait_for(state="attached")
    assert page.evaluate(WIDE) == []
    keep(page, f"report-{width}-{scheme}")
    assert [*unexpected(said), *faults(page)] == []


def _the_slider_counts(page: Any, chromium: Any, client: Client, url: str, address: str) -> None:
    """By keyboard; the same as the server says without JavaScript."""
    before = page.evaluate(SHOWN)
    page.locator("#threshold-0-miss").fill("12.5")
    page.locator("#threshold-0-year").fill("50000")
    page.locator("#threshold-0-at").focus()
    for _ in range(7):
        page.keyboard.press("ArrowLeft")
    shown, place = page.evaluate(SHOWN), page.locator("#threshold-0-at").input_value()
    assert shown != before and page.locator("#threshold-0-at").get_attribute("aria-valuetext") == shown["chance"]
    page.locator("#costs-0-rules", has_text="A miss costs 12.5").wait_for()  # the picture comes from the server
    assert page.evaluate("document.activeElement.id") == "threshold-0-at"
    files = page.evaluate("[...document.querySelectorAll('[data-report-file]')].map(link => link.search)")
    assert len(files) == 2 and all("miss=12.5" in query and f"at={place}" in query for query in files)
    plain = opened(chromium, client, url, java_script_enabled=False)
    plain.goto(f"{address}?output=0&at={place}&miss=12.5&alarm=1&year=50000")
    from_server = {name: plain.locator(f'[data-show="{name}"]').first.text_content() for name in shown}
    assert shown == from_server
    plain.context.close()
    page.locator("[data-cheapest]").click()
    cheapest = page.evaluate(SHOWN)
    assert (cheapest["chance"], cheapest["cost"]) == (cheapest["cheapest"], cheapest["cheapest_cost"])
    assert int(page.locator("#threshold-0-at").get_attribute("max")) == len(LABELS["operating"][0]["at"])
    page.locator("#threshold-0-miss").fill("much")
    assert page.locator("#threshold-0-miss-error").is_visible() and page.evaluate(SHOWN) == cheapest
    page.locator("#threshold-0-miss").fill("12.5")
    assert not page.locator("#threshold-0-miss-error").is_visible()


def _columns_are_chosen(page: Any) -> None:
    page.locator("#effect").scroll_into_view_if_needed()
    page.locator("#effect-column").wait_for()
    page.locator("#effect-column").select_option(label="city")
    page.locator("#effect-pictures figcaption", has_text="“city”").wait_for()
    page.locator("#effect-answer").select_option(label="price")
    page.locator("#effect-pictures figcaption", has_text="“city” and “price”").wait_for()
    page.locator("#effect-2-1 .cartesianlayer, #effect-pictures .cartesianlayer").first.wait_for(state="attached")
    page.locator("#thin-0-column").select_option(label="city")
    page.locator("#thin-0-pictures figcaption", has_text="Errors by “city”").wait_for()
