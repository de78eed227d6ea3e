"""The seed's fields of a machine's network and evaluation: what the owner fixed, what the training chose."""

import pytest

from machines.engine.errors import DataError
from machines.services.network import network_fix, network_wishes, network_write
from machines.services.trained import SAMPLES, model_record
from machines.services.training import JOB, training_start
from models import Machine
from tests.machines.houses import houses

pytestmark = pytest.mark.django_db

WISHES = {"loss": "mae", "optimizer": "sgd", "shape": [24, 12]}
CHOSEN = {
    "loss": {"price": "mse", "risk": "binary_crossentropy"},
    "optimizer": "adam",
    "shape": [96, 96],
    "batch_size": 64,
}


def again(machine):
    return Machine.objects.get(pk=machine.pk)


def test_it_works(machine, tmp_path):
    """What a real training of two outputs of different kind found."""
    work = training_start(machine=machine, user=machine.machine_owner_user, level=1, wishes=WISHES)
    assert JOB.prepare(work, tmp_path)["parameters"] == WISHES
    work.start()
    model_record(work=work, onnx=houses().onnx, report=houses().report)

    machine = again(machine)
    used = machine.parameter_nn_shape["used"]
    assert (machine.parameter_nn_loss, machine.parameter_nn_optimizer) == ("binary_crossentropy", "adam")
    assert used["loss"] == {"risk": "binary_crossentropy", "price": "mse"} and min(used["shape"]) > 0
    assert machine.training_training_batch_size == used["batch_size"] > 0 and used["epochs"] > 0
    assert used["learning_rate"] > 0 and 0 <= used["dropout"] < 1
    assert network_wishes(machine) == WISHES
    for sample in SAMPLES:
        assert getattr(machine, f"training_eval_loss_sample_{sample}") > 0, sample
        assert 0 < getattr(machine, f"training_eval_accuracy_sample_{sample}") <= 1, sample
    for figure in ("loss", "accuracy"):
        assert set(getattr(machine, f"training_eval_outputs_cols_{figure}_sample_evaluation")) == {"risk", "price"}


def test_what_was_chosen_is_free_again_the_next_time(machine):
    network_write(machine, CHOSEN)
    machine.save()
    machine = again(machine)
    assert (machine.parameter_nn_loss, machine.parameter_nn_optimizer) == ("mse", "adam")
    assert machine.parameter_nn_shape["used"] == CHOSEN and machine.training_training_batch_size == 64
    assert network_wishes(machine) == {}


def test_what_was_fixed_stays_fixed(machine):
    network_fix(machine=machine, wishes={"optimizer": "rmsprop"})
    machine = again(machine)
    assert machine.parameter_nn_optimizer == "rmsprop" and machine.parameter_nn_loss == ""
    network_write(machine, CHOSEN | {"optimizer": "rmsprop"})
    assert network_wishes(machine) == {"optimizer": "rmsprop"}
    network_fix(machine=machine, wishes={})
    assert network_wishes(again(machine)) == {}
    assert machine.parameter_nn_shape["used"]["shape"] == [96, 96]  # of the network that still answers


@pytest.mark.parametrize("wishes", [{"loss": "hinge"}, {"optimizer": "lbfgs"}, {"shape": [0]}, {"shape": [9] * 9}])
def test_what_no_network_can_have_is_refused(machine, wishes):
    with pytest.raises(DataError):
        network_fix(machine=machine, wishes=wishes)
    assert network_wishes(again(machine)) == {}


def test_a_machine_without_a_network_says_nothing(machine):
    network_write(machine, {})
    machine.save()
    assert (machine.parameter_nn_loss, machine.parameter_nn_optimizer) == ("", "")
