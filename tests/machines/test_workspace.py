"""The workspace: whose machines a person looks at, chosen in the navigation."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from models import Team
from tests.factories import make_machine, make_team


@pytest.fixture
def machines(alice, bob, team):
    """One of Alice alone, one of Bob in their team, one in a team of Alice's own."""
    other = make_team(admin=alice, name="Clinic")
    make_machine(owner=alice, machine_name="Alone")
    make_machine(owner=bob, team=team, machine_name="Shared")
    make_machine(owner=alice, team=other, machine_name="Clinical")
    return {"team": team, "other": other}


def switch(client, key, **more):
    return client.post("/teams/switch/", {"workspace": key, **more})


def shown(client, path):
    page = client.get(path).content.decode()
    return {name for name in ("Alone", "Shared", "Clinical") if f">{name}<" in page}


@pytest.mark.parametrize("path", ["/", "/machines/"])
def test_it_works(alice_client, machines, path):
    assert shown(alice_client, path) == {"Alone", "Shared", "Clinical"}
    switch(alice_client, machines["team"].pk)
    assert shown(alice_client, path) == {"Shared"}
    switch(alice_client, "mine")
    assert shown(alice_client, path) == {"Alone", "Clinical"}
    switch(alice_client, "all")
    assert shown(alice_client, path) == {"Alone", "Shared", "Clinical"}


def test_the_navigation_says_which_one_is_on(alice_client, machines):
    switch(alice_client, machines["other"].pk)
    page = alice_client.get("/accounts/profile/").content.decode()
    assert f'<option value="{machines["other"].pk}" selected>Clinic</option>' in page
    assert page.count(" selected>Clinic<") == 1


def test_who_is_in_no_team_has_nothing_to_switch(charlie_client):
    assert "/teams/switch/" not in charlie_client.get("/").content.decode()


@pytest.mark.parametrize("key", ["{strange}", "99999999", "nonsense", "", "a\0b"])
def test_nobody_switches_to_what_is_not_theirs(bob_client, machines, key):
    switch(bob_client, machines["team"].pk)
    answer = switch(bob_client, key.format(strange=machines["other"].pk))
    assert answer.status_code == 302
    assert "workspace" not in bob_client.session
    assert "Clinic" not in bob_client.get("/machines/").content.decode()
    assert shown(bob_client, "/machines/") == {"Shared"}


def test_a_team_one_is_no_longer_in_falls_back_to_everything(bob_client, bob, machines):
    switch(bob_client, machines["team"].pk)
    make_machine(owner=bob, machine_name="Alone")
    machines["team"].remove_user_from_team(bob)
    assert shown(bob_client, "/machines/") == {"Alone"}
    Team.objects.all().delete()
    assert bob_client.get("/").status_code == 200


@pytest.mark.parametrize(
    ("goal", "led_to"),
    [
        ("/machines/?q=a", "/machines/?q=a"),
        ("https://evil.example.org/", "/"),
        ("//evil.example.org", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_one_comes_back_to_where_one_was(alice_client, machines, goal, led_to):
    assert switch(alice_client, "mine", next=goal)["Location"] == led_to


def test_looking_does_not_switch(alice_client, machines):
    assert alice_client.get("/teams/switch/", {"workspace": "mine"}).status_code == 405
    assert "workspace" not in alice_client.session


def test_a_visitor_switches_nothing(db):
    answer = Client().post("/teams/switch/", {"workspace": "mine"})
    assert answer["Location"].startswith("/accounts/login/")


def test_a_forged_form_switches_nothing(alice, machines):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert switch(client, "mine").status_code == 403


@pytest.mark.parametrize("path", ["/", "/machines/"])
def test_an_empty_workspace_says_whose_it_is(alice, alice_client, machines, path):
    empty = make_team(admin=alice, name="Nothing yet")
    switch(alice_client, empty.pk)
    page = alice_client.get(path).content.decode()
    assert "No machine in “Nothing yet” yet" in page and "Show all machines" in page


# Search


@pytest.mark.parametrize(
    ("text", "found"), [("clin", {"Clinical"}), ("ALONE", {"Alone"}), ("a l", {"Alone", "Clinical"}), ("%", set())]
)
def test_machines_can_be_searched(alice_client, machines, text, found):
    page = alice_client.get("/machines/", {"q": text}).content.decode()
    assert {name for name in ("Alone", "Shared", "Clinical") if f">{name}<" in page} == found


def test_a_search_finds_nothing_of_strangers(charlie_client, machines):
    page = charlie_client.get("/machines/", {"q": "Alone"}).content.decode()
    assert "No machine has this in its name." in page


# The price of the navigation

OWN_TEAMS = 'SELECT "models_team"."id", "models_team"."name" FROM'


def asked(client, path):
    with CaptureQueriesContext(connection) as captured:
        client.get(path)
    return [query["sql"] for query in captured]


@pytest.mark.parametrize("path", ["/accounts/profile/", "/", "/machines/"])
def test_the_navigation_costs_one_query_whatever_is_chosen(alice_client, machines, path):
    before = asked(alice_client, path)
    assert sum(sql.startswith(OWN_TEAMS) for sql in before) == 1
    switch(alice_client, machines["team"].pk)
    after = asked(alice_client, path)
    assert sum(sql.startswith(OWN_TEAMS) for sql in after) == 1
    assert len(after) == len(before)


@pytest.mark.parametrize("path", ["/no-such-page/", "/teams/99999999/"])
def test_pages_without_it_do_not_read_teams(alice_client, machines, path):
    assert not any(sql.startswith(OWN_TEAMS) for sql in asked(alice_client, path))
