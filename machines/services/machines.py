"""Machines as such: their file, and their end."""

from io import BytesIO
from typing import BinaryIO

from django.db import transaction

from machines import storage
from machines.services import predictions
from machines.services.rows import write_lock
from machines.services.solving import answers_forget, solvings_end
from machines.services.uploads import version_download, versions_delete
from machines.services.works import work_cancel
from models import DataLinesOperation, Machine, User, Work
from models.audit import AuditAction, record


@transaction.atomic
def machine_download(*, machine: Machine, user: User) -> BinaryIO | None:
    """Return the trained model as ONNX, or the uploaded file as it was, opened, and note who took it.

    None while there is none.
    """
    if machine.machine_is_uploaded_model:
        version = machine.uploaded_version
        return version_download(version=version, user=user) if version else None
    model = machine.training_nn_model
    if model is None or not model.nn_model:
        return None
    record(AuditAction.MACHINE_DOWNLOADED, actor=user, team=machine.machine_owner_team, target=machine)
    return BytesIO(bytes(model.nn_model))


def machine_delete(*, machine: Machine, user: User | None = None) -> None:
    """Delete a machine with its rows, model and files of answers; its works are ended. Work and operations stay as history.

    Raises DataError while its rows are being read.
    """
    folder = storage.absolute(machine.source_path).parent if machine.source_path else None
    loaded = predictions.session_key(machine)
    with write_lock(machine):
        works = Work.objects.filter(machine=machine)
        for work in works.active():
            work_cancel(work=work, user=user)
        solvings_end(works=works)
        for work in works.trainings():
            answers_forget(work=work)
        with transaction.atomic():
            versions_delete(machine.versions.light())
            record(AuditAction.MACHINE_DELETED, actor=user, team=machine.machine_owner_team, target=machine)
            DataLinesOperation.objects.for_machine(machine).delete()
            machine.delete()
    predictions.SESSIONS.drop(loaded)
    if folder:
        storage.remove_folder(folder)
