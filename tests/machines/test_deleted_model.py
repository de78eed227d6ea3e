"""A machine that is deleted does not stay in memory."""

import pytest

from machines.services import predictions
from machines.services.machines import machine_delete
from machines.services.predictions import predictor_of

pytestmark = pytest.mark.django_db


def test_its_model_is_forgotten(machine):
    predictor_of(machine)
    assert len(predictions.SESSIONS) == 1
    machine_delete(machine=machine)
    assert len(predictions.SESSIONS) == 0


def test_while_rows_are_read_a_machine_is_not_deleted(machine, monkeypatch):
    from machines.engine.errors import DataError
    from machines.services.rows import lock_name
    from models import Machine, MachineTableLockWrite

    hold = MachineTableLockWrite.objects.hold
    with hold(lock_name(machine)):
        monkeypatch.setattr(MachineTableLockWrite.objects, "hold", lambda name, **_: hold(name, wait_seconds=0.1))
        with pytest.raises(DataError, match="changing this right now"):
            machine_delete(machine=machine)
    assert Machine.objects.filter(pk=machine.pk).exists()
