"""The profile: who someone is to others, how numbers and moments look to them."""

from decimal import Decimal

import pytest

from config.formats import Formats
from models import User

URL = "/accounts/profile/"
AMERICA = {
    "decimal_separator": ".",
    "date_format": "MDY",
    "date_separator": "-",
    "datetime_separator": "T",
    "time_format": "12H",
}
TYPED = AMERICA | {"first_name": "Alice", "last_name": "Archer", "user_profile": "I grow tomatoes."}


@pytest.fixture
def client(client, alice):
    client.force_login(alice)
    return client


def test_it_works(client, alice):
    page = client.get(URL).content.decode()
    assert "Alice" in page
    assert "12\u202f345,6" in page
    response = client.post(URL, TYPED, follow=True)
    alice.refresh_from_db()
    assert alice.user_profile == "I grow tomatoes."
    assert alice.formats == Formats("12H", "MDY", "-", "T", ".")
    assert response.redirect_chain == [(URL, 302)]
    page = response.content.decode()
    assert "Saved." in page
    assert "12\u202f345.6" in page
    assert "T2:30\u00a0PM" in page


def test_the_person_must_be_signed_in(visitor):
    assert visitor.get(URL)["Location"] == f"/accounts/login/?next={URL}"


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_a_preview_changes_nothing(client, alice, headers):
    page = client.post(URL, TYPED | {"preview": "1"}, headers=headers).content.decode()
    assert "12\u202f345.6" in page
    assert ("<h1" in page) is not bool(headers)
    alice.refresh_from_db()
    assert alice.formats == Formats()


def test_htmx_gets_the_preview_alone(client):
    page = client.post(URL, TYPED | {"preview": "1"}, headers={"HX-Request": "true"}).content.decode().strip()
    assert page.startswith('<dl class="facts" id="preview">')
    assert page.endswith("</dl>")


def test_enter_saves(client, tags):
    submits = [values for tag, values in tags(client.get(URL)) if tag == "button" and values.get("type") == "submit"]
    in_form = [values for values in submits if "side-link" not in values["class"]]
    assert "name" not in in_form[0]  # the first button of a form is what Enter presses


def test_half_a_form_still_shows_a_preview(client):
    page = client.post(URL, {"preview": "1", "decimal_separator": "."}, headers={"HX-Request": "true"})
    assert "12\u202f345.6" in page.content.decode()


@pytest.mark.parametrize(("field", "value"), [("decimal_separator", ";"), ("date_format", "YDM"), ("time_format", "")])
def test_what_is_not_offered_is_refused(client, alice, field, value):
    response = client.post(URL, TYPED | {field: value})
    assert response.context["form"].errors.keys() == {field}
    alice.refresh_from_db()
    assert alice.formats == Formats()


def test_a_profile_is_short(client):
    assert "2000" in client.post(URL, TYPED | {"user_profile": "x" * 2001}).content.decode()


def test_only_the_profile_can_be_changed(client, alice):
    client.post(URL, TYPED | {"email": "eve@example.org", "is_staff": "on", "user_balance": "1000", "password": "x"})
    alice.refresh_from_db()
    assert (alice.email, alice.is_staff, alice.user_balance) == ("alice@example.org", False, 0)


def test_money_booked_meanwhile_stays(alice):
    from accounts.services.people import profile_save

    alice.first_name = "Alicia"
    User.objects.update(user_balance=Decimal(5))
    profile_save(user=alice, changed=["first_name"])
    alice.refresh_from_db()
    assert (alice.first_name, alice.user_balance) == ("Alicia", 5)


def test_words_are_shown_as_words(client, alice):
    client.post(URL, TYPED | {"first_name": "<script>alert(1)</script>"})
    assert "<script>alert" not in client.get(URL).content.decode()
