"""The column page in a real browser: long names keep it in shape, and what is typed fast is kept."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as site_settings
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from models import Column, Machine
from tests.browsing import faults, listen, unexpected
from tests.machines.houses import csv_bytes, table_rows
from tests.machines.views.pages import url

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("files_as_they_lie"),
]


def open_columns(chromium: Any, live_server: LiveServer, client: Client, machine: Machine) -> Any:
    cookie = client.cookies[site_settings.SESSION_COOKIE_NAME].value
    context = chromium.new_context(viewport={"width": 1280, "height": 860})
    context.add_cookies([{"name": site_settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
    page = context.new_page()
    page.goto(live_server.url + url("columns", machine.pk))
    return page


def test_long_names_and_texts_leave_the_choices_in_sight(
    chromium: Any, live_server: LiveServer, upload: Callable[..., Machine], alice_client: Client
) -> None:
    name = "VeryLong" * 20
    rows = "".join(f"{at}.5,{'word ' * 40}{at},{at % 2}\n" for at in range(40))
    page = open_columns(chromium, live_server, alice_client, upload(f"{name},text,y\n{rows}".encode()))
    table = page.locator(".card-table")
    assert table.evaluate("part => part.scrollWidth <= part.clientWidth"), "the table needs no sideways scrolling"
    assert page.locator("table.columns tbody tr").nth(1).bounding_box()["height"] < 300
    assert faults(page) == []
    page.context.close()


def test_what_is_typed_while_it_saves_is_kept(
    chromium: Any, live_server: LiveServer, upload: Callable[..., Machine], alice_client: Client
) -> None:
    machine = upload(csv_bytes(table_rows(30)))
    column = machine.columns.filter(type="FLOAT").first()
    assert column is not None
    page = open_columns(chromium, live_server, alice_client, machine)
    said = listen(page)
    page.route("**/columns/*/", lambda route: (page.wait_for_timeout(300), route.continue_()))  # a slow line
    row = page.locator(f"#column-{column.pk}")
    row.locator("summary").click()
    for label, text in (
        ("Description", "living space"),
        ("Unit", "m²"),
        ("Plausible from", "1"),
        ("Plausible to", "999"),
    ):
        row.get_by_label(label).fill(text)
    row.get_by_label("Plausible to").press("Tab")
    page.wait_for_timeout(2000)
    kept = Column.objects.get(pk=column.pk)
    assert (kept.description, kept.unit, kept.range_low, kept.range_high) == ("living space", "m²", 1, 999)
    assert row.get_by_label("Unit").input_value() == "m²"
    assert unexpected(said) == []
    page.context.close()
