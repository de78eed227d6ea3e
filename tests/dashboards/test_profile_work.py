"""The data profile of a large table: a worker makes it, its page waits."""

import pytest
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext

from dashboards import kept, profile_work
from dashboards.profile_work import asked_of, profile_follow, profile_start
from machines.child import ChildFailedError
from machines.engine.errors import DataError
from machines.jobs import runner
from machines.jobs.kinds import FOLLOWING
from machines.jobs.runner import work_run
from machines.services import datasets, reading
from machines.services.rows import drawn_folder, part_paths
from models import Column, DataLinesOperation, Membership, Work
from models.access import Role
from models.work import WorkKind, WorkState
from tests.dashboards.profiled import ROWS, add, make_profiled, rows_of
from tests.factories import make_work
from tests.machines.houses import csv_bytes, table_rows

HTMX = {"HTTP_HX_REQUEST": "true"}
NOTICE = {"template": "Looked at %(done)s of %(of)s columns", "values": {"done": 3, "of": 8}, "weight": "info"}


@pytest.fixture(autouse=True)
def _few_cells(monkeypatch):
    monkeypatch.setattr(profile_work, "MOST_CELLS_AT_ONCE", 100)


@pytest.fixture
def machine(alice):
    return make_profiled(alice)


@pytest.fixture
def shared(machine, bob, team):
    machine.machine_owner_team = team
    machine.save()
    Membership.objects.filter(user=bob).update(role=Role.VIEWER)
    return machine


def address(machine):
    return f"/machines/{machine.pk}/profile/"


def page(client, machine, **more):
    return client.get(address(machine), **more).content.decode()


def start(client, machine, **more):
    with TestCase.captureOnCommitCallbacks(execute=True):
        return client.post(address(machine), **more)


def work_in(machine, state=WorkState.PROCESSING, **kwargs):
    """The work that was asked for, as a worker leaves it."""
    work = profile_start(asked=asked_of(machine), user=machine.machine_owner_user)
    if state is not WorkState.WAITING:
        work.start()
        work.report(0.4, "…", notice=NOTICE, seconds_left=36)
    if state is WorkState.FINISHED:
        work.finish()
    if state is WorkState.ERROR:
        work.fail("…", {"template": profile_work.WORDS["deadline"], "values": {}, "weight": "info"})
    if state is WorkState.CANCELLED:
        work.cancel()
    return work


def do(work):
    with TestCase.captureOnCommitCallbacks(execute=True):
        work_run(work_id=work.pk)
    work.refresh_from_db()
    return work


def test_it_works(alice_client, machine):
    """From the page to the profile, by the real child process."""
    first = page(alice_client, machine)
    assert f"This table has {4 * ROWS} cells." in first and "takes about 5 s; you" in first
    assert 'hx-trigger="load, submit"' in first and ">Show the profile</button>" in first
    waiting = start(alice_client, machine, **HTMX).content.decode()
    assert waiting.strip().startswith('<div id="profile"') and 'hx-trigger="every 1s"' in waiting
    assert "Waiting for the worker" in waiting and "next in the queue" in waiting
    work = do(Work.objects.get())
    assert (work.kind, work.state, work.size) == (WorkKind.PROFILING, WorkState.FINISHED, 4 * ROWS)
    shown = page(alice_client, machine, **HTMX)
    assert "What has to do with what" in shown and 'hx-trigger="every' not in shown
    assert f'name="work" value="{work.pk}"' in shown, "who watched has been told"
    assert "What has to do with what" in page(alice_client, machine)
    typed = list((machine.folder / "drawn").glob("*.arrow"))
    assert len(typed) == 4, "labels, too"


@pytest.fixture
def training(machine):
    return make_work(machine, user=machine.machine_owner_user)


def test_a_large_file_that_was_read_is_looked_at(alice, monkeypatch):
    """By the real child processes, before anybody has confirmed a column."""
    monkeypatch.setattr(reading, "LARGE_BYTES", 1)
    machine = datasets.dataset_upload(user=alice, name="Houses", file_name="h.csv", chunks=[csv_bytes(table_rows(200))])
    assert do(Work.objects.get()).state is WorkState.FINISHED
    work = Work.objects.get(WorkKind.PROFILING.q)
    assert do(work).state is WorkState.FINISHED and work.size == 200 * machine.columns.count()
    machine.refresh_from_db()
    assert asked_of(machine).question.look() is not None
    assert list(drawn_folder(part_paths(machine)[0]).glob("*.arrow"))


def test_a_large_table_that_was_trained_is_looked_at(training):
    assert FOLLOWING[WorkKind.TRAINING] is profile_follow
    profile_follow(training)
    profile_follow(training)
    work = Work.objects.exclude(pk=training.pk).get()
    assert (work.kind, work.machine, work.user) == (WorkKind.PROFILING, training.machine, training.user)
    do(work)
    profile_follow(training)
    assert Work.objects.count() == 2, "these rows are known"
    add(training.machine, rows_of(scale=9))
    profile_follow(training)
    assert Work.objects.count() == 3


def test_a_small_table_that_was_trained_is_not(training, monkeypatch):
    monkeypatch.setattr(profile_work, "MOST_CELLS_AT_ONCE", 4 * ROWS)
    profile_follow(training)
    assert Work.objects.get() == training


def test_what_follows_a_work(machine, monkeypatch):
    """Only one that has finished; and it stays finished if what follows fails."""
    seen = []

    def follow(work):
        seen.append(work)
        raise OSError

    monkeypatch.setitem(FOLLOWING, WorkKind.PROFILING, follow)
    work = work_in(machine, WorkState.WAITING)
    next(machine.folder.glob("*.parquet")).unlink()
    assert do(work).state is not WorkState.FINISHED and not seen
    other = make_profiled(machine.machine_owner_user)
    with monkeypatch.context() as patch:
        patch.setattr(profile_work, "machine_held", lambda work: False)  # deleted while its rows were looked at
        assert do(work_in(other, WorkState.WAITING)).state is not WorkState.FINISHED and not seen
    Work.objects.all().delete()
    work = work_in(other, WorkState.WAITING)
    assert do(work).state is WorkState.FINISHED and seen == [work]


def test_without_javascript(alice_client, machine):
    response = start(alice_client, machine)
    assert (response.status_code, response["Location"]) == (302, address(machine))
    assert "Look again" in page(alice_client, machine)
    assert alice_client.get(address(machine) + "?now=1").status_code == 200 and Work.objects.count() == 1


def test_a_small_table_needs_no_work(alice_client, machine, monkeypatch):
    monkeypatch.setattr(profile_work, "MOST_CELLS_AT_ONCE", 4 * ROWS)
    assert "Looking at the rows" in page(alice_client, machine)
    assert start(alice_client, machine).status_code == 302
    assert "What has to do with what" in page(alice_client, machine, **HTMX) and not Work.objects.exists()


def test_what_is_ignored_does_not_count(alice_client, machine, monkeypatch):
    monkeypatch.setattr(profile_work, "MOST_CELLS_AT_ONCE", 3 * ROWS)
    assert asked_of(machine).is_large
    machine.columns.filter(name="day").update(role="ignored")
    assert not asked_of(machine).is_large
    machine.columns.update(role="ignored")
    assert asked_of(machine).cells == 4 * ROWS, "then all are looked at"


def test_no_request_looks_at_it(alice_client, machine, monkeypatch):
    monkeypatch.setattr(kept, "run_child", lambda *args, **kwargs: pytest.fail("a child in a request"))
    page(alice_client, machine, **HTMX)
    answer = alice_client.get(address(machine) + "associations.csv")
    assert (answer.status_code, "no profile of these rows yet" in answer.content.decode()) == (409, True)


def test_asked_for_twice(alice_client, bob_client, shared):
    for client in (alice_client, alice_client, bob_client):
        start(client, shared, **HTMX)
    assert Work.objects.count() == 1
    do(Work.objects.get())
    start(bob_client, shared, **HTMX)
    assert Work.objects.count() == 1, "it is there"


def test_progress(alice_client, machine):
    work_in(machine)
    shown = page(alice_client, machine)
    assert "Looked at 3 of 8 columns" in shown and 'value="40"' in shown and "about 35 s left" in shown
    assert f'hx-get="{address(machine)}" hx-trigger="every 1s"' in shown and 'hx-trigger="load, submit"' not in shown


def test_what_the_child_tells(alice_client, machine, monkeypatch):
    told, look = [], runner._Watcher.on_message
    monkeypatch.setattr(
        runner._Watcher, "on_message", lambda self, message: told.append(message) or look(self, message)
    )
    do(work_in(machine, WorkState.WAITING))
    told = [message for message in told if message["kind"] == "progress"]
    words = [message["message"]["template"] % message["message"]["values"] for message in told]
    assert (
        words[0] == "Counting the rows" and "Looked at 3 of 4 columns" in words and words[-1] == "Preparing the graphs"
    )
    shares = [message["share"] for message in told]
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] < 1
    assert told[0]["seconds_left"] is None and all(message["seconds_left"] >= 0 for message in told[1:])


def test_cancel(alice_client, machine):
    work = work_in(machine)
    assert f'action="{address(machine)}cancel/"' in page(alice_client, machine)
    response = alice_client.post(address(machine) + "cancel/")
    assert (response.status_code, response["Location"]) == (302, address(machine))
    work.refresh_from_db()
    assert work.state is WorkState.CANCELLED
    shown = page(alice_client, machine)
    assert "Cancelled" in shown and "Try again" in shown and "load, submit" not in shown, (
        "it does not begin again by itself"
    )
    assert alice_client.post(address(machine) + "cancel/").status_code == 302, "there is nothing to cancel"
    start(alice_client, machine)
    assert Work.objects.active().count() == 1


@pytest.mark.parametrize("reason", ["deadline", "memory", "crash"])
def test_failure(alice_client, machine, monkeypatch, reason):
    def fail(*args, **kwargs):
        raise ChildFailedError(reason)

    work = work_in(machine, WorkState.WAITING)
    Work.objects.update(attempts=2)
    with monkeypatch.context() as broken:
        broken.setattr(runner, "run_child", fail)
        assert do(work).state is WorkState.ERROR
    shown = page(alice_client, machine)
    assert profile_work.WORDS[reason] in shown and "Try again" in shown and "load, submit" not in shown
    start(alice_client, machine)
    assert do(Work.objects.latest("pk")).state is WorkState.FINISHED


def test_a_viewer_may_ask_and_cancel_only_their_own(bob, bob_client, shared):
    work = work_in(shared)
    shown = page(bob_client, shared)
    assert "Looked at 3 of 8 columns" in shown and "/cancel/" not in shown.split('id="profile"')[1]
    assert bob_client.post(address(shared) + "cancel/").status_code == 403
    work.cancel()
    start(bob_client, shared)
    assert Work.objects.latest("pk").user == bob
    assert f'action="{address(shared)}cancel/"' in page(bob_client, shared)
    bob_client.post(address(shared) + "cancel/")
    assert not Work.objects.active().exists()


def test_not_for_strangers(charlie_client, client, machine):
    work_in(machine)
    for path in (address(machine), address(machine) + "cancel/"):
        assert charlie_client.post(path).status_code == 404 and client.post(path).status_code == 302
    assert page_status(charlie_client, machine) == 404 and Work.objects.active().count() == 1


def page_status(client, machine):
    return client.get(address(machine)).status_code


def test_who_was_removed_meanwhile_gets_none(alice_client, bob, bob_client, shared):
    start(bob_client, shared)
    Membership.objects.filter(user=bob).delete()
    assert do(Work.objects.get()).state is WorkState.ERROR
    assert profile_work.NOT_ALLOWED in page(alice_client, shared)
    start(alice_client, shared)
    assert do(Work.objects.latest("pk")).state is WorkState.FINISHED


@pytest.mark.parametrize("state", list(WorkState))
def test_changed_rows_are_another_question(alice_client, machine, state):
    """A work that waits will look at the rows as they are then: it is for the new ones, too."""
    work_in(machine, state)
    add(machine, rows_of(scale=9))
    shown, is_same = page(alice_client, machine), state is WorkState.WAITING
    assert ("load, submit" in shown) is not is_same and ("Waiting for the worker" in shown) is is_same
    start(alice_client, machine)
    assert Work.objects.count() == (1 if is_same else 2)


def test_it_looks_at_the_rows_as_they_are_when_it_runs(alice_client, machine):
    work = work_in(machine, WorkState.WAITING)
    add(machine, rows_of(scale=9))
    assert do(work).state is WorkState.FINISHED and work.parameters == {"rows": asked_of(machine).key}
    assert "“=size” has changed: the rows of upload 2" in page(alice_client, machine)
    machine.columns.filter(name="day").update(type="LABEL")
    assert "load, submit" in page(alice_client, machine), "types make another question, too"


def test_rows_that_are_gone(alice_client, machine):
    work = work_in(machine, WorkState.WAITING)
    next(machine.folder.glob("*.parquet")).unlink()
    assert "The rows have just changed" in page(alice_client, machine)
    assert "The rows have just changed" in start(alice_client, machine).content.decode()
    assert do(work).state is WorkState.ERROR


def test_no_rows_when_it_runs(machine):
    work = work_in(machine, WorkState.WAITING)
    DataLinesOperation.objects.all().delete()
    assert do(work).state is WorkState.ERROR and "rows have just changed" in work.message


def test_a_profile_that_was_tidied_away_is_not_made_by_itself_again(alice_client, machine):
    work_in(machine, WorkState.FINISHED)
    shown = page(alice_client, machine)
    assert "Try again" in shown and "load, submit" not in shown


def test_too_many_works(alice_client, machine, monkeypatch):
    def refuse(**kwargs):
        raise DataError("You have too many.")

    monkeypatch.setattr(profile_work, "work_make", refuse)
    assert "You have too many." in start(alice_client, machine).content.decode()


def test_the_list_of_works_leads_to_it(alice_client, machine):
    work_in(machine, WorkState.FINISHED)
    shown = alice_client.get("/work/").content.decode()
    assert "Data profile" in shown and f'href="{address(machine)}"' in shown
    assert "960 rows" not in shown, "its size is in cells"


def test_it_has_more_time_for_more_cells(machine):
    times = [profile_work.JOB.seconds(Work(size=size)) for size in (None, 10**6, 4 * 10**8, 10**10)]
    assert times == [300, 300, 800, 1800]


def test_many_columns_cost_no_more_queries(alice_client, machine):
    work_in(machine)
    page(alice_client, machine)
    with CaptureQueriesContext(connection) as few:
        page(alice_client, machine)
    for position in range(10, 40):
        Column.objects.create(machine=machine, position=position, name=f"more {position}", type="FLOAT", role="input")
    work_in(machine)
    with CaptureQueriesContext(connection) as many:
        assert "Looked at 3 of 8 columns" in page(alice_client, machine)
    assert len(many) <= len(few)
