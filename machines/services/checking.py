"""The check of an uploaded file: asked for by an upload, done in a locked child process, recorded on the version."""

import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser

from machines import storage
from machines.child import NICENESS, Child, run_child
from machines.conversion import believed
from machines.engine.errors import DataError, Notice, Weight, gettext_noop
from machines.engine.files import write_safely
from machines.jobs.job import Answer, Job, Request, answer_of
from machines.services.works import machine_held
from machines.serving.description import from_columns, has_form, is_of_tensors, propose
from machines.serving.signature import Signature
from models import EncDecConfiguration, Machine, ModelVersion, Work
from models.machine import InvalidTransition
from models.model_version import InvalidVersionTransition, Served

SEEN = "seen outside"  # in an answer: what no child that opened the file has said
STAYS = "stays_behind"  # in the parameters of a check: a person chose a version meanwhile, and that choice stands
LOOK_SECONDS = 60.0
WORDS = {
    "deadline": gettext_noop("Checking this file took longer than it may, so it is refused. A smaller model may pass."),
    "memory": gettext_noop("Checking this file needed more memory than this server allows. A smaller model may pass."),
    "crash": gettext_noop(
        "The program that reads this format broke down over this file, so it is refused. Save it anew."
    ),
}
NOT_ALLOWED = gettext_noop("Whoever uploaded this file may no longer change this model.")
NOT_KEPT = gettext_noop("The file is not kept here any more. Upload it again.")
CANCELLED = gettext_noop("The check was cancelled.")
JUDGED = gettext_noop("This file has been checked already.")
WORDS_LEFT_OUT = gettext_noop(
    "The description that came with the file does not fit the model and was left out: %(why)s"
)


@dataclass(frozen=True)
class Found:
    """What a check says about a file, with the converted model: bytes that lie in the row, or else in the storage."""

    facts: dict[str, Any]
    signature: Signature
    report: dict[str, Any]
    last: Mapping[str, str]  # output -> operator before it


def _version(work: Work) -> ModelVersion | None:
    return ModelVersion.objects.light().filter(pk=work.parameters["version"]).first()


def _check(work: Work) -> None:
    """Raise DataError when who uploaded was removed, or given a lower role, while the work waited."""
    if not Machine.objects.editable_by(work.user or AnonymousUser()).filter(Work=work).exists():
        raise DataError(NOT_ALLOWED)


def _prepare(work: Work, folder: Path) -> Request:
    version = _version(work)
    if version is None:
        raise DataError(NOT_KEPT)
    columns = work.parameters.get("input_columns")
    return {
        "path": str(_file(version, folder)),
        "file_name": version.file_name,
        "framework": version.framework,
        "layers": version.layers,
        "inputs": columns if is_of_tensors(columns) else None,
        "onnx_path": str(_onnx(work, folder)),
        "seconds": 0.9 * settings.CHECK_SECONDS,  # so that it says itself that the time is over
        "memory_mb": settings.CHECK_MEMORY_MB,
    }


def _file(version: ModelVersion, folder: Path) -> Path:
    """The file as it was uploaded: where it lies, or taken out of the row. Raises DataError."""
    if version.file_path:
        place = storage.absolute(version.file_path)
    else:
        place = folder / "model"
        content = ModelVersion.objects.filter(pk=version.pk).values_list("file", flat=True).first()
        if content is not None:
            write_safely(place, bytes(content))
    if not place.is_file():
        raise DataError(NOT_KEPT)
    return place


def _onnx(work: Work, folder: Path) -> Path:
    """Each attempt has a file of its own: the child of a worker that was thought dead may still be writing."""
    return folder / f"converted-{work.fencing_token}.onnx"


def _looked(work: Work, folder: Path, answer: Answer, on_tick: Callable[[Child], None]) -> Answer:
    """Look at what the child made: it is as hostile as what it read. Raises DataError, ChildFailedError."""
    if answer.get("served") != Served.CONVERTED:
        return answer
    seen = run_child(
        "machines.conversion.outside",
        {"path": str(_onnx(work, folder))},
        seconds=LOOK_SECONDS,
        memory_mb=settings.CHECK_MEMORY_MB,
        niceness=NICENESS,
        line_mb=JOB.line_mb,
        on_tick=on_tick,
    )
    return answer | {SEEN: answer_of(seen)}


def _record(work: Work, folder: Path, answer: Answer) -> None:
    """Keep what the check found, as far as it is believed."""
    kept: Path | None = None
    try:
        found, kept = _found(answer, _onnx(work, folder))
        is_recorded = _recorded(work, found)
    except BaseException:
        _drop(kept)
        raise
    if not is_recorded:
        _drop(kept)


def _recorded(work: Work, found: Found) -> bool:
    """Change the version and its machine, unless the work was ended, or the machine deleted, meanwhile."""
    machine, version = machine_held(work=work), _version(work)
    if machine is None or version is None or not work.finish({"version": version.number}):
        return False
    described, notices = _described(work, version, found)
    report = found.report
    report["notices"] = [*report["notices"], *(notice.to_json() for notice in notices)]
    if not version.accept(**found.facts, **described, report=report):
        return False
    if not (_is_to_stay(work) or machine.versions.ready().filter(number__gt=version.number).exists()):
        answer_with(machine, version)
    return True


def _is_to_stay(work: Work) -> bool:
    """Whether a person chose the version that answers while this one was checked. `work` was read before that."""
    return Work.objects.filter(pk=work.pk, **{f"parameters__{STAYS}": True}).exists()


def _found(answer: Answer, path: Path) -> tuple[Found, Path | None]:
    """Raises DataError where the converted model is none that may be run."""
    told = believed.read(storable(answer))
    facts: dict[str, Any] = {"served": told.served, "format": told.format, "signature": told.signature.to_json()}
    if told.served == Served.NATIVE:
        return Found(facts, told.signature, told.report, {}), None
    seen = dict(answer[SEEN])
    last = seen.pop("last")
    report, content = told.report | seen, path.read_bytes()
    if len(content) <= settings.MODEL_ROW_BYTES:
        return Found(facts | {"onnx": content}, told.signature, report, last), None
    folder = storage.new_folder("models")
    kept = folder / "converted.onnx"
    storage.write_whole(kept, [content])
    return Found(facts | {"onnx_path": storage.recorded(kept)}, told.signature, report, last), folder


def _drop(folder: Path | None) -> None:
    if folder:
        shutil.rmtree(folder, ignore_errors=True)


def _described(work: Work, version: ModelVersion, found: Found) -> tuple[dict[str, Any], list[Notice]]:
    """What came with the file, else what a person said of the version that answers now, else what the file lets guess."""
    columns, notices = work.parameters.get("input_columns"), []
    if columns and not is_of_tensors(columns):
        try:
            return {"description": from_columns(found.signature, columns, found.last), "is_described": True}, []
        except DataError as error:
            notices = [Notice(WORDS_LEFT_OUT, {"why": str(error)}, Weight.WARNING)]
    before = version.machine.uploaded_version
    if before and before.is_described and _is_alike(Signature.from_json(before.signature), found.signature):
        return {
            "description": from_columns(found.signature, before.description["words"]),
            "is_described": True,
        }, notices
    return {"description": propose(found.signature, None, found.last)}, notices


def _is_alike(one: Signature, other: Signature) -> bool:
    """Whether a model takes and gives the same: frameworks make up new names for tensors each time."""
    if not (has_form(one) and has_form(other)):
        return False
    shapes = [[(t.dtype, t.shape) for t in tensors] for tensors in (one.inputs, one.outputs)]
    return shapes == [[(t.dtype, t.shape) for t in tensors] for tensors in (other.inputs, other.outputs)]


def answer_with(machine: Machine, version: ModelVersion) -> None:
    """Let a checked version answer. The description gets a row of its own: by its number caches know it is another one."""
    old = machine.enc_dec_configuration_id or 0
    machine.enc_dec_configuration = EncDecConfiguration.objects.create(enc_dec_config=version.description)
    machine.uploaded_version = version
    machine.source_name = version.file_name
    machine.save(update_fields=["enc_dec_configuration", "uploaded_version", "source_name"])
    machine.model_uploaded(version.number)
    EncDecConfiguration.objects.filter(pk=old).delete()


def storable(value: Any) -> Any:
    """Return JSON that every database keeps: without NUL and halves of characters, which a hostile file may hold."""
    if isinstance(value, str):
        return value.replace("\0", "").encode(errors="replace").decode()
    if isinstance(value, Mapping):
        return {storable(str(name)): storable(item) for name, item in value.items()}
    return [storable(item) for item in value] if isinstance(value, list | tuple) else value


def _failed(work: Work, notice: Notice) -> None:
    version = _version(work)
    if version is None or not version.refuse(storable(notice.to_json())):
        return
    with suppress(InvalidTransition):  # the machine was deleted
        version.machine.model_refused(storable(str(notice)))


def _cancelled(work: Work) -> None:
    _failed(work, Notice(CANCELLED))


def _retried(work: Work) -> None:
    version = _version(work)
    if version is None or work.machine is None:
        raise DataError(NOT_KEPT)
    try:
        version.check_again()
    except InvalidVersionTransition as error:
        raise DataError(JUDGED) from error
    with suppress(InvalidTransition):
        work.machine.model_given()


JOB = Job(
    module="machines.conversion",
    seconds=lambda work: settings.CHECK_SECONDS,
    check=_check,
    prepare=_prepare,
    looked=_looked,
    record=_record,
    failed=_failed,
    cancelled=_cancelled,
    retried=_retried,
    scratch_gb=4,
    line_mb=4,
    tries_again=False,  # a file that brings its reader down does so again
    words=WORDS,
)
