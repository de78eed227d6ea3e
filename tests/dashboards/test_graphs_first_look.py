"""Graphs of a large table that nobody has read: some rows at once, and all of them as soon as they are read."""

import re

import pytest

from dashboards import graph_builder
from models import GraphLink
from tests.dashboards.test_graphs import address
from tests.factories import make_graph
from tests.machines.views.pages import HTMX, htmx, is_whole, page

pytestmark = pytest.mark.django_db
SOME = re.compile(r"\d\d of 200 rows, chosen at random: the others were not read yet\.")


@pytest.fixture
def graph(large_houses):
    return make_graph(large_houses, graph_name="Prices", graph_type=7, x="size", y="price")


def all_rows(shown):
    """The address that the page asks for by itself once it stands there, or None."""
    links = [link for link in shown.all("a") if link.get("hx-trigger") == "load"]
    assert all(link["href"] == link["hx-get"] for link in links), "and without JavaScript by a click"
    return links[0]["href"] if links else None


def test_it_works(alice_client, large_houses, graph):
    first = page(htmx(alice_client, address(large_houses, graph.pk)))
    assert SOME.search(first.text) and all_rows(first) == f"{address(large_houses, graph.pk)}?all=1"
    whole = page(htmx(alice_client, all_rows(first)))
    assert not SOME.search(whole.text) and all_rows(whole) is None and whole.one("div", id=f"drawn-{graph.pk}")
    again = page(htmx(alice_client, address(large_houses, graph.pk)))
    assert not SOME.search(again.text), "they are read now"


def test_a_page_of_its_own_too(alice_client, large_houses, graph):
    first = alice_client.get(address(large_houses, graph.pk))
    assert is_whole(first) and SOME.search(page(first).text)
    assert not SOME.search(page(alice_client.get(all_rows(page(first)))).text)


def test_its_table_as_csv_is_of_all_rows(alice_client, large_houses, graph):
    table = alice_client.get(address(large_houses, graph.pk, "table"))
    assert table["Content-Type"].startswith("text/csv") and b"price" in table.content
    assert not SOME.search(page(htmx(alice_client, address(large_houses, graph.pk))).text), "they were read for it"


def test_a_stranger_sees_the_same(client, large_houses, graph, alice):
    link = GraphLink.objects.create(machine=large_houses, graph=graph, created_by=alice)
    path = "/g/" + link.link.partition("/g/")[2]
    first = page(client.get(path, {"embed": "1"}))
    assert SOME.search(first.text) and all_rows(first) == f"{path}?embed=1&all=1"
    assert not SOME.search(page(client.get(all_rows(first))).text)


def test_the_preview_asks_for_its_own_columns(alice_client, large_houses, monkeypatch):
    monkeypatch.setattr(graph_builder, "MOST_AT_ONCE", 150)
    asked = {"kind": 7, "x": "size", "y": "price", "graph_name": "Ö & ä"}
    preview = page(alice_client.get(address(large_houses, "new"), asked, headers=HTMX))
    assert SOME.search(preview.text)
    whole = page(alice_client.get(all_rows(preview), headers=HTMX))
    assert whole.one("div", id="preview-graph") and not SOME.search(whole.text) and "price" in whole.text


def test_without_javascript_the_button_reads_all_rows(alice_client, large_houses):
    look = alice_client.post(address(large_houses, "new"), {"kind": 7, "x": "size", "y": "price", "look": "1"})
    shown = page(look)
    assert shown.one("div", id="preview-graph") and not SOME.search(shown.text)
