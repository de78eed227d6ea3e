"""An admin invites by a copied link; somebody signs up with it elsewhere, asks the machine, and is removed."""

import re
from typing import Any

import pytest

from tests.browser.conftest import Site
from tests.browser.test_whole_path import check, new_page, sign_in_demo
from tests.browsing import listen, unexpected

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_invited_by_link_signed_up_asked_removed_refused(chromium: Any, site: Site) -> None:
    admin, invited = new_page(chromium), new_page(chromium)
    said = listen(admin)
    sign_in_demo(admin, site)
    team = make_team_with_the_demo_machine(admin, site)
    link = invite_by_link(admin, team)

    form = sign_up_and_land_on_the_form(invited, link, site)
    invited.get_by_label("Glucose").fill("148")
    invited.get_by_role("button", name="Predict").click()
    invited.locator(".outcome").wait_for()

    invited.get_by_label("Glucose").fill("120")
    remove(admin, team)
    with invited.expect_response(lambda response: response.url == form and response.request.method == "POST") as answer:
        invited.get_by_role("button", name="Predict").click()
    assert answer.value.status == 404, "the form that is still open"
    assert invited.goto(form).status == 404, "and the page"
    assert invited.goto(link).status == 404, "and the link was for one"
    check(invited, "invite-ended")
    assert unexpected(said) == []


def make_team_with_the_demo_machine(page: Any, site: Site) -> str:
    """Return the address of the team's page."""
    page.goto(f"{site.url}/teams/new/")
    page.locator("main").get_by_role("textbox").fill("Clinic North")
    page.get_by_role("button", name="Make the team").click()
    page.wait_for_url(re.compile(r"/teams/\d+/$"))
    team: str = page.url
    page.goto(f"{site.url}/machines/1/sharing/")
    page.locator("#id_team").select_option(label="Clinic North")
    page.locator("main").get_by_role("button", name="Save").click()
    page.locator("#messages .alert-success").wait_for()
    return team


def invite_by_link(page: Any, team: str) -> str:
    page.goto(f"{team}invites/")
    page.get_by_label("Predictor: see machines").check()
    page.get_by_text("Where they arrive, a note and more").click()
    page.get_by_label("They arrive at").select_option("form")
    page.locator("#id_machine").select_option(index=1)
    page.get_by_label("Note to them").fill("Ask it before each visit.")
    check(page, "invite-form")
    page.get_by_role("button", name="Make a link").click()
    field = page.get_by_label("Link of the invitation")
    field.wait_for()
    check(page, "invite-made")
    link: str = field.input_value()
    a_key_alone_gives_no_role(page)
    return link


def a_key_alone_gives_no_role(page: Any) -> None:
    """An arrow key passes by roles that are not meant; the mouse, which cannot, needs no button."""
    row, address = page.locator("tr", has_text="Anyone with the link"), page.url
    change = row.get_by_role("button", name="Change")
    assert not change.is_visible()
    row.get_by_role("combobox").focus()
    page.keyboard.press("ArrowDown")
    change.wait_for()
    page.keyboard.press("ArrowUp")
    assert row.get_by_role("combobox").input_value() == "predictor" and page.url == address


def sign_up_and_land_on_the_form(page: Any, link: str, site: Site) -> str:
    page.goto(link)
    page.get_by_text("Ask it before each visit.").wait_for()
    check(page, "invite-open")
    page.get_by_role("button", name="Make an account").click()
    page.wait_for_url(f"{site.url}/accounts/signup/")
    page.get_by_text("Clinic North").wait_for()
    page.get_by_label("E-mail").fill("eve@example.org")
    page.get_by_label("Password").fill("a-long-walk-in-november")
    page.get_by_role("button", name="Make my account").click()
    page.wait_for_url("**/predict/")
    page.get_by_text("Welcome to “Clinic North”. You are Predictor here.").wait_for()
    form: str = page.url
    return form


def remove(page: Any, team: str) -> None:
    page.goto(team)
    page.locator("tr", has_text="eve@example.org").get_by_role("link", name="Remove").click()
    page.locator("main").get_by_role("button", name="Remove").click()
    page.wait_for_url(team)
    assert page.locator("tr", has_text="eve@example.org").count() == 0
