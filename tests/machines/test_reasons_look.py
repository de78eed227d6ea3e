"""The reasons of an answer and the wishes for a network in a real browser: in shape and accessible, on a narrow screen too."""

from typing import Any

import pytest
from django.conf import settings as site_settings
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from models import Machine
from tests.browsing import faults, keep, listen, unexpected
from tests.machines.test_public import path, publish
from tests.machines.views.pages import url

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("files_as_they_lie"),
]


@pytest.mark.parametrize("width", [1280, 320])
def test_it_works(chromium: Any, live_server: LiveServer, machine: Machine, alice_client: Client, width: int) -> None:
    cookie = alice_client.cookies[site_settings.SESSION_COOKIE_NAME].value
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme="dark")
    context.add_cookies([{"name": site_settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
    page = context.new_page()

    page.goto(live_server.url + url("predict", machine.pk))
    page.get_by_label("size").fill("95")
    page.get_by_role("button", name="Predict").click()
    page.get_by_text("With usual values the answer is").wait_for()
    keep(page, f"reasons-{width}")
    assert faults(page) == []

    page.goto(live_server.url + url("training", machine.pk))
    page.get_by_text("The network", exact=True).click()
    page.get_by_label("Hidden layers").fill("64, 32")
    keep(page, f"network-{width}")
    assert faults(page) == []
    context.close()


@pytest.mark.parametrize("width", [1280, 320])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_strangers_see_them_too(
    chromium: Any, live_server: LiveServer, machine: Machine, width: int, scheme: str
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    said = listen(page)
    page.goto(live_server.url + path(publish(machine)))
    page.get_by_label("size").fill("95")
    page.get_by_label("note").fill("a new roof and a garden")
    page.get_by_role("button", name="Predict").click()
    page.get_by_text("With usual values the answer is").wait_for()
    keep(page, f"public-reasons-{width}-{scheme}")
    assert faults(page) == [] and unexpected(said) == []
    assert context.cookies() == []
    context.close()
