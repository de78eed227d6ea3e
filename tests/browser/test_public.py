"""A form for strangers: published by its owner, answered without an account, in frames of named sites, and closed."""

import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.browser.conftest import Site
from tests.browser.test_whole_path import check, new_page, sign_in_demo
from tests.browsing import faults, keep, listen, unexpected

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
PHONE = {"width": 375, "height": 812}


@dataclass
class Clinic:
    """A website of somebody else, whose one page shows a form in a frame."""

    port: int
    page: dict[str, str] = field(default_factory=dict)

    def show(self, link: str) -> None:
        self.page["html"] = (
            f'<!doctype html><title>Clinic</title><iframe src="{link}" width="900" height="900"></iframe>'
        )


@pytest.fixture
def clinic() -> Iterator[Clinic]:
    found = Clinic(0)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the library's name
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(found.page["html"].encode())

        def log_message(self, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


def publish(page: Any, site: Site, *, title: str, sites: str = "") -> str:
    """Publish a short form as its owner does it; return its link."""
    page.goto(f"{site.url}/machines/1/")
    page.get_by_role("link", name="Share", exact=True).click()
    page.get_by_label("Title").fill(title)
    page.get_by_label("A short form").check()
    page.get_by_label("Sites that may embed it").fill(sites)
    page.get_by_role("button", name="Publish").click()
    page.get_by_text("The form is public").wait_for()
    link: str = page.get_by_role("link", name=f"Open {title}").get_attribute("href")
    return link


def test_a_stranger_answers_until_it_is_revoked(chromium: Any, site: Site) -> None:
    owner = new_page(chromium)
    said = listen(owner)
    sign_in_demo(owner, site)
    owner.goto(f"{site.url}/machines/1/sharing/")
    check(owner, "sharing-new")
    owner.get_by_label("A short form").check()
    check(owner, "sharing-short")
    link = publish(owner, site, title="Could it be diabetes?")
    check(owner, "sharing")
    assert unexpected(said) == []

    stranger = new_page(chromium)
    said = listen(stranger)
    stranger.goto(link)
    stranger.get_by_role("heading", name="Could it be diabetes?").wait_for()
    check(stranger, "public-form")
    questions = stranger.locator("form .field").count()
    assert 3 <= questions < 8, "a short form"
    stranger.get_by_label("Glucose").fill("l48")
    stranger.get_by_role("button", name="Predict").click()
    stranger.get_by_role("link", name="Glucose: “l48” is not a number").wait_for()
    stranger.get_by_label("Glucose").fill("148")
    stranger.get_by_role("button", name="Predict").click()
    stranger.locator("#result:focus .outcome").first.wait_for()
    stranger.set_viewport_size(PHONE)
    assert faults(stranger) == []
    bar, share = (
        stranger.locator(f".answer-table tr:first-child {part}").bounding_box() for part in (".share", ".num")
    )
    assert bar["width"] > 30 and bar["x"] + bar["width"] <= share["x"], "beside the figure, not over it"
    keep(stranger, "public-answer-375")
    check(stranger, "public-answer")
    assert stranger.context.cookies() == []
    assert unexpected(said) == []

    without = new_page(chromium, java_script_enabled=False)
    without.goto(link)
    without.get_by_label("Glucose").fill("148")
    without.get_by_role("button", name="Predict").click()
    assert "probability" in without.locator(".sentence").inner_text()
    assert without.context.cookies() == []

    owner.reload()
    row = owner.locator("tr", has_text="Could it be diabetes?")
    assert row.locator("td[data-label=Uses]").inner_text() == "2", "the mistake was not counted"
    row.get_by_role("button", name="Revoke").click()
    owner.get_by_text("is closed; nobody can use that link any more").wait_for()
    stranger.get_by_role("button", name="Predict").click()
    stranger.get_by_text("This form is closed.").wait_for()
    assert stranger.locator(".outcome").count() == 0
    check(stranger, "public-closed")
    without.get_by_role("button", name="Predict").click()
    without.get_by_text("This form is closed.").wait_for()
    assert stranger.context.cookies() == without.context.cookies() == []


def test_only_a_named_site_can_show_it_in_a_frame(chromium: Any, site: Site, clinic: Clinic) -> None:
    owner = new_page(chromium)
    sign_in_demo(owner, site)
    link = publish(owner, site, title="In a frame", sites=f"http://localhost:{clinic.port}")
    owner.locator("tr", has_text="In a frame").get_by_text("Embed", exact=True).click()
    check(owner, "sharing-embed")

    clinic.show(link)
    page = new_page(chromium)
    page.goto(f"http://localhost:{clinic.port}/")
    inside = page.frame_locator("iframe")
    inside.get_by_label("Glucose").fill("148")
    inside.get_by_role("button", name="Predict").click()
    inside.locator(".outcome").wait_for()
    keep(page, "public-in-a-frame")
    assert page.context.cookies() == []

    refused = new_page(chromium)
    said = listen(refused)
    refused.goto(f"http://127.0.0.1:{clinic.port}/")  # the same computer under a name that is not on the list
    refused.wait_for_timeout(1000)
    assert refused.frame_locator("iframe").get_by_label("Glucose").count() == 0
    assert any("frame-ancestors" in message for message in said), said

    clinic.show(f"{site.url}/accounts/login/")
    page.goto(f"http://localhost:{clinic.port}/")
    page.wait_for_timeout(1000)
    assert page.frame_locator("iframe").get_by_label("Password").count() == 0, "only the form, not the site"
