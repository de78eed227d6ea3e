"""Trainings over REST: asked for, watched and ended by a program."""

import pytest

from machines.services.splits import split_of
from models import Machine, Work
from models.access import Role
from models.machine import MachineStatus
from models.work import WorkState
from tests.api.conftest import error_of, make_key
from tests.dashboards.works import failed, finished, running, tried_again, waiting
from tests.factories import make_column, make_machine, make_work

pytestmark = pytest.mark.django_db


def train(program, machine, body=None):
    return program.post(f"machines/{machine.pk}/train/", {"level": 2} if body is None else body)


@pytest.fixture
def trainable(alice) -> Machine:
    """Visits of patients, never trained."""
    machine = make_machine(owner=alice)
    for name, type, role in [("patient", "LABEL", "ignored"), ("day", "DATE", "input"), ("ill", "LABEL", "output")]:
        make_column(machine, name=name, type=type, role=role)
    return machine


def test_it_works(program, machine, alice):
    response = train(program, machine)
    work = Work.objects.get()
    assert (response.status_code, response.json()) == (202, {"work": str(work.pk)})
    assert (work.level, work.user, work.machine, work.state) == (2, alice, machine, WorkState.WAITING)
    told = program.get(f"work/{work.pk}/").json()
    assert (told["id"], told["kind"], told["status"], told["machine"]) == (
        str(work.pk), "training", "waiting", machine.pk,
    )  # fmt: skip
    assert told["eta_seconds"] == work.work_duration_estimation_seconds and told["progress"] == 0
    assert program.get(f"machines/{machine.pk}/").json()["status"] == "training"


def test_without_a_level_it_is_the_machines_own(program, machine):
    Machine.objects.update(machine_level=3)
    assert train(program, machine, {}).status_code == 202
    assert Work.objects.get().level == 3


@pytest.mark.parametrize("level", [0, 6, -1, 1.5, True, None, "", "two", [1], {"a": 1}, 10**18])
def test_levels_that_are_none(program, machine, level):
    response = train(program, machine, {"level": level})
    assert response.status_code == 422 and "level" in error_of(response)["fields"]
    assert not Work.objects.exists()


def test_how_rows_belong_together(program, trainable):
    told = {"kind": "group", "column": "patient"}
    assert train(program, trainable, {"level": 1, "split": told}).status_code == 202
    assert split_of(Machine.objects.get(pk=trainable.pk)).to_json() == told


def test_how_rows_belong_together_stays_as_it_was(program, trainable):
    Machine.objects.filter(pk=trainable.pk).update(machine_split_kind="time", machine_split_column="day")
    assert train(program, trainable, {}).status_code == 202
    assert split_of(Machine.objects.get(pk=trainable.pk)).to_json() == {"kind": "time", "column": "day"}


@pytest.mark.parametrize(
    ("split", "field"),
    [
        ({"kind": "group", "column": "nurse"}, "split.column"),
        ({"kind": "group"}, "split.column"),
        ({"kind": "time", "column": "patient"}, "split.column"),
        ({"kind": "time", "column": ["day"]}, "split.column"),
        ({"kind": "sometimes", "column": "day"}, "split.kind"),
        ({"column": "patient"}, "split.kind"),
        ({}, "split.kind"),
        ("group", "split"),
        (None, "split"),
        ([["kind", "group"]], "split"),
    ],
)
def test_rows_that_cannot_be_kept_together_so(program, trainable, split, field):
    response = train(program, trainable, {"level": 1, "split": split})
    assert response.status_code == 422 and list(error_of(response)["fields"]) == [field]
    assert not Work.objects.exists()


@pytest.mark.parametrize("body", [[], "1", 1, None, [{"level": 1}]])
def test_what_is_no_object(program, machine, body):
    response = program.post(f"machines/{machine.pk}/train/", body)
    assert error_of(response)["message"] == 'Send an object, such as {"level": 1}.'
    assert response.status_code == 422 and not Work.objects.exists()


def test_a_machine_that_trains_already(program, machine):
    train(program, machine)
    response = train(program, machine)
    assert response.status_code == 409
    assert error_of(response) == {"code": "conflict", "message": "This machine is training already.", "fields": {}}
    assert Work.objects.count() == 1


def test_columns_that_cannot_be_learned_from(program, machine):
    machine.columns.update(role="input")
    response = train(program, machine)
    assert response.status_code == 422 and "No column is an output" in error_of(response)["message"]
    machine.refresh_from_db()
    assert machine.machine_status == MachineStatus.READY


def test_it_goes_on(program, alice):
    work = running(alice)
    told = program.get(f"work/{work.pk}/").json()
    assert told == {
        "id": str(work.pk), "kind": "training", "machine": work.machine_id, "status": "running", "progress": 0.4,
        "eta_seconds": 36.0, "best_score": 0.65, "message": "Training the network, round 12", "attempts": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("make", "status", "message"),
    [
        (waiting, "waiting", ""),
        (finished, "finished", ""),
        (failed, "failed", "“risk” is “2.5” in every row."),
        (tried_again, "waiting", "Trying again (2 of 3): The training stopped with an error of ours."),
    ],
)
def test_states(program, alice, make, status, message):
    told = program.get(f"work/{make(alice).pk}/").json()
    assert (told["status"], told["message"]) == (status, message)


def test_work_outlives_its_machine(program, alice):
    work = finished(alice)
    Machine.objects.all().delete()
    assert program.get(f"work/{work.pk}/").json()["machine"] is None


def test_finish(program, alice):
    work = running(alice)
    response = program.post(f"work/{work.pk}/finish/", {})
    assert response.status_code == 200 and response.json()["status"] == "running"
    work.refresh_from_db()
    assert work.is_finish_requested


def test_cancel(program, alice):
    work = running(alice)
    assert program.post(f"work/{work.pk}/cancel/", {}).json()["status"] == "cancelled"
    assert Work.objects.get().state is WorkState.CANCELLED


@pytest.mark.parametrize("verb", ["cancel", "finish"])
def test_what_has_ended_stays_so(program, alice, verb):
    work = finished(alice)
    response = program.post(f"work/{work.pk}/{verb}/", {})
    assert response.status_code == 409 and error_of(response)["message"] == "This work has ended already."
    assert Work.objects.get().state is WorkState.FINISHED


def test_only_a_training_can_be_finished_early(program, alice):
    work = make_work(make_machine(owner=alice), user=alice, is_work_solving=True)
    response = program.post(f"work/{work.pk}/finish/", {})
    assert response.status_code == 422 and "Only a training" in error_of(response)["message"]
    work.refresh_from_db()
    assert not work.is_finish_requested


# Whose


def test_it_is_nobody_elses(alice, charlie, machine):
    work, program = running(alice), make_key(charlie)
    nothing = program.get("work/987654/")
    for response in (
        program.get(f"work/{work.pk}/"), program.post(f"work/{work.pk}/cancel/", {}), train(program, machine),
    ):  # fmt: skip
        assert (response.status_code, response.content) == (404, nothing.content)
    assert Work.objects.get().is_active


def test_scopes(alice, machine):
    work, program = running(alice), make_key(alice, scopes=["read"])
    assert program.get(f"work/{work.pk}/").status_code == 200
    for response in (program.post(f"work/{work.pk}/cancel/", {}), train(program, machine)):
        assert response.status_code == 403 and error_of(response)["code"] == "scope"
    assert make_key(alice, scopes=["write"]).get(f"work/{work.pk}/").status_code == 403


def test_a_viewer_may_look_and_not_end(alice, bob, of_bob, team, machine, shared):
    work = running(alice, machine=machine)
    team.memberships.filter(user=bob).update(role=Role.VIEWER)
    program = of_bob()
    assert program.get(f"work/{work.pk}/").status_code == 200
    response = program.post(f"work/{work.pk}/cancel/", {})
    assert response.status_code == 403 and "takes Editor" in error_of(response)["message"]


def test_a_teams_key_reaches_the_work_of_the_teams_machines(alice, team, machine, shared):
    work, own = running(alice, machine=machine), waiting(alice)
    program = make_key(alice, team)
    assert program.get(f"work/{work.pk}/").status_code == 200
    assert program.get(f"work/{own.pk}/").status_code == 404
    assert program.post(f"work/{work.pk}/cancel/", {}).status_code == 200
