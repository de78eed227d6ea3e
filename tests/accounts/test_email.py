"""The e-mail address: changed, confirmed, kept."""

import pytest
from django.core import mail

from models import User
from tests.accounts.test_passwords import link_in
from tests.conftest import proved
from tests.factories import PASSWORD, make_user

URL = "/accounts/email/"
NEW = "new@example.org"


@pytest.fixture
def client(client, alice):
    client.force_login(alice)
    return proved(client)


def change(client, email=NEW):
    return client.post(URL, {"email": email, "change": ""}, follow=True)


def address_of(user):
    return User.objects.get(pk=user.pk).email


def test_it_works(client, visitor, alice):
    page = change(client, "New@Example.org").content.decode()
    assert "We sent a link to new@example.org" in page
    assert "<strong>new@example.org</strong> is not confirmed yet." in page
    assert address_of(alice) == "alice@example.org"
    client.post(link_in(mail.outbox[0]))
    assert address_of(alice) == NEW
    assert (mail.outbox[1].to, mail.outbox[1].subject) == (["alice@example.org"], "Your e-mail address is changed")
    assert [each.email for each in alice.emailaddress_set.filter(primary=True, verified=True)] == [NEW]
    visitor.post("/accounts/login/", {"login": NEW, "password": PASSWORD})
    assert "is not confirmed yet" not in visitor.get(URL).content.decode()


def test_until_then_the_old_one_counts(client, visitor, alice):
    change(client)
    change(client, "newer@example.org")
    visitor.post("/accounts/login/", {"login": alice.email, "password": PASSWORD})
    assert visitor.session["_auth_user_id"] == str(alice.pk)
    assert {each.email for each in alice.emailaddress_set.all()} == {alice.email, "newer@example.org"}


def test_a_change_can_be_taken_back(client, alice):
    change(client)
    client.post(URL, {"keep": ""})
    client.post(link_in(mail.outbox[0]))
    assert address_of(alice) == "alice@example.org"
    assert [each.email for each in alice.emailaddress_set.all()] == ["alice@example.org"]


def test_the_current_address_can_be_confirmed(client, alice):
    assert "is not confirmed yet" in client.get(URL).content.decode()
    client.post(URL, {"again": ""})
    client.post(link_in(mail.outbox[0]))
    assert alice.emailaddress_set.get().verified
    client.post(URL, {"again": ""})
    assert len(mail.outbox) == 1


def test_a_link_is_not_sent_twice_in_three_minutes(client):
    change(client)
    assert "Wait three minutes" in client.post(URL, {"again": ""}, follow=True).content.decode()
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("typed", ["", "nonsense", "ALICE@example.org", "a@b.org\nBcc: c@d.org", "x" * 250 + "@b.org"])
def test_what_cannot_be_an_address_is_refused(client, alice, typed):
    response = client.post(URL, {"email": typed, "change": ""})
    assert response.context["form"].errors
    assert not mail.outbox


def test_an_address_of_somebody_else_cannot_be_had_and_nobody_learns_of_them(client, alice, bob):
    taken, free = change(client, bob.email).content.decode(), change(client).content.decode()
    assert [message.to for message in mail.outbox] == [[bob.email], [NEW]]
    assert mail.outbox[0].subject == "You have an account already"
    assert "wanted to use this address" in mail.outbox[0].body, "true of whoever signs up and of whoever changes"
    assert taken.count(bob.email) == free.count(NEW)
    assert (address_of(alice), address_of(bob)) == ("alice@example.org", "bob@example.org")


def test_an_address_taken_meanwhile_cannot_be_confirmed(client, alice):
    change(client)
    make_user(email=NEW)
    assert client.post(link_in(mail.outbox[0])).status_code in (200, 302)
    assert "confirmed already, by another account" in client.get(URL).content.decode()
    assert address_of(alice) == "alice@example.org"


def test_looking_changes_nothing(client, alice):
    for _ in range(2):
        assert "alice@example.org</strong> is not confirmed yet" in client.get(URL).content.decode()
    assert not alice.emailaddress_set.exists()


def test_allauths_own_actions_do_nothing(client, alice, bob):
    change(client, bob.email)
    for action in ("action_primary", "action_remove", "action_add", "action_send"):
        client.post(URL, {"email": bob.email, action: ""})
        client.post(URL, {"email": alice.email, action: ""})
    assert address_of(alice) == "alice@example.org"


def test_the_person_must_be_signed_in(visitor):
    assert visitor.get(URL)["Location"] == f"/accounts/login/?next={URL}"
