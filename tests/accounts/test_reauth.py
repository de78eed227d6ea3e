"""Before what matters the password is asked for once more, and what was typed goes on after it."""

import time

import pytest
from django.core import mail

from models import AuditEntry
from tests.accounts.codes import code_of, turn_on, wrong
from tests.conftest import proved
from tests.factories import PASSWORD

AGAIN = "/accounts/reauthenticate/"
GUARDED = [
    ("post", "/accounts/email/", {"email": "new@example.org", "change": ""}),
    ("get", "/accounts/2fa/totp/activate/", {}),
    ("post", "/accounts/2fa/recovery-codes/generate/", {}),
    ("post", "/accounts/export/", {}),
    ("get", "/accounts/export/file/", {}),
    ("post", "/accounts/delete/", {"email": "alice@example.org"}),
]


@pytest.fixture
def client(client, alice):
    client.force_login(alice)
    return client


@pytest.mark.parametrize(("method", "path", "typed"), GUARDED)
def test_it_is_asked_for(client, alice, method, path, typed):
    response = getattr(client, method)(path, typed)
    assert response["Location"].startswith(f"{AGAIN}?next=")
    assert type(alice).objects.filter(pk=alice.pk).exists()
    assert not mail.outbox
    assert not AuditEntry.objects.exists()


def test_what_was_typed_goes_on(client, alice):
    step = client.post("/accounts/email/", {"email": "new@example.org", "change": ""})
    page = client.get(step["Location"])
    assert "Is it you?" in page.content.decode()
    client.post(AGAIN, {"password": PASSWORD, "next": "/accounts/email/"})
    assert [message.to for message in mail.outbox] == [["new@example.org"]]


def test_a_wrong_password_lets_nothing_through(client, alice):
    client.post("/accounts/email/", {"email": "new@example.org", "change": ""})
    page = client.post(AGAIN, {"password": "guess", "next": "/accounts/email/"}).content.decode()
    assert "This is not your password." in page
    assert not mail.outbox
    assert [entry.action for entry in AuditEntry.objects.all()] == ["account.sign_in_failed"]


def test_it_counts_for_five_minutes(client, monkeypatch):
    proved(client)
    assert client.get("/accounts/2fa/totp/activate/").status_code == 200
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 301)
    assert client.get("/accounts/2fa/totp/activate/").status_code == 302


def test_a_code_does_as_well(client):
    secret, _codes = turn_on(proved(client))
    session = client.session
    del session["account_authentication_methods"]
    session.save()
    page = client.get(f"{AGAIN}?next=/accounts/data/").content.decode()
    assert "Use a code of your app instead" in page
    step = "/accounts/2fa/reauthenticate/"
    assert "Use your password instead" in client.get(step).content.decode()
    assert client.post(step, {"code": wrong(code_of(secret))}).status_code == 200
    assert client.post(step, {"code": code_of(secret), "next": "/accounts/data/"})["Location"] == "/accounts/data/"
    assert client.get("/accounts/2fa/recovery-codes/").status_code == 200


def test_guesses_are_limited(client):
    answers = [client.post(AGAIN, {"password": "guess"}) for _ in range(12)]
    assert answers[-1].status_code == 429
    assert AuditEntry.objects.count() == 5
