"""A team with 1,000 members and 10,000 machines asks the database as often as one with three of each."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from models import AuditEntry, Machine, Membership, User
from models.access import Role
from models.audit import AuditAction
from tests.factories import make_machine, make_team, make_user

MEMBERS, MACHINES = 1_000, 10_000
PATHS = ["/teams/", "/teams/{pk}/", "/teams/{pk}/?q=nurse", "/teams/{pk}/settings/", "/teams/{pk}/transfer/"]
PATHS += ["/teams/{pk}/log/", "/teams/{pk}/log.csv", "/machines/", "/machines/?q=Machine", "/"]


def grow(team, members, machines):
    """Bring the team to so many members and machines, each with an entry in the log."""
    users = User.objects.bulk_create(
        User(email=f"nurse{members}-{number}@example.org", password="!") for number in range(members)
    )
    Membership.objects.bulk_create(Membership(team=team, user=user, role=Role.PREDICTOR) for user in users)
    owners = [users[number % len(users)] for number in range(machines)]
    Machine.objects.bulk_create(
        [
            Machine(machine_name=f"Machine {number}", machine_owner_user=owner, machine_owner_team=team)
            for number, owner in enumerate(owners)
        ],
        batch_size=100,
    )
    AuditEntry.objects.bulk_create(
        AuditEntry(action=AuditAction.MEMBER_JOINED, actor=user, team=team, actor_name=user.email) for user in users
    )


def queries(client, path):
    with CaptureQueriesContext(
        connection,
    ) as captured:
        response = client.get(path)
        assert response.status_code == 200
        if response.streaming:
            b"".join(response.streaming_content)
    return len(captured)


@pytest.fixture
def team(alice):
    return make_team(admin=alice, name="Hospital")


def test_pages_of_a_large_team_keep_their_number_of_queries(alice_client, alice, team):
    grow(team, 3, 3)
    for path in PATHS:
        alice_client.get(path.format(pk=team.pk))  # what is looked up once a process
    small = {path: queries(alice_client, path.format(pk=team.pk)) for path in PATHS}
    grow(team, MEMBERS, MACHINES)
    large = {path: queries(alice_client, path.format(pk=team.pk)) for path in PATHS}
    assert large == small
    assert max(small.values()) <= 12


def test_many_teams_are_listed_with_as_many_queries_as_one(alice_client, alice, team):
    make_machine(owner=make_user(), team=team)
    alice_client.get("/teams/")
    one = queries(alice_client, "/teams/")
    for number in range(60):
        make_team(make_user(), admin=alice, name=f"Ward {number}")
    assert queries(alice_client, "/teams/") == one
