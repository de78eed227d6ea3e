"""Making an account."""

import re

import pytest
from django.core import mail

from config.formats import Formats
from models import User
from tests.accounts.conftest import signed_in_as

URL = "/accounts/signup/"
EVE = {"email": "Eve@Example.org", "password1": "a quiet sentence"}
MANDATORY, OPTIONAL = "mandatory", "optional"


@pytest.fixture
def verification(settings):
    def be(value):
        settings.ACCOUNT_EMAIL_VERIFICATION = value

    be("none")
    return be


def link_in(message):
    return re.search(r"https?://[^/]+(/accounts/\S+)", message.body)[1]


def test_it_works(visitor, verification):
    response = visitor.post(URL, EVE | {"name": "Eve Marie Adams"})
    assert (response.status_code, response["Location"]) == (302, "/")
    eve = User.objects.get()
    assert (eve.email, eve.first_name, eve.last_name) == ("eve@example.org", "Eve", "Marie Adams")
    assert eve.check_password(EVE["password1"])
    assert signed_in_as(visitor) == str(eve.pk)
    assert not mail.outbox


def test_a_name_is_optional(visitor, verification):
    visitor.post(URL, EVE)
    eve = User.objects.get()
    assert (eve.first_name, eve.last_name, eve.get_full_name()) == (None, None, "eve")


@pytest.mark.parametrize(
    ("language", "formats"), [("en-US", Formats("12H", "MDY", "/", " ", ".")), ("de", Formats(date_separator="."))]
)
def test_the_browser_suggests_the_formats(visitor, verification, language, formats):
    visitor.post(URL, EVE, headers={"Accept-Language": language})
    assert User.objects.get().formats == formats


@pytest.mark.parametrize("password", ["short", "password", "12345678", "eve@example.org"])
def test_a_weak_password_is_refused_and_the_rest_is_kept(visitor, verification, password):
    response = visitor.post(URL, EVE | {"password1": password, "name": "Eve Adams"})
    assert response.status_code == 200
    assert response.context["form"].errors.keys() == {"password1"}
    page = response.content.decode()
    assert 'value="Eve@Example.org"' in page
    assert 'value="Eve Adams"' in page
    assert not User.objects.exists()


def test_privileges_cannot_be_typed_in(visitor, verification):
    visitor.post(URL, EVE | {"is_staff": "on", "is_superuser": "on", "is_super_admin": "on", "user_balance": "1000"})
    eve = User.objects.get()
    assert not (eve.is_staff or eve.is_superuser or eve.is_super_admin or eve.user_balance)


def test_confirming_the_address_can_wait(visitor, verification):
    verification(OPTIONAL)
    visitor.post(URL, EVE)
    assert signed_in_as(visitor)
    page = visitor.get(link_in(mail.outbox[0]))
    assert "eve@example.org" in page.content.decode()
    assert visitor.post(link_in(mail.outbox[0])).status_code == 302
    assert User.objects.get().emailaddress_set.get().verified


def test_confirming_the_address_can_be_mandatory(visitor, verification, sign_in):
    verification(MANDATORY)
    assert visitor.post(URL, EVE)["Location"] == "/accounts/confirm-email/"
    assert not signed_in_as(visitor)
    sign_in(EVE["email"], EVE["password1"])
    assert not signed_in_as(visitor)
    visitor.post(link_in(mail.outbox[0]))
    sign_in(EVE["email"], EVE["password1"])
    assert signed_in_as(visitor)


def test_nobody_learns_who_has_an_account_where_addresses_are_confirmed(visitor, verification, alice):
    verification(MANDATORY)
    taken = visitor.post(URL, EVE | {"email": alice.email})
    assert (taken.status_code, taken["Location"]) == (302, "/accounts/confirm-email/")
    assert User.objects.count() == 1
    assert mail.outbox[0].to == [alice.email]
    assert mail.outbox[0].subject == "You have an account already"


def test_without_confirmation_a_taken_address_is_said(visitor, verification, alice):
    response = visitor.post(URL, EVE | {"email": "ALICE@example.org"})
    assert "Sign in, or reset its password" in response.content.decode()
    assert User.objects.count() == 1


def test_mail_that_cannot_be_sent_costs_nobody_their_account(visitor, verification, settings, monkeypatch):
    def refuse(*args, **kwargs):
        raise ConnectionRefusedError

    verification(OPTIONAL)
    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", refuse)
    response = visitor.post(URL, EVE)
    assert response.status_code == 302
    assert signed_in_as(visitor)


def test_mail_is_plain_text_in_words_of_our_own(visitor, verification):
    verification(OPTIONAL)
    visitor.post(URL, EVE)
    message = mail.outbox[0]
    assert message.subject == "Welcome. Is this your e-mail address?"
    assert not message.alternatives
    assert "&" not in message.body
    assert "EasyAutoML" in message.body
