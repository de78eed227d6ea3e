"""What went wrong, for the staff."""

import logging
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from models import AuditEntry, EasyAutoMLLogger
from tests.conftest import signed_in

URL = "/log/"


def make_entry(**kwargs):
    values = {"level": "ERROR", "logger": "machines", "message": "It broke", "host_name": "server-1"} | kwargs
    at = values.pop("at", None)
    entry = EasyAutoMLLogger.objects.create(**values)
    if at:
        EasyAutoMLLogger.objects.filter(pk=entry.pk).update(timestamp=at)
    return entry


def test_the_staff_find_it_in_the_navigation_and_nobody_else(dana_client, client, alice):
    client.force_login(alice)
    link = f'<li><a href="{URL}">Log</a></li>'
    assert link in dana_client.get("/").content.decode()
    assert link not in client.get("/").content.decode()


def test_it_works(dana, dana_client):
    dana.time_format, dana.date_format = "12H", "YMD"
    dana.save()
    try:
        raise ValueError("<b>no such column</b>")
    except ValueError:
        logging.getLogger("machines").exception("Reading failed")
    page = dana_client.get(URL).content.decode()
    assert "Reading failed" in page
    assert "&lt;b&gt;no such column" in page and "<b>no such" not in page
    assert "<details" in page
    assert f"{timezone.now():%Y/%m/%d}" in page


def test_it_is_for_the_staff_alone(alice_client, db):
    make_entry()
    hidden, missing = alice_client.get(URL), alice_client.get("/nothing-here/")
    assert (hidden.status_code, hidden.content) == (404, missing.content)
    assert Client().get(URL)["Location"] == f"/accounts/login/?next={URL}"


def test_an_entry_is_asked_for_by_the_staff_alone(alice, dana):
    make_entry()
    assert not EasyAutoMLLogger.objects.visible_to(alice).exists()
    assert EasyAutoMLLogger.objects.visible_to(dana).exists()


def test_a_member_of_the_staff_need_not_be_administrator(alice):
    make_entry()
    alice.is_staff = True
    alice.save()
    assert "It broke" in signed_in(alice).get(URL).content.decode()


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"level": "WARNING"}, ["Slow"]),
        ({"text": "disk"}, ["Disk full", "Slow"]),
        ({"text": "disk", "level": "ERROR"}, ["Disk full"]),
        ({"level": "nonsense"}, ["Disk full", "Slow", "It broke"]),
        ({"text": "100%"}, []),
    ],
)
def test_it_can_be_searched(dana_client, query, shown):
    make_entry()
    make_entry(level="WARNING", message="Slow", traceback="waiting for the disk")
    make_entry(message="Disk full")
    page = dana_client.get(URL, query)
    assert [entry.message for entry in page.context["page"]] == shown
    assert page.context["form"]["text"].value() in (query.get("text"), None)


def test_the_newest_come_first_page_by_page(dana_client, django_assert_num_queries):
    make_entry()
    with CaptureQueriesContext(connection) as few:
        dana_client.get(URL)
    for number in range(60):
        make_entry(message=f"Number {number}")
    with django_assert_num_queries(len(few)):
        page = dana_client.get(URL, {"text": "e"})
    assert page.context["page"].object_list[0].message == "Number 59"
    assert len(page.context["page"]) == 50
    assert 'href="?text=e&amp;page=2"' in page.content.decode()


def test_nothing_went_wrong(dana_client):
    assert "Nothing went wrong" in dana_client.get(URL).content.decode()


def test_prune_deletes_what_is_old(alice, capsys):
    now = timezone.now()
    make_entry(at=now - timedelta(days=91))
    kept = make_entry(at=now - timedelta(days=89))
    for days, status in ((31, "SUCCESSFUL"), (31, "FAILED"), (29, "SUCCESSFUL"), (31, "RUNNING")):
        DBTaskResult.objects.create(
            status=status,
            finished_at=now - timedelta(days=days),
            task_path="x",
            args_kwargs={},
            backend_name="default",
            run_after=now,
            exception_class_path="",
            traceback="",
        )
    AuditEntry.objects.create(actor=alice, action="account.signed_in")
    call_command("prune")
    assert list(EasyAutoMLLogger.objects.all()) == [kept]
    assert DBTaskResult.objects.count() == 2
    assert AuditEntry.objects.count() == 1
    assert "2 tasks deleted" in capsys.readouterr().out
