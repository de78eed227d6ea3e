"""A machine's page of graphs: seen by everybody who sees the machine, changed by who may edit it."""

import csv
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dashboards import graphs as service
from dashboards.graphs import chosen_of, graph_add, graph_drawn, graphs_order
from machines.engine.errors import DataError
from machines.services.datasets import dataset_read_again, dataset_upload
from machines.services.machines import machine_delete
from machines.services.rows import drawn_folder, part_paths
from models import Graph
from models.access import Role
from tests.factories import make_column, make_graph, make_machine, make_version
from tests.machines.houses import csv_bytes, table_rows
from tests.machines.houses import houses as trained
from tests.machines.views.pages import htmx, is_whole, page

pytestmark = pytest.mark.django_db


def address(machine, *parts):
    return "/".join(["", "machines", str(machine.pk), "graphs", *map(str, parts), ""])


def order_of(machine):
    return list(machine.graphs.values_list("graph_name", flat=True))


@pytest.fixture
def three(houses):
    """Three graphs of the houses, in this order."""
    kinds = {"Sizes": {"graph_type": 4, "x": "size"}, "Cities": {"graph_type": 13, "y": "city"},
             "Prices": {"graph_type": 7, "x": "size", "y": "price"}}  # fmt: skip
    return [make_graph(houses, graph_name=name, position=at, **kind) for at, (name, kind) in enumerate(kinds.items())]


# The page


def test_it_works(alice_client, houses, three):
    shown = page(alice_client.get(address(houses)))
    assert "3 graphs" in shown.text and shown.text.index("Sizes") < shown.text.index("Prices")
    places = [div for div in shown.all("div") if "hx-get" in div]
    assert [place["hx-get"] for place in places] == [address(houses, graph.pk) for graph in three]
    assert all(place["hx-trigger"] == "revealed" for place in places)
    assert len(shown.ids()) == len(set(shown.ids()))


def test_a_graph_comes_as_a_part_and_as_a_page_of_its_own(alice_client, houses, three):
    for name, graph in zip(("size", "city", "price"), three, strict=True):
        part = htmx(alice_client, address(houses, graph.pk))
        assert not is_whole(part) and graph.graph_name in page(part).text
        assert len(page(part).all("script", type="application/json")) == 1 and name in part.content.decode()
    whole = alice_client.get(address(houses, three[0].pk))
    assert is_whole(whole) and "data-graph" in page(whole).one("div", id=f"drawn-{three[0].pk}")


def test_without_javascript_the_list_leads_to_each(alice_client, houses, three):
    links = [a["href"] for a in page(alice_client.get(address(houses))).all("a")]
    assert {address(houses, graph.pk) for graph in three} <= set(links)


def test_an_empty_page_teaches_who_may_make_one(alice_client, bob_client, shared_houses, team, bob):
    assert "New graph" in page(alice_client.get(address(shared_houses))).text
    team.memberships.filter(user=bob).update(role=Role.VIEWER)
    seen = page(bob_client.get(address(shared_houses))).text
    assert "No graph yet" in seen and "New graph" not in seen


def test_an_uploaded_model_has_nothing_to_draw(alice_client, alice):
    machine = make_version(owner=alice).machine
    assert "An uploaded model brings no rows" in page(alice_client.get(address(machine))).text


def test_the_number_of_queries_does_not_grow(alice_client, houses):
    def count():
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert alice_client.get(address(houses)).status_code == 200
        return len(queries)

    make_graph(houses)
    count()
    few = count()
    for _ in range(8):
        make_graph(houses)
    assert count() == few


def test_a_viewer_sees_and_changes_nothing(bob_client, shared_houses, three, team, bob):
    team.memberships.filter(user=bob).update(role=Role.VIEWER)
    seen = page(bob_client.get(address(shared_houses)))
    assert not seen.all("form", action=address(shared_houses, three[0].pk, "move")) and "data-sortable" not in seen.one(
        "ol", id="graphs"
    )
    assert "Change" not in seen.text and "Delete" not in seen.text
    for name in ("move", "duplicate", "delete"):
        assert bob_client.post(address(shared_houses, three[0].pk, name), {"to": "down"}).status_code == 403
    assert bob_client.post(address(shared_houses, "order"), {"ids": [three[2].pk]}).status_code == 403
    assert order_of(shared_houses) == ["Sizes", "Cities", "Prices"]


def test_strangers_find_nothing(charlie_client, houses, three):
    for place in ((), (three[0].pk,), (three[0].pk, "table"), ("new",), ("sharing",)):
        assert charlie_client.get(address(houses, *place)).status_code == 404
    assert "Sizes" not in page(charlie_client.get("/graphs/")).text


def test_another_machines_graph_is_not_found_here(alice_client, alice, houses, three):
    other = make_machine(owner=alice)
    assert alice_client.get(address(other, three[0].pk)).status_code == 404


# What cannot be drawn


def test_without_rows_a_sentence_stands_there(alice_client, alice):
    machine = make_machine(owner=alice)
    graph = make_graph(machine, graph_type=4, x="size")
    assert "There are no rows to draw yet." in page(htmx(alice_client, address(machine, graph.pk))).text


def test_a_column_that_is_gone_is_named(alice_client, houses):
    graph = make_graph(houses, graph_type=4, x="weight")
    said = page(alice_client.get(address(houses, graph.pk))).text
    assert "There is no column “weight” any more. Choose another for x." in said
    assert alice_client.get(address(houses, graph.pk, "table")).url == address(houses, graph.pk)


def test_the_seeds_palette_is_no_column_unless_there_is_one_of_that_name(houses):
    graph = make_graph(houses, graph_type=1, x="size", y="price")
    assert graph.hue == "Light24" and graph_drawn(graph)["rows"]
    assert chosen_of(graph, {"size", "price"})["hue"] == ""
    make_column(houses, name="Light24", position=90)
    assert chosen_of(graph, {"size", "price", "Light24"})["hue"] == "Light24"


# The table


def test_its_table_as_csv(alice_client, houses, three):
    response = alice_client.get(address(houses, three[1].pk, "table"))
    assert (
        response["Content-Type"] == "text/csv; charset=utf-8"
        and 'filename="cities.csv"' in response["Content-Disposition"]
    )
    lines = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert {cells[0]: float(cells[1]) for cells in lines[1:]} == {"east": 50, "north": 50, "south": 50, "west": 50}


def test_its_words_are_the_readers(alice, alice_client):
    rows = [[*row[:3], f"town {number % 40}", *row[4:]] for number, row in enumerate(table_rows(200))]
    machine = dataset_upload(user=alice, name="Towns", file_name="towns.csv", chunks=[csv_bytes(rows)])
    graph = make_graph(machine, graph_type=8, x="city", y="price", hue=None)
    text = alice_client.get(address(machine, graph.pk, "table")).content.decode()
    assert "@word:" not in text and "\r\nothers," in text and "low whisker" in text


def test_no_cell_of_it_is_a_formula(alice, alice_client, houses):
    rows = [[*cells[:3], "=1+1", *cells[4:]] for cells in table_rows(30)]
    machine = dataset_upload(user=alice, name="Odd", file_name="odd.csv", chunks=[csv_bytes(rows + table_rows(30))])
    graph = make_graph(machine, graph_type=13, y="city")
    text = alice_client.get(address(machine, graph.pk, "table")).content.decode()
    assert "'=1+1" in text and "\n=1+1" not in text


# Order


def test_dragged_into_another_order(alice_client, houses, three):
    ids = [three[2].pk, three[0].pk, three[1].pk]
    assert htmx(alice_client, address(houses, "order"), {"ids": ids}).status_code == 204
    assert order_of(houses) == ["Prices", "Sizes", "Cities"]


def test_what_is_not_named_stays_behind_and_what_is_not_ours_counts_for_nothing(houses, three):
    foreign = make_graph(make_machine(), graph_name="Foreign", position=7)
    graphs_order(machine=houses, order=[three[1].pk, foreign.pk, 987654, three[1].pk])
    assert order_of(houses) == ["Cities", "Sizes", "Prices"]
    foreign.refresh_from_db()
    assert foreign.position == 7


def test_up_and_down_by_keyboard(alice_client, houses, three):
    place = address(houses, three[0].pk, "move")
    answer = alice_client.post(place, {"to": "down"})
    assert answer.url == f"{address(houses)}#graph-{three[0].pk}" and order_of(houses) == ["Cities", "Sizes", "Prices"]
    part = htmx(alice_client, place, {"to": "down"})
    assert not is_whole(part) and page(part).one("ol")["data-sortable"] == address(houses, "order")
    assert order_of(houses) == ["Cities", "Prices", "Sizes"]
    for word, names in (("down", ["Cities", "Prices", "Sizes"]), ("up", ["Cities", "Sizes", "Prices"]),
                        ("sideways", ["Cities", "Sizes", "Prices"])):  # fmt: skip
        alice_client.post(place, {"to": word})
        assert order_of(houses) == names


# Duplicate, delete


def test_a_twin_stands_at_the_end(alice, alice_client, houses, three):
    answer = alice_client.post(address(houses, three[0].pk, "duplicate"))
    twin = houses.graphs.last()
    assert answer.url == f"{address(houses)}#graph-{twin.pk}"
    assert (twin.graph_name, twin.graph_type, twin.x, twin.user) == ("Sizes, copy", 4, "size", alice)
    assert order_of(houses) == ["Sizes", "Cities", "Prices", "Sizes, copy"]


def test_there_is_an_end_to_how_many(alice, alice_client, houses, three, monkeypatch):
    monkeypatch.setattr(service, "MOST_GRAPHS", 3)
    with pytest.raises(DataError, match="has 3 graphs already"):
        graph_add(graph=Graph(machine=houses), user=alice)
    answer = alice_client.post(address(houses, three[0].pk, "duplicate"), follow=True)
    assert "has 3 graphs already" in page(answer).text and houses.graphs.count() == 3


def test_deleting_asks_first(alice_client, houses, three):
    place = address(houses, three[0].pk, "delete")
    assert "Delete “Sizes”?" in page(alice_client.get(place)).text and houses.graphs.count() == 3
    assert alice_client.post(place).url == address(houses)
    assert order_of(houses) == ["Cities", "Prices"]


# Across machines


def test_all_graphs_that_one_sees_machine_by_machine(alice_client, bob_client, alice, houses, three):
    make_graph(make_machine(owner=alice, machine_name="Boats"), graph_name="Sails")
    make_graph(make_machine(machine_name="Secret"), graph_name="Foreign")
    shown = page(alice_client.get("/graphs/"))
    assert "4 graphs" in shown.text and "Foreign" not in shown.text
    places = [shown.text.index(word) for word in ("Boats", "Sails", "Houses", "Sizes", "Prices")]
    assert places == sorted(places)
    assert "Sails" not in page(bob_client.get("/graphs/")).text


def test_they_come_page_by_page_with_as_many_queries(alice_client, alice):
    def count(number):
        with CaptureQueriesContext(connection) as queries:
            shown = page(alice_client.get("/graphs/", {"page": number}))
        return len(queries), len([div for div in shown.all("div") if "hx-get" in div])

    for _ in range(14):
        make_graph(make_machine(owner=alice))
    count(1)
    (first, twelve), (second, two) = count(1), count(2)
    assert (twelve, two) == (12, 2) and first == second


# What is kept


def test_what_graphs_keep_goes_with_the_rows(alice, houses, three):
    graph_drawn(three[0])
    folder = drawn_folder(part_paths(houses)[0])
    assert list(folder.glob("*.arrow")) and list(folder.glob("*.json"))
    dataset_read_again(machine=houses, options={"has_header": True}, user=alice)
    assert not folder.exists()
    graph_drawn(three[0])
    machine_delete(machine=houses, user=alice)
    assert not folder.exists()


def test_the_navigation_and_the_machines_page_lead_there(alice, alice_client):
    machine = trained().machine(owner=alice)
    links = [a["href"] for a in page(alice_client.get(f"/machines/{machine.pk}/")).all("a")]
    assert {"/graphs/", address(machine)} <= set(links)
