"""Machines as such: their end, and what is told about their quality."""

from django.db import transaction

from machines import storage
from machines.services.training import latest_work, training_cancel
from models import DataLinesOperation, Machine


def machine_delete(*, machine: Machine) -> None:
    """Delete a machine, its rows and its model; a training of it is ended. Work and operations stay as history."""
    work = latest_work(machine)
    if work and work.is_active:
        training_cancel(work=work)
    folder = storage.absolute(machine.source_path).parent if machine.source_path else None
    with transaction.atomic():
        DataLinesOperation.objects.for_machine(machine).delete()
        machine.delete()
    if folder:
        storage.remove_folder(folder)
