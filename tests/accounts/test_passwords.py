"""Passwords forgotten and changed."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from accounts.services.keys import key_make
from models import ApiKey
from tests.accounts.conftest import signed_in_as
from tests.conftest import proved, signed_in
from tests.factories import PASSWORD

NEW = "another quiet sentence"


def link_in(message):
    return re.search(r"https?://[^/]+(/accounts/\S+)", message.body)[1]


def ask_for_link(visitor, email):
    return visitor.post("/accounts/password/reset/", {"email": email})


def test_a_forgotten_password_is_replaced_by_mail(visitor, sign_in, alice):
    assert ask_for_link(visitor, alice.email)["Location"] == "/accounts/password/reset/done/"
    assert (mail.outbox[0].to, mail.outbox[0].subject) == ([alice.email], "A new password")
    form = visitor.get(link_in(mail.outbox[0]), follow=True)
    assert visitor.post(form.request["PATH_INFO"], {"password1": NEW}).status_code == 302
    sign_in(alice.email, NEW)
    assert signed_in_as(visitor) == str(alice.pk)


def test_a_link_works_once(visitor, alice):
    ask_for_link(visitor, alice.email)
    form = visitor.get(link_in(mail.outbox[0]), follow=True)
    visitor.post(form.request["PATH_INFO"], {"password1": NEW})
    assert "no longer works" in Client().get(link_in(mail.outbox[0]), follow=True).content.decode()


def test_nobody_learns_who_has_an_account(visitor, alice):
    known, unknown = ask_for_link(visitor, alice.email), ask_for_link(visitor, "nobody@example.org")
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert [message.to for message in mail.outbox] == [[alice.email], ["nobody@example.org"]]
    assert "no account with this address" in mail.outbox[1].subject


def test_a_changed_password_ends_the_other_sessions(alice):
    here, there = Client(), Client()
    for client in (here, there):
        client.force_login(alice)
    response = here.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": NEW})
    assert response["Location"] == "/accounts/security/"
    assert here.get("/accounts/profile/").status_code == 200
    assert there.get("/accounts/profile/").status_code == 302


def test_a_password_is_changed_by_who_knows_it(alice, client):
    client.force_login(alice)
    page = client.post("/accounts/password/change/", {"oldpassword": "guess", "password1": NEW}).content.decode()
    assert "This is not your current password." in page
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def reset(visitor, email):
    ask_for_link(visitor, email)
    form = visitor.get(link_in(mail.outbox[-1]), follow=True)
    assert visitor.post(form.request["PATH_INFO"], {"password1": NEW}).status_code == 302


def test_who_made_an_account_with_anothers_address_keeps_no_way_in(visitor, alice):
    """Its owner takes it over by a new password: neither a key nor an address asked for before brings them back."""
    key, _secret = key_make(user=alice, team=None, name="trap", scopes=["read"], lasts=None)
    maker = signed_in(alice)
    proved(maker).post("/accounts/email/", {"email": "mallory@example.org", "change": ""})
    trap = link_in(mail.outbox[-1])
    reset(visitor, alice.email)
    Client().post(trap)
    alice.refresh_from_db()
    key.refresh_from_db()
    assert alice.email == "alice@example.org"
    assert key.revoked_at


def test_keys_of_a_proved_account_outlive_a_forgotten_password(visitor, alice):
    EmailAddress.objects.create(user=alice, email=alice.email, verified=True, primary=True)
    key, _secret = key_make(user=alice, team=None, name="nightly", scopes=["read"], lasts=None)
    reset(visitor, alice.email)
    assert ApiKey.objects.usable().filter(pk=key.pk).exists()


@pytest.mark.parametrize(
    ("backend", "said"), [("console", "no mail server"), ("smtp", "a message is on its way")], ids=["console", "smtp"]
)
def test_who_asks_for_a_new_one_is_told_where_the_link_is(visitor, settings, backend, said):
    settings.EMAIL_BACKEND = f"django.core.mail.backends.{backend}.EmailBackend"
    assert said in visitor.get("/accounts/password/reset/done/").content.decode()
