"""Workers of a test: real processes, which end with it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from machines.jobs import kinds
from models.work import WorkKind
from tests.machines.jobs.fleet import quick_job
from tests.machines.jobs.workers import Fleet, database_url


@pytest.fixture
def fleets(transactional_db: None) -> Iterator[Callable[..., Fleet]]:
    """Makes fleets of workers on the database of this test."""
    made: list[Fleet] = []

    def make(url: str = "", **given: Any) -> Fleet:
        made.append(Fleet(url or database_url(), **given))
        return made[-1]

    yield make
    for fleet in made:
        fleet.end()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process too an export is a quick job."""
    monkeypatch.setitem(kinds.JOBS, WorkKind.EXPORT, quick_job())
