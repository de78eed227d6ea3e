import pytest
from django.db import IntegrityError, transaction

from models import Machine, NNModel
from models.machine import InvalidTransition, MachineStatus, RerunStep
from tests.factories import make_machine, make_ready_machine

pytestmark = pytest.mark.django_db

STEPS = list(RerunStep)
MOVES = {
    "columns_proposed": lambda m: m.columns_proposed(),
    "columns_confirmed": lambda m: m.columns_confirmed(),
    "training_started": lambda m: m.training_started(),
    "training_succeeded": lambda m: m.training_succeeded(),
    "training_failed": lambda m: m.training_failed("Too few rows."),
    "training_cancelled": lambda m: m.training_cancelled(),
}
# What each state becomes without and with a trained model; what is not here is refused.
ALLOWED = {
    "columns_proposed": dict.fromkeys(["new", "typed", "ready", "failed"], ("new", "new")),
    "columns_confirmed": dict.fromkeys(["new", "typed", "ready", "failed"], ("typed", "typed")),
    "training_started": dict.fromkeys(["typed", "ready", "failed"], ("training", "training")),
    "training_succeeded": {"training": ("ready", "ready")},
    "training_failed": {"training": ("failed", "ready")},
    "training_cancelled": {"training": ("typed", "ready")},
}


@pytest.mark.parametrize("has_model", [False, True])
@pytest.mark.parametrize("status", MachineStatus.values)
@pytest.mark.parametrize("move", MOVES)
def test_every_transition_from_every_state(move, status, has_model):
    model = NNModel.objects.create(nn_model=b"ONNX") if has_model else None
    machine = make_machine(status=status, training_nn_model=model)
    target = ALLOWED[move].get(status)

    if target is None:
        with pytest.raises(InvalidTransition):
            MOVES[move](machine)
    else:
        MOVES[move](machine)

    machine.refresh_from_db()
    assert machine.machine_status == (target[has_model] if target else status)
    assert machine.model_version == (1 if target and move == "training_succeeded" else 0)


def test_only_one_of_two_starts_the_training():
    machine = make_machine(status=MachineStatus.TYPED)
    first, second = Machine.objects.get(), Machine.objects.get()
    first.training_started()
    with pytest.raises(InvalidTransition, match="training cannot become training"):
        second.training_started()
    first.training_succeeded()
    assert first.model_version == 1 and Machine.objects.get(pk=machine.pk).model_version == 1


def test_a_failure_is_told_and_forgotten():
    machine = make_machine(status=MachineStatus.TRAINING)
    machine.training_failed("Too few rows.")
    assert Machine.objects.get().machine_status_message == "Too few rows."
    machine.training_started()
    assert Machine.objects.get().machine_status_message == ""


def test_a_transition_writes_nothing_else():
    machine = make_ready_machine(machine_description="before")
    stale = Machine.objects.get()
    Machine.objects.update(machine_description="after")
    stale.training_started()
    machine.refresh_from_db()
    assert (machine.machine_description, machine.machine_status) == ("after", "training")


def test_unknown_states_are_refused_by_the_database():
    machine = make_machine()
    with pytest.raises(IntegrityError), transaction.atomic():
        Machine.objects.filter(pk=machine.pk).update(machine_status="ok")


@pytest.mark.parametrize("step", STEPS)
def test_rerun_from_sets_all_later_steps(step):
    machine = make_machine()
    machine.rerun_from(step)
    machine.refresh_from_db()
    assert [getattr(machine, s.value) for s in STEPS] == [s in step.and_later for s in STEPS]
    assert machine.rerun_next is step


def test_steps_are_done_in_their_order():
    machine = make_machine()
    machine.rerun_from(RerunStep.MDC)
    with pytest.raises(InvalidTransition, match="MDC comes before FE"):
        machine.rerun_done(RerunStep.FE)
    for step in STEPS:
        assert machine.rerun_next is step
        machine.rerun_done(step)
    machine.rerun_done(RerunStep.FE)  # again is no error
    machine.refresh_from_db()
    assert machine.rerun_next is None


@pytest.mark.parametrize("step", STEPS[:-1])
def test_a_step_without_its_later_ones_is_refused_by_the_database(step):
    machine = make_machine()
    with pytest.raises(IntegrityError), transaction.atomic():
        Machine.objects.filter(pk=machine.pk).update(**{step.value: True})
