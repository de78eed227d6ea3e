"""Everybody sees their own work with its progress on one page, and can end it there."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from models import AuditEntry, Machine, Work
from models.access import Role
from models.work import WorkState
from tests.conftest import signed_in
from tests.dashboards.test_look import SIZES, look
from tests.dashboards.works import failed, finished, running, tried_again, waiting
from tests.factories import make_work
from tests.machines.views.pages import HTMX, htmx, is_whole, page

pytestmark = pytest.mark.django_db
URL = "/work/"


def test_it_works(alice, alice_client):
    work = running(alice, level=3)
    response = alice_client.get(URL)
    shown = page(response)
    assert is_whole(response)
    assert shown.all("a", href=f"/machines/{work.machine_id}/")
    assert "Diabetes" in shown.text and "Training · level 3" in shown.text and "Running" in shown.text
    assert shown.one("progress")["value"] == "40" and shown.one("progress")["aria-label"] == "Progress of “Diabetes”"
    assert "Training the network, round 12" in shown.text and "about 35 s left" in shown.text


@pytest.mark.parametrize(("size", "words"), [(1, "Answers · 1 row "), (250, "Answers · 250 rows ")])
def test_how_many_rows(alice, alice_client, size, words):
    waiting(alice, is_work_solving=True, is_work_training=False, level=None, size=size)
    assert words in page(alice_client.get(URL)).text


def test_what_is_to_be_finished_says_so(alice, alice_client):
    running(alice).request_finish()
    shown = page(alice_client.get(URL))
    assert "Coming to an end" in shown.text and "left" not in shown.text
    assert "disabled" in shown.one("button", id=f"finish-{Work.objects.get().pk}")


def test_it_is_in_the_navigation_of_everybody_who_is_signed_in(alice_client, db):
    assert '<a href="/work/">Work' in alice_client.get("/").content.decode()
    assert 'href="/work/"' not in Client().get("/").content.decode()
    assert page(alice_client.get(URL)).all("a", href=URL, **{"aria-current": "page"})


def test_what_waits_knows_its_place(alice, bob, alice_client):
    running(bob)  # runs: it is before nobody
    waiting(bob, queue="another")
    waiting(bob), waiting(bob)
    waiting(alice)
    waiting(bob)  # came later
    shown = page(alice_client.get(URL))
    assert "2 before it · usually takes about 10 s" in shown.text and "Waiting" in shown.text
    Work.objects.asked_by(bob).delete()
    assert "next in the queue" in page(alice_client.get(URL)).text


def test_how_it_ended(alice, alice_client):
    done = finished(alice)
    Work.objects.filter(pk=done.pk).update(
        work_started_at_date_time=timezone.now() - timedelta(seconds=62), work_finished_at_date_time=timezone.now()
    )
    failed(alice)
    cancelled = waiting(alice, "Boats")
    cancelled.cancel()
    shown = page(alice_client.get(URL))
    assert "took 1 min" in shown.text and "“risk” is “2,5” in every row." in shown.text and "Cancelled" in shown.text
    assert [a["href"] for a in shown.all("a") if (a.get("id") or "").startswith("result-")] == [
        f"/machines/{done.machine_id}/"
    ]


def test_why_it_is_tried_again(alice, alice_client):
    work = tried_again(alice)
    assert "Trying again (2 of 3): The training stopped with an error of ours." in page(alice_client.get(URL)).text
    work.start()
    work.report(0.2, "…", notice={"template": "Reading the rows", "values": {}, "weight": "info"})
    shown = page(alice_client.get(URL)).text
    assert "Reading the rows" in shown and "Trying again (2 of 3): The training stopped" in shown
    work.finish({})
    assert "Trying again" not in page(alice_client.get(URL)).text


def test_a_worker_that_vanished_is_a_reason_too(alice, alice_client):
    tried_again(alice, notice=None)
    assert "Trying again (2 of 3): The server that did it has stopped." in page(alice_client.get(URL)).text


def test_a_worker_that_hands_back_costs_no_attempt(alice, alice_client):
    work = running(alice)
    work.give_back(is_attempt=False)
    assert "Trying again" not in page(alice_client.get(URL)).text


def test_work_of_a_deleted_machine_keeps_its_name(alice, alice_client):
    Machine.objects.filter(pk=finished(alice, "Old one").machine_id).delete()
    shown = page(alice_client.get(URL))
    assert "Old one" in shown.text and not shown.all("a", **{"class": "btn btn-quiet btn-sm"})


# Whose


def test_mine_and_that_of_my_machines(alice, bob, bob_client, team):
    shared = waiting(alice, "Shared")
    Machine.objects.filter(pk=shared.machine_id).update(machine_owner_team=team)
    waiting(alice, "Private")
    waiting(bob, "Bob's own")
    team.memberships.update(role=Role.EDITOR)
    mine, machines = (page(bob_client.get(URL, query)).text for query in ({}, {"of": "machines"}))
    assert "Bob's own" in mine and "Shared" not in mine
    assert "Bob's own" in machines and "Shared" in machines and "Alice Archer" in machines
    assert "Private" not in mine + machines


def test_it_is_nobody_elses(alice, charlie_client, cara_client):
    waiting(alice, "Secret")
    for client in (charlie_client, cara_client):
        assert "Secret" not in client.get(URL).content.decode() + client.get(f"{URL}?of=machines").content.decode()


def test_who_was_removed_sees_it_no_more(alice, bob, bob_client, team):
    work = waiting(bob, "Shared")
    Machine.objects.filter(pk=work.machine_id).update(machine_owner_user=alice, machine_owner_team=team)
    assert "Shared" in bob_client.get(URL).content.decode()
    team.remove_user_from_team(bob)
    assert "Shared" not in bob_client.get(URL).content.decode()


def test_nothing_yet(alice_client):
    shown = page(alice_client.get(URL))
    assert "Nothing yet" in shown.text and shown.all("a", href="/machines/")
    assert page(alice_client.get(URL, {"of": "machines"})).all("div", id="own-work")


# Ending it


def test_cancel(alice, alice_client):
    work = running(alice)
    response = alice_client.post(f"{URL}{work.pk}/cancel/?of=machines&page=2")
    assert (response.status_code, response["Location"]) == (302, f"{URL}?of=machines&page=2")
    work.refresh_from_db()
    assert work.state is WorkState.CANCELLED and work.told_at is not None, "she knows"
    assert not AuditEntry.objects.filter(action="work.cancelled").exists()


def test_finish_now_is_for_trainings_that_run(alice, alice_client):
    work = running(alice)
    solving = make_work(work.machine, user=alice, is_work_solving=True)
    solving.start()
    late = waiting(alice)
    shown = page(alice_client.get(URL))
    assert [form["action"] for form in shown.all("form") if "finish" in (form.get("action") or "")] == [
        f"{URL}{work.pk}/finish/"
    ]
    for one in (solving, late):
        assert shown.all("form", action=f"{URL}{one.pk}/cancel/")
    assert alice_client.post(f"{URL}{work.pk}/finish/")["Location"] == URL
    work.refresh_from_db()
    assert work.is_finish_requested
    assert "disabled" in page(alice_client.get(URL)).one("button", id=f"finish-{work.pk}")


@pytest.mark.parametrize("verb", ["cancel", "finish"])
def test_what_has_ended_is_no_error(alice, alice_client, verb):
    work = failed(alice)
    response = alice_client.post(f"{URL}{work.pk}/{verb}/", follow=True)
    assert response.status_code == 200 and "It had ended already." in page(response).text
    assert Work.objects.get().state is WorkState.ERROR


def test_a_viewer_is_told_why_not(alice, bob, team):
    work = running(alice)
    Machine.objects.update(machine_owner_team=team)
    team.memberships.filter(user=bob).update(role=Role.VIEWER)
    response = signed_in(bob).post(f"{URL}{work.pk}/cancel/")
    assert response.status_code == 403 and "takes Editor" in response.content.decode()
    assert Work.objects.get().is_active


def test_what_a_colleague_cancels_is_news_and_noted(alice, bob, bob_client, team):
    work = running(alice)
    Machine.objects.update(machine_owner_team=team)
    team.memberships.update(role=Role.EDITOR)
    bob_client.post(f"{URL}{work.pk}/cancel/")
    entry = AuditEntry.objects.get(action="work.cancelled")
    assert (entry.actor, entry.team) == (bob, team)
    shown = signed_in(alice).get("/machines/").content.decode()
    assert "The training of “Diabetes” was cancelled by somebody else." in shown


# Polling


def test_it_asks_again_while_something_is_active(alice, alice_client):
    work = running(alice)
    response = htmx(alice_client, f"{URL}?page=1")
    root = page(response).one("div", id="own-work")
    assert not is_whole(response) and (root["hx-get"], root["hx-trigger"]) == (f"{URL}?page=1", "every 2s")
    work.finish({})
    assert "hx-get" not in page(htmx(alice_client, URL)).one("div", id="own-work"), "it ends by itself"


def test_focus_stays_where_it_is(alice, alice_client):
    """htmx gives the focus back to what has the same id."""
    running(alice)
    failed(alice)
    finished(alice)
    html = re.sub(r"<noscript>.*?</noscript>", "", alice_client.get(URL, headers=HTMX).content.decode())
    for tag in re.findall(r"<(?:a|button)\b[^>]*>", html):
        assert " id=" in tag, tag


def test_as_many_queries_for_a_page_of_works_as_for_one(alice, alice_client):
    finished(alice)
    running(alice)
    with CaptureQueriesContext(connection) as few:
        alice_client.get(URL, headers=HTMX)
    for number in range(30):
        tried_again(alice, f"Number {number}")
    with CaptureQueriesContext(connection) as many:
        response = alice_client.get(URL, headers=HTMX)
    assert len(many) == len(few) <= 5, "session, person, how many, the works, which of them may be ended"
    assert len(response.context["page"]) == 25 and "?page=2" in response.content.decode()


@pytest.mark.parametrize("query", ["?page=999", "?page=x", "?of=everybody", "?page=" + "9" * 400])
def test_odd_addresses(alice, alice_client, query):
    waiting(alice)
    assert "Houses" in alice_client.get(URL + query).content.decode()


# How it looks


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("files_as_they_lie")
@pytest.mark.parametrize(("width", "scheme"), [*SIZES, (375, "light"), (375, "dark")])
def test_how_it_looks(chromium, live_server, alice, alice_client, width, scheme):
    finished(alice, "Wine quality")
    failed(alice, "House prices of the whole district, with a long name")
    tried_again(alice, "Bicycles by the hour", level=2)
    running(alice, "Diabetes risk", level=3)
    waiting(alice, "Churn", level=4)
    assert look(chromium, f"{live_server.url}{URL}", alice_client, "work", width, scheme) == []
