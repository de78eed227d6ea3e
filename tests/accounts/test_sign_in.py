"""Signing in and out."""

import pytest

from tests.accounts.conftest import signed_in_as
from tests.factories import PASSWORD

URL = "/accounts/login/"
ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "javascript:alert(1)",
    "http:///evil.example",
]


def test_it_works(visitor, sign_in, alice):
    response = sign_in("ALICE@example.org")
    assert (response.status_code, response["Location"]) == (302, "/")
    assert signed_in_as(visitor) == str(alice.pk)


def test_a_wrong_password_keeps_the_address(visitor, sign_in, alice):
    response = sign_in(alice.email, "wrong")
    page = response.content.decode()
    assert response.status_code == 200
    assert f'value="{alice.email}"' in page
    assert "do not belong together" in page
    assert 'value="wrong"' not in page
    assert not signed_in_as(visitor)


def test_an_unknown_address_gets_the_same_answer(sign_in, alice):
    known, unknown = sign_in(alice.email, "wrong"), sign_in("nobody@example.org", "wrong")
    assert known.status_code == unknown.status_code
    assert known.context["form"].errors == unknown.context["form"].errors


def test_a_closed_account_cannot_sign_in(visitor, sign_in, alice):
    alice.is_active = False
    alice.save()
    sign_in(alice.email)
    assert not signed_in_as(visitor)


def test_the_session_gets_a_new_id(visitor, sign_in, alice):
    visitor.get(URL)
    session = visitor.session
    session["basket"] = 1
    session.save()
    visitor.cookies["session"] = before = session.session_key
    sign_in(alice.email)
    assert visitor.session.session_key != before
    assert signed_in_as(visitor)


def test_it_leads_where_one_wanted_to_go(sign_in, alice):
    assert sign_in(alice.email, next="/accounts/profile/")["Location"] == "/accounts/profile/"


@pytest.mark.parametrize("target", ELSEWHERE)
def test_it_never_leads_elsewhere(sign_in, alice, target):
    assert sign_in(alice.email, next=target)["Location"] == "/"


@pytest.mark.parametrize("target", ELSEWHERE)
@pytest.mark.parametrize("path", [URL, "/accounts/signup/"])
def test_the_pages_do_not_carry_a_link_elsewhere(visitor, tags, path, target):
    found = [values for tag, values in tags(visitor.get(path, {"next": target})) if tag in ("a", "form", "link")]
    assert not [values for values in found if "evil" in f"{values.get('href')} {values.get('action')}"]


def test_signing_up_instead_keeps_where_one_wanted_to_go(visitor, tags):
    links = [values.get("href") for tag, values in tags(visitor.get(URL, {"next": "/accounts/profile/"})) if tag == "a"]
    assert "/accounts/signup/?next=%2Faccounts%2Fprofile%2F" in links


@pytest.mark.parametrize("path", [URL, "/accounts/signup/"])
def test_who_is_signed_in_is_led_on(alice, client, path):
    client.force_login(alice)
    assert client.get(path)["Location"] == "/"


def test_too_many_attempts_have_to_wait(sign_in, alice):
    for _ in range(6):
        response = sign_in(alice.email, "wrong")
    assert "Too many attempts" in response.content.decode()
    assert "Too many attempts" in sign_in(alice.email).content.decode()


def test_too_many_requests_meet_a_page(visitor, settings, tags):
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/m/ip"}
    visitor.post(URL)
    response = visitor.post(URL)
    assert response.status_code == 429
    assert "A little slower" in response.content.decode()


def test_signing_out_asks_first(alice, client):
    client.force_login(alice)
    assert client.get("/accounts/logout/").status_code == 200
    assert signed_in_as(client)
    assert client.post("/accounts/logout/").status_code == 302
    assert not signed_in_as(client)


def test_the_administration_has_no_door_of_its_own(visitor, alice):
    assert visitor.get("/admin/login/")["Location"].startswith(URL)
    visitor.post("/admin/login/", {"username": alice.email, "password": PASSWORD})
    assert not signed_in_as(visitor)
