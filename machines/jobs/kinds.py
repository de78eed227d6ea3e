"""Which job each kind of work is."""

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


def job_of(work: Work) -> Job:
    kind = work.kind
    assert kind is not None, "the database refuses work without a kind"
    return JOBS[kind]


def register(kind: WorkKind, job: Job) -> None:
    """Say which job a kind of work is that an app above this one does."""
    JOBS[kind] = job
