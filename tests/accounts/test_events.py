"""What is noted of signing in, and what is told by e-mail."""

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection
from django.test.utils import CaptureQueriesContext

from models import AuditEntry
from tests.accounts.test_passwords import ask_for_link, link_in
from tests.conftest import proved
from tests.factories import PASSWORD

NEW = "another quiet sentence"
ACTIVITY = "/accounts/activity/"


class MailServerAway(BaseEmailBackend):
    def send_messages(self, messages):
        raise ConnectionRefusedError("nobody there")


def noted(**kwargs):
    return list(AuditEntry.objects.filter(**kwargs).order_by("pk").values_list("action", flat=True))


def change_password(client, **kwargs):
    return client.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": NEW}, **kwargs)


def test_it_works(visitor, sign_in, alice):
    sign_in(alice.email)
    change_password(visitor)
    visitor.post("/accounts/logout/")
    assert noted(actor=alice) == ["account.signed_in", "account.password_changed", "account.signed_out"]
    assert {entry.ip for entry in AuditEntry.objects.all()} == {"127.0.0.1"}
    assert {entry.actor_name for entry in AuditEntry.objects.all()} == {alice.email}


def test_a_new_account_is_noted(visitor):
    visitor.post("/accounts/signup/", {"email": "new@example.org", "password1": PASSWORD})
    assert noted(actor_name="new@example.org") == ["account.signed_up", "account.signed_in"]


def test_who_could_not_sign_in_is_noted_without_what_they_typed(sign_in, alice):
    sign_in(alice.email, "my-secret-guess")
    sign_in("nobody@example.org", "my-secret-guess")
    known, unknown = AuditEntry.objects.order_by("pk")
    assert (known.actor, known.action) == (alice, "account.sign_in_failed")
    assert (unknown.actor, unknown.actor_name) == (None, "")
    for entry in (known, unknown):
        assert entry.details == {}
        assert not any(typed in str(vars(entry)) for typed in ("my-secret-guess", "nobody@example.org"))


def test_guessing_does_not_fill_the_log(sign_in, alice):
    for _ in range(20):
        sign_in(alice.email, "wrong")
    assert len(noted()) == 5


def test_a_forgotten_password_is_noted_and_ends_every_session(visitor, client, alice):
    client.post("/accounts/login/", {"login": alice.email, "password": PASSWORD})
    ask_for_link(visitor, alice.email)
    form = visitor.get(link_in(mail.outbox[0]), follow=True)
    visitor.post(form.request["PATH_INFO"], {"password1": NEW})
    assert noted(actor=alice)[-2:] == ["account.password_changed", "account.session_ended"]
    assert mail.outbox[-1].subject == "Your password is new"
    assert client.get(ACTIVITY).status_code == 302


def test_a_changed_address_is_noted_and_told_to_the_old_one(client, alice):
    client.force_login(alice)
    proved(client).post("/accounts/email/", {"email": "new@example.org", "change": ""})
    client.post(link_in(mail.outbox[0]))
    entry = AuditEntry.objects.get(action="account.email_changed")
    assert entry.details == {"old": "alice@example.org", "new": "new@example.org"}
    assert mail.outbox[1].to == ["alice@example.org"]
    assert "you sign in with new@example.org" in mail.outbox[1].body


def test_confirming_the_first_address_is_no_change(client, alice):
    client.force_login(alice)
    client.post("/accounts/email/", {"again": ""})
    client.post(link_in(mail.outbox[0]))
    assert EmailAddress.objects.get(user=alice).verified
    assert noted() == []
    assert len(mail.outbox) == 1


def test_a_mail_says_when_from_where_and_what_to_do(client, alice):
    client.force_login(alice)
    change_password(client, headers={"User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/140.0"})
    body = mail.outbox[0].body
    assert mail.outbox[0].to == [alice.email]
    assert "From: 127.0.0.1, Firefox on Linux" in body
    assert "UTC" in body
    assert "If it was not you" in body


def test_a_mail_server_that_is_away_stops_nothing(client, alice, settings):
    settings.EMAIL_BACKEND = "tests.accounts.test_events.MailServerAway"
    client.force_login(alice)
    page = change_password(client, follow=True).content.decode()
    assert "Your password is changed." in page
    assert "could not send" not in page
    alice.refresh_from_db()
    assert alice.check_password(NEW)


def test_a_person_sees_what_they_did(client, alice, bob):
    AuditEntry.objects.create(actor=bob, action="account.signed_in", actor_name=bob.email)
    AuditEntry.objects.create(actor=alice, action="access.denied", object_name="Secret machine")
    client.post("/accounts/login/", {"login": alice.email, "password": PASSWORD})
    for path in (ACTIVITY, "/accounts/security/"):
        page = client.get(path).content.decode()
        assert page.count("Signed in") == 1
        assert "Secret machine" not in page  # they must not learn that it exists


def test_a_team_is_named_once(client, alice):
    AuditEntry.objects.create(actor=alice, action="team.created", object_name="Ward 3", team_name="Ward 3")
    client.force_login(alice)
    page = client.get(ACTIVITY).content.decode()
    assert '<span class="sub">Ward 3</span>' in page


def test_it_is_told_page_by_page(client, alice, django_assert_num_queries):
    client.force_login(alice)
    entry = {"actor": alice, "actor_name": alice.email, "action": "account.signed_in"}
    AuditEntry.objects.create(**entry)
    with CaptureQueriesContext(connection) as few:
        client.get(ACTIVITY)
    AuditEntry.objects.bulk_create([AuditEntry(**entry) for _ in range(119)])
    with django_assert_num_queries(len(few)):
        page = client.get(ACTIVITY).content.decode()
    assert page.count("Signed in") == 50
    assert "Page 1 of 3" in page


@pytest.mark.parametrize("path", [ACTIVITY, "/accounts/security/"])
def test_a_visitor_must_sign_in(visitor, path):
    assert visitor.get(path)["Location"] == f"/accounts/login/?next={path}"
