"""Passwords forgotten and changed."""

import re

from django.core import mail
from django.test import Client

from tests.accounts.conftest import signed_in_as
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
