"""Graphs as a person makes them: built, saved, put in order, shared with strangers, and taken back."""

from typing import Any

import pytest

from tests.browser.conftest import Site
from tests.browser.test_whole_path import sign_in_demo
from tests.browsing import faults, keep, listen, unexpected

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
SCHEMES = ("light", "dark")
LIST = "/machines/1/graphs/"
CHANGED_MS = 5000  # what a very busy computer may take; benchmarks/graphs.py measures


def opened(chromium: Any, **options: Any) -> Any:
    return chromium.new_context(viewport={"width": 1280, "height": 900}, locale="en-US", **options).new_page()


def drawn(page: Any, within: str = "main") -> None:
    page.locator(f"{within} [data-graph] .cartesianlayer").first.wait_for(state="attached")


def check(page: Any, name: str) -> None:
    """Ask axe in light and in dark, wide and on a phone, and keep pictures."""
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        for label, width in (("wide", 1280), ("phone", 375)):
            page.set_viewport_size({"width": width, "height": 800})
            page.wait_for_timeout(300)
            assert faults(page) == [], f"{name} {scheme} {label}"
            keep(page, f"graphs-{name}-{scheme}-{label}")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 900})


def cards(page: Any) -> list[str]:
    found: list[str] = page.locator("#graphs > li > .row-of > h2").all_inner_texts()
    return found


def build(page: Any, site: Site, kind: str, name: str) -> None:
    page.goto(f"{site.url}{LIST}new/")
    page.get_by_role("link", name=kind).click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"**{LIST}#graph-*")


def test_built_ordered_shared_and_taken_back(chromium: Any, site: Site) -> None:
    page = opened(chromium)
    said = listen(page)
    sign_in_demo(page, site)
    page.goto(f"{site.url}/machines/1/")
    page.locator("main").get_by_role("link", name="Graphs").click()
    page.get_by_role("link", name="New graph").click()
    check(page, "kinds")
    page.get_by_role("link", name="Linear regression").click()
    drawn(page, "#preview")
    change_a_column(page)
    make_a_mistake(page)
    check(page, "builder")
    page.get_by_label("Name").fill("Glucose by age")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"**{LIST}#graph-*")
    build(page, site, "Grouped boxplots", "Glucose by outcome")
    build(page, site, "Timeseries", "Glucose over the years")
    assert cards(page) == ["Glucose by age", "Glucose by outcome", "Glucose over the years"]
    drawn(page)
    check(page, "list")
    order_by_keyboard(page)
    order_by_dragging(page)
    page.reload()
    assert cards(page) == ["Glucose over the years", "Glucose by outcome", "Glucose by age"], "it is kept"
    share_and_revoke(chromium, page, site)
    assert unexpected(said) == []
    page.context.close()


def change_a_column(page: Any) -> None:
    page.evaluate("""() => {
        window.changed = null;
        const fields = document.querySelector(".fields");
        fields.addEventListener("change", () => { window.changed = performance.now(); }, true);
    }""")
    page.evaluate("document.getElementById('preview').dataset.old = ''")
    page.get_by_label("x", exact=True).select_option("Age")
    page.locator("#preview:not([data-old])").wait_for()
    page.locator("#preview .xtitle", has_text="Age").first.wait_for(state="attached")  # the picture is changed, not new
    assert page.evaluate("performance.now() - window.changed") < CHANGED_MS


def make_a_mistake(page: Any) -> None:
    page.get_by_label("y", exact=True).select_option("")
    page.get_by_text("It needs a number on y.").wait_for()
    page.get_by_label("y", exact=True).select_option("Glucose")
    drawn(page, "#preview")
    assert page.get_by_text("It needs a number on y.").count() == 0


def order_by_keyboard(page: Any) -> None:
    button = page.get_by_role("button", name="Move “Glucose over the years” up")
    button.focus()
    for there in (1, 0):
        with page.expect_response("**/move/"):
            page.keyboard.press("Enter")
        card = page.locator("#graphs > li").nth(there)
        card.locator("h2", has_text="Glucose over the years").wait_for(state="attached")
        assert button.evaluate("button => button === document.activeElement"), "the focus stays"
    assert cards(page) == ["Glucose over the years", "Glucose by age", "Glucose by outcome"]


def order_by_dragging(page: Any) -> None:
    page.set_viewport_size({"width": 1280, "height": 3000})
    for card in page.locator("#graphs > li").all():  # each grows when it is drawn
        card.locator(".cartesianlayer").first.wait_for(state="attached")
    page.wait_for_timeout(500)
    handles = page.locator("#graphs [data-handle]")
    start, end = handles.nth(1).bounding_box(), handles.nth(2).bounding_box()
    page.mouse.move(start["x"] + 9, start["y"] + 9)
    page.mouse.down()
    page.mouse.move(end["x"] + 9, end["y"] + 60, steps=12)
    with page.expect_response("**/order/"):
        page.mouse.up()
    page.set_viewport_size({"width": 1280, "height": 900})
    assert cards(page) == ["Glucose over the years", "Glucose by outcome", "Glucose by age"]


def share_and_revoke(chromium: Any, page: Any, site: Site) -> None:
    page.get_by_role("link", name="Share Glucose by age").click()
    assert "Glucose by age" in page.get_by_label("What it shows").locator("option:checked").inner_text()
    page.get_by_role("button", name="Publish").click()
    page.get_by_text("Copy it below").wait_for()
    check(page, "sharing")
    link = page.get_by_role("link", name="Open Glucose by age").get_attribute("href")
    stranger = opened(chromium)
    heard = listen(stranger)
    stranger.goto(link)
    drawn(stranger)
    check(stranger, "public")
    assert "Glucose by age" in stranger.locator("main").inner_text() and stranger.context.cookies() == []
    assert "Glucose by outcome" not in stranger.locator("main").inner_text()
    page.get_by_role("button", name="Revoke Glucose by age").click()
    page.get_by_text("nobody can use that link any more").wait_for()
    assert unexpected(heard) == []
    assert stranger.goto(link).status == 404
    stranger.get_by_text("This link is closed.").wait_for()
    stranger.context.close()


def test_built_without_javascript(chromium: Any, site: Site) -> None:
    page = opened(chromium, java_script_enabled=False)
    sign_in_demo(page, site)
    page.goto(f"{site.url}{LIST}new/?kind=13")
    page.get_by_label("Name").fill("How many")
    page.get_by_role("button", name="Look").click()
    assert page.locator("#preview").get_by_role("table").is_visible()
    page.get_by_role("button", name="Save").click()
    assert "How many" in cards(page)
    page.get_by_role("button", name="Move “How many” up").click() if len(cards(page)) > 1 else None
    page.locator("main").get_by_role("link", name="How many", exact=True).click()
    assert page.get_by_role("table").is_visible()
    page.get_by_role("link", name="Delete How many").click()
    page.get_by_role("button", name="Delete for good").click()
    assert "How many" not in cards(page)
    page.context.close()
