import pytest
from django.db import IntegrityError, transaction

from models import DataLinesOperation, Server
from tests.factories import make_machine, make_server

pytestmark = pytest.mark.django_db


def test_rows_are_told_by_machine(alice):
    machine, other = make_machine(), make_machine()
    rows = DataLinesOperation.objects.create(
        machine_id=machine.pk, is_added_for_learning=True, path="machines/1/rows.parquet", rows=768, user=alice
    )
    DataLinesOperation.objects.create(machine_id=other.pk)

    assert list(DataLinesOperation.objects.for_machine(machine)) == [rows]
    assert rows.date_time
    machine.delete()
    alice.delete()
    rows.refresh_from_db()
    assert rows.user is None


def test_rows_are_not_negative():
    with pytest.raises(IntegrityError), transaction.atomic():
        DataLinesOperation.objects.create(machine_id=1, rows=-1)


def test_servers():
    ready = make_server(server_gpu_ram=[24_576])
    make_server(server_info_ready=None)
    assert list(Server.objects.ready()) == [ready]
    with pytest.raises(IntegrityError), transaction.atomic():
        make_server(server_name=ready.server_name)
