"""Rows come in whole or not at all."""

import hashlib
import io
import threading
from pathlib import Path

import polars as pl
import pytest
from django.db import connection

from machines import storage
from machines.engine.errors import DataError
from machines.services import datasets, rows
from machines.services.columns import column_update
from machines.services.datasets import dataset_read_again, dataset_upload, rows_add
from machines.services.machines import machine_delete
from machines.services.rows import lock_name, part_paths
from models import Column, DataLinesOperation, Machine, MachineTableLockWrite
from models.machine import MachineStatus
from tests.machines.houses import HEADER, csv_bytes, table_rows, xlsx_bytes

pytestmark = pytest.mark.django_db

SHORT = table_rows(30)
COMMA = b"name;score\n" + b"".join(b"row %d;%d,5\n" % (number, number) for number in range(30))


def nothing_is_there(stored, folders):
    counts = [model.objects.count() for model in (Machine, Column, DataLinesOperation, MachineTableLockWrite)]
    return stored() == [] and folders() == 0 and counts == [0, 0, 0, 0]


def test_it_works(upload, alice, stored):
    machine = upload()

    assert (machine.machine_name, machine.machine_owner_user, machine.machine_status) == ("Houses", alice, "new")
    assert (machine.source_name, machine.rows_count) == ("houses.csv", 200)
    assert [column.name for column in machine.columns.all()] == HEADER
    assert stored() == ["part", "source"]
    assert storage.absolute(machine.source_path).read_bytes() == csv_bytes()
    operation = DataLinesOperation.objects.get()
    part = storage.absolute(operation.path)
    assert (operation.machine_id, operation.rows, operation.user) == (machine.pk, 200, alice)
    assert operation.sha256 == hashlib.sha256(part.read_bytes()).hexdigest()
    assert operation.is_added_for_learning and part_paths(machine) == [part]
    assert machine.source_preview[0] == [cell or None for cell in table_rows()[0]]
    assert machine.source_options["delimiter"] == ","


def test_types_are_proposed(upload):
    types = dict(upload().columns.values_list("name", "type"))
    assert types == {
        "size": "FLOAT", "delta": "FLOAT", "pressure": "FLOAT", "city": "LABEL", "kind": "LABEL", "day": "DATE",
        "hour": "TIME", "seen": "DATETIME", "note": "LANGUAGE", "risk": "LABEL", "price": "FLOAT",
    }  # fmt: skip


def parquet_bytes():
    packed = io.BytesIO()
    pl.DataFrame(SHORT, schema=HEADER, orient="row").write_parquet(packed)
    return packed.getvalue()


def json_bytes():
    return pl.DataFrame(SHORT, schema=HEADER, orient="row").write_json().encode()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("houses.csv", csv_bytes(SHORT)),
        ("houses.tsv", csv_bytes(SHORT, delimiter="\t")),
        ("houses.txt", csv_bytes(SHORT, delimiter=";")),
        ("houses.xlsx", xlsx_bytes(SHORT, HEADER)),
        ("houses.json", json_bytes()),
        ("houses.parquet", parquet_bytes()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_format(upload, name, content):
    machine = upload(content, file_name=name)
    assert [column.name for column in machine.columns.all()] == HEADER
    assert machine.rows_count == 30
    assert machine.source_preview[3][:6] == [cell or None for cell in SHORT[3][:6]]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"a,b\n", "row"),
        (b"\x89PNG\r\n\x1a\n" + b"0" * 50, "PNG"),
        (b"a,b\n1,\x002\n", "NUL|zero|null"),
    ],
    ids=["empty", "header only", "picture", "NUL"],
)
def test_a_refused_file_leaves_nothing(upload, stored, folders, content, said):
    with pytest.raises(DataError, match=f"(?i){said}"):
        upload(content)
    assert nothing_is_there(stored, folders)


def test_an_upload_that_breaks_off_leaves_nothing(upload, stored, folders):
    def broken():
        yield csv_bytes()[:1000]
        raise ConnectionError

    with pytest.raises(ConnectionError):
        upload(chunks=broken())
    assert nothing_is_there(stored, folders)


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [("READ_SECONDS", 0, "takes too long"), ("READ_MEMORY_MB", 1, "too much memory")],
)
def test_a_file_beyond_the_limits_leaves_nothing(upload, stored, folders, settings, setting, value, said):
    setattr(settings, setting, value)
    with pytest.raises(DataError, match=said):
        upload()
    assert nothing_is_there(stored, folders)


def test_a_record_that_fails_leaves_nothing(upload, stored, folders, monkeypatch):
    def fail(*args):
        raise RuntimeError("no room in the database")

    monkeypatch.setattr(rows, "rows_record", fail)
    with pytest.raises(RuntimeError):
        upload()
    assert nothing_is_there(stored, folders)


@pytest.mark.parametrize(
    "name", ["../../../x.csv", "/etc/x.csv", "con.csv", "a\nb.csv", "\u202evsc.csv", "x" * 120 + ".csv"]
)
def test_no_name_of_a_file_reaches_the_disk(upload, stored, name):
    upload(csv_bytes(SHORT), file_name=name)
    assert stored() == ["part", "source"]


def test_the_same_file_twice_makes_two_machines(upload, stored):
    first, second = upload(csv_bytes(SHORT)), upload(csv_bytes(SHORT))
    machine_delete(machine=first)
    assert stored() == ["part", "source"]
    assert [path.exists() for path in part_paths(second)] == [True]


@pytest.mark.django_db(transaction=True)
def test_two_at_once(point, stored):
    errors = []

    def one(number):
        try:
            rows = table_rows(30 + number)
            dataset_upload(user=point, name=f"Nr {number}", file_name="houses.csv", chunks=[csv_bytes(rows)])
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=[number]) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert set(Machine.objects.values_list("machine_name", "rows_count")) == {("Nr 0", 30), ("Nr 1", 31)}
    assert stored() == ["part", "part", "source", "source"]
    assert Column.objects.count() == 2 * len(HEADER)


# Reading again


def test_reading_again_keeps_nothing_of_the_old_part(upload, alice, stored):
    machine = upload(COMMA)
    old = part_paths(machine)
    assert machine.columns.get(name="score").type == "FLOAT"

    dataset_read_again(machine=machine, options={"delimiter": ";", "has_header": False}, user=alice)

    machine.refresh_from_db()
    assert (machine.rows_count, machine.machine_status) == (31, "new")
    assert machine.source_options["has_header"] is False
    assert len(part_paths(machine)) == 1 and part_paths(machine) != old
    assert stored() == ["part", "source"]
    assert machine.columns.count() == 2 and not machine.columns.filter(name="score").exists()
    assert machine.source_preview[0] == ["name", "score"]


def test_reading_again_refused_changes_nothing(upload, alice, stored):
    machine = upload(COMMA)
    old = part_paths(machine), list(machine.columns.values_list("pk", flat=True))
    with pytest.raises(DataError):
        dataset_read_again(machine=machine, options={"skip_rows": 1000}, user=alice)
    assert (part_paths(machine), list(machine.columns.values_list("pk", flat=True))) == old
    assert stored() == ["part", "source"] and old[0][0].exists()
    assert not MachineTableLockWrite.objects.exists()


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_reading_again_during_a_training_is_refused(upload, alice, stored, monkeypatch, when):
    machine = upload(COMMA)
    old = part_paths(machine)
    if when == "before":
        Machine.objects.update(machine_status=MachineStatus.TRAINING)
        machine.refresh_from_db()
    else:
        read = datasets.read_in_child

        def train_while_reading(request):
            Machine.objects.update(machine_status=MachineStatus.TRAINING)
            return read(request)

        monkeypatch.setattr(datasets, "read_in_child", train_while_reading)
    with pytest.raises(DataError, match="training"):
        dataset_read_again(machine=machine, options={}, user=alice)
    assert part_paths(machine) == old and old[0].exists()
    assert stored() == ["part", "source"]
    assert Machine.objects.get().machine_status == MachineStatus.TRAINING
    assert machine.columns.count() == 2


def test_reading_again_needs_the_file(machine, alice):
    with pytest.raises(DataError, match="not kept here"):
        dataset_read_again(machine=machine, options={}, user=alice)


# More rows


def more(machine, user, rows=None, header=None, **kwargs):
    content = kwargs.pop("content", csv_bytes(SHORT if rows is None else rows, header))
    return rows_add(machine=machine, user=user, **{"file_name": "more.csv", "chunks": [content]} | kwargs)


def test_rows_are_added(upload, alice, stored):
    machine = upload(csv_bytes(SHORT))
    assert more(machine, alice, SHORT[:7]) == 7
    machine.refresh_from_db()
    assert machine.rows_count == 37
    assert [len(pl.read_parquet(path)) for path in part_paths(machine)] == [30, 7]
    assert stored() == ["part", "part", "source"]
    assert not MachineTableLockWrite.objects.exists()


def test_rows_may_come_in_another_order_and_case(upload, alice):
    machine = upload(csv_bytes(SHORT))
    turned = [list(reversed(cells)) for cells in SHORT]
    more(machine, alice, turned, [name.upper() for name in reversed(HEADER)])
    first, second = (pl.read_parquet(path) for path in part_paths(machine))
    assert second.equals(first)


def without(column):
    at = HEADER.index(column)
    return [cells[:at] + cells[at + 1 :] for cells in SHORT], [name for name in HEADER if name != column]


@pytest.mark.parametrize(
    ("rows", "header", "named"),
    [
        (*without("city"), "city"),
        ([[*cells, "x"] for cells in SHORT], [*HEADER, "colour"], "colour"),
        ([["large", *cells[1:]] for cells in SHORT], HEADER, "size"),
    ],
    ids=["missing", "unknown", "unreadable"],
)
def test_a_mismatch_names_the_column_and_leaves_no_file(upload, alice, stored, rows, header, named):
    machine = upload(csv_bytes(SHORT))
    with pytest.raises(DataError, match=f"“{named}”"):
        more(machine, alice, rows, header)
    machine.refresh_from_db()
    assert machine.rows_count == 30 and len(part_paths(machine)) == 1
    assert stored() == ["part", "source"]
    assert not MachineTableLockWrite.objects.exists()


def test_an_ignored_column_may_be_missing(upload, alice):
    machine = upload(csv_bytes(SHORT))
    column_update(column=machine.columns.get(name="city"), changes={"type": "IGNORE"})
    assert more(machine, alice, *without("city")) == 30


def test_rows_are_read_and_recorded_under_the_lock(upload, alice, monkeypatch):
    machine, held = upload(csv_bytes(SHORT)), []
    read, record = datasets.read_in_child, datasets.rows_record

    def locks():
        held.append(list(MachineTableLockWrite.objects.values_list("table_name", flat=True)))

    monkeypatch.setattr(datasets, "read_in_child", lambda request: (locks(), read(request))[1])
    monkeypatch.setattr(datasets, "rows_record", lambda *args: (locks(), record(*args))[1])
    more(machine, alice)
    assert held == [[lock_name(machine)]] * 2
    assert not MachineTableLockWrite.objects.exists()


def test_who_finds_the_lock_held_is_told_and_leaves_no_file(upload, alice, stored, monkeypatch):
    machine = upload(csv_bytes(SHORT))
    hold = MachineTableLockWrite.objects.hold
    monkeypatch.setattr(
        MachineTableLockWrite.objects, "hold", lambda name, **rest: hold(name, wait_seconds=0.2, **rest)
    )
    with hold(lock_name(machine)), pytest.raises(DataError, match="Try again in a minute"):
        more(machine, alice)
    assert stored() == ["part", "source"]


def test_adding_rows_leaves_alone_what_a_training_wrote_meanwhile(upload, alice, monkeypatch):
    machine, read = upload(csv_bytes(SHORT)), datasets.read_in_child

    def train_while_reading(request):
        Machine.objects.update(machine_status=MachineStatus.READY, model_version=5, machine_description="trained")
        return read(request)

    monkeypatch.setattr(datasets, "read_in_child", train_while_reading)
    more(machine, alice)
    now = Machine.objects.get()
    assert (now.machine_status, now.model_version, now.machine_description) == ("ready", 5, "trained")
    assert now.rows_count == 60


def test_rows_that_cannot_be_recorded_leave_no_file(upload, alice, stored, monkeypatch):
    machine = upload(csv_bytes(SHORT))

    def fail(*args):
        raise RuntimeError("no room in the database")

    monkeypatch.setattr(datasets, "rows_record", fail)
    with pytest.raises(RuntimeError):
        more(machine, alice)
    assert stored() == ["part", "source"]


def test_rows_cut_off_while_they_came_leave_no_file(upload, alice, stored):
    def broken():
        yield csv_bytes(SHORT)[:500]
        raise ConnectionError

    machine = upload(csv_bytes(SHORT))
    with pytest.raises(ConnectionError):
        more(machine, alice, chunks=broken())
    assert stored() == ["part", "source"]


def test_rows_need_a_machine_with_a_file(machine, alice, settings):
    with pytest.raises(DataError, match="not kept here"):
        more(machine, alice)
    assert not list(Path(settings.STORAGE_ROOT).parent.glob("incoming*"))


# The end


def test_deleting_a_machine_takes_its_files_along(upload, stored, folders):
    machine = upload(csv_bytes(SHORT))
    machine_delete(machine=machine)
    assert nothing_is_there(stored, folders)
