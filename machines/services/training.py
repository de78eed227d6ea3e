"""Training: asked for by a person, done by a worker in a child process, watched and ended by the person."""

import shutil
import socket
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import transaction

from machines.child import Child, ChildFailedError, run_child
from machines.engine.errors import DataError, Notice, gettext_noop
from machines.engine.parameters import LEVEL_SECONDS
from machines.services.columns import check_roles, columns_confirm, schema_of
from machines.services.datasets import part_paths
from machines.services.trained import model_record
from models import Machine, Server, User, Work
from models.machine import InvalidTransition, MachineStatus
from models.work import WorkState

SEED = 1
LOOK_SECONDS = 0.5  # how often the worker looks whether someone wants to end the training
GRACE_SECONDS = 30.0  # for starting torch and reading the rows, beyond what the level allows

NO_RESULT = {
    "deadline": gettext_noop(
        "The training took longer than its level allows and was stopped. Choose a higher level or fewer rows."
    ),
    "memory": gettext_noop("The training needed more memory than this server allows. Use fewer rows or columns."),
    "crash": gettext_noop("The training stopped with an error of ours. Its details are in the server's log."),
    "restart": gettext_noop("The server was restarted during the training. Train again."),
}
NOT_ALLOWED = gettext_noop(
    "Whoever asked for this training may no longer train this machine. Somebody who may can start it anew."
)


class WorkEndedError(Exception):
    """Somebody has ended the work while it was done."""


@transaction.atomic
def training_start(*, machine: Machine, user: User, level: int) -> Work:
    """Confirm the columns and queue a training. Raises DataError when the columns cannot be learned from."""
    from machines.tasks import train  # tasks import this module

    machine = Machine.objects.select_for_update(of=("self",)).get(pk=machine.pk)
    if machine.machine_status == MachineStatus.TRAINING:
        raise DataError(gettext_noop("This machine is training already."))
    columns_confirm(machine=machine)
    machine.machine_level = level
    machine.save(update_fields=["machine_level"])
    machine.training_started()
    work = Work.objects.create(
        machine=machine,
        user=user,
        level=level,
        is_work_training=True,
        work_duration_estimation_seconds=LEVEL_SECONDS[level],
    )
    train.enqueue(work.pk)
    return work


def latest_work(machine: Machine) -> Work | None:
    """Return the newest training of a machine, whatever became of it."""
    return Work.objects.trainings().filter(machine=machine).order_by("-pk").first()


def training_finish_early(*, work: Work) -> bool:
    """Ask for the best model found so far; it is there within seconds."""
    return work.request_finish()


@transaction.atomic
def training_cancel(*, work: Work) -> bool:
    """End a training at once and drop what it found; return whether this call ended it.

    Its worker notices within a second. Nobody waits for it: it may have died.
    """
    is_ended = work.cancel()
    if is_ended and work.machine:
        with suppress(InvalidTransition):  # the machine was deleted
            work.machine.training_cancelled()
    return is_ended


def training_execute(*, work_id: int) -> None:
    """Do a queued training: run in a worker. Whatever happens, the work and the machine end in a state that says so."""
    work = Work.objects.select_related("machine").filter(pk=work_id, machine__isnull=False).first()
    if work is None or work.machine is None or not work.start(this_server()):
        return
    folder = Path(tempfile.mkdtemp(prefix="easyautoml-"))
    try:
        _check_right(work)
        model_record(work=work, folder=folder, result=_fit(work, folder))
    except WorkEndedError:
        pass  # whoever ended it has told the machine, which may be training anew
    except DataError as error:
        _fail(work, error.notice)
    except ChildFailedError as error:
        if _is_ended(work):  # a machine that is deleted takes the child's files away
            return
        _fail(work, Notice(NO_RESULT[error.reason]))
        if error.reason == "crash":
            raise RuntimeError(f"work {work.pk} crashed: {error.details}") from error
    except Exception:
        _fail(work, Notice(NO_RESULT["crash"]))
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def works_abandoned_fail() -> int:
    """Fail what this server was doing when it was stopped, and return how many. Called before its worker starts."""
    works = Work.objects.in_state(WorkState.PROCESSING).filter(server=this_server()).select_related("machine")
    for work in works:
        _fail(work, Notice(NO_RESULT["restart"]))
    return len(works)


def this_server() -> Server:
    """Return the row of the computer that runs this, made at the first call."""
    server, _is_new = Server.objects.get_or_create(
        server_name=socket.gethostname()[:50], defaults={"server_info_ready": True}
    )
    return server


@transaction.atomic
def _fail(work: Work, notice: Notice) -> None:
    if work.fail(str(notice)):
        Work.objects.filter(pk=work.pk).update(result={"notice": notice.to_json()})
        with suppress(InvalidTransition):  # the machine was deleted
            if work.machine:
                work.machine.training_failed(str(notice))


def _is_ended(work: Work) -> bool:
    return not Work.objects.filter(pk=work.pk).active().exists()


def _check_right(work: Work) -> None:
    """Raise DataError when who asked was removed, or given a lower role, while the work waited."""
    machines = Machine.objects.editable_by(work.user or AnonymousUser())
    if not machines.filter(Work=work).exists():
        raise DataError(NOT_ALLOWED)


def _fit(work: Work, folder: Path) -> dict[str, Any]:
    machine = work.machine
    assert machine is not None
    deadline = LEVEL_SECONDS[work.level or 1]
    schema = schema_of(machine)
    check_roles(schema)  # once more: columns can be changed while the work waits
    request = {
        "parts": [str(path) for path in part_paths(machine)],
        "schema": schema.to_json(),
        "level": work.level,
        "deadline": deadline,
        "seed": SEED,
        "parameters": _parameters(machine),
        "onnx_path": str(folder / "machine.onnx"),
        "report_path": str(folder / "report.json"),
    }
    watcher = _Watcher(work)
    result = run_child(
        "machines.engine.fit_job",
        request,
        seconds=1.1 * deadline + GRACE_SECONDS,
        memory_mb=settings.WORK_MEMORY_MB,
        on_message=watcher.on_message,
        on_tick=watcher.on_tick,
    )
    if _is_ended(work):
        raise WorkEndedError
    if result.get("kind") == "error":
        notice = Notice.from_json(result["error"])
        raise DataError(notice.template, **notice.values)
    return {"report": orjson.loads((folder / "report.json").read_bytes())}


def _parameters(machine: Machine) -> dict[str, Any]:
    chosen = {"loss": machine.parameter_nn_loss, "optimizer": machine.parameter_nn_optimizer}
    shape = machine.parameter_nn_shape
    return {name: value for name, value in chosen.items() if value} | (
        {"shape": shape["wanted"]} if shape and "wanted" in shape else {}
    )


class _Watcher:
    """Carries news between the child and the Work row, twice a second at most."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.news: dict[str, Any] | None = None
        self.looked = 0.0
        self.is_told = False

    def on_message(self, message: dict[str, Any]) -> None:
        if message.get("kind") == "progress":
            self.news = message

    def on_tick(self, child: Child) -> None:
        if time.monotonic() - self.looked < LOOK_SECONDS:
            return
        self.looked = time.monotonic()
        self._report()
        running = Work.objects.filter(pk=self.work.pk).in_state(WorkState.PROCESSING)
        is_finish_requested = running.values_list("is_finish_requested", flat=True).first()
        if is_finish_requested is None:
            raise WorkEndedError
        if is_finish_requested and not self.is_told:
            child.send("finish")
            self.is_told = True

    def _report(self) -> None:
        if self.news is None:
            return
        notice = Notice.from_json(self.news["message"])
        curve = {name: self.news[name] for name in ("training_loss", "validation_loss")}
        is_alive = self.work.report(
            self.news["share"],
            str(notice),
            best_score=self.news["best_score"],
            seconds_left=self.news["seconds_left"],
            curve=curve,  # type: ignore[arg-type]
        )
        if not is_alive:
            raise WorkEndedError
        running = Work.objects.filter(pk=self.work.pk).in_state(WorkState.PROCESSING)
        running.update(result={"notice": notice.to_json()})  # not on a work that ended: there stands why
        self.news = None
