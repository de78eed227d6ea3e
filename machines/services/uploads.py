"""Uploaded models: kept, checked by a worker in a locked process, described, replaced, rolled back, deleted."""

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from django.conf import settings
from django.db import transaction

from machines import storage
from machines.conversion.formats import HEAD, TAIL, first_sight
from machines.engine.errors import DataError, gettext_noop
from machines.services import hosting
from machines.services.checking import JOB as JOB
from machines.services.checking import STAYS, answer_with, storable
from machines.services.works import work_cancel, work_make
from machines.serving.description import from_columns, is_of_tensors, read_columns
from machines.serving.locked.lock import protection
from machines.serving.signature import Signature
from models import Machine, ModelVersion, Team, User, Work
from models.audit import AuditAction, record
from models.model_version import Framework, VersionState
from models.work import WorkKind

MOST_JSON_BYTES = 1_000_000  # of layers, and of what describes the inputs
LOOK_SECONDS = 0.1

TOO_LARGE = gettext_noop("This file is larger than %(most)s MB, the most that is taken here.")
BAD_FRAMEWORK = gettext_noop("Choose tensorflow, pytorch or onnx as the framework.")
LONG_JSON = gettext_noop("The layers or the description of the inputs are longer than 1 MB. Shorten them.")
NOT_READY = gettext_noop("This version is being checked, or was refused, so it cannot answer.")
ANSWERS = gettext_noop("This version answers now. Let another one answer first, or delete the whole model.")
NOT_CHECKED = gettext_noop("This version has not passed its check, so nothing is known of its inputs.")


class TooLargeError(DataError):
    """More bytes than settings.MODEL_UPLOAD_LIMIT_BYTES."""


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
    (machines.serving.description), or their tensors where the file does not tell them. Raises DataError, and keeps nothing,
    for a file that is refused at first sight: empty, too large (TooLargeError), of a format that cannot be taken here, a
    pickled module.
    """
    _check_words(framework, layers, input_columns)
    incoming, seen = storage.new_incoming(), _Seen(chunks)
    folder: Path | None = None
    try:
        storage.write_whole(incoming, seen)
        _refuse_at_sight(incoming, file_name, framework, seen.bytes, layers is not None)
        given = {"framework": framework, "file_name": file_name, "layers": storable(layers), "uploaded_by": user}
        given |= {"size_bytes": seen.bytes, "sha256": seen.digest.hexdigest()}
        if seen.bytes <= settings.MODEL_ROW_BYTES:
            given["file"] = incoming.read_bytes()
        else:
            folder = storage.new_folder("models")
            storage.move(incoming, folder / "model")
            given["file_path"] = storage.recorded(folder / "model")
        return _accept(machine or _machine(user, name, team), user, given, storable(input_columns))
    except BaseException:
        if folder:
            storage.remove_folder(folder)
        raise
    finally:
        incoming.unlink(missing_ok=True)


@transaction.atomic
def _accept(machine: Machine, user: User, given: dict[str, Any], columns: Any) -> ModelVersion:
    is_new = machine.pk is None
    if is_new:
        machine.source_name = given["file_name"]
        machine.save()
        if machine.machine_owner_team:
            record(AuditAction.MACHINE_SHARED, actor=user, team=machine.machine_owner_team, target=machine)
    machine = Machine.objects.select_for_update(of=("self",)).get(pk=machine.pk)
    machine.versions_given += 1  # never a number again: programs and logs name a version by it
    machine.save(update_fields=["versions_given"])
    version = ModelVersion.objects.create(machine=machine, number=machine.versions_given, **given)
    machine.model_given()
    _work_make(version, user, columns)
    _note(AuditAction.MODEL_UPLOADED, version, user)
    return version


def _work_make(version: ModelVersion, user: User, columns: Any) -> Work:
    return work_make(
        kind=WorkKind.CHECKING,
        user=user,
        machine=version.machine,
        size=version.size_bytes,
        memory_mb=settings.CHECK_MEMORY_MB,
        parameters={"version": version.pk} | ({"input_columns": columns} if columns else {}),
    )


def check_wait(*, version: ModelVersion, seconds: float) -> ModelVersion:
    """Wait for the end of a check, at most so long; return the version as it is then."""
    end = time.monotonic() + seconds
    while version.state == VersionState.CHECKING and time.monotonic() < end:
        time.sleep(LOOK_SECONDS)
        with suppress(ModelVersion.DoesNotExist):  # deleted meanwhile: it stays as it was
            version.refresh_from_db(fields=["state"])
    if version.state != VersionState.CHECKING:
        version = ModelVersion.objects.light().select_related("machine").filter(pk=version.pk).first() or version
    return version


@transaction.atomic
def version_use(*, version: ModelVersion, user: User) -> None:
    """Let a checked version answer from now on: a newer one or, rolling back, an older one. Raises DataError.

    What is being checked just now will not take its place by itself.
    """
    _stay_behind(version.machine_id)
    machine, version = _held(version)
    if version.state != VersionState.READY:
        raise DataError(NOT_READY)
    before = machine.uploaded_version
    if before != version:
        answer_with(machine, version)
        if before:
            transaction.on_commit(partial(hosting.forget, before), robust=True)
        _note(AuditAction.VERSION_USED, version, user)


@transaction.atomic
def version_delete(*, version: ModelVersion, user: User) -> None:
    """Delete a version that does not answer, with its files. Raises DataError for the one that does."""
    for work in checks_of(version):  # before the machine is locked: machine_held says why
        work_cancel(work=work, user=user)
    machine, version = _held(version)
    if machine.uploaded_version_id == version.pk:
        raise DataError(ANSWERS)
    _note(AuditAction.VERSION_DELETED, version, user)
    versions_delete([version])


def versions_delete(versions: Iterable[ModelVersion]) -> None:
    """Delete these rows, and when that is certain their files and processes."""
    for version in versions:
        gone = [storage.absolute(path).parent for path in (version.file_path, version.onnx_path) if path]
        for folder in gone:
            transaction.on_commit(partial(storage.remove_folder, folder), robust=True)
        transaction.on_commit(partial(hosting.forget, version), robust=True)
        ModelVersion.objects.filter(pk=version.pk).delete()


@transaction.atomic
def model_describe(*, version: ModelVersion, user: User, inputs: Any, outputs: Any) -> None:
    """Keep what inputs mean (machines.serving.description), and outputs unless None. Raises DataError, naming the input."""
    machine, version = _held(version)
    if version.state != VersionState.READY:
        raise DataError(NOT_CHECKED)
    outputs = version.description["words"]["outputs"] if outputs is None else outputs
    version.description = from_columns(Signature.from_json(version.signature), {"inputs": inputs, "outputs": outputs})
    version.is_described = True
    version.save(update_fields=["description", "is_described"])
    if machine.uploaded_version_id == version.pk:
        answer_with(machine, version)


def version_call(*, version: ModelVersion, feed: Mapping[str, Any], caller: str) -> dict[str, Any]:
    """Return the model's raw outputs for raw inputs, [rows, ...] each, from the locked runner.

    `caller` says for whom: a model that keeps state between calls never serves two callers from one process. Raises
    machines.services.hosting.ModelFailedError, which is a RunnerError.
    """
    return hosting.host_of(version).call(feed, caller)


@transaction.atomic
def version_download(*, version: ModelVersion, user: User) -> BinaryIO | None:
    """Return the file as it was uploaded, opened, and note who took it; None when it was deleted this very moment."""
    try:
        is_small = version.file is not None
        file = BytesIO(bytes(version.file or b"")) if is_small else storage.absolute(version.file_path).open("rb")
    except (FileNotFoundError, ModelVersion.DoesNotExist):
        return None
    team = version.machine.machine_owner_team
    record(AuditAction.MACHINE_DOWNLOADED, actor=user, team=team, target=version.machine)
    return file


def checks_of(version: ModelVersion) -> Iterator[Work]:
    """Yield the checks of a version that wait or run."""
    works = Work.objects.active().filter(WorkKind.CHECKING.q, machine=version.machine_id)
    return (work for work in works if work.parameters["version"] == version.pk)


def _stay_behind(machine_id: int) -> None:
    """Tell the checks that go on. Before the machine is locked: machine_held says why."""
    for work in Work.objects.active().filter(WorkKind.CHECKING.q, machine=machine_id).select_for_update(of=("self",)):
        work.parameters[STAYS] = True
        work.save(update_fields=["parameters"])


def _held(version: ModelVersion) -> tuple[Machine, ModelVersion]:
    """Lock the machine and return it with the version as it is now."""
    machine = Machine.objects.select_for_update(of=("self",)).get(pk=version.machine_id)
    return machine, machine.versions.light().get(pk=version.pk)


def _machine(user: User, name: str, team: Team | None) -> Machine:
    return Machine(machine_name=name, machine_owner_user=user, machine_owner_team=team, machine_is_uploaded_model=True)


def _note(action: AuditAction, version: ModelVersion, user: User) -> None:
    team = version.machine.machine_owner_team
    record(action, actor=user, team=team, target=version.machine, version=version.number)


def _check_words(framework: str, layers: Any, input_columns: Any) -> None:
    """Refuse what nobody could use before the file is read."""
    if framework not in Framework.values:
        raise DataError(BAD_FRAMEWORK)
    if max(len(orjson.dumps(layers)), len(orjson.dumps(input_columns))) > MOST_JSON_BYTES:
        raise DataError(LONG_JSON)
    if input_columns and not is_of_tensors(input_columns):
        read_columns(input_columns)


def _refuse_at_sight(place: Path, file_name: str, framework: str, size: int, has_layers: bool) -> None:
    with place.open("rb") as file:
        head = file.read(HEAD)
        file.seek(max(0, size - TAIL))
        tail = file.read(TAIL)
    notice = first_sight(
        head=head,
        tail=tail,
        file_name=file_name,
        framework=framework,
        size=size,
        has_layers=has_layers,
        is_locked=protection().is_whole,
    )
    if notice:
        raise DataError(notice.template, **notice.values)


class _Seen:
    """Chunks on their way to a file: counted, digested, and no more of them than may be."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.chunks = chunks
        self.bytes = 0
        self.digest = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.chunks:
            self.bytes += len(chunk)
            if self.bytes > settings.MODEL_UPLOAD_LIMIT_BYTES:
                raise TooLargeError(TOO_LARGE, most=settings.MODEL_UPLOAD_LIMIT_BYTES // 1_000_000)
            self.digest.update(chunk)
            yield chunk
