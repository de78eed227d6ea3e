"""Uploaded models: kept, checked by a worker in a locked process, described, replaced, rolled back, deleted."""

from collections.abc import Iterable, Mapping
from typing import Any

from machines.jobs.job import Job
from models import Machine, ModelVersion, Team, User


def model_upload(
    *,
    user: User,
    name: str,
    framework: str,
    file_name: str,
    chunks: Iterable[bytes],
    layers: Any = None,
    input_columns: Any = None,
    team: Team | None = None,
    machine: Machine | None = None,
) -> ModelVersion:
    """Keep the file as the first version of a new machine, or as a new version of `machine`, and let a worker check it.

    `layers` is the specification of a file that holds weights alone; `input_columns` describes the inputs
    (machines.serving.description). Raises DataError, and keeps nothing, for a file that is refused at first sight: empty,
    too large, of a format that cannot be taken here, a pickled module.
    """
    raise NotImplementedError


def check_wait(*, version: ModelVersion, seconds: float) -> ModelVersion:
    """Wait for the end of a check, at most so long; return the version as it is then."""
    raise NotImplementedError


def version_use(*, version: ModelVersion, user: User) -> None:
    """Let a checked version answer from now on: a newer one or, rolling back, an older one. Raises DataError."""
    raise NotImplementedError


def version_delete(*, version: ModelVersion, user: User) -> None:
    """Delete a version that does not answer, with its files. Raises DataError for the one that does."""
    raise NotImplementedError


def model_describe(*, version: ModelVersion, user: User, inputs: Any, outputs: Any) -> None:
    """Keep what inputs and outputs mean (machines.serving.description). Raises DataError, naming the input."""
    raise NotImplementedError


def version_call(*, version: ModelVersion, feed: Mapping[str, Any], caller: str) -> dict[str, Any]:
    """Return the model's raw outputs for raw inputs, [rows, ...] each, from the locked runner.

    `caller` says for whom: a model that keeps state between calls never serves two callers from one process. Raises
    machines.serving.locked.runner.RunnerError.
    """
    raise NotImplementedError


def _not_yet(*args: Any) -> Any:
    raise NotImplementedError


JOB = Job(module="machines.conversion", seconds=_not_yet, prepare=_not_yet, record=_not_yet)
