"""Models uploaded before numbers were counted: theirs go on from the highest, and what was said of them can be read."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from machines.services.texts import sentence
from tests.models.test_memberships_migration import migrate

BEFORE, AFTER = [("models", "0004_uploaded_models")], [("models", "0005_version_numbers")]


@pytest.mark.django_db(transaction=True)
def test_numbers_go_on_and_reasons_stay():
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    try:
        apps = migrate(BEFORE)
        user = apps.get_model("models", "User").objects.create(email="alice@example.org", password="!")
        machines = [_machine(apps, user, *numbers) for numbers in ([1, 3], [], [None])]
        given = apps.get_model("models", "Machine").objects.filter(pk=machines[0].pk)
        given.update(model_version=2)
        after = migrate(AFTER)
        found = after.get_model("models", "Machine").objects.in_bulk()
        assert [found[machine.pk].versions_given for machine in machines] == [3, 0, 0]
        reports = after.get_model("models", "ModelVersion").objects.order_by("number").values_list("report", flat=True)
        assert [sentence(report["why_native"]) for report in reports] == ["It cannot, by 100 %."] * 2
    finally:
        migrate(latest)


def _machine(apps, user, *numbers):
    """`None` for one that was trained here."""
    is_uploaded = None not in numbers
    machine = apps.get_model("models", "Machine").objects.create(
        machine_name="Old", machine_owner_user=user, machine_is_uploaded_model=is_uploaded
    )
    about = {"framework": "pytorch", "file_name": "m.pt", "size_bytes": 1, "served": "native", "state": "ready"}
    for number in numbers if is_uploaded else ():
        apps.get_model("models", "ModelVersion").objects.create(
            machine=machine, number=number, report={"why_native": "It cannot, by 100 %."}, **about
        )
    return machine
