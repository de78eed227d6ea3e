"""Who gets in: a key that works, in the header and nowhere else; what it reaches, and when it stops."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from models import ApiKey, AuditEntry
from models.access import Action, Role
from models.audit import AuditAction
from tests.api.conftest import EVERY_SCOPE, Program, error_of, make_key
from tests.conftest import signed_in
from tests.factories import make_machine

ROW = {"size": 41.5}


def test_it_works(program, machine):
    response = program.get("machines/")
    assert response.status_code == 200
    assert [item["id"] for item in response.json()] == [machine.pk]
    assert "sessionid" not in response.cookies and not response.cookies
    assert response["Cache-Control"] == "no-store, private"


def refused(response):
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="EasyAutoML"'
    return error_of(response)["code"]


@pytest.mark.parametrize("header", ["", "Basic YWxpY2U6cHc=", "eaml_secret", "Token eaml_secret"])
def test_without_a_key(machine, header):
    client = Client(headers={"Authorization": header} if header else {})
    assert refused(client.get("/api/machines/")) == "not_authenticated"


@pytest.mark.parametrize("given", ["", "wrong", "eaml_wrong", "a b", "\u00fc\u00fc", "x" * 5000, "\0"])
def test_a_wrong_key(machine, given):
    response = Client().get("/api/machines/", HTTP_AUTHORIZATION=f"Bearer {given}")
    assert refused(response) == "authentication_failed"


@pytest.mark.parametrize("name", ["key", "api_key", "token", "access_token", "Authorization"])
def test_a_key_in_the_address_is_ignored(program, machine, name):
    assert refused(Client().get("/api/machines/", {name: program.secret})) == "not_authenticated"


def test_being_signed_in_is_not_enough(alice, machine):
    assert refused(signed_in(alice).get("/api/machines/")) == "not_authenticated"


def test_who_is_signed_in_beside_the_key_does_not_matter(program, machine, charlie):
    program.client.force_login(charlie)
    assert [item["id"] for item in program.get("machines/").json()] == [machine.pk]


def test_an_expired_key(alice, machine):
    key = make_key(alice, ends=timedelta(minutes=1))
    assert key.get("machines/").status_code == 200
    ApiKey.objects.update(expires_at=timezone.now())
    assert refused(key.get("machines/")) == "authentication_failed"


def test_a_revoked_key(program, machine):
    program.key.revoke()
    assert refused(program.get("machines/")) == "authentication_failed"


def test_the_key_of_somebody_who_may_not_sign_in(program, alice, machine):
    alice.is_active = False
    alice.save()
    assert refused(program.get("machines/")) == "authentication_failed"


def test_all_reasons_read_the_same(alice):
    expired, revoked, never = make_key(alice, ends=timedelta(0)), make_key(alice), Program("eaml_never")
    revoked.key.revoke()
    assert len({key.get("machines/").content for key in (expired, revoked, never)}) == 1


# What a person's key reaches


def test_a_persons_key_acts_as_that_person(of_bob, shared, machine, alice):
    own = make_machine(owner=alice)
    assert [item["id"] for item in of_bob().get("machines/").json()] == [shared.pk]
    assert of_bob().get(f"machines/{own.pk}/").status_code == 404


def test_nothing_of_others(charlie, shared):
    key = make_key(charlie)
    assert key.get("machines/").json() == []
    nowhere = key.get("machines/999999/")
    for response in (
        key.get(f"machines/{shared.pk}/"),
        key.ask(shared, ROW),
        key.get(f"machines/{shared.pk}/download/"),
    ):
        assert response.status_code == 404 and response.content == nowhere.content
    assert error_of(nowhere) == {
        "code": "not_found",
        "message": "There is nothing here, or it is not yours.",
        "fields": {},
    }


def test_a_role_that_is_too_low_is_told_why(of_bob, shared, team, bob):
    team.memberships.filter(user=bob).update(role=Role.VIEWER)
    response = of_bob().ask(shared, ROW)
    assert response.status_code == 403
    assert error_of(response)["code"] == "permission_denied"
    assert "Bob is Viewer in “Alice and Bob”" in error_of(response)["message"]


def test_a_removed_member_is_out_at_the_next_call(of_bob, shared, team, bob):
    key = of_bob()
    assert key.ask(shared, ROW).status_code == 200
    team.remove_user_from_team(bob)
    assert key.ask(shared, ROW).status_code == 404
    assert key.get(f"machines/{shared.pk}/download/").status_code == 404
    assert key.get("machines/").json() == []


def test_what_was_refused_is_in_the_log(charlie, shared):
    key = make_key(charlie)
    key.get(f"machines/{shared.pk}/")
    entry = AuditEntry.objects.get(action=AuditAction.DENIED)
    assert (entry.actor, entry.object_id, entry.team_id) == (charlie, str(shared.pk), shared.machine_owner_team_id)
    assert entry.details == {"wanted": Action.SEE, "key": key.key.start}
    assert key.secret not in str(entry.__dict__)
    key.get("machines/999999/")
    assert AuditEntry.objects.count() == 1


# What a team's key reaches


@pytest.fixture
def of_team(bob, team):
    """A key that Bob made for the team, as its admin."""
    team.memberships.filter(user=bob).update(role=Role.ADMIN)
    return make_key(bob, team)


def test_a_teams_key_reaches_the_teams_machines_only(of_team, shared, bob, alice):
    others = [make_machine(owner=bob), make_machine(owner=alice)]
    assert [item["id"] for item in of_team.get("machines/").json()] == [shared.pk]
    assert of_team.ask(shared, ROW).status_code == 200
    assert [of_team.get(f"machines/{machine.pk}/").status_code for machine in others] == [404, 404]


def test_it_stops_when_its_maker_is_no_admin_any_more(of_team, shared, team, bob):
    assert of_team.get("machines/").status_code == 200
    team.memberships.filter(user=bob).update(role=Role.EDITOR)
    assert refused(of_team.get("machines/")) == "authentication_failed"


def test_it_stops_when_its_maker_is_removed(of_team, shared, team, bob):
    team.remove_user_from_team(bob)
    assert refused(of_team.ask(shared, ROW)) == "authentication_failed"


def test_the_owners_works_without_a_membership(alice, shared, team):
    team.memberships.filter(user=alice).delete()
    assert make_key(alice, team).get(f"machines/{shared.pk}/").status_code == 200


def test_one_made_by_an_administrator_of_the_site_works(dana, shared, team):
    assert make_key(dana, team).get(f"machines/{shared.pk}/").status_code == 200


# Scopes


@pytest.mark.parametrize(
    "scopes", [["read"], ["predict"], ["write"], [], ["read", "predict"], ["read", "write"]], ids="+".join
)
def test_a_key_does_no_more_than_its_scopes(alice, machine, scopes):
    key = make_key(alice, scopes=scopes)
    expected = {scope: 200 if scope in scopes else 403 for scope in EVERY_SCOPE}
    assert key.get("machines/").status_code == key.get(f"machines/{machine.pk}/").status_code == expected["read"]
    assert key.get(f"machines/{machine.pk}/download/").status_code == expected["write"]
    assert key.ask(machine, ROW).status_code == expected["predict"]


def test_a_missing_scope_is_named_whether_or_not_the_machine_exists(alice, machine):
    key = make_key(alice, scopes=["read"])
    response = key.ask(machine, ROW)
    assert error_of(response)["code"] == "scope"
    assert (
        error_of(response)["message"]
        == "This key is not for this: it takes the scope “predict” (Ask machines and models)."
    )
    assert key.post("machines/999999/predict/", {"rows": []}).content == response.content


# Last use


def test_the_last_use_is_noted_once_a_minute(program, machine, django_assert_num_queries):
    program.get("machines/", REMOTE_ADDR="192.0.2.7")
    program.key.refresh_from_db()
    first = program.key.last_used_at
    assert first is not None and program.key.last_used_ip == "192.0.2.7"
    program.get("machines/")
    program.key.refresh_from_db()
    assert program.key.last_used_at == first
    ApiKey.objects.update(last_used_at=first - timedelta(seconds=61))
    program.get("machines/", REMOTE_ADDR="192.0.2.8")
    program.key.refresh_from_db()
    assert program.key.last_used_at > first - timedelta(seconds=61) and program.key.last_used_ip == "192.0.2.8"


def test_a_refused_key_is_not_used(program):
    program.key.revoke()
    program.get("machines/")
    program.key.refresh_from_db()
    assert program.key.last_used_at is None


# Limits


def test_a_key_that_asks_too_often_waits(program, machine, monkeypatch):
    monkeypatch.setattr("api.throttling.CALLS", {"predict": 3, "other": 2})
    assert [program.get("machines/").status_code for _ in range(2)] == [200, 200]
    late = program.get("machines/")
    assert late.status_code == 429 and error_of(late)["code"] == "throttled"
    assert 0 < int(late["Retry-After"]) <= 60
    assert program.ask(machine, ROW).status_code == 200, "asking has a limit of its own"
    assert make_key(program.key.user).get("machines/").status_code == 200, "so has another key"


def test_guessing_keys_is_slowed_down_and_a_good_key_is_not(program, machine):
    wrong = Program("eaml_guess")
    codes = [wrong.get("machines/").status_code for _ in range(25)]
    assert codes[:20] == [401] * 20 and set(codes[20:]) == {429}
    assert 0 < int(wrong.get("machines/")["Retry-After"]) <= 60
    assert program.get("machines/").status_code == 200


def test_the_limits_are_those_of_the_manual():
    from api.throttling import CALLS

    assert CALLS == {"predict": 600, "upload": 30, "other": 120}
