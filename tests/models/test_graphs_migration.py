"""Graphs get a name, an order and public links; the way back keeps the graphs."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

BEFORE, AFTER = [("models", "0006_machine_split")], [("models", "0007_graphs_named_ordered_shared")]


def migrated(target):
    executor = MigrationExecutor(connection)
    executor.migrate(target)
    return MigrationExecutor(connection).loader.project_state(target).apps


@pytest.mark.django_db(transaction=True)
def test_there_and_back():
    try:
        old = migrated(BEFORE)
        owner = old.get_model("models", "User").objects.create(email="alice@example.org")
        machine = old.get_model("models", "Machine").objects.create(machine_name="Houses", machine_owner_user=owner)
        old.get_model("models", "Graph").objects.create(machine=machine, graph_type=7, x="size")
        graph = migrated(AFTER).get_model("models", "Graph").objects.get()
        assert (graph.graph_name, graph.position, graph.user, graph.x) == ("", 0, None, "size")
        assert migrated(BEFORE).get_model("models", "Graph").objects.get().graph_type == 7
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
