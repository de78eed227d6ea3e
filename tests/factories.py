"""Plain factories: make_x(**what matters to the test). Everything else is the simplest value that is allowed."""

import hashlib
from functools import cache
from itertools import count
from typing import Any

from machines.serving.description import propose
from machines.serving.signature import Signature
from models import (
    Column,
    ConsultingRequest,
    Credit,
    Debit,
    EncDecConfiguration,
    Graph,
    Machine,
    ModelVersion,
    NNModel,
    Operation,
    Server,
    Team,
    User,
    Work,
)
from models.machine import MachineStatus
from models.model_version import Framework, ModelFormat, Served, VersionState

PASSWORD = "correct horse battery staple"
_numbers = count(1)


def make_user(**kwargs: Any) -> User:
    email = kwargs.pop("email", f"person{next(_numbers)}@example.org")
    return User.objects.create_user(email, kwargs.pop("password", PASSWORD), **kwargs)


def make_admin(**kwargs: Any) -> User:
    """A super administrator: sees everything, and the admin site."""
    email = kwargs.pop("email", f"admin{next(_numbers)}@example.org")
    return User.objects.create_superuser(email, kwargs.pop("password", PASSWORD), **kwargs)


def make_team(*members: User, admin: User | None = None, **kwargs: Any) -> Team:
    team = (admin or make_user()).create_team(kwargs.pop("name", f"Team {next(_numbers)}"))
    for member in members:
        team.add_user_to_team(member)
    for name, value in kwargs.items():
        setattr(team, name, value)
    team.save()
    return team


def make_machine(**kwargs: Any) -> Machine:
    kwargs.setdefault("machine_name", f"Machine {next(_numbers)}")
    if "machine_owner_user" not in kwargs:
        kwargs["machine_owner_user"] = kwargs.pop("owner", None) or make_user()
    if "team" in kwargs:
        kwargs["machine_owner_team"] = kwargs.pop("team")
    if "status" in kwargs:
        kwargs["machine_status"] = kwargs.pop("status")
    return Machine.objects.create(**kwargs)


def make_ready_machine(**kwargs: Any) -> Machine:
    """A machine with a trained model. Its bytes are no model: tests that ask it bring their own `nn_model=`."""
    model = NNModel.objects.create(nn_model=kwargs.pop("nn_model", b"ONNX"))
    return make_machine(status=MachineStatus.READY, training_nn_model=model, model_version=1, **kwargs)


@cache
def linear_onnx() -> bytes:
    """The smallest model worth asking: y = 1 a + 2 b + 3 c + 0.5, `x` [rows, 3] -> `y` [rows, 1]."""
    from onnx import TensorProto, helper

    x, y = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", width]) for name, width in (("x", 3), ("y", 1))
    )
    weights = helper.make_tensor("w", TensorProto.FLOAT, [3, 1], [1.0, 2.0, 3.0])
    offset = helper.make_tensor("b", TensorProto.FLOAT, [1], [0.5])
    graph = helper.make_graph([helper.make_node("Gemm", ["x", "w", "b"], ["y"])], "linear", [x], [y], [weights, offset])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content


LINEAR_SIGNATURE = {
    "inputs": [{"name": "x", "dtype": "float32", "shape": [3]}],
    "outputs": [{"name": "y", "dtype": "float32", "shape": [1]}],
    "batch": None,
}


def make_version(
    machine: Machine | None = None,
    *,
    state: VersionState = VersionState.READY,
    onnx: bytes | None = None,
    **kwargs: Any,
) -> ModelVersion:
    """A version of an uploaded model, without a check: by default `linear_onnx`, and it answers.

    Without `machine` a new one is made, of `owner`, in `team`, with `machine_name`. A model of your own brings its
    `signature`, and its `description` if it is to have a form.
    """
    if machine is None:
        about = {name: kwargs.pop(name) for name in ("owner", "team", "machine_name") if name in kwargs}
        machine = make_machine(machine_is_uploaded_model=True, **about)
    content = linear_onnx() if onnx is None else onnx
    is_ready = state is VersionState.READY
    found = {"served": Served.CONVERTED, "signature": LINEAR_SIGNATURE, "onnx": content} if is_ready else {}
    values: dict[str, Any] = {
        "number": machine.versions_given + 1,
        "uploaded_by": machine.machine_owner_user,
        "framework": Framework.ONNX,
        "format": ModelFormat.ONNX,
        "file_name": "linear.onnx",
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "file": content,
    }
    version = ModelVersion.objects.create(machine=machine, state=state, **values | found | kwargs)
    machine.versions_given = max(machine.versions_given, version.number)
    machine.save(update_fields=["versions_given"])
    if is_ready:
        _answer_with(machine, version)
    return version


def _answer_with(machine: Machine, version: ModelVersion) -> None:
    """Let a version answer, as the end of its check does."""
    if not version.description:
        version.description = propose(Signature.from_json(version.signature))
        version.save(update_fields=["description"])
    machine.enc_dec_configuration = EncDecConfiguration.objects.create(enc_dec_config=version.description)
    machine.uploaded_version = version
    machine.save(update_fields=["enc_dec_configuration", "uploaded_version"])
    machine.model_uploaded(version.number)


def make_column(machine: Machine | None = None, **kwargs: Any) -> Column:
    machine = machine or make_machine()
    position = kwargs.pop("position", machine.columns.count())
    name = kwargs.pop("name", f"column{position}")
    return Column.objects.create(machine=machine, position=position, name=name, **kwargs)


def make_work(machine: Machine | None = None, **kwargs: Any) -> Work:
    """A training that waits."""
    if not kwargs.get("is_work_solving"):
        kwargs.setdefault("is_work_training", True)
    return Work.objects.create(machine=machine or make_machine(), **kwargs)


def make_server(**kwargs: Any) -> Server:
    kwargs.setdefault("server_name", f"server-{next(_numbers)}")
    return Server.objects.create(**{"server_info_ready": True} | kwargs)


def make_graph(machine: Machine | None = None, **kwargs: Any) -> Graph:
    return Graph.objects.create(machine=machine or make_machine(), **kwargs)


def make_operation(**kwargs: Any) -> Operation:
    """A training operation, unless a kind is given."""
    if not any(name.startswith("is_") for name in kwargs):
        kwargs["is_training_operation"] = True
    return Operation.objects.create(**kwargs)


def make_credit(**kwargs: Any) -> Credit:
    return Credit.objects.create(**{"amount": 100} | kwargs)


def make_debit(**kwargs: Any) -> Debit:
    return Debit.objects.create(**{"amount": 100} | kwargs)


def make_consulting_request(**kwargs: Any) -> ConsultingRequest:
    return ConsultingRequest.objects.create(**{"category": "1"} | kwargs)
