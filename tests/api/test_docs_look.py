"""The page about the calls in a real browser, with and without JavaScript."""

from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from tests.dashboards.test_look import SIZES, look

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("files_as_they_lie"),
]


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_it_works(chromium: Any, live_server: LiveServer, width: int, scheme: str) -> None:
    assert look(chromium, f"{live_server.url}/api/docs/", None, "api-docs", width, scheme) == []


def test_without_javascript(chromium: Any, live_server: LiveServer) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{live_server.url}/api/docs/")
    page.get_by_role("link", name="Predict with a model").click()
    call = page.locator("#predictModel")
    call.get_by_text("When it is refused").click()
    assert call.get_by_text("Understood, but not possible").is_visible()
    context.close()
