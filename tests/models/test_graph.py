import pytest
from django.db import IntegrityError, transaction

from models import Graph
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
