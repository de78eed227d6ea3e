"""Plain factories: make_x(**what matters to the test). Everything else is the simplest value that is allowed."""

from itertools import count
from typing import Any

from models import (
    Column,
    ConsultingRequest,
    Credit,
    Debit,
    Graph,
    Machine,
    NNModel,
    Operation,
    Server,
    Team,
    User,
    Work,
)
from models.machine import MachineStatus

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
