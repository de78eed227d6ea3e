"""Training: asked for by a person, done by a worker in a child process, watched and ended by the person."""

import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import transaction

from machines import storage
from machines.engine.errors import DataError, Notice, gettext_noop
from machines.engine.parameters import LEVELS, level_seconds
from machines.engine.schema import Role
from machines.engine.splits import Split, check_split
from machines.jobs.job import Answer, Job, Request
from machines.services.columns import check_roles, columns_confirm, schema_of
from machines.services.network import network_fix, network_wishes
from machines.services.rows import part_paths
from machines.services.splits import split_choose, split_of
from machines.services.trained import model_record
from machines.services.works import work_make
from models import Machine, User, Work
from models.machine import InvalidTransition, MachineStatus
from models.work import WorkKind

SEED = 1
TRIALS, MOST_KEPT = "trials", 256 * 2**20  # bytes of them that are kept once a training is over
GRACE_SECONDS = 90.0  # for starting torch and reading the rows on a busy computer, beyond what the level allows

WORDS = {
    "deadline": gettext_noop(
        "The training took longer than its level allows and was stopped. Choose a higher level or fewer rows."
    ),
    "memory": gettext_noop("The training needed more memory than this server allows. Use fewer rows or columns."),
    "crash": gettext_noop("The training stopped with an error of ours. Its details are in the server's log."),
}
NOT_ALLOWED = gettext_noop(
    "Whoever asked for this training may no longer train this machine. Somebody who may can start it anew."
)
TRAINING = gettext_noop("This machine is training already.")


@transaction.atomic
def training_start(
    *, machine: Machine, user: User, level: int, split: Split | None = None, wishes: Mapping[str, Any] | None = None
) -> Work:
    """Confirm the columns and queue a training. Raises DataError when the columns cannot be learned from.

    `split` says anew how rows belong together, `wishes` what the network must have (see services.network); left out, they
    stay as they were said before.
    """
    machine = Machine.objects.select_for_update(of=("self",)).get(pk=machine.pk)
    if machine.machine_status == MachineStatus.TRAINING:
        raise DataError(TRAINING)
    columns_confirm(machine=machine)
    if split is not None:
        split_choose(machine=machine, split=split)
    if wishes is not None:
        network_fix(machine=machine, wishes=wishes)
    check_split(split_of(machine), schema_of(machine))
    machine.machine_level = level
    machine.save(update_fields=["machine_level"])
    machine.training_started()
    return work_make(
        kind=WorkKind.TRAINING,
        user=user,
        machine=machine,
        level=level,
        size=machine.rows_count,
        at_most=seconds_by_level(machine)[level],
        memory_mb=settings.TRAINING_MEMORY_MB,
    )


def seconds_by_level(machine: Machine) -> dict[int, float]:
    """Return the most seconds that a training of this machine learns for, at each level, with its rows and columns as they are."""
    columns = machine.columns.exclude(role=Role.IGNORED).count()
    memory = settings.TRAINING_MEMORY_MB
    return {level: level_seconds(level, machine.rows_count, columns, memory) for level in LEVELS}


def latest_work(machine: Machine) -> Work | None:
    """Return the newest training of a machine, whatever became of it."""
    return Work.objects.trainings().filter(machine=machine).order_by("-pk").first()


def _seconds(work: Work) -> float:
    return 1.1 * _at_most(work) + GRACE_SECONDS


def _at_most(work: Work) -> float:
    assert work.machine is not None, "checked before"
    return seconds_by_level(work.machine)[work.level or 1]


def _check(work: Work) -> None:
    """Raise DataError when who asked was removed, or given a lower role, while the work waited."""
    machines = Machine.objects.editable_by(work.user or AnonymousUser())
    if not machines.filter(Work=work).exists():
        raise DataError(NOT_ALLOWED)


def _prepare(work: Work, folder: Path) -> Request:
    machine = work.machine
    assert machine is not None, "checked before"
    schema, split = schema_of(machine), split_of(machine)
    check_roles(schema)  # once more: columns can be changed while the work waits
    check_split(split, schema)
    return {
        "parts": [str(path) for path in part_paths(machine)],
        "schema": schema.to_json(),
        "split": split.to_json(),
        "level": work.level,
        "deadline": _at_most(work),
        "memory_mb": work.memory_mb,
        "seed": SEED,
        "parameters": network_wishes(machine),
        "onnx_path": str(_file(work, folder, "onnx")),
        "report_path": str(_file(work, folder, "json")),
        "trials_path": str(_trials(work, folder)),
    }


def _trials(work: Work, folder: Path) -> Path:
    """The folder of what this training fits. It begins with what the one before fitted: the engine knows what still counts."""
    trials = folder / TRIALS
    before = Work.objects.trainings().filter(machine=work.machine, pk__lt=work.pk).order_by("-pk").first()
    if before and before.folder and not trials.exists():
        with suppress(OSError):  # there are none, or its worker still cleans up
            (storage.absolute(before.folder) / TRIALS).rename(trials)
    return trials


def _record(work: Work, folder: Path, answer: Answer) -> None:
    onnx, report = (_file(work, folder, kind).read_bytes() for kind in ("onnx", "json"))
    model_record(work=work, onnx=onnx, report=orjson.loads(report))


def _keep_trials(folder: Path) -> None:
    """Leave what was fitted, for a training with more time that may come, unless it is very large."""
    for path in folder.glob("machine-*"):
        path.unlink(missing_ok=True)
    if sum(path.stat().st_size for path in (folder / TRIALS).glob("*")) > MOST_KEPT:
        shutil.rmtree(folder / TRIALS, ignore_errors=True)


def _file(work: Work, folder: Path, kind: str) -> Path:
    """Each attempt has files of its own: the child of a worker that was thought dead may still be writing."""
    return folder / f"machine-{work.fencing_token}.{kind}"


def _failed(work: Work, notice: Notice) -> None:
    with suppress(InvalidTransition):  # the machine was deleted
        if work.machine:
            work.machine.training_failed(str(notice))


def _cancelled(work: Work) -> None:
    with suppress(InvalidTransition):  # the machine was deleted
        if work.machine:
            work.machine.training_cancelled()


def _retried(work: Work) -> None:
    if work.machine is None:
        raise DataError(NOT_ALLOWED)
    try:
        work.machine.training_started()
    except InvalidTransition as error:
        raise DataError(TRAINING) from error


JOB = Job(
    module="machines.engine.fit_job",
    seconds=_seconds,
    check=_check,
    prepare=_prepare,
    record=_record,
    failed=_failed,
    cancelled=_cancelled,
    retried=_retried,
    keeps_folder=True,
    tidied=_keep_trials,
    words=WORDS,
)
