"""Many rows from their upload to each of the ends of the work, with the real child."""

import csv
import dataclasses
import errno
import os
import signal
from datetime import timedelta

import polars as pl
import pytest

from accounts.services.account import account_delete
from machines.engine.errors import DataError
from machines.jobs import runner
from machines.jobs.runner import work_run
from machines.services import solving
from machines.services.machines import machine_delete
from machines.services.solving import answers_forget, answers_path, errors_path, preview_of, solving_start, solvings_of
from machines.services.works import work_cancel, work_retry, works_prune
from models import DataLinesOperation, Machine, NNModel, Work
from models.work import WorkState
from tests.factories import make_machine
from tests.machines.houses import HEADER, OUTPUTS, csv_bytes, table_rows, xlsx_bytes

pytestmark = pytest.mark.django_db

INPUTS = [name for name in HEADER if name not in OUTPUTS]


def unanswered(rows=30):
    """Rows of houses without what is to be told about them."""
    return [cells[: len(INPUTS)] for cells in table_rows(rows)]


def ask(machine, content=None, format="csv", name="new houses.csv", user=None):
    content = csv_bytes(unanswered(), INPUTS) if content is None else content
    user = user or machine.machine_owner_user
    return solving_start(machine=machine, user=user, file_name=name, chunks=[content], format=format)


def done(work):
    work_run(work_id=work.pk)
    return Work.objects.get(pk=work.pk)


def answers(work):
    with answers_path(work).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def files(settings):
    return sorted(path.name for path in settings.STORAGE_ROOT.rglob("*") if path.is_file())


@pytest.fixture
def at_first_news(monkeypatch):
    """Do something once, when the child has told something for the first time."""

    def plan(do):
        tick, pending = runner._Watcher.on_tick, [do]

        def on_tick(watcher, child):
            if watcher.news is not None and pending:
                pending.pop()(watcher.work, child)
            tick(watcher, child)

        monkeypatch.setattr(runner._Watcher, "on_tick", on_tick)

    return plan


@pytest.fixture
def small_chunks(monkeypatch):
    """Many chunks from few rows."""
    prepare = solving._prepare
    changed = dataclasses.replace(solving.JOB, prepare=lambda work, folder: prepare(work, folder) | {"cells": 1})
    monkeypatch.setattr(runner, "job_of", lambda work: changed)


@pytest.mark.django_db(transaction=True)
def test_it_works(machine, settings):
    work = ask(machine)
    assert files(settings) == ["source"] and work.state is WorkState.WAITING and work.size == 31
    work = done(work)
    assert work.state is WorkState.FINISHED, work.message
    assert (work.result["rows"], work.result["errors"], work.result["version"], work.size) == (30, 0, 1, 30)
    rows = answers(work)
    assert {*rows[0]} == {*INPUTS, "risk", "risk:no", "risk:yes", "price", "price:low", "price:high"}
    assert [list(row.values())[: len(INPUTS)] for row in rows] == unanswered(), "as they came"
    assert all(float(row["price:low"]) <= float(row["price"]) <= float(row["price:high"]) for row in rows)
    assert files(settings) == ["answers-1.csv", "errors-1.csv", "preview-1.json"], "what came is not kept twice"
    added = DataLinesOperation.objects.get()
    assert (added.is_added_for_solving, added.is_added_for_learning, added.rows) == (True, None, 30)
    assert len(added.sha256) == 64 and added.user == work.user


def test_parquet(machine):
    work = done(ask(machine, format="parquet"))
    frame = pl.read_parquet(answers_path(work))
    assert frame.height == 30 and frame["price"].dtype == pl.Float64 and frame["risk"].is_in(["yes", "no"]).all()


def test_a_workbook(machine):
    work = done(ask(machine, xlsx_bytes(unanswered(), INPUTS), name="new.xlsx"))
    assert work.state is WorkState.FINISHED and len(answers(work)) == 30


def test_what_could_not_be_read(machine):
    rows = unanswered()
    rows[3][0], rows[8][5] = "very large", "some day"
    work = done(ask(machine, csv_bytes([cells[:-1] for cells in rows], INPUTS[:-1])))
    assert work.result["errors"] == 2 and work.result["unreadable"] == {"size": 1, "day": 1}
    assert len(work.result["notices"]) == 3, "two columns with such cells, one that is absent"
    lines = list(csv.reader(errors_path(work).open(encoding="utf-8", newline="")))
    assert [line[:3] for line in lines[1:]] == [["4", "size", "very large"], ["9", "day", "some day"]]


def test_cells_are_no_formulas(machine):
    rows = unanswered()
    rows[0][INPUTS.index("note")] = "=1+1"
    assert answers(done(ask(machine, csv_bytes(rows, INPUTS))))[0]["note"] == "'=1+1"


def test_cells_stand_in_the_folder_only(machine):
    rows = unanswered()
    rows[0][INPUTS.index("note")] = "a secret thing"
    work = done(ask(machine, csv_bytes(rows, INPUTS)))
    assert "a secret thing" in str(preview_of(work)) and len(preview_of(work)["rows"]) == 5
    assert set(preview_of(work)["titles"][:6]) == {*answers(work)[0]} - {*INPUTS}, "the answers first"
    assert "secret" not in str(Work.objects.filter(pk=work.pk).values())
    assert answers_forget(work=work) and preview_of(Work.objects.get(pk=work.pk)) == {}


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"\x89PNG\r\n\x1a\n", "a.csv", "PNG"),
        (b"colour,weight\nred,3\n", "a.csv", "None of the machine's input columns is in the file"),
        (b"size,delta\n", "a.csv", ""),
        (b"PK\x03\x04 no workbook", "a.xlsx", ""),
    ],
)
def test_a_wrong_file_fails_with_what_is_wrong(machine, settings, content, name, said):
    work = done(ask(machine, content, name=name))
    assert work.state is WorkState.ERROR and said in work.message and work.message.endswith(".")
    assert files(settings) == [], "nothing is kept of it"


def test_before_the_training(point, settings):
    with pytest.raises(DataError, match="not been trained yet"):
        ask(make_machine(owner=point), b"size\n1\n")
    assert files(settings) == [] and not Work.objects.exists()


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_whatever_happens_before_it_is_accepted_leaves_nothing(machine, settings, monkeypatch, error):
    def fail(**_values):
        raise error

    with monkeypatch.context() as broken, pytest.raises(type(error)):
        broken.setattr(solving, "work_make", fail)
        ask(machine)
    assert files(settings) == [] and not Work.objects.exists() and not DataLinesOperation.objects.exists()
    assert done(ask(machine)).state is WorkState.FINISHED, "and it works again"


def test_a_crash_loses_nothing(machine, at_first_news, small_chunks, monkeypatch):
    """The child dies in the middle; the next attempt goes on from its chunks and gives what an undisturbed one gives."""
    content = csv_bytes(unanswered(6000), INPUTS)
    undisturbed = done(ask(machine, content))
    assert undisturbed.state is WorkState.FINISHED
    work, seen = ask(machine, content), []

    def kill(running, child):
        chunks = solving.storage.absolute(running.folder) / "chunks"
        while not list(chunks.glob("answers-*.parquet")):
            assert child.process.poll() is None
        os.killpg(child.process.pid, signal.SIGKILL)
        seen.extend(path.stat().st_mtime_ns for path in chunks.glob("answers-*.parquet"))

    at_first_news(kill)
    work = done(work)
    assert (work.state, work.attempts) == (WorkState.WAITING, 1) and seen
    kept = {p.name: p.stat().st_mtime_ns for p in (solving.storage.absolute(work.folder) / "chunks").glob("answers-*")}
    answered, record = [], solving._record
    monkeypatch.setattr(
        runner._Attempt,
        "_record",
        lambda attempt, answer: answered.append(answer) or record(attempt.work, attempt.folder, answer),
    )
    work = done(work)
    assert (work.state, work.attempts) == (WorkState.FINISHED, 2)
    assert kept and answered[0]["resumed_chunks"] == len(kept)
    assert answers_path(work).read_bytes() == answers_path(undisturbed).read_bytes()


def test_a_child_that_always_dies_fails_after_three_attempts(machine, settings, monkeypatch):
    monkeypatch.setattr(runner._Watcher, "on_tick", lambda watcher, child: os.killpg(child.process.pid, signal.SIGKILL))
    work = ask(machine)
    states = [done(work).state for _attempt in range(3)]
    assert states == [WorkState.WAITING, WorkState.WAITING, WorkState.ERROR] and files(settings) == []
    with pytest.raises(DataError, match="Upload them again"):
        work_retry(work=Work.objects.get(pk=work.pk))
    assert Work.objects.get(pk=work.pk).state is WorkState.ERROR


def test_cancelled_while_it_runs(machine, settings, at_first_news):
    at_first_news(lambda work, child: work_cancel(work=Work.objects.get(pk=work.pk)))
    assert done(ask(machine, csv_bytes(unanswered(6000), INPUTS))).state is WorkState.CANCELLED
    assert files(settings) == []


@pytest.mark.django_db(transaction=True)
def test_cancelled_while_it_waits(machine, settings):
    work = ask(machine)
    work_cancel(work=work)
    assert files(settings) == [] and done(work).state is WorkState.CANCELLED


def test_the_machine_is_deleted_while_it_runs(machine, settings, at_first_news):
    at_first_news(lambda work, child: machine_delete(machine=Machine.objects.get(), user=machine.machine_owner_user))
    work = done(ask(machine, csv_bytes(unanswered(6000), INPUTS)))
    assert work.state is WorkState.CANCELLED and work.machine is None and files(settings) == []


def test_answers_go_with_the_machine(machine, settings):
    work = done(ask(machine))
    machine_delete(machine=machine, user=machine.machine_owner_user)
    assert files(settings) == [] and Work.objects.get(pk=work.pk).state is WorkState.FINISHED


def test_answers_go_with_who_asked(shared, bob, settings):
    work, waiting = done(ask(shared, user=bob)), ask(shared, user=bob)
    said = {"notices": [{"template": "“Ward 7” is not in the file."}], "unreadable": {"Ward 7": 1}}
    Work.objects.filter(pk=work.pk).update(result=work.result | said)
    account_delete(user=bob)
    left = Work.objects.get(pk=work.pk)
    assert files(settings) == [] and left.user is None
    assert (left.parameters["file"], left.result["notices"], left.result["unreadable"]) == ("", [], {})
    assert left.result["rows"] == work.result["rows"], "how much it was stays"
    assert Work.objects.get(pk=waiting.pk).state is WorkState.CANCELLED


def test_a_full_disk_is_said(machine, settings, monkeypatch):
    def full(*_given):
        raise OSError(errno.ENOSPC, "No space left on device")

    work = ask(machine)
    with monkeypatch.context() as no_room:
        no_room.setattr(solving, "write_safely", full)
        work = done(work)
    assert work.state is WorkState.ERROR and "disk of the server is full" in work.message and files(settings) == []
    assert done(ask(machine)).state is WorkState.FINISHED, "and it works again"


def replace_model(machine):
    """What a newer training does: another version of the machine, and the old file is gone."""
    old = machine.training_nn_model
    Machine.objects.filter(pk=machine.pk).update(
        training_nn_model=NNModel.objects.create(nn_model=b"not the one that was begun with"), model_version=2
    )
    old.delete()


def test_a_newer_training_does_not_change_what_was_begun(machine, at_first_news):
    """Also not for the attempt after a crash: chunks of two versions would be mixed."""

    def crash(work, child):
        replace_model(machine)
        os.killpg(child.process.pid, signal.SIGKILL)

    at_first_news(crash)
    work = done(ask(machine, csv_bytes(unanswered(3000), INPUTS)))
    assert work.state is WorkState.WAITING
    work = done(work)
    assert work.state is WorkState.FINISHED and work.result["version"] == 1


def test_who_was_removed_gets_no_answers(shared, team, bob, settings):
    work = ask(shared, user=bob)
    team.remove_user_from_team(bob)
    work = done(work)
    assert work.state is WorkState.ERROR and "may no longer" in work.message and files(settings) == []


def test_two_at_once(machine):
    """Each has a folder of its own; what is asked later does not wait for the first to be uploaded."""
    contents = [csv_bytes(unanswered(rows), INPUTS) for rows in (10, 20)]
    works = [ask(machine, content) for content in contents]
    assert works[0].folder != works[1].folder
    assert [len(answers(done(work))) for work in reversed(works)] == [20, 10]


def test_each_sees_their_own(shared, alice, bob, dana):
    work = ask(shared, user=bob)
    assert [list(solvings_of(machine=shared, user=user)) for user in (alice, bob, dana)] == [[], [work], [work]]


def test_answers_are_forgotten_by_rule(machine, settings):
    work = done(ask(machine))
    works_prune()
    assert answers_path(work)
    Work.objects.update(work_finished_at_date_time=work.created_at - timedelta(days=settings.WORK_FILE_DAYS, hours=1))
    works_prune()
    work = Work.objects.get(pk=work.pk)
    assert answers_path(work) is None and errors_path(work) is None and files(settings) == []
    assert not answers_forget(work=work), "there was nothing left"


def test_what_is_under_way_is_not_forgotten(machine, settings):
    work = ask(machine)
    assert not answers_forget(work=work) and files(settings) == ["source"]


def test_the_estimate_learns_from_rows(machine):
    assert ask(machine).work_duration_estimation_seconds == 5
    for rows in (10, 20, 30):
        done(ask(machine, csv_bytes(unanswered(rows), INPUTS)))
    assert ask(machine).work_duration_estimation_seconds != 5
    assert ask(machine, name="packed.xlsx").size is None


def test_what_ends_after_it_was_cancelled_is_not_recorded(machine, monkeypatch):
    def cancelled_first(work, folder, answer):
        work_cancel(work=Work.objects.get(pk=work.pk))
        solving._record(work, folder, answer)

    job = dataclasses.replace(solving.JOB, record=cancelled_first)
    monkeypatch.setattr(runner, "job_of", lambda work: job)
    work = done(ask(machine))
    assert work.state is WorkState.CANCELLED and work.result == {} and DataLinesOperation.objects.get().rows == 0


def test_the_deadline_grows_with_the_file(machine):
    work = ask(machine)
    short = solving.JOB.seconds(work)
    work.parameters["bytes"] = 200_000_000
    assert 600 <= short < solving.JOB.seconds(work) < 2 * 3600


def test_an_attempt_that_was_given_up_writes_into_files_of_its_own(machine):
    """Its worker was only asleep: what its child still writes must not take the place of the answers."""
    asleep = ask(machine)
    asleep.start()
    Work.objects.get().give_back()
    written = solving._prepare(asleep, solving.storage.absolute(asleep.folder))
    finished = done(asleep)
    kept = {str(answers_path(finished)), str(errors_path(finished))}
    assert finished.state is WorkState.FINISHED and kept.isdisjoint({written["answers_path"], written["errors_path"]})
