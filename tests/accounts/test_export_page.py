"""The page of own data: asked for, watched, fetched by its owner alone, deleted."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.services.export import export_ask, export_of
from machines import storage
from machines.child import ChildFailedError
from machines.jobs import runner
from machines.services.works import works_prune
from models import AuditEntry, Work
from models.work import WorkKind, WorkState
from tests.accounts.exports import DELETE, FILE, PAGE, URL, fetched, left, make_whole_machine, post, prepare, shown
from tests.conftest import proved, signed_in
from tests.factories import (
    PASSWORD,
    make_machine,
)


@pytest.fixture
def client(client, alice):
    client.force_login(alice)
    return proved(client)


def test_only_its_owner_gets_it(client, alice, bob, charlie, dana, team):
    make_whole_machine(alice, team=team)
    prepare(client)
    for person in (bob, charlie, dana):
        other = proved(signed_in(person))
        assert other.get(FILE).status_code == 404
        post(other, DELETE)
        assert FILE not in shown(other)
    assert fetched(client)
    client.logout()
    assert client.get(FILE)["Location"].startswith("/accounts/login/")


def test_delete_it_now(client, alice):
    prepare(client)
    assert "Delete it now" in shown(client)
    assert client.get(DELETE).status_code == 405 and left()
    assert "Nothing of it is kept" in post(client, DELETE, follow=True).content.decode()
    assert left() == [] and client.get(FILE)["Location"] == PAGE
    assert "Prepare my data" in shown(client) and FILE not in shown(client)
    post(client, DELETE)


def test_cancel_what_waits_or_runs(client, alice, monkeypatch):
    post(client, URL)
    post(client, DELETE)
    assert Work.objects.get().state is WorkState.CANCELLED
    look = runner._Watcher.on_tick

    def on_tick(watcher, child):
        post(client, DELETE)
        look(watcher, child)

    monkeypatch.setattr(runner._Watcher, "on_tick", on_tick)
    prepare(client)
    assert export_of(alice).state is WorkState.CANCELLED
    assert left() == [] and client.get(FILE)["Location"] == PAGE


def test_it_is_kept_for_some_days(client, alice, settings):
    settings.WORK_FILE_DAYS = 7
    prepare(client)
    end = timezone.now() - timedelta(days=6)
    Work.objects.update(work_finished_at_date_time=end)
    works_prune()
    day = alice.formats.date(end + timedelta(days=7))
    assert fetched(client) and f"kept until {day}" in shown(client)
    Work.objects.update(work_finished_at_date_time=end - timedelta(days=2))
    works_prune()
    assert left() == [] and client.get(FILE)["Location"] == PAGE and "Prepare my data" in shown(client)


def test_a_file_that_is_gone_is_said_to_be(client):
    prepare(client)
    next(storage.absolute("works").rglob("*.zip")).unlink()
    assert "not there any more" in client.get(FILE, follow=True).content.decode()


def test_progress(client, alice):
    export_ask(user=alice)
    waiting = shown(client)
    assert "Waiting for the worker" in waiting and f'hx-get="{PAGE}"' in waiting and "Look again" in waiting
    assert "Prepare my data" not in waiting
    work = Work.objects.get()
    work.start()
    work.report(0.4, "Packing the files", seconds_left=36)
    part = shown(client, hx_request="true")
    assert part.strip().startswith('<div id="export"') and "hx-trigger" in part
    assert 'value="40"' in part and "Packing the files" in part and "about 35 s left" in part


def test_polling_ends_by_itself(client):
    prepare(client)
    part = shown(client, hx_request="true")
    assert "every 1s" not in part and "hx-get" not in part
    assert f'href="{FILE}"' in part and "less than 0.1 MB" in part
    assert 'hx-swap-oob="innerHTML:#said"' in part and "Your data are ready." in part


@pytest.mark.parametrize(
    ("count", "said"), [(99_999, "less than 0.1 MB"), (2_340_000, "2,3 MB"), (3_000_000_000, "3000 MB")]
)
def test_the_size_is_shown_as_people_write_it(client, count, said):
    prepare(client)
    Work.objects.update(result={"bytes": count, "files": 1, "missing": 0})
    assert said in shown(client)


def test_a_poll_asks_little(client, alice, django_assert_max_num_queries):
    export_ask(user=alice)
    for _number in range(3):
        make_machine(owner=alice)
    with django_assert_max_num_queries(4):
        shown(client, hx_request="true")


def test_it_failed(client, alice, monkeypatch):
    def away(module, request, **kwargs):
        raise ChildFailedError("deadline")

    monkeypatch.setattr(runner, "run_child", away)
    prepare(client)
    page = shown(client)
    assert "took longer than it may" in page and "Prepare my data" in page
    assert left() == []


def test_the_password_is_asked_for_before_it_is_prepared(client, alice):
    client.logout()
    client.force_login(alice)
    step = post(client, URL)
    assert step["Location"].startswith("/accounts/reauthenticate/?next=") and not Work.objects.exists()
    back = client.post(step["Location"], {"password": PASSWORD, "next": URL}, follow=True)
    assert back.redirect_chain[-1][0] == PAGE
    assert Work.objects.get().kind is WorkKind.EXPORT, "what was pressed goes on after the password"


def test_after_the_password_one_is_back_at_the_link(client, alice, monkeypatch):
    """A file that came in answer to the password would leave the question standing, as if nothing had happened."""
    prepare(client)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 301)
    step = client.get(FILE)
    assert step["Location"].endswith("?next=%2Faccounts%2Fdata%2F%3Fready%3D")
    back = client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": "/accounts/data/?ready="})
    assert back["Location"] == "/accounts/data/?ready="
    assert "Choose “Download” once more" in client.get(back["Location"]).content.decode()
    assert "Choose “Download” once more" not in shown(client)
    assert fetched(client)


def test_five_an_hour(client):
    assert [post(client, URL).status_code for _ in range(6)] == [302] * 5 + [429]


def test_a_link_starts_nothing(client):
    assert client.get(URL).status_code == 405
    assert not AuditEntry.objects.exists() and not Work.objects.exists()


def test_the_page_says_what_is_in_it(client, alice):
    assert "0 machines" not in shown(client)
    make_machine(owner=alice)
    page = shown(client)
    assert "Prepare my data" in page and "your machine with its table" in page


@pytest.mark.parametrize("path", [PAGE, URL, FILE, DELETE])
def test_a_visitor_must_sign_in(visitor, path):
    assert visitor.post(path)["Location"] == f"/accounts/login/?next={path}"
