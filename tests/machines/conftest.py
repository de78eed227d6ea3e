"""A machine that answers, and people who see numbers with a decimal point."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from machines.services import predictions
from machines.services.datasets import dataset_upload
from machines.serving.sessions import Cache
from models import Machine, Team, User
from tests.machines.houses import csv_bytes, houses


@pytest.fixture(autouse=True)
def _no_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers of machines come back after a rollback; loaded models must not."""
    monkeypatch.setattr(predictions, "SESSIONS", Cache())
    monkeypatch.setattr(predictions, "UPLOADED", OrderedDict())


@pytest.fixture
def point(alice: User) -> User:
    """Alice, who writes 1.5."""
    alice.decimal_separator = "."
    alice.save()
    return alice


@pytest.fixture
def machine(point: User) -> Machine:
    """Alice's machine of houses, ready to answer, without files."""
    return houses().machine(owner=point, machine_name="Houses")


@pytest.fixture
def shared(machine: Machine, team: Team) -> Machine:
    """The same, seen by the whole team."""
    machine.machine_owner_team = team
    machine.save()
    return machine


@pytest.fixture
def upload(point: User) -> Callable[..., Machine]:
    """Upload a table for Alice through the service, with the real child that reads."""

    def make(content: bytes | None = None, **kwargs: Any) -> Machine:
        chunks = [csv_bytes() if content is None else content]
        given = {"user": point, "name": "Houses", "file_name": "houses.csv", "chunks": chunks} | kwargs
        return dataset_upload(**given)

    return make


@pytest.fixture
def stored(settings: LazySettings) -> Callable[[], list[str]]:
    """What lies in the storage: paths of files without the names that are made up."""

    def look() -> list[str]:
        places = Path(settings.STORAGE_ROOT).rglob("*")
        return sorted("part" if p.suffix == ".parquet" else p.name for p in places if p.is_file())

    return look


@pytest.fixture
def folders(settings: LazySettings) -> Callable[[], int]:
    """How many folders of machines there are."""
    root = Path(settings.STORAGE_ROOT) / "machines"
    return lambda: len(list(root.iterdir())) if root.exists() else 0


@pytest.fixture(autouse=True)
def _no_children_left() -> Iterator[None]:
    """Whatever a test starts has ended with it."""
    yield
    import os

    mine = f"/proc/{os.getpid()}/task/{os.getpid()}/children"
    left = Path(mine).read_text().split() if Path(mine).exists() else []
    ours = [pid for pid in left if b"machines.engine" in _command(pid) or b"odd_child" in _command(pid)]
    assert ours == []


def _command(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
