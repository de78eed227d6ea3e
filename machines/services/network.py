"""The network of a machine: what its owner fixed, and what its training chose, in the seed's three fields.

`parameter_nn_loss`, `parameter_nn_optimizer` and `parameter_nn_shape` say what the network has. What was fixed stands in
the shape too, under "wanted", so that the next training knows it from what was only chosen; under "used" stands the rest of
what was really trained (machines.engine.chosen).
"""

from collections.abc import Mapping
from typing import Any

from machines.engine.parameters import Parameters
from models import Machine

FIELDS = ["parameter_nn_loss", "parameter_nn_optimizer", "parameter_nn_shape"]


def network_wishes(machine: Machine) -> dict[str, Any]:
    """Return what was fixed: any of `loss`, `optimizer` and `shape`, as machines.engine.parameters takes them."""
    return dict((machine.parameter_nn_shape or {}).get("wanted") or {})


def network_fix(*, machine: Machine, wishes: Mapping[str, Any]) -> None:
    """Fix these for trainings to come; what is not among them is chosen. Raises DataError for what no network can have."""
    Parameters.from_json(wishes)
    machine.parameter_nn_loss = wishes.get("loss", machine.parameter_nn_loss)
    machine.parameter_nn_optimizer = wishes.get("optimizer", machine.parameter_nn_optimizer)
    machine.parameter_nn_shape = (machine.parameter_nn_shape or {}) | {"wanted": dict(wishes)}
    machine.save(update_fields=FIELDS)


def network_write(machine: Machine, network: Mapping[str, Any]) -> None:
    """Put what a training chose on its machine, unsaved. The loss is that of the first output; all are under "used"."""
    losses = network.get("loss") or {}
    machine.parameter_nn_loss = next(iter(losses.values()), "")
    machine.parameter_nn_optimizer = network.get("optimizer", "")
    machine.parameter_nn_shape = {"wanted": network_wishes(machine), "used": dict(network)}
    machine.training_training_batch_size = network.get("batch_size")
