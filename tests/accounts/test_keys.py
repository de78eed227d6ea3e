"""API keys of a person and of a team: made, shown once, listed, revoked."""

import logging
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from models import ApiKey, AuditEntry, Team
from models.access import Role
from models.audit import AuditAction
from tests.api.conftest import make_key
from tests.factories import PASSWORD, make_machine, make_team, make_user

OWN = "/accounts/keys/"
SENT = {"name": "nightly report", "scopes": ["read", "predict"], "days": "90"}
SECRET = re.compile(r"eaml_[\w-]{43}")


@pytest.fixture
def client(client, alice):
    """Alice's browser, in which she has just signed in."""
    return just_signed_in(client, alice)


def just_signed_in(client, user):
    """Sign in and type the password once more, as before a change that matters."""
    client.force_login(user)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client


def of_team(team):
    return f"/teams/{team.pk}/keys/"


def secrets_in(response):
    return set(SECRET.findall(response.content.decode()))


def test_it_works(client, alice):
    make_machine(owner=alice)
    response = client.post(OWN, SENT)
    (secret,) = secrets_in(response)
    key = ApiKey.objects.get()
    assert (key.user, key.team, key.name, key.scopes) == (alice, None, "nightly report", ["predict", "read"])
    assert abs(key.expires_at - timezone.now() - timedelta(days=90)) < timedelta(minutes=1)
    assert secret.startswith(key.start)
    answer = Client(headers={"Authorization": f"Bearer {secret}"}).get("/api/machines/")
    assert answer.status_code == 200 and len(answer.json()) == 1
    page = client.get(OWN).content.decode()
    assert "nightly report" in page and key.start in page and "Look at machines and models" in page and "active" in page


def test_the_person_must_be_signed_in(visitor):
    assert visitor.get(OWN)["Location"] == f"/accounts/login/?next={OWN}"
    assert visitor.post(OWN, SENT)["Location"] == f"/accounts/login/?next={OWN}"


def test_nobody_has_a_key_at_first(client):
    page = client.get(OWN)
    assert page.status_code == 200 and "The first key" in page.content.decode()


# The secret


def test_the_secret_is_shown_once_and_kept_nowhere(client, caplog):
    with caplog.at_level(logging.DEBUG):
        response = client.post(OWN, SENT)
    (secret,) = secrets_in(response)
    assert "no-store" in response["Cache-Control"]
    assert "Location" not in response
    assert secret not in caplog.text
    assert secret not in str(dict(client.session)) and secret not in str(client.cookies)
    assert secret not in str(list(ApiKey.objects.values())) + str(list(AuditEntry.objects.values()))
    assert not secrets_in(client.get(OWN))


def test_sending_the_page_again_makes_no_second_key(client):
    client.post(OWN, SENT)
    again = client.post(OWN, SENT)
    assert not secrets_in(again) and ApiKey.objects.count() == 1
    assert "There is a working key of this name." in again.content.decode()


def test_a_name_is_free_again_when_its_key_works_no_more(client):
    client.post(OWN, SENT)
    ApiKey.objects.get().revoke()
    assert secrets_in(client.post(OWN, SENT))


def test_making_one_takes_the_password(alice):
    client = Client()
    client.force_login(alice)
    assert client.get(OWN).status_code == 200
    asked = client.post(OWN, SENT)
    assert asked.status_code == 302 and asked["Location"].startswith("/accounts/reauthenticate/")
    assert not ApiKey.objects.exists()
    goes_on = client.post(asked["Location"], {"password": PASSWORD})
    assert len(secrets_in(goes_on)) == 1 and "no-store" in goes_on["Cache-Control"]
    assert ApiKey.objects.get().name == "nightly report"


def test_a_wrong_password_makes_none(alice):
    client = Client()
    client.force_login(alice)
    asked = client.post(OWN, SENT)
    assert not secrets_in(client.post(asked["Location"], {"password": "not it"}))
    assert not ApiKey.objects.exists()


# What is typed


@pytest.mark.parametrize(("days", "lasts"), [("30", 30), ("90", 90), ("365", 365), ("0", None)])
def test_when_it_ends(client, days, lasts):
    client.post(OWN, SENT | {"days": days})
    ends = ApiKey.objects.get().expires_at
    assert (ends is None) is (lasts is None)
    assert lasts is None or abs(ends - timezone.now() - timedelta(days=lasts)) < timedelta(minutes=1)


def test_what_is_chosen_at_first(client):
    page = client.get(OWN).content.decode()
    checked = re.findall(r'<input type="checkbox"[^>]*value="(\w+)"[^>]*checked', page)
    assert checked == ["read", "predict"]
    assert re.search(r'<option value="90" selected', page)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": ""}, "Give it a name"),
        ({"name": "   "}, "Give it a name"),
        ({"name": "x" * 201}, "at most 200"),
        ({"name": "a\0b"}, "Null characters"),
        ({"scopes": []}, "Choose at least one"),
        ({"scopes": ["read", "everything"]}, "everything"),
        ({"days": "9999"}, "9999"),
        ({"days": ""}, "required"),
        ({"days": "-1"}, "-1"),
    ],
)
def test_what_cannot_be(client, wrong, said):
    response = client.post(OWN, SENT | wrong)
    assert response.status_code == 200 and said in response.content.decode()
    assert not ApiKey.objects.exists() and not secrets_in(response)


def test_what_was_typed_is_kept(client):
    page = client.post(OWN, {"name": "<b>report</b>", "scopes": ["write"], "days": "1"}).content.decode()
    assert 'value="&lt;b&gt;report&lt;/b&gt;"' in page and "<b>report" not in page
    assert re.findall(r'<input type="checkbox"[^>]*value="(\w+)"[^>]*checked', page) == ["write"]


def test_no_other_field_is_taken(client, bob, team):
    others = {"user": bob.pk, "team": team.pk, "start": "eaml_mine", "key_hash": "0" * 64, "revoked_at": "2020-01-01"}
    client.post(OWN, SENT | others)
    key = ApiKey.objects.get()
    assert key.user != bob and key.team is None and key.revoked_at is None and key.start != "eaml_mine"


# Revoking


def test_revoking(client, alice):
    program = make_key(alice)
    shown = client.post(f"{OWN}{program.key.pk}/revoke/", follow=True)
    assert shown.redirect_chain == [(OWN, 302)]
    assert "is revoked" in shown.content.decode()
    assert program.get("machines/").status_code == 401
    assert 'class="tag">revoked' in shown.content.decode()


def test_revoking_twice_is_noted_once(client, alice):
    key = make_key(alice).key
    for _ in range(2):
        assert client.post(f"{OWN}{key.pk}/revoke/").status_code == 302
    assert AuditEntry.objects.filter(action=AuditAction.KEY_REVOKED).count() == 1


def test_looking_revokes_nothing(client, alice):
    key = make_key(alice).key
    assert client.get(f"{OWN}{key.pk}/revoke/").status_code == 405
    assert ApiKey.objects.usable().exists()


def test_the_key_of_another_is_not_there(client, bob, team):
    others = [make_key(bob), make_key(bob, team)]
    nowhere = client.post(f"{OWN}999999/revoke/")
    for program in others:
        response = client.post(f"{OWN}{program.key.pk}/revoke/")
        assert response.status_code == 404 and strip(response) == strip(nowhere)
    assert ApiKey.objects.filter(revoked_at=None).count() == 2
    page = client.get(OWN).content.decode()
    assert [program.key.start in page for program in others] == [False, False]


def strip(response):
    return re.sub(r'X-CSRFToken": "\w+|csrfmiddlewaretoken" value="\w+', "", response.content.decode())


def test_both_are_in_the_log(client, alice):
    client.post(OWN, SENT)
    client.post(f"{OWN}{ApiKey.objects.get().pk}/revoke/")
    made, revoked = AuditEntry.objects.filter(action__startswith="key.").order_by("pk")
    assert (made.action, made.actor, made.details) == (AuditAction.KEY_MADE, alice, {"scopes": ["predict", "read"]})
    assert (revoked.action, revoked.object_id) == (AuditAction.KEY_REVOKED, made.object_id)


# The list


def test_states(client, alice):
    for name, ends in (("working", None), ("over", timedelta(0))):
        make_key(alice, ends=ends, name=name)
    make_key(alice, name="gone").key.revoke()
    page = client.get(OWN).content.decode()
    assert re.findall(r'class="tag[^"]*">(\w+)<', page) == ["revoked", "expired", "active"]
    assert page.count(">Revoke<") == 2


def test_when_and_from_where_it_was_used(client, alice):
    make_key(alice).get("machines/", REMOTE_ADDR="192.0.2.7")
    assert "192.0.2.7" in client.get(OWN).content.decode()


def test_queries_do_not_grow_with_the_list(client, alice, team, bob):
    def queries(address):
        client.get(address)
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address).status_code == 200
        return len(asked)

    team.memberships.filter(user=bob).update(role=Role.ADMIN)
    addresses = (OWN, of_team(team))
    make_key(alice), make_key(bob, team)
    few = [queries(address) for address in addresses]
    for number in range(40):
        make_key(alice, name=f"own {number}"), make_key(bob, team, name=f"team {number}")
    assert [queries(address) for address in addresses] == few
    page = client.get(OWN, {"page": 2}).content.decode()
    assert "Page 2 of 2" in page and page.count("eaml_") == 17 + page.count("Bearer")


# A team's keys


def test_a_teams_key(client, alice, team):
    make_machine(owner=alice, team=team, machine_name="Shared")
    make_machine(owner=alice, machine_name="Own")
    response = client.post(of_team(team), SENT)
    (secret,) = secrets_in(response)
    assert ApiKey.objects.get().team == team
    told = Client(headers={"Authorization": f"Bearer {secret}"}).get("/api/machines/").json()
    assert [machine["name"] for machine in told] == ["Shared"]
    assert AuditEntry.objects.get(action=AuditAction.KEY_MADE).team == team
    assert secret[:11] in client.get(of_team(team)).content.decode()
    assert secret[:11] not in client.get(OWN).content.decode(), "it is the team's, not hers"


@pytest.mark.parametrize(("role", "status"), [(Role.VIEWER, 403), (Role.EDITOR, 403), (Role.ADMIN, 200)])
def test_admins_only(client, bob, team, role, status):
    team.memberships.filter(user=bob).update(role=role)
    just_signed_in(client, bob)
    key = make_key(team.admin_user, team).key
    assert client.get(of_team(team)).status_code == status
    assert client.post(of_team(team), SENT).status_code == status
    assert bool(ApiKey.objects.filter(user=bob).exists()) is (status == 200)
    assert client.post(f"{of_team(team)}{key.pk}/revoke/").status_code == (302 if status == 200 else 403)
    assert ApiKey.objects.filter(pk=key.pk, revoked_at=None).exists() is (status == 403)


def test_not_for_strangers(client, charlie, team, alice):
    just_signed_in(client, charlie)
    key = make_key(alice, team).key
    nowhere = client.get("/teams/999999/keys/")
    for response in (client.get(of_team(team)), client.post(of_team(team), SENT)):
        assert response.status_code == nowhere.status_code == 404
    assert client.post(f"{of_team(team)}{key.pk}/revoke/").status_code == 404
    assert not key.revoked_at


def test_a_stranger_learns_nothing_before_the_password(charlie, team):
    client = Client()
    client.force_login(charlie)
    assert client.post(of_team(team), SENT).status_code == 404


def test_the_key_of_another_team_is_not_revoked_here(client, alice, team):
    other: Team = make_team(admin=alice)
    key = make_key(alice, other).key
    assert client.post(f"{of_team(team)}{key.pk}/revoke/").status_code == 404
    assert client.post(f"{OWN}{key.pk}/revoke/").status_code == 404


def test_a_key_sleeps_while_its_maker_is_no_admin(client, bob, team):
    program = make_key(bob, team)
    page = client.get(of_team(team)).content.decode()
    assert "asleep" in page and "its maker is no admin" in page
    assert program.get("machines/").status_code == 401
    team.memberships.filter(user=bob).update(role=Role.ADMIN)
    assert "asleep" not in client.get(of_team(team)).content.decode()
    assert program.get("machines/").status_code == 200


def test_too_many_at_once(client):
    codes = [client.post(OWN, SENT | {"name": f"key {number}"}).status_code for number in range(21)]
    assert codes[:20] == [200] * 20 and codes[20] == 429


def test_somebody_who_was_deleted_leaves_no_key(db):
    person = make_user()
    program = make_key(person)
    person.delete()
    assert program.get("machines/").status_code == 401 and not ApiKey.objects.exists()
