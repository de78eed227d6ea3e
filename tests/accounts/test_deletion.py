"""The end of an account."""

import threading

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connections

from accounts.services.account import AccountKeptError, account_delete
from machines import storage
from machines.jobs.folders import folder_of
from machines.jobs.runner import work_run
from models import ApiKey, AuditEntry, Credit, Invite, Machine, Team, User, Work
from models.audit import AuditAction, record
from tests.accounts.conftest import signed_in_as
from tests.accounts.exports import make_whole_machine
from tests.accounts.test_sessions import browser, is_in
from tests.conftest import proved
from tests.factories import make_admin, make_credit, make_machine, make_team, make_user, make_work

URL = "/accounts/delete/"


@pytest.fixture
def client(client, alice):
    client.force_login(alice)
    return proved(client)


def delete(client, email="alice@example.org", **kwargs):
    return client.post(URL, {"email": email}, **kwargs)


def is_here(user):
    return User.objects.filter(pk=user.pk).exists()


def test_it_works(client, alice):
    machine = make_whole_machine(alice)
    folder = storage.absolute(machine.source_path).parent
    response = delete(client, "Alice@Example.org ", follow=True)
    assert response.redirect_chain == [("/accounts/deleted/", 302)]
    assert "Your account is deleted" in response.content.decode()
    assert not signed_in_as(client)
    assert not is_here(alice)
    assert not Machine.objects.exists()
    assert not folder.exists()
    assert [(message.to, message.subject) for message in mail.outbox] == [
        (["alice@example.org"], "Your account is deleted")
    ]
    assert "tell whoever runs the site" in mail.outbox[0].body


def test_the_page_says_what_will_happen(client, alice, bob):
    make_machine(owner=alice)
    make_machine(owner=alice, team=make_team(alice, admin=bob))
    make_team(admin=alice, name="Just me")
    User.objects.filter(pk=alice.pk).update(user_balance=12.5)
    page = client.get(URL).content.decode()
    assert "1 machine of yours" in page
    assert "1 machine that you share in somebody else’s team" in page
    assert "Just me" in page
    assert "12,50 USD" in page
    assert "keeps your e-mail address" in page
    assert is_here(alice)


def test_a_team_with_others_comes_first(client, alice, bob):
    team = make_team(bob, admin=alice, name="Alice and Bob")
    page = client.get(URL).content.decode()
    assert f'href="/teams/{team.pk}/transfer/"' in page
    assert f'href="/teams/{team.pk}/delete/"' in page
    assert "Delete for good" not in page
    delete(client)
    assert is_here(alice)
    team.remove_user_from_team(bob)
    delete(client)
    assert not is_here(alice)
    assert not Team.objects.exists()


def test_what_is_shared_in_anothers_team_stays_there(client, alice, bob):
    team = make_team(alice, admin=bob)
    machine = make_whole_machine(alice, team=team)
    delete(client)
    machine.refresh_from_db()
    assert machine.machine_owner_user == bob
    assert storage.absolute(machine.source_path).exists()


def test_nothing_of_others_is_touched(client, alice, bob):
    his, team = make_machine(owner=bob), make_team(admin=bob)
    delete(client)
    assert Machine.objects.get() == his
    assert Team.objects.get() == team
    assert is_here(bob)


def test_sessions_keys_invitations_and_trainings_end(client, alice, bob):
    there = browser(alice)
    team = make_team(alice, admin=bob)
    key = ApiKey(user=alice, name="Script")
    key.make_secret()
    key.save()
    Invite.objects.create(team=team, invited_by=alice)
    work = make_work(make_machine(owner=alice, status="training"), user=alice)
    delete(client)
    assert not is_in(there)
    assert not ApiKey.objects.exists() and not Invite.objects.exists()
    assert not Work.objects.get(pk=work.pk).is_active


@pytest.mark.parametrize("until", ["asked for", "begun", "done"])
def test_the_file_with_own_data_goes(client, alice, until, django_capture_on_commit_callbacks):
    client.post("/accounts/export/")
    work = Work.objects.get()
    if until == "begun":
        work.start()
        (folder_of(work) / "facts-1").mkdir()
    elif until == "done":
        work_run(work_id=work.pk)
        assert next(storage.absolute("works").rglob("*.zip"))
    with django_capture_on_commit_callbacks(execute=True):
        delete(client)
    assert not is_here(alice) and not list(storage.absolute("works").glob("*"))
    work_run(work_id=work.pk)
    work.refresh_from_db()
    assert not work.is_active and not list(storage.absolute("works").glob("*"))


def test_history_stays(client, alice):
    record(AuditAction.SIGNED_IN, actor=alice)
    make_credit(user=alice)
    delete(client)
    assert [(entry.actor, entry.actor_name, entry.action) for entry in AuditEntry.objects.order_by("pk")] == [
        (None, "alice@example.org", "account.signed_in"),
        (None, "alice@example.org", "account.deleted"),
    ]
    assert Credit.objects.get().user is None


@pytest.mark.parametrize("typed", ["", "bob@example.org", "alice@example.or"])
def test_the_address_must_be_typed(client, alice, typed):
    response = delete(client, typed)
    assert response.context["form"].errors
    assert is_here(alice)


def test_the_only_administrator_stays(client, dana):
    client.force_login(dana)
    page = delete(proved(client), dana.email).content.decode()
    assert "only administrator" in page
    assert is_here(dana)
    make_admin()
    delete(client, dana.email)
    assert not is_here(dana)


def test_a_machine_that_is_being_read_keeps_the_account(client, alice, monkeypatch):
    from models import MachineTableLockWrite

    machine = make_whole_machine(alice)
    hold = MachineTableLockWrite.objects.hold
    monkeypatch.setattr(MachineTableLockWrite.objects, "hold", lambda name, **_options: hold(name, wait_seconds=0.1))
    with hold(f"machine-{machine.pk}", stale_seconds=60):
        page = delete(client, follow=True).content.decode()
    assert "Try again in a minute" in page
    assert is_here(alice)
    assert Machine.objects.exists()


def test_a_mail_server_that_is_away_stops_nothing(client, alice, settings):
    settings.EMAIL_BACKEND = "tests.accounts.test_events.MailServerAway"
    assert delete(client)["Location"] == "/accounts/deleted/"
    assert not is_here(alice)


def test_the_address_is_free_again(client, alice):
    delete(client)
    assert make_user(email="alice@example.org").pk != alice.pk


def test_a_visitor_must_sign_in(visitor):
    assert visitor.get(URL)["Location"] == f"/accounts/login/?next={URL}"


@pytest.mark.django_db(transaction=True)
def test_two_last_administrators_cannot_both_go(dana):
    people, kept = [dana, make_admin(email="drew@example.org")], []
    ready = threading.Barrier(2)

    def go(person):
        try:
            ready.wait()
            account_delete(user=person)
        except AccountKeptError:
            kept.append(person)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=go, args=[person]) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kept) == User.objects.filter(is_super_admin=True).count() == 1


def test_who_runs_the_site_can_do_it(alice, bob, team, capsys):
    machine = make_whole_machine(bob)
    call_command("account_delete", bob.email.upper())
    assert "is deleted" in capsys.readouterr().out
    assert not is_here(bob) and not Machine.objects.filter(pk=machine.pk).exists()
    team.add_user_to_team(make_user())
    for email, said in ((alice.email, "own teams with other people: “Alice and Bob”"), (bob.email, "Nobody signs in")):
        with pytest.raises(CommandError, match=said):
            call_command("account_delete", email)
    assert is_here(alice)
