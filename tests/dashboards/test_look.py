"""The home page in a real browser: no accessibility violation, no sideways scrolling, nothing the CSP refuses."""

from typing import Any

import pytest
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from models import User
from tests.browsing import faults, keep, listen, sign_in, unexpected
from tests.factories import make_column, make_machine, make_ready_machine, make_work

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("files_as_they_lie"),
]


def look(chromium: Any, url: str, client: Client | None, name: str, width: int, scheme: str) -> list[str]:
    """Return what is wrong with a page: console messages, overflow, axe violations."""
    context = chromium.new_context(viewport={"width": width, "height": 860}, color_scheme=scheme)
    if client:
        sign_in(context, client, url)
    page = context.new_page()
    said = listen(page)
    page.goto(url)
    wrong = [*unexpected(said), *faults(page)]
    keep(page, f"{name}-{width}-{scheme}")
    context.close()
    return wrong


SIZES = [(1280, "light"), (1280, "dark"), (768, "light"), (390, "dark"), (320, "light")]


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_landing(chromium: Any, live_server: LiveServer, width: int, scheme: str) -> None:
    assert look(chromium, live_server.url + "/", None, "landing", width, scheme) == []


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_home(
    chromium: Any, live_server: LiveServer, alice: User, alice_client: Client, width: int, scheme: str
) -> None:
    assert look(chromium, live_server.url + "/", alice_client, "empty", width, scheme) == []
    holdout = {"roc_auc": {"value": 0.883, "low": 0.841, "high": 0.92}}
    report = {"outputs": [{"name": "Outcome", "task": "binary", "holdout": holdout}]}
    ready = make_ready_machine(owner=alice, machine_name="Diabetes risk", training_report=report)
    make_column(ready, name="Outcome", role="output")
    work = make_work(make_machine(owner=alice, status="training", machine_name="House prices"))
    work.start()
    work.report(0.62, "Best so far: network 3", seconds_left=20)
    for status in ("new", "typed", "failed"):
        make_machine(owner=alice, status=status, machine_name=f"A rather long machine name {status}")
    assert look(chromium, live_server.url + "/", alice_client, "home", width, scheme) == []
