"""Which job each kind of work is, and what follows it."""

from collections.abc import Callable

from machines.jobs.job import Job
from machines.services import reading, solving, training, uploads
from models import Work
from models.work import WorkKind

JOBS: dict[WorkKind, Job] = {
    WorkKind.TRAINING: training.JOB,
    WorkKind.SOLVING: solving.JOB,
    WorkKind.READING: reading.JOB,
    WorkKind.CHECKING: uploads.JOB,
}

FOLLOWING: dict[WorkKind, Callable[[Work], None]] = {}


def job_of(work: Work) -> Job:
    kind = work.kind
    assert kind is not None, "the database refuses work without a kind"
    return JOBS[kind]


def following(work: Work) -> Callable[[Work], None] | None:
    return FOLLOWING.get(work.kind) if work.kind else None


def register(kind: WorkKind, job: Job) -> None:
    """Say which job a kind of work is that an app above this one does."""
    JOBS[kind] = job


def follow(kind: WorkKind, do: Callable[[Work], None]) -> None:
    """Say what an app above this one does once a work of this kind has finished, which it has whatever comes of that."""
    FOLLOWING[kind] = do
