"""Every page a person can reach: it renders, has one title and one thing to do."""

import pytest
from django.test import Client

from tests.accounts.test_passwords import link_in
from tests.conftest import proved

OUTSIDE = {
    "/accounts/login/": "Sign in",
    "/accounts/signup/": "Make an account",
    "/accounts/password/reset/": "Forgot your password?",
    "/accounts/password/reset/done/": "A link to choose a new password",
    "/accounts/password/reset/key/done/": "Your password is new",
    "/accounts/password/reset/key/0-nonsense/": "Choose a new password",
    "/accounts/inactive/": "This account is closed",
    "/accounts/deleted/": "Your account is deleted",
    "/accounts/confirm-email/": "Confirm your e-mail address",
    "/accounts/confirm-email/nonsense/": "Confirm your e-mail address",
}
INSIDE = {
    "/accounts/profile/": "Your profile",
    "/accounts/email/": "Your e-mail address",
    "/accounts/password/change/": "Change your password",
    "/accounts/reauthenticate/": "Is it you?",
    "/accounts/logout/": "Sign out?",
    "/accounts/security/": "Security",
    "/accounts/data/": "Your data",
}


def check(response, tags, title):
    page = response.content.decode()
    found = tags(response)
    names = [tag for tag, _ in found]
    assert response.status_code == 200
    assert names.count("h1") == 1
    assert f"<h1>{title}</h1>" in page
    assert f"<title>{title} · EasyAutoML</title>" in page
    assert sum("btn-primary" in (values.get("class") or "") for _, values in found) == 1
    labelled = {values.get("for") for tag, values in found if tag == "label"}
    inputs = [values for tag, values in found if tag in ("input", "select", "textarea")]
    assert all(values["id"] in labelled for values in inputs if values.get("type") != "hidden")
    assert not any(name.startswith("on") or name == "style" for _, values in found for name in values)


@pytest.mark.parametrize(("path", "title"), OUTSIDE.items())
def test_a_visitor(visitor, tags, path, title):
    check(visitor.get(path), tags, title)


@pytest.mark.parametrize(("path", "title"), INSIDE.items())
def test_a_person_signed_in(alice, client, tags, path, title):
    client.force_login(alice)
    check(client.get(path), tags, title)


def test_a_person_without_a_password(alice, client, tags):
    alice.set_unusable_password()
    alice.save()
    client.force_login(alice)
    check(client.get("/accounts/password/set/"), tags, "Choose a password")


def test_a_pending_address(alice, client, tags):
    client.force_login(alice)
    proved(client).post("/accounts/email/", {"email": "new@example.org", "change": ""})
    check(client.get("/accounts/email/"), tags, "Your e-mail address")


def test_the_links_in_mails(alice, visitor, client, tags, mailoutbox):
    visitor.post("/accounts/password/reset/", {"email": alice.email})
    check(visitor.get(link_in(mailoutbox[0]), follow=True), tags, "Choose a new password")
    client.force_login(alice)
    proved(client).post("/accounts/email/", {"email": "new@example.org", "change": ""})
    check(Client().get(link_in(mailoutbox[1])), tags, "Confirm your e-mail address")


def test_a_page_of_the_profile_asks_the_database_little(alice, client, django_assert_max_num_queries):
    client.force_login(alice)
    with django_assert_max_num_queries(4):
        client.get("/accounts/profile/")
