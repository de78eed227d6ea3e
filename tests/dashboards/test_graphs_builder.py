"""Making a graph: a kind by its picture, columns that fit, and what comes of them at once."""

import re

import pytest

from dashboards import graph_builder
from dashboards.drawing.kinds import KINDS, faults
from dashboards.graph_presets import distinct_of, presets, ranked
from dashboards.graphs import columns_of
from machines.engine.schema import Column, DataType, Role
from machines.services.datasets import dataset_upload
from tests.dashboards.test_graphs import address
from tests.factories import make_graph
from tests.machines.houses import houses as trained
from tests.machines.views.pages import HTMX, htmx, is_whole, page

pytestmark = pytest.mark.django_db


def options_of(shown, place):
    """What a select offers, by reading on from it to the next one."""
    found, is_inside = [], False
    for tag, given in shown.elements:
        if tag == "select":
            is_inside = given["name"] == place
        elif tag == "option" and is_inside:
            found.append((given["value"], "selected" in given))
    return found


def chosen(shown, place):
    return [value for value, is_selected in options_of(shown, place) if is_selected]


# The kind


def test_thirteen_kinds_by_their_pictures(alice_client, houses):
    shown = page(alice_client.get(address(houses, "new")))
    assert [a["href"] for a in shown.all("a") if (a["href"] or "").startswith("?kind=")] == [
        f"?kind={n}" for n in range(1, 14)
    ]
    assert len(shown.all("svg")) >= 13 and "Hexbin plot with marginal distributions" in shown.text


@pytest.mark.parametrize("kind", ["0", "14", "-1", "x", "1e3", "١"])
def test_an_unknown_kind_is_asked_for_again(alice_client, houses, kind):
    assert "Choose a kind of graph" in page(alice_client.get(address(houses, "new"), {"kind": kind})).text


# The columns


def test_each_place_offers_what_fits(alice_client, houses):
    shown = page(alice_client.get(address(houses, "new"), {"kind": 8}))
    assert [select["name"] for select in shown.all("select") if select["name"] in KINDS[8]] == list(KINDS[8])
    assert {value for value, _ in options_of(shown, "y")} == {"", "size", "delta", "pressure", "price"}
    assert {value for value, _ in options_of(shown, "hue")} == {"", "city", "kind", "risk"}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_begins_with_a_picture(alice_client, houses, kind):
    """What is preset can be drawn, by the real process."""
    shown = page(alice_client.get(address(houses, "new"), {"kind": kind}))
    assert "data-graph" in shown.one("div", id="preview-graph"), shown.text


@pytest.mark.parametrize("kind", KINDS)
def test_presets_of_a_trained_machine_are_right(alice, kind):
    machine = trained().machine(owner=alice)
    columns = ranked(machine, columns_of(machine))
    found = presets(kind, columns, distinct_of(machine))
    assert faults(kind, found, columns) == {} and len(set(found.values())) == len(found)


def test_outputs_come_first_and_then_what_tells_most(alice):
    machine = trained().machine(owner=alice)
    columns, distinct = ranked(machine, columns_of(machine)), distinct_of(machine)
    assert [column.name for column in columns[:4]] == ["risk", "price", "size", "note"]
    assert presets(1, columns, distinct)["y"] == "price" and presets(1, columns, distinct)["x"] == "size"
    assert presets(1, columns, distinct)["hue"] == "risk"
    assert presets(2, columns, distinct)["x"] == "day", "over time, where there is time"
    assert presets(12, columns, distinct) == {"x": "price", "y": "risk"}
    assert "x" not in presets(13, columns, distinct), "counts of rows: the sum of a column may mean nothing"
    ages = [Column(name, DataType.FLOAT) for name in ("price", "size", "age")]
    assert presets(2, ages, {"price": 900, "size": 900, "age": 60})["x"] == "age", "each age has a mean"


def test_colours_are_for_labels_that_can_be_told_apart():
    columns = [
        Column("price", DataType.FLOAT, Role.OUTPUT),
        Column("street", DataType.LABEL),
        Column("city", DataType.LABEL),
    ]
    assert presets(4, columns, {"street": 900, "city": 4}) == {"x": "price", "hue": "city"}
    assert presets(4, columns, {"street": 900, "city": 90}) == {"x": "price"}
    assert presets(12, columns, {"street": 900, "city": 90}) == {"x": "price", "y": "street"}, "some label is needed"


def test_where_nothing_fits_the_page_says_what_is_missing(alice_client, alice):
    words = b"name,town\n" + b"".join(b"n%d,%s\n" % (n % 5, [b"east", b"west"][n % 2]) for n in range(40))
    machine = dataset_upload(user=alice, name="Words", file_name="words.csv", chunks=[words])
    shown = page(alice_client.get(address(machine, "new"), {"kind": 3}))
    assert "It needs a number on x." in shown.text and "It needs a number on y." in shown.text
    assert not shown.all("div", id="preview-graph")


# The preview


def test_each_change_shows_what_comes_of_it(alice_client, houses):
    shown = page(alice_client.get(address(houses, "new"), {"kind": 7}))
    fields = next(div for div in shown.all("div") if div.get("hx-target") == "#preview")
    assert fields["hx-trigger"] == "change" and fields["hx-params"] == "not csrfmiddlewaretoken"
    answer = alice_client.get(
        address(houses, "new"), {"kind": 7, "x": "delta", "y": "price"}, headers={"HX-Request": "true"}
    )
    assert not is_whole(answer) and page(answer).one("section", id="preview")
    assert "delta" in answer.content.decode() and houses.graphs.count() == 0


def test_a_preview_draws_fewer_points_and_says_so(alice_client, houses, monkeypatch):
    monkeypatch.setattr(graph_builder, "PREVIEW_POINTS", 50)
    preview = page(alice_client.get(address(houses, "new"), {"kind": 1, "x": "size", "y": "price"}))
    assert re.search(r"50 of \d+ rows, chosen at random", preview.text)
    saved = make_graph(houses, graph_type=1, x="size", y="price", hue=None)
    assert "chosen at random" not in page(alice_client.get(address(houses, saved.pk))).text


def test_the_page_does_not_wait_for_the_columns_of_a_large_table(alice_client, houses, monkeypatch):
    monkeypatch.setattr(graph_builder, "MOST_AT_ONCE", 100)
    first = page(alice_client.get(address(houses, "new"), {"kind": 7}))
    preview = first.one("section", id="preview")
    assert preview["hx-trigger"] == "load" and "read for the first time" in first.text
    assert not first.all("div", id="preview-graph") and first.one("form", id="graph-form")
    answer = page(alice_client.get(preview["hx-get"], {"kind": 7, "x": "size", "y": "price"}, headers=HTMX))
    assert answer.one("div", id="preview-graph") and "hx-trigger" not in answer.one("section", id="preview")
    look = alice_client.post(address(houses, "new"), {"kind": 7, "x": "size", "y": "price", "look": "1"})
    assert page(look).one("div", id="preview-graph"), "without JavaScript, too"


def test_what_is_wrong_is_said_beside_its_field(alice_client, houses):
    asked = {"kind": 7, "x": "city", "y": ""}
    answer = page(alice_client.get(address(houses, "new"), asked, headers={"HX-Request": "true"}))
    assert "“city” cannot stand on x: it takes a number." in answer.text and "It needs a number on y." in answer.text
    assert [div["id"] for div in answer.all("div") if div.get("hx-swap-oob")] == ["id_x_faults", "id_y_faults"]
    assert "Choose the columns that are missing" in answer.text
    colour = page(alice_client.get(address(houses, "new"), {"kind": 8, "x": "city", "y": "price", "hue": "size"}))
    assert "“size” cannot stand on colour: it takes labels." in colour.text


def test_without_javascript_a_button_shows_it(alice_client, houses):
    answer = alice_client.post(address(houses, "new"), {"kind": 4, "x": "delta", "look": "1"})
    assert is_whole(answer) and page(answer).one("div", id="preview-graph") and houses.graphs.count() == 0


# Saving


def test_saved_with_its_name_at_the_end(alice, alice_client, houses):
    make_graph(houses, position=3)
    data = {"kind": 8, "x": "city", "y": "price", "hue": "risk", "graph_name": "Prices by city"}
    answer = alice_client.post(address(houses, "new"), data)
    graph = houses.graphs.last()
    assert answer.url == f"{address(houses)}#graph-{graph.pk}"
    assert (graph.graph_type, graph.x, graph.y, graph.hue, graph.size) == (8, "city", "price", "risk", None)
    assert (graph.name, graph.position, graph.user) == ("Prices by city", 4, alice)


def test_without_a_colour_there_is_none(alice_client, houses):
    alice_client.post(address(houses, "new"), {"kind": 1, "x": "size", "y": "price", "hue": ""})
    assert houses.graphs.get().hue is None


@pytest.mark.parametrize("wrong", [{"x": ""}, {"x": "nothing"}, {"x": "city"}, {"graph_name": "x" * 201}])
def test_what_cannot_be_drawn_is_not_saved(alice_client, houses, wrong):
    answer = alice_client.post(address(houses, "new"), {"kind": 7, "x": "size", "y": "price"} | wrong)
    assert answer.status_code == 200 and "Please correct this" in page(answer).text and not houses.graphs.exists()


def test_a_place_of_another_kind_is_not_written(alice_client, houses):
    alice_client.post(address(houses, "new"), {"kind": 7, "x": "size", "y": "price", "row": "city"})
    assert houses.graphs.get().row is None


# Changing


def test_it_is_changed_and_keeps_its_place(alice_client, houses):
    graph = make_graph(houses, graph_type=7, x="size", y="price", graph_name="Old", position=5)
    shown = page(alice_client.get(address(houses, graph.pk, "edit")))
    assert chosen(shown, "x") == ["size"] and shown.one("input", name="graph_name")["value"] == "Old"
    alice_client.post(address(houses, graph.pk, "edit"), {"kind": 7, "x": "delta", "y": "price", "graph_name": "New"})
    graph.refresh_from_db()
    assert (graph.x, graph.graph_name, graph.position) == ("delta", "New", 5)


def test_another_kind_keeps_the_columns_that_fit(alice_client, houses):
    graph = make_graph(houses, graph_type=8, x="city", y="delta", hue=None)
    assert "Choose another kind" in page(alice_client.get(address(houses, graph.pk, "edit") + "?kinds")).text
    shown = page(alice_client.get(address(houses, graph.pk, "edit"), {"kind": 7}))
    assert chosen(shown, "y") == ["delta"] and chosen(shown, "x") not in ([], ["city"], ["delta"])


def test_a_column_that_is_gone_is_seen_and_explained(alice_client, houses):
    graph = make_graph(houses, graph_type=4, x="weight")
    shown = page(alice_client.get(address(houses, graph.pk, "edit")))
    assert chosen(shown, "x") == ["weight"] and "There is no column “weight” any more." in shown.text


def test_names_are_escaped(alice_client, houses):
    graph = make_graph(houses, graph_type=4, x="size", graph_name="<img src=x onerror=alert(1)>")
    for place in ((), (graph.pk,), (graph.pk, "edit"), (graph.pk, "delete")):
        assert "<img src=x" not in alice_client.get(address(houses, *place)).content.decode()
    assert "<img src=x" not in htmx(alice_client, address(houses, graph.pk)).content.decode()


def test_the_previews_table_as_csv(alice_client, houses):
    """The same as that of the graph when it is saved, and what is wrong is said where it is."""
    wanted = {"kind": 8, "x": "city", "y": "price", "graph_name": "Cities & prices"}
    shown = page(alice_client.get(address(houses, "new"), wanted, headers=HTMX))
    (link,) = (a["href"] for a in shown.all("a") if "table=1" in (a["href"] or ""))
    table = alice_client.get(link)
    assert table["Content-Type"].startswith("text/csv") and "cities-prices.csv" in table["Content-Disposition"]
    assert alice_client.post(address(houses, "new"), wanted).status_code == 302
    assert alice_client.get(address(houses, f"{houses.graphs.get().pk}/table")).content == table.content
    wrong = alice_client.get(address(houses, "new"), {**wanted, "y": "city", "table": "1"})
    assert is_whole(wrong) and "cannot stand on y" in page(wrong).text
