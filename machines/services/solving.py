"""Many rows at once: somebody's file is kept, a worker answers it in a child process, what came of it lies in the work's folder.

What was uploaded, the answers and the few of them that are shown lie nowhere else, and go with that folder.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath
from typing import Any

import orjson
from django.conf import settings
from django.db import transaction

from machines import storage
from machines.engine.errors import DataError, gettext_noop
from machines.engine.files import write_safely
from machines.jobs.folders import remove_folder_of
from machines.jobs.job import Answer, Job, Request
from machines.services import hosting
from machines.services.predictions import ONLY_TENSORS, description_of
from machines.services.works import work_cancel, work_make
from models import DataLinesOperation, Machine, ModelVersion, User, Work
from models.access import Action
from models.work import WorkKind, WorkQuerySet

FORMATS = ("csv", "parquet")
LINES = {".csv", ".tsv", ".txt"}  # formats with about one line for each row
SOURCE, MODEL, UPLOADED = "source", "machine-{version}.onnx", "machine-{version}.json"
# Each attempt has files of its own: the child of a worker that was thought dead may still be writing.
ANSWERS, ERRORS, PREVIEW = "answers-{attempt}.{format}", "errors-{attempt}.csv", "preview-{attempt}.json"
SHORTEST_SECONDS, BYTES_A_SECOND = 600.0, 50_000  # of the deadline; measured: millions of bytes a second

WORDS = {
    "deadline": gettext_noop("Answering these rows took longer than it may and was stopped. Upload a part of them."),
    "memory": gettext_noop("Answering these rows needed more memory than this server allows. Upload a part of them."),
}
NOT_TRAINED = gettext_noop("This machine has not been trained yet. Train it first, then it can answer rows.")
NOT_CHECKED = gettext_noop("This model has no version that passed its check yet, so it cannot answer rows.")
NOT_ALLOWED = gettext_noop("Whoever asked for these answers may no longer ask this machine.")
NOT_KEPT = gettext_noop("The rows are not kept here any more. Upload them again.")


class Seen:
    """Chunks on their way to a file, and what is known about them afterwards."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.chunks = chunks
        self.bytes = self.lines = 0
        self.digest = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.chunks:
            self.bytes += len(chunk)
            self.lines += chunk.count(b"\n")
            self.digest.update(chunk)
            yield chunk


def solving_start(*, machine: Machine, user: User, file_name: str, chunks: Iterable[bytes], format: str) -> Work:
    """Keep a file of rows, let a worker answer it and return the work; `format`, one of FORMATS, is that of the answers.

    Raises DataError while the machine is not trained. Whatever is raised, nothing of the file is kept.
    """
    check_answers(machine)
    folder, seen = storage.new_folder("works"), Seen(chunks)
    try:
        storage.write_whole(folder / SOURCE, seen)
        parameters = {"file": file_name, "format": format, "bytes": seen.bytes}
        return _accept(machine, user, folder, seen, parameters)
    except BaseException:
        storage.remove_folder(folder)
        raise


def check_answers(machine: Machine) -> None:
    """Raise DataError while a machine cannot answer rows of columns."""
    if not machine.can_answer:
        raise DataError(NOT_CHECKED if machine.machine_is_uploaded_model else NOT_TRAINED)
    if machine.machine_is_uploaded_model and not description_of(machine)["has_form"]:
        raise DataError(ONLY_TENSORS)


@transaction.atomic
def _accept(machine: Machine, user: User, folder: Path, seen: Seen, parameters: dict[str, Any]) -> Work:
    added = DataLinesOperation.objects.create(
        machine_id=machine.pk, is_added_for_solving=True, sha256=seen.digest.hexdigest(), user=user
    )
    return work_make(
        kind=WorkKind.SOLVING,
        user=user,
        machine=machine,
        size=seen.lines if PurePath(parameters["file"]).suffix.lower() in LINES else None,
        memory_mb=settings.READ_MEMORY_MB,
        folder=storage.recorded(folder),
        parameters=parameters | {"operation": added.pk},
    )


def solvings_of(*, machine: Machine, user: User) -> WorkQuerySet:
    """Return what this person asked for with this machine, newest first; for a super administrator, what anybody did.

    The rows are private: the rest of a team does not see them.
    """
    works = Work.objects.filter(WorkKind.SOLVING.q, machine=machine)
    return works if user.is_super_admin else works.asked_by(user)


def answers_path(work: Work) -> Path | None:
    """Return the file of the answers, None while there is none or when it was deleted."""
    return _kept(work, _name(work, ANSWERS))


def errors_path(work: Work) -> Path | None:
    """Return the file of what could not be read, None while there is none or when it was deleted."""
    return _kept(work, _name(work, ERRORS))


def preview_of(work: Work) -> dict[str, Any]:
    """Return {"titles", "rows"}: the first rows with their answers; {} where they are not kept."""
    path = _kept(work, _name(work, PREVIEW))
    return dict(orjson.loads(path.read_bytes())) if path else {}


def answers_forget(*, work: Work) -> bool:
    """Delete the files of a work that is over; return whether there were any."""
    is_over = Work.objects.ended().exclude(folder="").filter(pk=work.pk).update(folder="") == 1
    if is_over:
        remove_folder_of(work)
    return is_over


def solvings_end(*, works: WorkQuerySet) -> None:
    """End those of these works that wait or run, and delete the files of all and what was said of them: their machine

    goes, or who asked.
    """
    for work in works.filter(WorkKind.SOLVING.q):
        work_cancel(work=work)
        answers_forget(work=work)
        _words_forget(work)


def _words_forget(work: Work) -> None:
    """Keep how much it was, not whose file with which columns."""
    said: dict[str, Any] = {"notices": [], "unreadable": {}}
    Work.objects.filter(pk=work.pk).update(
        parameters={**work.parameters, "file": ""},
        result={**work.result, **said} if work.result else {},
        message="",
        notice={},
    )


def _name(work: Work, name: str) -> str:
    return name.format(attempt=work.fencing_token, format=work.parameters["format"])


def _kept(work: Work, name: str) -> Path | None:
    path = storage.absolute(work.folder) / name
    return path if work.folder and path.is_file() else None


def _seconds(work: Work) -> float:
    return SHORTEST_SECONDS + float(work.parameters["bytes"]) / BYTES_A_SECOND


def _check(work: Work) -> None:
    """Raise DataError when who asked was removed, or given a lower role, while the work waited, or their rows are gone."""
    machines = Machine.objects.allowing(work.user, Action.PREDICT) if work.user else Machine.objects.none()
    if not machines.filter(pk=work.machine_id or 0).exists():
        raise DataError(NOT_ALLOWED)
    if not _kept(work, SOURCE):
        raise DataError(NOT_KEPT)


def _prepare(work: Work, folder: Path) -> Request:
    return {
        "model_path": str(_model(work, folder)),
        "source": {"path": str(folder / SOURCE), "name": work.parameters["file"], "options": {}},
        "folder": str(folder / "chunks"),
        "format": work.parameters["format"],
        "answers_path": str(folder / _name(work, ANSWERS)),
        "errors_path": str(folder / _name(work, ERRORS)),
        "threads": 1,
    }


def _model(work: Work, folder: Path) -> Path:
    """The machine's file as it was when this work was begun first, whatever was trained since. Raises DataError."""
    kept = next((path for name in (MODEL, UPLOADED) for path in folder.glob(name.format(version="*"))), None)
    if kept:
        return kept
    if work.machine and work.machine.machine_is_uploaded_model:
        return _uploaded(work.machine, folder)
    machines = Machine.objects.filter(pk=work.machine_id or 0)  # in one query: file and version of one training
    version, content = machines.values_list("model_version", "training_nn_model__nn_model").first() or (0, None)
    if not content:
        raise DataError(NOT_TRAINED)
    path = folder / MODEL.format(version=version)
    write_safely(path, bytes(content))
    return path


def _uploaded(machine: Machine, folder: Path) -> Path:
    """The version that answers now, and the file that the locked runner takes. Raises DataError."""
    version = ModelVersion.objects.light().ready().filter(pk=machine.uploaded_version_id or 0).first()
    if version is None:
        raise DataError(NOT_CHECKED)
    hosted, path = hosting.host_of(version).hosted, folder / UPLOADED.format(version=version.number)
    about = {"loader": hosted.loader, "signature": version.signature, "description": version.description}
    try:
        write_safely(path.with_suffix(".model"), hosted.content())
    except hosting.ModelFailedError as error:
        raise DataError(error.notice.template) from error
    write_safely(path, orjson.dumps(about))  # last: it says that the other is there
    return path


def _record(work: Work, folder: Path, answer: Answer) -> None:
    """Keep what is said about the rows with the work, and what stands in them in its folder only."""
    version = int(_model(work, folder).stem.rpartition("-")[2])
    write_safely(folder / _name(work, PREVIEW), orjson.dumps(_preview(answer)))
    told = {name: answer[name] for name in ("rows", "errors", "unreadable", "unanswered", "notices")}
    if not work.finish(told | {"version": version}):
        return
    Work.objects.filter(pk=work.pk).update(size=answer["rows"])
    DataLinesOperation.objects.filter(pk=work.parameters["operation"]).update(rows=answer["rows"])
    transaction.on_commit(lambda: _tidy(work, folder), robust=True)


def _preview(answer: Answer) -> dict[str, Any]:
    """The answers first: files may have many columns of their own."""
    titles, answers = answer["titles"], set(answer["answers"])
    order = sorted(range(len(titles)), key=lambda at: titles[at] not in answers)
    return {"titles": [titles[at] for at in order], "rows": [[row[at] for at in order] for row in answer["preview"]]}


def _tidy(work: Work, folder: Path) -> None:
    """Remove what only the work itself needed: the rows as they came, the chunks, and what earlier attempts made."""
    storage.remove_folder(folder / "chunks")
    made = {_name(work, name) for name in (ANSWERS, ERRORS, PREVIEW)}
    for path in folder.iterdir():
        if path.name not in made:
            path.unlink(missing_ok=True)


JOB = Job(
    module="machines.engine.solve_job",
    seconds=_seconds,
    check=_check,
    prepare=_prepare,
    record=_record,
    retried=_check,
    keeps_folder=True,
    words=WORDS,
)
