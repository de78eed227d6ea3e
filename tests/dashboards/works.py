"""Works in every state, as workers leave them behind, for the pages that show them."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from models import Machine, Server, User, Work
from tests.factories import make_machine, make_server, make_work

NOTICE = {"template": "Training the network, round %(round)s", "values": {"round": 12}, "weight": "info"}
CRASH = {"template": "The training stopped with an error of ours.", "values": {}, "weight": "info"}
CONSTANT = {"template": "“%(column)s” is “%(value)s” in every row.", "values": {"column": "risk", "value": 2.5},
            "weight": "warning"}  # fmt: skip


def waiting(user: User, name: str = "Houses", **kwargs: Any) -> Work:
    values = {"level": 1, "work_duration_estimation_seconds": 12.0} | kwargs
    machine: Machine = values.pop("machine", None) or make_machine(owner=user, machine_name=name, status="training")
    return make_work(machine, user=user, **values)


def running(user: User, name: str = "Diabetes", server: Server | None = None, **kwargs: Any) -> Work:
    work = waiting(user, name, **kwargs)
    work.start(server)
    work.report(0.4, "…", notice=NOTICE, best_score=0.65, seconds_left=36)
    return work


def finished(user: User, name: str = "Wine", **kwargs: Any) -> Work:
    work = running(user, name, **kwargs)
    work.finish({})
    return work


def failed(user: User, name: str = "Cars", notice: dict[str, Any] = CONSTANT, **kwargs: Any) -> Work:
    work = running(user, name, **kwargs)
    work.fail("“risk” is constant.", notice)
    return work


def tried_again(user: User, name: str = "Bikes", notice: dict[str, Any] | None = CRASH, **kwargs: Any) -> Work:
    """A work that waits for its second attempt."""
    work = running(user, name, **kwargs)
    work.give_back(message="…", notice=notice)
    return work


def server(name: str = "worker-1", *, ago: float = 0, **kwargs: Any) -> Server:
    """A worker that showed a sign of life so many seconds ago."""
    has = {"host": "west", "queues": ["cpu", "gpu"], "cores": 8, "memory_mb": 29_491, "version": "0.4.0"}
    cards = {"server_gpu_ram": [143_771]}
    return make_server(server_name=name, heartbeat_at=timezone.now() - timedelta(seconds=ago), **(has | cards | kwargs))
