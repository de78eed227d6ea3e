"""The staff see who works, what waits, runs and failed, and how much gets done; nobody else does."""

import re
from datetime import timedelta
from itertools import product

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from models import AuditEntry, Machine, Server, Work
from models.work import WorkState
from tests.conftest import signed_in
from tests.dashboards.test_look import SIZES, look
from tests.dashboards.works import failed, finished, running, server, tried_again, waiting
from tests.machines.views.pages import HTMX, htmx, is_whole, page

pytestmark = pytest.mark.django_db
URL = "/servers/"
LISTS = product(("waiting", "running", "failed"), (1280, 375), ("light",))
LOOKS = [*(("servers", *size) for size in [*SIZES, (375, "light"), (375, "dark")]), *LISTS, ("running", 1280, "dark"),
         ("failed", 320, "dark")]  # fmt: skip


@pytest.fixture
def staff(alice):
    """Bob's work is looked at by somebody who is nothing but staff."""
    alice.is_staff, alice.decimal_separator = True, "."
    alice.save()
    return signed_in(alice)


def test_it_works(staff, bob):
    running(bob, server=server())
    shown = page(staff.get(URL))
    assert (
        "worker-1" in shown.text
        and "8 cores · 28.8 GB · graphics card with 140.4 GB · west · version 0.4.0" in shown.text
    )
    assert "Working" in shown.text and "Training, Diabetes" in shown.text and "40 %" in shown.text
    assert "cpu, gpu" in shown.text


def test_it_is_for_the_staff_alone(alice_client, db):
    hidden, missing = alice_client.get(URL), alice_client.get("/nothing-here/")
    assert (hidden.status_code, hidden.content) == (404, missing.content)
    assert Client().get(URL)["Location"] == f"/accounts/login/?next={URL}"
    assert f'href="{URL}"' not in alice_client.get("/").content.decode()


def test_the_staff_find_it_in_the_navigation(dana_client):
    assert f'<a href="{URL}">Servers</a>' in dana_client.get("/").content.decode()


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({}, "Idle"),
        ({"is_draining": True}, "Draining"),
        ({"ago": 3600}, "Silent"),
        ({"server_info_ready": False}, "Stopped"),
        ({"server_info_ready": False, "ago": 3600, "is_draining": True}, "Stopped"),
    ],
)
def test_states(staff, values, word):
    server(**values)
    (tag,) = re.findall(r'<span class="tag[^"]*">(\w+)</span>', staff.get(URL, headers=HTMX).content.decode())
    assert tag == word


def test_a_server_without_graphics_card(staff):
    server(server_gpu_ram=[], cores=1)
    shown = page(staff.get(URL)).text
    assert "graphics" not in shown and "1 core ·" in shown


def test_the_queue(staff, bob):
    waiting(bob, "Second", queue="gpu"), waiting(bob, "First"), tried_again(bob, "Third")
    response = staff.get(URL, {"show": "waiting"})
    assert [line.name for line in response.context["lines"]] == ["First", "Third", "Second"], "by queue, oldest first"
    shown = page(response).text
    assert "usually takes about 10 s" in shown and "1 before it" in shown and "gpu" in shown and "Bob" in shown
    assert "Trying again (2 of 3)" in shown


def test_what_runs(staff, bob):
    work = running(bob, server=server())
    shown = page(staff.get(URL, {"show": "running"}))
    assert "worker-1" in shown.text and "attempt 1" in shown.text and "held until" in shown.text
    assert "Bob" in shown.text and "Training the network, round 12" in shown.text
    assert shown.one("progress")["value"] == "40" and shown.all("button", id=f"cancel-{work.pk}")


def test_what_failed(staff, bob):
    work = failed(bob)
    finished(bob)
    shown = page(staff.get(URL, {"show": "failed"}))
    assert "“risk” is “2.5” in every row." in shown.text and "Wine" not in shown.text
    assert shown.all("form", action=f"{URL}work/{work.pk}/retry/?show=failed")


@pytest.mark.parametrize("show", ["", "waiting", "running", "failed", "nonsense"])
def test_nothing_there(staff, show):
    response = staff.get(URL, {"show": show})
    assert re.search(r"<p>(No worker has started|Nothing)", response.content.decode())


# What the staff do


def test_drain_and_work_again(staff, alice):
    one = server()
    assert staff.post(f"{URL}{one.pk}/drain/")["Location"] == URL
    shown = page(staff.get(URL))
    assert Server.objects.get().is_draining and "Work again" in shown.text
    staff.post(f"{URL}{one.pk}/resume/")
    assert not Server.objects.get().is_draining
    entries = AuditEntry.objects.filter(object_type="server").order_by("pk")
    assert [(entry.action, entry.actor, entry.object_name) for entry in entries] == [
        ("server.drained", alice, "worker-1"), ("server.resumed", alice, "worker-1"),
    ]  # fmt: skip


def test_a_failed_work_is_tried_again(staff, alice, bob, team):
    work = failed(bob)
    Machine.objects.update(machine_status="failed", machine_owner_team=team)
    response = staff.post(f"{URL}work/{work.pk}/retry/?show=failed", follow=True)
    assert response.redirect_chain[0][0] == f"{URL}?show=failed"
    assert "It waits in the queue again." in page(response).text
    work.refresh_from_db()
    assert (work.state, work.attempts, work.told_at) == (WorkState.WAITING, 0, None) and work.delivery
    entry = AuditEntry.objects.get(action="work.retried")
    assert (entry.actor, entry.team, entry.object_id) == (alice, team, str(work.pk))


def test_a_machine_that_trains_already_is_left_alone(staff, bob):
    work = failed(bob)
    response = staff.post(f"{URL}work/{work.pk}/retry/", follow=True)
    assert "This machine is training already." in page(response).text
    work.refresh_from_db()
    assert work.state is WorkState.ERROR and not AuditEntry.objects.filter(action="work.retried").exists()


def test_what_has_not_failed_is_not_tried_again(staff, bob):
    work = running(bob)
    assert "It has not failed." in page(staff.post(f"{URL}work/{work.pk}/retry/", follow=True)).text
    assert Work.objects.get().state is WorkState.PROCESSING


def test_cancel_anybodys_work(staff, alice, bob):
    work = running(bob)
    staff.post(f"{URL}work/{work.pk}/cancel/?show=running")
    assert Work.objects.get().state is WorkState.CANCELLED
    assert AuditEntry.objects.get(action="work.cancelled").actor == alice
    assert "was cancelled by somebody else" in signed_in(bob).get("/teams/").content.decode()
    assert "It had ended already." in page(staff.post(f"{URL}work/{work.pk}/cancel/", follow=True)).text


@pytest.mark.parametrize("place", ["7/drain/", "7/resume/", "work/7/cancel/", "work/7/retry/"])
def test_nothing_of_it_for_others_or_for_what_is_not_there(staff, bob_client, bob, place):
    work, one = running(bob), server()
    here = place.replace("7", str(work.pk if "work" in place else one.pk))
    assert bob_client.post(URL + here).status_code == 404
    assert staff.post(URL + place.replace("7", "987654")).status_code == 404
    assert staff.get(URL + here).status_code == 405
    assert Work.objects.get().is_active and not Server.objects.get().is_draining


# Throughput


def ended(work, *, hours: float, waited: float, took: float) -> None:
    end = timezone.now().replace(minute=30) - timedelta(hours=hours)
    start = end - timedelta(seconds=took)
    Work.objects.filter(pk=work.pk).update(
        work_finished_at_date_time=end, work_started_at_date_time=start, created_at=start - timedelta(seconds=waited)
    )


def test_how_much_gets_done(staff, bob):
    ended(finished(bob), hours=2, waited=1, took=10)
    ended(finished(bob), hours=2, waited=3, took=40)
    ended(finished(bob), hours=5, waited=200, took=20)
    ended(failed(bob), hours=2, waited=1, took=1)
    ended(finished(bob), hours=30, waited=1, took=1)
    response = staff.get(URL)
    through = response.context["throughput"]
    assert (through.finished, through.failed, through.most) == (3, 1, 3)
    assert (through.wait, through.duration) == (3.0, 20.0)
    assert [(hour.finished, hour.failed) for hour in through.hours if hour.finished] == [(1, 0), (2, 1)]
    shown = page(response)
    assert len(shown.all("rect", width="8.5")) == 48, "two for each hour"
    assert "3 finished, 1 failed, at most 3 in an hour" in shown.one("svg", role="img")["aria-label"]
    assert len(through.hours) == 24 and shown.text.count(":00") >= 24, "a table says the same"


def test_a_day_without_work(staff):
    shown = page(staff.get(URL))
    assert "The last 24 hours" in shown.text and not shown.all("svg", role="img")


# Polling, pages, queries


def test_it_asks_again_and_keeps_the_place(staff, bob):
    waiting(bob)
    response = htmx(staff, f"{URL}?show=waiting&page=1")
    root = page(response).one("div", id="servers")
    assert not is_whole(response) and root["hx-trigger"] == "every 5s"
    assert root["hx-get"] == f"{URL}?show=waiting&page=1" and "The last 24 hours" not in page(response).text


def test_focus_stays_where_it_is(staff, bob):
    running(bob, server=server()), waiting(bob), failed(bob)
    for show in ("servers", "waiting", "running", "failed"):
        for tag in re.findall(r"<(?:a|button)\b[^>]*>", staff.get(f"{URL}?show={show}", headers=HTMX).content.decode()):
            assert " id=" in tag, tag


@pytest.mark.parametrize("show", ["servers", "waiting", "running", "failed"])
def test_as_many_queries_for_a_page_as_for_one_row(staff, bob, show):
    def make(number):
        running(bob, server=server(f"worker-{number}")), waiting(bob), failed(bob)

    make(0)
    with CaptureQueriesContext(connection) as few:
        staff.get(URL, {"show": show})
    for number in range(1, 31):
        make(number)
    with CaptureQueriesContext(connection) as many:
        response = staff.get(URL, {"show": show})
    assert len(many) == len(few) <= 11
    assert len(response.context["page"]) == 25 and f"?show={show}&amp;page=2" in response.content.decode()


# How it looks


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("files_as_they_lie")
@pytest.mark.parametrize(("show", "width", "scheme"), LOOKS)
def test_how_it_looks(chromium, live_server, dana, bob, show, width, scheme):
    busy, idle = server("west-18244"), server("west-18245", server_gpu_ram=[])
    server("east-991", ago=4000, host="east"), server("west-18101", server_info_ready=False)
    Server.objects.filter(pk=idle.pk).update(is_draining=True)
    for hours, count in ((1, 6), (2, 9), (3, 4), (7, 12), (8, 11), (9, 3), (15, 7), (22, 2)):
        for _number in range(count):
            ended(finished(bob, "Wine quality"), hours=hours, waited=2, took=14)
    ended(failed(bob, "House prices"), hours=3, waited=1, took=4)
    failed(bob, "A rather long machine name that says what it is about")
    running(bob, "Diabetes risk", server=busy, level=3)
    waiting(bob, "Churn of customers", level=4), tried_again(bob, "Bicycles by the hour")
    assert (
        look(chromium, f"{live_server.url}{URL}?show={show}", signed_in(dana), f"servers-{show}", width, scheme) == []
    )


def test_rows_that_went_with_their_failure_cannot_be_tried_again(alice, staff):
    work = failed(alice, is_work_training=None, is_work_solving=True)
    shown = page(staff.get(f"{URL}?show=failed"))
    assert "Cars" in shown.text and not shown.all("form", action=f"{URL}work/{work.pk}/retry/?show=failed")
