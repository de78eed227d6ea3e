"""A training from its start to each of its ends, with the real child."""

import os
import signal
import threading
import time
from pathlib import Path

import orjson
import pytest
from django.db import connection

from machines import storage
from machines.engine import parameters
from machines.engine.errors import DataError
from machines.jobs import runner
from machines.jobs.runner import work_run
from machines.services import training as service
from machines.services.columns import column_update
from machines.services.datasets import rows_add
from machines.services.demo import demo_machine
from machines.services.machines import machine_delete
from machines.services.predictions import predictor_of
from machines.services.training import latest_work, training_start
from machines.services.works import work_cancel, work_finish_early
from models import EncDecConfiguration, Machine, NNModel, Work
from models.work import WorkState
from tests.factories import make_server
from tests.machines.houses import csv_bytes, houses, table_rows

pytestmark = pytest.mark.django_db


def start(machine, level=1, **kwargs):
    return training_start(machine=machine, user=machine.machine_owner_user, level=level, **kwargs)


@pytest.fixture
def uploaded(upload):
    """A machine with rows of its own, whose column `price` is to be predicted."""
    machine = upload()
    machine.columns.filter(name="risk").update(role="ignored")
    return machine


@pytest.fixture
def temporary(settings):
    """Where trainings keep their files until they end."""
    folder = settings.STORAGE_ROOT / "works"
    folder.mkdir()
    return folder


def kept_in(temporary):
    """What trainings leave there."""
    return {path.name for path in temporary.glob("*/*")}


@pytest.fixture
def quick(monkeypatch):
    """Level 1 for a second: what is learned does not matter here."""
    monkeypatch.setattr(parameters, "LEVEL_SECONDS", dict(parameters.LEVEL_SECONDS) | {1: 1.0})


@pytest.fixture
def instant(monkeypatch):
    """The child's work is done already: it lays the houses' model and report where they are expected."""

    def run(module, request, **kwargs):
        Path(request["onnx_path"]).write_bytes(houses().onnx)
        Path(request["report_path"]).write_bytes(orjson.dumps(houses().report))
        return {"kind": "done"}

    monkeypatch.setattr(runner, "run_child", run)


class Moment:
    """Does something once, when the running child has told that it trains."""

    def __init__(self, monkeypatch, do, after=1):
        self.do, self.heard, self.after, self.at = do, 0, after, None
        tick, message = runner._Watcher.on_tick, runner._Watcher.on_message

        def on_message(watcher, said):
            self.heard += said.get("kind") == "progress"
            message(watcher, said)

        def on_tick(watcher, child):
            if self.heard >= self.after and self.at is None:
                self.at = time.monotonic()
                self.do(watcher.work, child)
            tick(watcher, child)

        monkeypatch.setattr(runner._Watcher, "on_message", on_message)
        monkeypatch.setattr(runner._Watcher, "on_tick", on_tick)

    @property
    def seconds(self):
        assert self.at is not None, "the training never told anything"
        return time.monotonic() - self.at


def test_it_works(alice, temporary):
    machine = demo_machine(user=alice)

    work = latest_work(machine)
    assert work.state is WorkState.FINISHED and work.progress == 1
    assert (machine.machine_status, machine.model_version, machine.rows_count) == ("ready", 1, 768)
    (outcome,) = machine.training_report["outputs"]
    assert outcome["holdout"]["roc_auc"]["value"] > 0.75
    assert outcome["holdout"]["roc_auc"]["value"] >= outcome["baseline"]["roc_auc"]["value"] - 0.05
    assert set(machine.fe_columns_inputs_importance_evaluation) == set(
        machine.columns.inputs().values_list("name", flat=True)
    )
    assert machine.training_eval_accuracy_sample_evaluation > 0.6
    assert machine.training_date_time_machine_model and machine.training_training_epoch_count > 0
    assert machine.training_total_training_line_count == machine.training_report["rows_trained"]
    assert predictor_of(machine).metadata == machine.enc_dec_configuration_extfield
    assert kept_in(temporary) == {"trials"}


def test_progress_is_told(uploaded, monkeypatch):
    told, report = [], Work.report

    def remember(work, progress, message, **kwargs):
        told.append((progress, message, kwargs))
        return report(work, progress, message, **kwargs)

    monkeypatch.setattr(Work, "report", remember)
    work_run(work_id=start(uploaded).pk)
    shares = [progress for progress, _message, _rest in told]
    assert shares == sorted(shares) and 0 < max(shares) <= 1
    assert any("Training the network, round" in message for _progress, message, _rest in told)
    assert any(rest["best_score"] is not None and len(rest["curve"]["validation_loss"]) > 1 for *_, rest in told)


def test_rows_added_later_are_learned_from_too(uploaded, alice, quick, temporary):
    rows_add(machine=uploaded, user=alice, file_name="more.csv", chunks=[csv_bytes(table_rows(50))])
    work_run(work_id=start(uploaded).pk)
    assert Machine.objects.get().training_report["rows"] == 250
    assert kept_in(temporary) == {"trials"}


# The start


def test_a_start_queues_one_work(uploaded, alice):
    work = start(uploaded, level=2)
    assert (work.state, work.kind.label, work.level, work.user) == (WorkState.WAITING, "Training", 2, alice)
    machine = Machine.objects.get()
    assert (machine.machine_status, machine.machine_level) == ("training", 2)
    assert machine.mdc_columns_output_count == 1


def test_a_second_start_is_refused(uploaded):
    start(uploaded)
    with pytest.raises(DataError, match="training already"):
        start(uploaded)
    assert Work.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_starts_at_once_one_wins(machine):
    outcomes = []

    def one():
        try:
            outcomes.append(start(Machine.objects.get()).pk)
        except DataError as error:
            outcomes.append(str(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(type, outcomes), key=str) == [int, str], outcomes
    assert Work.objects.count() == 1


def test_columns_that_cannot_be_learned_from_start_nothing(uploaded):
    uploaded.columns.update(role="input")
    with pytest.raises(DataError, match="No column is an output"):
        start(uploaded, level=4)
    machine = Machine.objects.get()
    assert not Work.objects.exists()
    assert (machine.machine_status, machine.machine_level) == ("new", 1)


# Its ends


def test_cancelled_within_5_seconds(uploaded, temporary, monkeypatch):
    moment = Moment(monkeypatch, lambda work, child: work_cancel(work=Work.objects.get(pk=work.pk)), after=3)
    work = start(uploaded, level=3)
    work_run(work_id=work.pk)
    assert moment.seconds < 5
    work.refresh_from_db()
    machine = Machine.objects.get()
    assert work.state is WorkState.CANCELLED
    assert (machine.machine_status, machine.can_answer) == ("typed", False)
    assert list(temporary.iterdir()) == [] and not NNModel.objects.exists()


def test_finished_within_5_seconds_with_the_best_so_far(uploaded, temporary, monkeypatch):
    moment = Moment(monkeypatch, lambda work, child: work_finish_early(work=Work.objects.get(pk=work.pk)), after=8)
    work = start(uploaded, level=3)
    work_run(work_id=work.pk)
    assert moment.seconds < 5
    work.refresh_from_db()
    machine = Machine.objects.get()
    assert work.state is WorkState.FINISHED
    assert (machine.machine_status, machine.model_version) == ("ready", 1)
    assert machine.training_report["outputs"][0]["holdout"]["rmse"]["value"] > 0
    assert kept_in(temporary) == {"trials"}


def test_cancelled_while_waiting_ends_at_once(uploaded):
    work = start(uploaded)
    assert work_cancel(work=work)
    work.refresh_from_db()
    assert work.state is WorkState.CANCELLED
    assert Machine.objects.get().machine_status == "typed"
    work_run(work_id=work.pk)  # the worker comes to it later
    assert Machine.objects.get().machine_status == "typed"
    assert start(uploaded)


def test_cancelled_at_the_last_moment_keeps_nothing(machine, instant, monkeypatch):
    model = machine.training_nn_model_id
    run = runner.run_child

    def run_then_cancel(*args, **kwargs):
        result = run(*args, **kwargs)
        work_cancel(work=Work.objects.get())
        return result

    monkeypatch.setattr(runner, "run_child", run_then_cancel)
    work_run(work_id=start(machine).pk)
    assert Work.objects.get().state is WorkState.CANCELLED
    machine.refresh_from_db()
    assert (machine.machine_status, machine.training_nn_model_id, machine.model_version) == ("ready", model, 1)


def test_cancelling_another_training_keeps_the_old_model(machine, monkeypatch):
    model = machine.training_nn_model_id
    work = start(machine)
    work_cancel(work=work)
    machine.refresh_from_db()
    assert (machine.machine_status, machine.training_nn_model_id, machine.model_version) == ("ready", model, 1)


def test_training_again_replaces_the_model(machine, instant):
    model = machine.training_nn_model_id
    work_run(work_id=start(machine).pk)
    machine = Machine.objects.get()
    assert (machine.model_version, NNModel.objects.count(), EncDecConfiguration.objects.count()) == (2, 1, 1)
    assert machine.training_nn_model_id != model
    assert predictor_of(machine).metadata["outputs"][0]["name"] == "risk"


def fails_with(work_id, sentence):
    work_run(work_id=work_id)
    return ended_with(work_id, sentence)


def ended_with(work_id, sentence):
    work, machine = Work.objects.get(pk=work_id), Machine.objects.get()
    assert work.state is WorkState.ERROR
    assert sentence in work.message and work.notice["template"]
    assert (machine.machine_status, machine.machine_status_message) == ("failed", work.message)
    return True


def trials_of(work):
    folder = storage.absolute(Work.objects.get(pk=work.pk).folder) / "trials"
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*")}


def test_with_more_time_it_goes_on_from_what_was_fitted(uploaded, alice, monkeypatch, temporary):
    monkeypatch.setattr(parameters, "LEVEL_SECONDS", {1: 2.0, 2: 6.0, 3: 6.0, 4: 6.0, 5: 6.0})
    fitted = []
    for level in (1, 2):
        work = start(Machine.objects.get(pk=uploaded.pk), level=level)
        work_run(work_id=work.pk)
        fitted.append(trials_of(work))
    quick, longer = fitted
    assert quick and len(longer) > len(quick) and len(quick.items() & longer.items()) >= 3
    assert len(list(temporary.glob("*/*"))) == 1 and kept_in(temporary) == {"trials"}, "of the last training alone"
    machine_delete(machine=Machine.objects.get(pk=uploaded.pk), user=alice)
    assert not list(temporary.iterdir())


def test_very_large_trials_are_not_kept(uploaded, quick, monkeypatch, temporary):
    monkeypatch.setattr(service, "MOST_KEPT", 10_000)
    work_run(work_id=start(uploaded).pk)
    assert not kept_in(temporary)


def test_a_constant_output_is_told(upload):
    rows = [[*cells[:-2], "yes", cells[-1]] for cells in table_rows(40)]
    machine = upload(csv_bytes(rows))
    machine.columns.filter(name="price").update(role="ignored")
    column_update(column=machine.columns.get(name="risk"), changes={"type": "LABEL", "role": "output"})
    assert fails_with(start(machine).pk, "“risk” is “yes” in every row")


def test_too_few_rows_are_told(upload):
    machine = upload(csv_bytes(table_rows(12)))
    machine.columns.filter(name="price").update(role="output")
    assert fails_with(start(machine).pk, "At least 20 are needed")


def test_a_failed_machine_can_be_trained_again(upload, alice, quick):
    machine = upload(csv_bytes(table_rows(12)))
    assert fails_with(start(machine).pk, "At least 20")
    rows_add(machine=machine, user=alice, file_name="more.csv", chunks=[csv_bytes(table_rows(60))])
    work_run(work_id=start(machine).pk)
    now = Machine.objects.get()
    assert (now.machine_status, now.machine_status_message) == ("ready", "")


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_that_dies_three_times_is_told_and_logged(uploaded, temporary, monkeypatch, stop, caplog):
    work = start(uploaded)
    for attempt in (1, 2, 3):
        Moment(monkeypatch, lambda work, child: os.kill(child.process.pid, stop))
        assert Work.objects.get().state is WorkState.WAITING
        work_run(work_id=work.pk)
        assert f"work {work.pk}, attempt {attempt}: crash" in caplog.text
    assert ended_with(work.pk, "an error of ours")
    assert list(temporary.iterdir()) == []
    assert start(Machine.objects.get()).state is WorkState.WAITING


def test_too_slow_is_told(uploaded, monkeypatch):
    monkeypatch.setattr(service, "GRACE_SECONDS", -5.3)
    assert fails_with(start(uploaded).pk, "took longer than its level allows")


def test_too_large_is_told(uploaded, settings):
    settings.TRAINING_MEMORY_MB = 20
    work = start(uploaded)
    work_run(work_id=work.pk)
    assert "more memory" in Work.objects.get().message, "it may have been the company it was in"
    work_run(work_id=work.pk)
    assert fails_with(work.pk, "more memory than this server allows")


def test_our_own_mistake_is_told_and_raised(uploaded, instant, monkeypatch, temporary):
    def fail(**kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr(service, "model_record", fail)
    work = start(uploaded)
    with pytest.raises(ZeroDivisionError):
        work_run(work_id=work.pk)
    assert ended_with(work.pk, "an error of ours")
    assert list(temporary.iterdir()) == []


def test_a_work_is_done_once(uploaded, monkeypatch):
    work = start(uploaded)
    work.start(make_server())
    monkeypatch.setattr(runner, "run_child", lambda *args, **kwargs: pytest.fail("it was done twice"))
    work_run(work_id=work.pk)
    assert Work.objects.get().state is WorkState.PROCESSING


def test_a_work_that_is_gone_is_no_error():
    work_run(work_id=987_654)


# Deleting


def test_deleting_a_machine_while_its_training_waits(uploaded, stored):
    work = start(uploaded)
    machine_delete(machine=uploaded)
    work_run(work_id=work.pk)
    work.refresh_from_db()
    assert (work.state, work.machine, work.machine_name) == (WorkState.CANCELLED, None, "Houses")
    assert stored() == []


def test_deleting_a_machine_while_it_trains(uploaded, stored, temporary, monkeypatch):
    moment = Moment(monkeypatch, lambda work, child: machine_delete(machine=Machine.objects.get()), after=3)
    work = start(uploaded, level=3)
    work_run(work_id=work.pk)
    assert moment.seconds < 5
    work.refresh_from_db()
    assert (work.state, work.machine) == (WorkState.CANCELLED, None)
    assert stored() == [] and list(temporary.iterdir()) == []
    assert not Machine.objects.exists() and not NNModel.objects.exists()


def test_deleting_a_machine_before_the_child_has_read_its_rows(uploaded, stored, monkeypatch):
    run = runner.run_child

    def delete_then_run(*args, **kwargs):
        machine_delete(machine=Machine.objects.get())
        monkeypatch.setattr(runner, "LOOK_SECONDS", 60.0)
        return run(*args, **kwargs)

    monkeypatch.setattr(runner, "run_child", delete_then_run)
    work = start(uploaded)
    work_run(work_id=work.pk)
    work.refresh_from_db()
    assert work.state is WorkState.CANCELLED and stored() == []


def test_deleting_a_machine_when_its_training_is_just_done(uploaded, instant, monkeypatch):
    record = service.model_record

    def delete_then_record(**kwargs):
        machine_delete(machine=Machine.objects.get())
        record(**kwargs)

    monkeypatch.setattr(service, "model_record", delete_then_record)
    work = start(uploaded)
    work_run(work_id=work.pk)
    work.refresh_from_db()
    assert work.state is WorkState.CANCELLED
    assert not NNModel.objects.exists() and not EncDecConfiguration.objects.exists()


def test_deleting_a_machine_that_never_trained(machine):
    machine_delete(machine=machine)
    assert not Machine.objects.exists() and not NNModel.objects.exists() and not EncDecConfiguration.objects.exists()
