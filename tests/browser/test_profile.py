"""The data profile as a browser shows it: light, dark, narrow, on paper, and without JavaScript."""

from typing import Any

import pytest
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from dashboards import profile_work
from machines.jobs.runner import work_run
from models import Machine, User, Work
from tests.browsing import faults, keep, listen, sign_in, unexpected
from tests.dashboards.profiled import add, make_profiled, rows_of

RIGHTS = "found => found.map((one) => one.getBoundingClientRect().right)"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("files_as_they_lie"),
]


@pytest.fixture
def machine(alice: User) -> Machine:
    return make_profiled(alice)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_works(
    live_server: LiveServer,
    chromium: Any,
    alice_client: Client,
    machine: Machine,
    scheme: str,
) -> None:
    add(machine, rows_of(scale=9))
    address = f"{live_server.url}/machines/{machine.pk}/profile/"
    with chromium.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 900}) as context:
        sign_in(context, alice_client, live_server.url)
        page = context.new_page()
        said = listen(page)
        page.goto(address)
        page.wait_for_selector("#profile-heatmap .main-svg", timeout=120_000)
        page.locator("#profile-drift-1").scroll_into_view_if_needed()  # pictures are drawn when they come near
        page.wait_for_selector("#profile-drift-1 .main-svg", timeout=60_000)
        levels = page.eval_on_selector_all("main :is(h1, h2, h3)", "found => found.map((one) => one.tagName)")
        assert levels[0] == "H1" and set(levels[1:]) == {"H2"}
        closer = page.locator(".closer")
        for at in range(closer.count()):
            closer.nth(at).scroll_into_view_if_needed()
            page.wait_for_timeout(300)
        assert page.locator(".closer .main-svg").count() == 0, "drawn while nobody sees it"
        page.get_by_text("Look closer town <b>").click()
        closer.nth(1).locator(".main-svg").first.wait_for(timeout=60_000)
        drawn = [each.locator(".main-svg").count() > 0 for each in closer.all()]
        assert drawn == [False, True, False, False]
        page.evaluate("document.querySelectorAll('#profile details').forEach((one) => { one.open = true })")
        keep(page, f"profile-{scheme}")
        assert faults(page) == [] and unexpected(said) == []
        page.set_viewport_size({"width": 320, "height": 800})
        page.wait_for_timeout(500)
        keep(page, f"profile-{scheme}-narrow")
        assert faults(page) == []
        tables = "#profile .closer .stack > .table, #profile .closer .scroll"
        assert max(page.eval_on_selector_all(tables, RIGHTS)) <= 320, "a table is cut off"
        page.set_viewport_size({"width": 700, "height": 900})  # as wide as paper
        page.emulate_media(media="print")
        keep(page, f"profile-{scheme}-paper")
        assert max(page.eval_on_selector_all("#profile .table", RIGHTS)) <= 700, "a table is cut off"
        assert not page.locator("summary, .side, .btn").locator("visible=true").count()
        assert page.locator("#profile-heatmap-table td").first.is_visible()


def test_its_numbers_need_no_javascript(
    live_server: LiveServer,
    chromium: Any,
    alice_client: Client,
    machine: Machine,
) -> None:
    with chromium.new_context(java_script_enabled=False) as context:
        sign_in(context, alice_client, live_server.url)
        page = context.new_page()
        page.goto(f"{live_server.url}/machines/{machine.pk}/profile/")
        page.get_by_role("link", name="Show the profile").click()
        page.wait_for_selector("#profile-columns", timeout=120_000)
        page.get_by_text("Look closer town <b>").click()
        assert page.get_by_role("cell", name="<i>Rome</i>").is_visible()
        assert page.locator("#profile-heatmap-table td").count() == 6 * 4


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_large_table_begins_by_itself(
    live_server: LiveServer,
    chromium: Any,
    alice_client: Client,
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
    scheme: str,
) -> None:
    monkeypatch.setattr(profile_work, "MOST_CELLS_AT_ONCE", 100)
    with chromium.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 900}) as context:
        sign_in(context, alice_client, live_server.url)
        page = context.new_page()
        said = listen(page)
        page.goto(f"{live_server.url}/machines/{machine.pk}/profile/")
        page.get_by_text("Waiting for the worker").wait_for(timeout=30_000)
        assert faults(page) == []
        keep(page, f"profile-waits-{scheme}")
        page.get_by_role("button", name="Cancel").click()
        page.get_by_role("button", name="Try again").click()
        page.get_by_text("Waiting for the worker").wait_for(timeout=30_000)
        work_run(work_id=Work.objects.active().get().pk)
        page.wait_for_selector("#profile-heatmap .main-svg", timeout=120_000)
        assert faults(page) == [] and unexpected(said) == []
