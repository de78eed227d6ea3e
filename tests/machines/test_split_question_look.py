"""The question about rows in a real browser: what a choice needs is shown with it, on every screen."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as site_settings
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from machines.services.splits import split_of
from models import Machine
from tests.browsing import faults
from tests.machines.houses import csv_bytes, table_rows
from tests.machines.views.pages import url

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("files_as_they_lie"),
]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (320, "dark")])
def test_it_works(
    chromium: Any,
    live_server: LiveServer,
    upload: Callable[..., Machine],
    alice_client: Client,
    width: int,
    scheme: str,
) -> None:
    machine = upload(csv_bytes(table_rows(60)))
    cookie = alice_client.cookies[site_settings.SESSION_COOKIE_NAME].value
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    context.add_cookies([{"name": site_settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
    page = context.new_page()
    page.goto(live_server.url + url("columns", machine.pk))
    group, time = page.locator("[name=split-group]"), page.locator("[name=split-time]")
    assert not group.is_visible() and not time.is_visible()
    page.get_by_label("Yes, rows follow one another in time").check()
    assert time.is_visible() and not group.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "no sideways scrolling"
    assert faults(page) == []
    page.locator("button[name=save]").click()
    assert page.locator(".together .errorlist").inner_text() == "Choose the column that tells when."
    assert faults(page) == []
    time.select_option("day")
    page.locator("button[name=save]").click()
    page.get_by_text("Saved.").wait_for()
    assert split_of(Machine.objects.get()).to_json() == {"kind": "time", "column": "day"}
    context.close()
