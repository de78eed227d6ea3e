"""Machines as such: their end, and what is told about their quality."""

from django.db import transaction

from machines import storage
from machines.services import predictions
from machines.services.datasets import write_lock
from machines.services.training import latest_work, training_cancel
from models import DataLinesOperation, Machine


def machine_delete(*, machine: Machine) -> None:
    """Delete a machine, its rows and its model; a training of it is ended. Work and operations stay as history.

    Raises DataError while its rows are being read.
    """
    folder = storage.absolute(machine.source_path).parent if machine.source_path else None
    loaded = predictions.session_key(machine)
    with write_lock(machine):
        work = latest_work(machine)
        if work and work.is_active:
            training_cancel(work=work)
        with transaction.atomic():
            DataLinesOperation.objects.for_machine(machine).delete()
            machine.delete()
    predictions.SESSIONS.drop(loaded)
    if folder:
        storage.remove_folder(folder)
