"""A machine whose rows can be drawn."""

import pytest

from machines.services.datasets import dataset_upload
from models import Machine, Team, User
from tests.dashboards.large import call_large
from tests.machines.houses import csv_bytes


@pytest.fixture
def houses(alice: User) -> Machine:
    """Alice's table of houses, read by the real child: 200 rows, not trained."""
    alice.decimal_separator = "."
    alice.save()
    return dataset_upload(user=alice, name="Houses", file_name="houses.csv", chunks=[csv_bytes()])


@pytest.fixture
def shared_houses(houses: Machine, team: Team) -> Machine:
    """The same, seen by the whole team."""
    houses.machine_owner_team = team
    houses.save()
    return houses


@pytest.fixture
def large_houses(houses: Machine, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """The same, as if they were too many to be read while somebody waits."""
    call_large(monkeypatch)
    return houses
