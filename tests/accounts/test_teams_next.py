"""What a team still needs, and the way to its machines."""

import pytest

from tests.factories import make_machine, make_team

pytestmark = pytest.mark.django_db


def test_a_new_team_says_what_comes_next(charlie_client, charlie):
    team = make_team(admin=charlie)
    page = charlie_client.get(f"/teams/{team.pk}/").content.decode()
    assert "What next?" in page
    assert f'<a href="/teams/{team.pk}/invites/">Invite people</a>' in page
    assert '<a href="/machines/new/">Make a new one</a>' in page


def test_who_can_put_no_machine_there_is_not_sent_to_make_one(bob_client, team):
    page = bob_client.get(f"/teams/{team.pk}/").content.decode()
    assert "No machine is shared here yet." in page and "What next?" not in page


def test_a_team_leads_to_its_machines(alice_client, alice, team):
    make_machine(owner=alice, team=team, machine_name="Theirs")
    make_machine(owner=alice, machine_name="Mine alone")
    page = alice_client.get(f"/teams/{team.pk}/").content.decode()
    assert "Show its machines" in page and "What next?" not in page
    sent = {"workspace": str(team.pk), "next": "/machines/"}
    page = alice_client.post("/teams/switch/", sent, follow=True).content.decode()
    assert "Theirs" in page and "Mine alone" not in page
