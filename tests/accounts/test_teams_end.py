"""Teams: removing somebody, leaving, passing on, deleting."""

import threading

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connections, transaction

from accounts.services import teams as services
from models import ApiKey, AuditEntry, Invite, Machine, Team
from models.access import Action, Role
from models.audit import AuditAction
from tests.conftest import signed_in
from tests.factories import PASSWORD, make_machine, make_user


@pytest.fixture
def admin(team):
    person = make_user(email="ann@example.org", first_name="Ann")
    team.add_user_to_team(person, Role.ADMIN)
    return person


def make_key(user, team=None):
    key = ApiKey(user=user, team=team, name="Nightly", scopes=["read"])
    key.make_secret()
    key.save()
    return key


def sure(client):
    """Type the password once more, as the page asks before what cannot be undone."""
    assert client.post("/accounts/reauthenticate/", {"password": PASSWORD}).status_code == 302
    return client


def last(action):
    return AuditEntry.objects.filter(action=action).first()


# Remove


def test_removing_says_what_happens_and_does_it(alice, alice_client, admin, team):
    shared, own = make_machine(owner=admin, team=team), make_machine(owner=admin)
    invite, key = Invite.objects.create(team=team, invited_by=admin), make_key(admin, team)
    own_key = make_key(admin)
    url = f"/teams/{team.pk}/members/{admin.pk}/remove/"
    page = alice_client.get(url).content.decode()
    for said in ("1 machine they shared stays", "1 open invitation they made ends", "1 API key of the team they made"):
        assert said in page
    assert team.role_of(admin) is Role.ADMIN, "looking removes nobody"
    answer = alice_client.post(url, follow=True)
    assert "Ann is no longer in the team." in answer.content.decode()
    assert team.role_of(admin) is None
    shared.refresh_from_db(), own.refresh_from_db()
    assert (shared.machine_owner_user, shared.machine_owner_team, own.machine_owner_user) == (alice, team, admin)
    for row in (invite, key, own_key):
        row.refresh_from_db()
    assert invite.revoked_at and key.revoked_at and own_key.revoked_at is None
    entry = last(AuditAction.MEMBER_REMOVED)
    assert (entry.actor, entry.object_name) == (alice, "ann@example.org")
    assert entry.details == {"role": "admin", "machines": 1, "invites": 1, "keys": 1}


def test_who_is_removed_is_out_at_the_next_request(alice_client, admin, alice, team):
    machine, client = make_machine(owner=alice, team=team), signed_in(admin)
    pages = [f"/teams/{team.pk}/", f"/teams/{team.pk}/log.csv", f"/machines/{machine.pk}/training/"]
    assert [client.get(path).status_code for path in pages] == [200, 200, 200]
    alice_client.post(f"/teams/{team.pk}/members/{admin.pk}/remove/")
    assert [client.get(path).status_code for path in pages] == [404, 404, 404]


def test_invitations_stay_dead_when_the_person_comes_back(alice_client, admin, team):
    invite = Invite.objects.create(team=team, invited_by=admin)
    alice_client.post(f"/teams/{team.pk}/members/{admin.pk}/remove/")
    team.add_user_to_team(admin, Role.ADMIN)
    assert not Invite.objects.usable().filter(pk=invite.pk).exists()


def test_nobody_removes_the_owner(admin, alice, team):
    client, url = signed_in(admin), f"/teams/{team.pk}/members/{alice.pk}/remove/"
    assert "The owner stays" in client.get(url).content.decode()
    assert client.post(url).status_code == 403
    assert team.role_of(alice) is Role.OWNER


def test_who_is_not_a_member_cannot_be_removed(alice_client, charlie, team):
    assert alice_client.post(f"/teams/{team.pk}/members/{charlie.pk}/remove/").status_code == 404
    assert last(AuditAction.MEMBER_REMOVED) is None


def test_a_service_asks_again_who_may(admin, alice, bob, team):
    """Between the page and the click Ann was demoted."""
    team.memberships.filter(user=admin).update(role=Role.VIEWER)
    with pytest.raises(PermissionDenied, match="takes Admin"):
        services.member_remove(team=team, person=bob, by=admin)
    with pytest.raises(PermissionDenied, match="takes Admin"):
        services.role_change(team=team, person=bob, role=Role.EDITOR, by=admin)
    with pytest.raises(PermissionDenied, match="takes Admin"):
        services.team_rename(team=team, name="Mine", by=admin)
    with pytest.raises(PermissionDenied, match="for the owner only"):
        services.team_transfer(team=team, to=bob, by=admin)
    with pytest.raises(PermissionDenied, match="for the owner only"):
        services.team_delete(team=team, by=admin)
    with pytest.raises(PermissionDenied, match="one owner"):
        services.role_change(team=team, person=bob, role=Role.OWNER, by=alice)
    assert team.role_of(bob) is Role.PREDICTOR


# Leave


def test_a_member_can_leave(bob_client, bob, alice, team):
    machine = make_machine(owner=bob, team=team)
    assert "1 machine you shared stays" in bob_client.get(f"/teams/{team.pk}/leave/").content.decode()
    answer = bob_client.post(f"/teams/{team.pk}/leave/", follow=True)
    assert "You have left “Alice and Bob”." in answer.content.decode()
    machine.refresh_from_db()
    assert (team.role_of(bob), machine.machine_owner_user) == (None, alice)
    assert (last(AuditAction.MEMBER_LEFT).actor, last(AuditAction.MEMBER_LEFT).team) == (bob, team)


def test_the_owner_cannot_leave(alice_client, alice, team):
    assert "Pass it on to somebody first." in alice_client.get(f"/teams/{team.pk}/leave/").content.decode()
    answer = alice_client.post(f"/teams/{team.pk}/leave/")
    assert answer.status_code == 403 and "Pass it on to somebody first." in answer.content.decode()
    assert team.role_of(alice) is Role.OWNER


# Pass on


def test_the_owner_passes_the_team_on(alice_client, alice, bob, team):
    machine = make_machine(owner=alice, team=team)
    data = {"to": bob.pk, "sure": "on"}
    answer = sure(alice_client).post(f"/teams/{team.pk}/transfer/", data, follow=True)
    assert "Bob owns “Alice and Bob” now." in answer.content.decode()
    team.refresh_from_db(), machine.refresh_from_db()
    assert (team.role_of(bob), team.role_of(alice)) == (Role.OWNER, Role.ADMIN)
    assert (machine.machine_owner_user, machine.machine_owner_team) == (alice, team)
    entry = last(AuditAction.TEAM_TRANSFERRED)
    assert (entry.actor, entry.object_name, entry.details) == (alice, "bob@example.org", {"former": str(alice)})


def test_a_recent_password_is_asked_for_and_then_it_goes_on(alice_client, bob, team):
    url = f"/teams/{team.pk}/transfer/"
    answer = alice_client.post(url, {"to": bob.pk, "sure": "on"})
    assert answer["Location"].startswith("/accounts/reauthenticate/?next=")
    team.refresh_from_db()
    assert team.role_of(bob) is Role.PREDICTOR
    alice_client.post(answer["Location"], {"password": PASSWORD, "next": url})
    team.refresh_from_db()
    assert team.role_of(bob) is Role.OWNER


@pytest.mark.parametrize("to", ["", "x", "alice", "charlie"])
def test_whom_a_team_is_not_passed_to(alice_client, alice, charlie, team, to):
    key = {"alice": alice.pk, "charlie": charlie.pk}.get(to, to)
    answer = sure(alice_client).post(f"/teams/{team.pk}/transfer/", {"to": key, "sure": "on"})
    assert "Please correct this" in answer.content.decode()
    team.refresh_from_db()
    assert team.admin_user == alice


def test_passing_on_must_be_confirmed(alice_client, alice, bob, team):
    answer = sure(alice_client).post(f"/teams/{team.pk}/transfer/", {"to": bob.pk})
    assert "Please correct this" in answer.content.decode()
    team.refresh_from_db()
    assert team.admin_user == alice


def test_only_the_owner_passes_it_on_or_deletes_it(admin, bob, team):
    client = sure(signed_in(admin))
    assert client.post(f"/teams/{team.pk}/transfer/", {"to": admin.pk, "sure": "on"}).status_code == 403
    assert client.post(f"/teams/{team.pk}/delete/", {"name": team.name}).status_code == 403
    stranger = sure(signed_in(make_user()))
    assert stranger.post(f"/teams/{team.pk}/delete/", {"name": team.name}).status_code == 404
    team.refresh_from_db()
    assert team.role_of(admin) is Role.ADMIN


def test_alone_in_a_team_there_is_nobody_to_pass_it_to(alice_client, bob, team):
    team.remove_user_from_team(bob)
    assert "Nobody else is in the team" in alice_client.get(f"/teams/{team.pk}/transfer/").content.decode()


# Delete


def test_a_deleted_team_leaves_everything_else(alice_client, alice, bob, team):
    machine, mine = make_machine(owner=bob, team=team), make_machine(owner=alice, team=team)
    Invite.objects.create(team=team, invited_by=alice)
    make_key(alice, team)
    url = f"/teams/{team.pk}/delete/"
    page = alice_client.get(url).content.decode()
    assert "2 machines go back to their owners" in page and "2 members lose" in page
    answer = sure(alice_client).post(url, {"name": " Alice and Bob "}, follow=True)
    assert "2 machines are with their owners alone now." in answer.content.decode()
    assert not Team.objects.filter(pk=team.pk).exists()
    assert not Invite.objects.exists() and not ApiKey.objects.exists()
    owners = dict(Machine.objects.values_list("pk", "machine_owner_user"))
    assert owners == {machine.pk: bob.pk, mine.pk: alice.pk}
    assert list(Machine.objects.visible_to(alice)) == [mine]
    entry = last(AuditAction.TEAM_DELETED)
    assert (entry.actor, entry.team, entry.team_name) == (alice, None, "Alice and Bob")
    assert entry.details == {"members": 2, "machines": 2}


@pytest.mark.parametrize("name", ["", "alice and bob", "Alice", "yes"])
def test_its_name_must_be_typed(alice_client, team, name):
    answer = sure(alice_client).post(f"/teams/{team.pk}/delete/", {"name": name})
    assert "Please correct this" in answer.content.decode()
    assert Team.objects.filter(pk=team.pk).exists()


def test_deleting_asks_for_the_password_first(alice_client, team):
    answer = alice_client.post(f"/teams/{team.pk}/delete/", {"name": team.name})
    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert Team.objects.filter(pk=team.pk).exists()


def test_what_a_person_may_do_ends_with_the_team(bob_client, alice, bob, team):
    machine = make_machine(owner=alice, team=team)
    services.team_delete(team=team, by=alice)
    assert not Machine.objects.allowing(bob, Action.SEE).filter(pk=machine.pk).exists()
    assert bob_client.get(f"/teams/{team.pk}/").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_who_is_demoted_meanwhile_does_no_more(alice, team, admin):
    """Ann waits for the team while Alice makes her a viewer: what she meets then is her new role."""
    told = []

    def make_herself_admin():
        try:
            services.role_change(team=team, person=admin, role=Role.ADMIN, by=admin)
        except PermissionDenied as refusal:
            told.append(str(refusal))
        finally:
            connections.close_all()

    other = threading.Thread(target=make_herself_admin)
    with transaction.atomic():
        services.role_change(team=team, person=admin, role=Role.VIEWER, by=alice)
        other.start()
        other.join(0.5)
        assert other.is_alive(), "she waits"
    other.join()
    assert told and team.role_of(admin) is Role.VIEWER


@pytest.mark.parametrize("page", ["delete", "leave", "members/{bob}/remove"])
def test_what_does_not_change_is_not_counted(alice_client, bob_client, bob, team, page):
    client = bob_client if page == "leave" else alice_client
    text = client.get(f"/teams/{team.pk}/{page.format(bob=bob.pk)}/").content.decode()
    assert "<li>" in text and "<li>0 " not in text


def test_a_team_without_machines_is_deleted_without_counting_them(alice_client, team):
    answer = sure(alice_client).post(f"/teams/{team.pk}/delete/", {"name": team.name}, follow=True)
    assert "is deleted." in answer.content.decode() and "0 machines" not in answer.content.decode()
