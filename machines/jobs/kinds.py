"""Which job each kind of work is."""

from machines.jobs.job import Job
from machines.services import solving, training
from models import Work
from models.work import WorkKind

JOBS: dict[WorkKind, Job] = {
    WorkKind.TRAINING: training.JOB,
    WorkKind.SOLVING: solving.JOB,
}


def job_of(work: Work) -> Job:
    kind = work.kind
    assert kind is not None, "the database refuses work without a kind"
    return JOBS[kind]
