import pytest
from django.db import IntegrityError, transaction

from models import Graph, GraphLink
from models.graph import GRAPH_TYPES
from tests.factories import make_graph, make_machine

pytestmark = pytest.mark.django_db


def test_there_are_13_types():
    assert [number for number, _title in GRAPH_TYPES] == list(range(1, 14))


def test_title_and_defaults():
    graph = make_graph()
    assert graph.title == str(graph) == "Scatterplot with multiple semantics"
    assert (graph.graph_type, graph.hue, graph.x) == (1, "Light24", None)
    assert make_graph(graph_type=13).title == "Horizontal bar plots"


def test_axes_are_the_seeds_and_plotlys():
    names = {f.name for f in Graph._meta.fields}
    assert names >= {"x", "y", "z", "hue", "size", "style", "col", "row", "color", "animation_frame"}


def test_unknown_types_are_refused_by_the_database():
    graph = make_graph()
    with pytest.raises(IntegrityError), transaction.atomic():
        Graph.objects.filter(pk=graph.pk).update(graph_type=14)


def test_visible_with_its_machine(alice, charlie):
    graph = make_graph(make_machine(owner=alice))
    assert list(Graph.objects.visible_to(alice)) == [graph]
    assert list(Graph.objects.visible_to(charlie)) == []


def test_its_name_is_its_own_or_its_kinds():
    assert (
        make_graph(graph_name="Prices by city").name == str(make_graph(graph_name="Prices by city")) == "Prices by city"
    )
    assert make_graph(graph_type=12).name == "Horizontal boxplot with observations"


def test_in_the_order_of_their_machine():
    machine = make_machine()
    last, first = make_graph(machine, position=2), make_graph(machine, position=1)
    assert list(machine.graphs.all()) == [first, last]


def test_it_stays_when_its_maker_goes(alice, bob):
    graph = make_graph(make_machine(owner=alice), user=bob)
    bob.delete()
    graph.refresh_from_db()
    assert graph.user is None


def test_a_link_ends_with_its_graph(alice):
    graph = make_graph(make_machine(owner=alice))
    GraphLink.objects.create(machine=graph.machine, graph=graph, created_by=alice)
    graph.delete()
    assert not GraphLink.objects.exists()


def test_the_database_alone_opens_no_link(alice):
    link = GraphLink.objects.create(machine=make_machine(owner=alice), created_by=alice)
    token = link.link.rstrip("/").rpartition("/")[2]
    assert len(token) == 43 and token not in {link.token_seed, link.token_hash}
    assert GraphLink.objects.usable().by_token(token).get() == link
    assert not GraphLink.objects.by_token(link.token_hash).exists()
