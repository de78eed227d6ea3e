"""Who may write on a work: the one that holds it. Leases are measured by the database's clock alone."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from models import Work, work
from models.work import MOST_ATTEMPTS, WorkState
from tests.factories import make_server, make_work

pytestmark = pytest.mark.django_db

# What a worker writes, and from which states.
OF_A_WORKER = {
    "finish": lambda w: w.finish({"mine": True}),
    "fail": lambda w: w.fail("Broken."),
    "give_back": lambda w: w.give_back(),
    "give_back uncounted": lambda w: w.give_back(is_attempt=False),
    "beat": lambda w: w.beat(),
    "report": lambda w: w.report(0.9, "Mine", curve=[1]),
}
OF_A_PERSON = {"cancel": lambda w: w.cancel(), "request_finish": lambda w: w.request_finish()}


@pytest.fixture
def running():
    started = make_work()
    assert started.start(make_server())
    return started


def row(pk):
    return Work.objects.filter(pk=pk).values().get()


def lost(running):
    """The same work, after it was given back and taken by another server."""
    other = Work.objects.get(pk=running.pk)
    assert other.give_back() and other.start(make_server())
    return other


@pytest.mark.parametrize("name", OF_A_WORKER)
def test_a_worker_that_lost_it_writes_nothing(running, name):
    lost(running)
    before = row(running.pk)
    assert OF_A_WORKER[name](running) is False
    assert row(running.pk) == before


@pytest.mark.parametrize("name", OF_A_WORKER)
def test_the_one_that_holds_it_writes(running, name):
    other = lost(running)
    assert OF_A_WORKER[name](other) is True


@pytest.mark.parametrize("name", ["start", "queued", "retry"])
def test_what_was_read_before_somebody_else_had_it_moves_nothing(running, name):
    early = Work.objects.get(pk=running.pk)
    other = lost(running)
    assert other.fail("Broken.") if name == "retry" else other.give_back()
    before = row(running.pk)
    actions = {"start": lambda: early.start(), "queued": lambda: early.queued("x"), "retry": lambda: early.retry()}
    assert actions[name]() is False
    assert row(running.pk) == before


@pytest.mark.parametrize("name", OF_A_PERSON)
def test_people_need_not_hold_it(running, name):
    lost(running)
    assert OF_A_PERSON[name](running) is True


def test_every_start_has_a_higher_token(running):
    tokens = [running.fencing_token]
    for _ in range(3):
        assert running.give_back() and running.start()
        tokens.append(running.fencing_token)
    assert tokens == [1, 2, 3, 4] and running.attempts == 4


def test_a_retry_does_not_go_back_to_old_tokens(running):
    assert running.fail("Broken.") and running.retry() and running.start()
    assert (running.attempts, running.fencing_token) == (1, 2)


# Attempts


def test_given_back_with_a_reason_it_counts(running):
    assert running.give_back(message="It crashed.", notice={"template": "It crashed."})
    stored = Work.objects.get()
    assert (stored.state, stored.attempts, stored.message) == (WorkState.WAITING, 1, "It crashed.")
    assert (stored.server, stored.lease_until, stored.seconds_left) == (None, None, None)


def test_handed_back_it_does_not(running):
    assert running.give_back(is_attempt=False)
    assert (Work.objects.get().attempts, Work.objects.get().message) == (0, "")


def test_of_what_never_started_no_attempt_is_taken_off():
    old = make_work(**WorkState.PROCESSING.columns)
    assert old.give_back(is_attempt=False) and Work.objects.get().attempts == 0


def test_retry_gives_all_attempts_anew_and_forgets_the_reason(running):
    Work.objects.update(attempts=MOST_ATTEMPTS, told_at=timezone.now(), is_finish_requested=True, progress=0.7)
    assert running.fail("Broken.", {"template": "Broken."}) and running.retry()
    stored = Work.objects.get()
    assert (stored.state, stored.attempts, stored.progress) == (WorkState.WAITING, 0, 0.0)
    assert (stored.message, stored.notice, stored.told_at, stored.work_finished_at_date_time) == ("", {}, None, None)
    assert not stored.is_finish_requested and stored.server is None


# Leases


def ages(pk):
    """For how many seconds the lease still holds, by the database."""
    seconds = {"sqlite": "(julianday(lease_until) - julianday('now')) * 86400"}
    sql = seconds.get(connection.vendor, "EXTRACT(EPOCH FROM lease_until - STATEMENT_TIMESTAMP())")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sql} FROM models_work WHERE id = %s", [pk])  # noqa: S608  (fixed words)
        return float(cursor.fetchone()[0])


@pytest.mark.parametrize("name", ["beat", "report"])
def test_a_sign_of_life_renews_the_lease(running, settings, name):
    settings.WORK_LEASE_SECONDS = 1
    assert OF_A_WORKER[name](running) and ages(running.pk) < 2
    settings.WORK_LEASE_SECONDS = 50
    assert OF_A_WORKER[name](running) and 40 < ages(running.pk) < 51


@pytest.mark.parametrize("days", [-400, 400])
def test_a_computer_whose_clock_is_wrong_does_no_harm(monkeypatch, settings, days):
    """It neither holds what it takes for ever, nor takes what others hold."""
    settings.WORK_LEASE_SECONDS = 30
    held = make_work()
    assert held.start()
    wrong = timezone.now() + timedelta(days=days)
    monkeypatch.setattr(work.timezone, "now", lambda: wrong)
    mine = make_work()
    assert mine.start() and mine.beat() and mine.report(0.5)
    assert 20 < ages(mine.pk) < 31
    assert not Work.objects.abandoned().exists()


def test_abandoned_is_what_runs_without_a_lease(running):
    waiting, ended = make_work(), make_work(**WorkState.FINISHED.columns)
    assert list(Work.objects.abandoned()) == []
    Work.objects.filter(pk=running.pk).update(lease_until=timezone.now() - timedelta(seconds=2))
    assert list(Work.objects.abandoned()) == [running]
    Work.objects.filter(pk=running.pk).update(lease_until=None)
    assert list(Work.objects.abandoned()) == [running], "from before there were leases"
    assert not {waiting, ended} & set(Work.objects.abandoned())


@pytest.mark.parametrize("end", ["finish", "fail", "give_back"])
def test_with_the_work_the_lease_ends(running, end):
    assert OF_A_WORKER[end](running) and Work.objects.get().lease_until is None


def test_a_lease_of_what_does_not_run_is_refused_by_the_database():
    waiting = make_work()
    with pytest.raises(IntegrityError), transaction.atomic():
        Work.objects.filter(pk=waiting.pk).update(lease_until=timezone.now())


def test_what_was_cancelled_is_no_news_to_who_did_it(running):
    assert running.cancel()
    assert Work.objects.get().told_at is not None and Work.objects.get().is_cancel_requested


def test_the_time_of_a_work_is_that_of_all_its_attempts():
    work = make_work()
    work.start()
    begun = Work.objects.get().work_started_at_date_time
    work.give_back()
    again = Work.objects.get()
    again.start()
    assert Work.objects.get().work_started_at_date_time == begun
    again.fail("No.")
    again.retry()
    assert Work.objects.get().work_started_at_date_time is None, "somebody lets it begin anew"
