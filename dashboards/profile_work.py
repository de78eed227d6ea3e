"""The profile of a machine's rows: made at once where they are few, by a worker where they are many."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import Q

from dashboards.kept import Question
from dashboards.profiling import is_used
from dashboards.profiling.asked import TASK, profile_of
from machines.engine.errors import DataError, gettext_noop
from machines.engine.job import ROWS_GONE
from machines.jobs.job import Answer, Job, Request
from machines.services.columns import to_engine
from machines.services.rows import drawn_folder, part_paths
from machines.services.works import machine_held, work_make
from models import Column, Machine, User, Work
from models.work import WorkKind, WorkQuerySet, WorkState

MOST_CELLS_AT_ONCE = 20_000_000  # rows x columns that are used: some 6 s of one core
LEAST_SECONDS, MOST_SECONDS = 300.0, 1800.0  # that a worker may take,
CELL_SECONDS = 2e-6  # and in between ten times what a cell usually takes
NOT_ALLOWED = gettext_noop("Whoever asked for this profile may no longer see this machine.")
WORDS = {
    **TASK.words,
    "deadline": gettext_noop("This table is too large to be looked at here. Ignore columns, or use fewer rows."),
}


@dataclass(frozen=True)
class Asked:
    """What is to be known of a machine's rows as they are now."""

    machine: Machine
    columns: Sequence[Column]
    question: Question
    cells: int

    @property
    def is_large(self) -> bool:
        return self.cells > MOST_CELLS_AT_ONCE

    @property
    def key(self) -> str:
        """Changes with the rows and with what the columns are. Raises DataError when a part is gone."""
        return self.question.path.stem


def asked_of(machine: Machine) -> Asked | None:
    """The question for the rows of a machine; None where there are none."""
    parts = part_paths(machine)
    if not parts:
        return None
    columns = list(machine.columns.defer("profile"))
    read = [to_engine(column) for column in columns]
    question = profile_of(parts, read, drawn_folder(parts[0]))
    return Asked(machine, columns, question, machine.rows_count * (sum(map(is_used, read)) or len(read)))


def profilings_of(machine: Machine) -> WorkQuerySet:
    """What workers did for the profile of a machine, newest first."""
    return Work.objects.filter(WorkKind.PROFILING.q, machine=machine).order_by("-pk")


def work_of(asked: Asked) -> Work | None:
    """The newest work for these rows. One that waits will look at the rows as they are then, so it is for these, too."""
    return profilings_of(asked.machine).filter(Q(parameters__rows=asked.key) | WorkState.WAITING.q).first()


@transaction.atomic
def profile_start(*, asked: Asked, user: User) -> Work:
    """Let a worker make the profile. While one is at it, asking again changes nothing. Raises DataError."""
    # Of two who ask, one is first
    list(Machine.objects.select_for_update(of=("self",)).filter(pk=asked.machine.pk).values_list("pk"))
    work = work_of(asked)
    if work and work.is_active:
        return work
    about = {"rows": asked.key}
    return work_make(kind=WorkKind.PROFILING, user=user, machine=asked.machine, size=asked.cells, parameters=about)


def profile_follow(work: Work) -> None:
    """Let a worker look at the rows of a large table that was read or trained: then its profile is there, and no graph
    waits for the types of its columns."""
    machine = Machine.objects.filter(pk=work.machine_id or 0).first()  # as it is now: the work began with another one
    asked = asked_of(machine) if machine else None
    if asked and asked.is_large and work.user and asked.question.look() is None:
        profile_start(asked=asked, user=work.user)


def _check(work: Work) -> None:
    """Raise DataError when who asked was removed while the work waited."""
    if not Machine.objects.visible_to(work.user or AnonymousUser()).filter(Work=work).exists():
        raise DataError(NOT_ALLOWED)


def _prepare(work: Work, folder: Path) -> Request:
    """Ask for the rows as they are now, whatever they were when the person asked."""
    asked = asked_of(work.machine) if work.machine else None
    if asked is None:
        raise DataError(ROWS_GONE)
    work.parameters, work.size = {"rows": asked.key}, asked.cells
    Work.objects.filter(pk=work.pk).update(parameters=work.parameters, size=work.size)
    return asked.question.request | {"types": True}


def _record(work: Work, folder: Path, answer: Answer) -> None:
    """The child has written the profile to where its page looks."""
    if machine_held(work=work):
        work.finish()


def _seconds(work: Work) -> float:
    return min(MOST_SECONDS, max(LEAST_SECONDS, CELL_SECONDS * (work.size or 0)))


JOB = Job(
    module=TASK.module,
    seconds=_seconds,
    check=_check,
    prepare=_prepare,
    record=_record,
    words=WORDS,
)
