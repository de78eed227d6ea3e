"""A graph of a large table that nobody has read, as a browser shows it: some rows, and all of them by itself."""

import threading
from typing import Any

import pytest
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from dashboards import graphs
from machines.services.datasets import dataset_upload
from models import Machine, User
from tests.browsing import faults, keep, listen, sign_in, unexpected
from tests.dashboards.large import call_large
from tests.factories import make_graph
from tests.machines.houses import csv_bytes

SOME = "the others were not read yet"
SHOWN = "document.querySelector('[data-graph]').data[0].x.length"
# The page lets nobody evaluate texts, so it watches by itself.
MORE = """(element) => new Promise((done) => {
  const look = () => (element.data[0].x.length > 150 ? done() : setTimeout(look, 20));
  look();
})"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("files_as_they_lie"),
]


@pytest.fixture
def machine(alice: User, monkeypatch: pytest.MonkeyPatch) -> Machine:
    call_large(monkeypatch)
    return dataset_upload(user=alice, name="Houses", file_name="houses.csv", chunks=[csv_bytes()])


def test_it_works(
    live_server: LiveServer,
    chromium: Any,
    alice_client: Client,
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    graph = make_graph(machine, graph_name="Prices", graph_type=1, x="size", y="price", hue=None)
    draw, may_read = graphs.drawn, threading.Event()

    def later(request: Any) -> Any:
        if not request["is_quick"]:
            assert may_read.wait(60)
        return draw(request)

    monkeypatch.setattr(graphs, "drawn", later)
    with chromium.new_context(viewport={"width": 375, "height": 900}) as context:
        sign_in(context, alice_client, live_server.url)
        page = context.new_page()
        said = listen(page)
        page.goto(f"{live_server.url}/machines/{machine.pk}/graphs/")
        page.wait_for_selector(f"#drawn-{graph.pk} .main-svg", timeout=60_000)
        assert SOME in page.inner_text("main") and page.get_by_role("link", name="Read all rows").is_visible()
        few = page.evaluate(SHOWN)
        page.locator("[data-graph-table] summary").click()
        keep(page, "graph-first-look")
        assert faults(page) == [], "axe"
        picture = page.evaluate_handle("document.querySelector('[data-graph] .main-svg')")
        may_read.set()
        page.get_by_text(SOME).wait_for(state="detached", timeout=60_000)
        page.locator("[data-graph]").evaluate(MORE)
        assert few < 120, "it was of some rows"
        assert page.evaluate("(one) => one.isConnected", picture), "the picture was changed, not made anew"
        assert page.locator("[data-graph-table][open]").count() == 1, "what was opened stays open"
        assert page.get_by_role("link", name="Read all rows").count() == 0
        assert faults(page) == [] and unexpected(said) == []
