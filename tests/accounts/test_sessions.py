"""Sessions: seen, ended, and ending by themselves."""

import time

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.browsers import browser_of
from accounts.sessions import BEGAN, SEEN
from models import AuditEntry
from tests.accounts.conftest import signed_in_as
from tests.factories import PASSWORD

SECURITY = "/accounts/security/"
DAY = 24 * 3600
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1"


def browser(user, user_agent=FIREFOX):
    """Sign in as a person does, in a browser of their own."""
    client = Client(headers={"User-Agent": user_agent})
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert signed_in_as(client) == str(user.pk)
    return client


def is_in(client):
    return client.get(SECURITY).status_code == 200


def row_of(client):
    return UserSession.objects.get(session_key=client.session.session_key)


def age(client, **seconds):
    session = client.session
    for name, value in seconds.items():
        session[{"began": BEGAN, "seen": SEEN}[name]] = int(time.time()) - value
    session.save()


def test_it_works(alice):
    here, there = browser(alice), browser(alice, SAFARI)
    page = here.get(SECURITY).content.decode()
    assert "Firefox on Linux" in page and "Safari on iPhone" in page and "127.0.0.1" in page
    assert page.count("This one") == 1
    response = here.post(f"/accounts/sessions/{row_of(there).pk}/end/", follow=True)
    assert "That session is ended." in response.content.decode()
    assert is_in(here) and not is_in(there)


def test_all_others_end_at_once(alice, bob):
    here, others, bobs = browser(alice), [browser(alice), browser(alice)], browser(bob)
    assert "2 sessions are ended." in here.post("/accounts/sessions/end/", follow=True).content.decode()
    assert is_in(here) and is_in(bobs)
    assert not any(is_in(other) for other in others)


def test_sessions_of_others_are_neither_seen_nor_ended(alice, bob):
    hers, his = browser(alice), browser(bob, SAFARI)
    assert "Safari" not in hers.get(SECURITY).content.decode()
    assert hers.post(f"/accounts/sessions/{row_of(his).pk}/end/").status_code == 404
    assert hers.post("/accounts/sessions/999999/end/").status_code == 404
    assert is_in(his)


def test_ones_own_session_is_ended_by_signing_out(alice):
    here = browser(alice)
    assert here.post(f"/accounts/sessions/{row_of(here).pk}/end/")["Location"] == "/accounts/logout/"


@pytest.mark.parametrize("path", ["/accounts/sessions/1/end/", "/accounts/sessions/end/"])
def test_a_link_ends_nothing(alice, path):
    assert browser(alice).get(path).status_code == 405


def test_signing_out_kills_the_session(alice):
    here = browser(alice)
    stolen = here.cookies["session"].value
    here.post("/accounts/logout/")
    thief = Client()
    thief.cookies["session"] = stolen
    assert not is_in(thief)
    assert not Session.objects.filter(session_key=stolen).exists()
    assert not UserSession.objects.exists()


def test_a_changed_password_kills_the_others(alice):
    here, there = browser(alice), browser(alice)
    before, other = here.session.session_key, there.session.session_key
    here.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": "another quiet sentence"})
    assert is_in(here) and not is_in(there)
    assert here.session.session_key != before
    assert not Session.objects.filter(session_key__in=[before, other]).exists()
    assert [row.session_key for row in UserSession.objects.all()] == [here.session.session_key]


def test_a_deactivated_person_is_out_at_the_next_click(alice):
    here = browser(alice)
    type(alice).objects.filter(pk=alice.pk).update(is_active=False)
    assert not is_in(here)


def test_after_a_time_without_use_it_ends(alice):
    here = browser(alice)
    age(here, seen=14 * DAY - 60)
    assert is_in(here)
    age(here, seen=14 * DAY + 60)
    response = here.get(SECURITY, follow=True)
    assert response.redirect_chain == [(f"/accounts/login/?next={SECURITY}", 302)]
    assert "You were away for long" in response.content.decode()
    assert not signed_in_as(here)
    assert AuditEntry.objects.filter(actor=alice, action="account.session_ended").count() == 1


def test_it_ends_however_much_it_is_used(alice, settings):
    settings.SESSION_DAYS = 3
    here = browser(alice)
    age(here, began=3 * DAY - 60)
    assert is_in(here)
    age(here, began=3 * DAY + 60)
    assert "more than 3 days ago" in here.get(SECURITY, follow=True).content.decode()
    assert not is_in(here)


def test_a_public_page_goes_on_for_whose_time_is_over(alice):
    here = browser(alice)
    age(here, seen=20 * DAY)
    response = here.get("/")
    assert response.status_code == 200
    assert "You were away for long" in response.content.decode()


def test_use_is_noted_once_an_hour(alice, django_assert_max_num_queries):
    here = browser(alice)
    is_in(here)
    age(here, seen=3700)
    UserSession.objects.update(last_seen_at="2020-01-01T00:00Z")
    assert is_in(here)
    assert time.time() - here.session[SEEN] < 60
    assert row_of(here).last_seen_at.year > 2020
    with django_assert_max_num_queries(12) as asked:
        is_in(here)
    assert asked.captured_queries
    assert all(query["sql"].startswith("SELECT") for query in asked.captured_queries)


def test_many_sessions_take_no_more_queries(alice, django_assert_num_queries):
    here = browser(alice)
    is_in(here)
    with CaptureQueriesContext(connection) as few:
        is_in(here)
    for number in range(30):
        key = f"session{number}"
        Session.objects.create(session_key=key, session_data="", expire_date="2099-01-01T00:00Z")
        UserSession.objects.create(user=alice, ip="127.0.0.1", user_agent=SAFARI, session_key=key)
    with django_assert_num_queries(len(few)):
        assert here.get(SECURITY).content.decode().count("Safari on iPhone") == 60  # in the row and in its button


def test_prune_forgets_what_is_over(alice):
    here, gone = browser(alice), browser(alice)
    Session.objects.filter(session_key=gone.session.session_key).update(expire_date="2020-01-01T00:00Z")
    call_command("prune", verbosity=0)
    assert [row.session_key for row in UserSession.objects.all()] == [here.session.session_key]
    assert Session.objects.count() == 1


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        (SAFARI, "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 15_0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36",
            "Chrome on macOS",
        ),
        ("curl/8.0", "curl"),
        ("", "Unknown browser"),
        ("<script>", "Unknown browser"),
    ],
)
def test_browsers_have_names(user_agent, words):
    assert browser_of(user_agent) == words
