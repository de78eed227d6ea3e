"""Large files are read by a worker: the same result, later."""

import pytest

from machines.engine.errors import DataError
from machines.jobs.runner import work_run
from machines.services import datasets, reading
from machines.services.datasets import dataset_read_again, rows_add
from machines.services.machines import machine_delete
from machines.services.rows import latest_reading, part_paths
from machines.services.works import work_cancel, work_retry
from models import DataLinesOperation, Machine, Work
from models.work import WorkState
from tests.conftest import signed_in
from tests.factories import make_user
from tests.machines.houses import csv_bytes, table_rows
from tests.machines.views.pages import page, url

pytestmark = pytest.mark.django_db
FEW = csv_bytes(table_rows(12))


@pytest.fixture(autouse=True)
def _everything_is_large(monkeypatch):
    monkeypatch.setattr(reading, "LARGE_BYTES", 1)


def read(machine):
    work = latest_reading(machine)
    work_run(work_id=work.pk)
    work.refresh_from_db()
    machine.refresh_from_db()
    return work


def test_it_works(upload, stored):
    machine = upload()
    assert machine.columns.count() == 0 and stored() == ["source"]
    work = read(machine)
    assert work.state is WorkState.FINISHED and work.result == {"rows": machine.rows_count}
    assert machine.columns.count() > 3 and machine.source_preview and machine.rows_count > 100
    assert stored() == ["part", "source"]


def test_it_is_what_reading_at_once_gives(upload, monkeypatch):
    later = upload()
    read(later)
    monkeypatch.setattr(reading, "LARGE_BYTES", 10**9)
    at_once = upload()
    for field in ("name", "type", "role", "profile", "format"):
        assert list(later.columns.values_list(field)) == list(at_once.columns.values_list(field))
    assert (later.source_options, later.source_notices) == (at_once.source_options, at_once.source_notices)
    assert later.source_preview == at_once.source_preview


def test_a_file_that_cannot_be_read_is_told_and_can_be_read_in_another_way(upload, alice, alice_client):
    machine = upload(b"\x00\x01\x02\x03" * 50)
    work = read(machine)
    assert work.state is WorkState.ERROR and work.attempts == 1 and work.message
    page = alice_client.get(f"/machines/{machine.pk}/columns/").content.decode()
    assert "could not be read" in page and f"/machines/{machine.pk}/source/" in page
    assert alice_client.get(f"/machines/{machine.pk}/source/").status_code == 200


def test_reading_again_replaces_columns_and_rows(upload, alice, stored, django_capture_on_commit_callbacks):
    machine = upload()
    read(machine)
    old = part_paths(machine)
    dataset_read_again(machine=machine, options={"skip_rows": 3}, user=alice)
    assert part_paths(machine) == old, "until it has been read"
    with django_capture_on_commit_callbacks(execute=True):
        read(machine)
    assert part_paths(machine) != old and not old[0].exists()
    assert stored() == ["part", "source"]


def test_rows_are_added(upload, alice, stored):
    machine = upload()
    read(machine)
    before = machine.rows_count
    assert rows_add(machine=machine, user=alice, file_name="more.csv", chunks=[FEW]) is None
    assert stored() == ["part", "source", "source"]
    read(machine)
    assert machine.rows_count == before + 12
    assert stored() == ["part", "part", "source"], "what was added is kept as a part only"


def test_rows_that_do_not_fit_leave_nothing(upload, alice, stored):
    machine = upload()
    read(machine)
    rows_add(machine=machine, user=alice, file_name="more.csv", chunks=[b"a,b\n1,2\n3,4\n"])
    work = read(machine)
    assert work.state is WorkState.ERROR and "is missing" in work.message
    assert stored() == ["part", "source"] and DataLinesOperation.objects.count() == 1
    assert machine.columns.count() > 3


def test_one_at_a_time(upload, alice, stored):
    machine = upload()
    for again in (
        lambda: dataset_read_again(machine=machine, options={}, user=alice),
        lambda: rows_add(machine=machine, user=alice, file_name="more.csv", chunks=[FEW]),
    ):
        with pytest.raises(DataError, match="is being read"):
            again()
    assert Work.objects.count() == 1 and stored() == ["source"]


def test_cancelled(upload, alice_client):
    machine = upload()
    assert alice_client.post(f"/machines/{machine.pk}/reading/cancel/").status_code == 302
    assert Work.objects.get().state is WorkState.CANCELLED
    work_run(work_id=Work.objects.get().pk)
    assert machine.columns.count() == 0
    assert "Cancelled" in alice_client.get(f"/machines/{machine.pk}/columns/").content.decode()


def test_what_was_cancelled_before_it_was_read_shows_no_empty_table(upload, alice_client):
    machine = upload()
    work_cancel(work=latest_reading(machine))
    assert "nothing has been read of it" in page(alice_client.get(url("columns", machine.pk))).text
    shown = page(alice_client.get(url("source", machine.pk))).text
    assert "Read again" in shown and "0 rows" not in shown and "The first rows" not in shown


def test_a_training_that_began_meanwhile_is_left_alone(upload, alice):
    machine = upload()
    read(machine)
    dataset_read_again(machine=machine, options={}, user=alice)
    old = part_paths(machine)
    Machine.objects.filter(pk=machine.pk).update(machine_status="training")
    work = read(machine)
    assert work.state is WorkState.ERROR and "training" in work.message
    assert part_paths(machine) == old and old[0].exists()


def test_deleting_the_machine_ends_it(upload, stored):
    machine = upload()
    work = latest_reading(machine)
    machine_delete(machine=machine)
    work_run(work_id=work.pk)
    work.refresh_from_db()
    assert work.state is WorkState.CANCELLED and stored() == []


def test_who_may_no_longer_change_the_machine_does_not(upload):
    machine = upload()
    Machine.objects.update(machine_owner_user=make_user())
    work = read(machine)
    assert work.state is WorkState.ERROR and "may no longer" in work.message


def test_nothing_is_kept_when_the_queue_cannot_be_written(upload, stored, monkeypatch):
    monkeypatch.setattr(datasets, "reading_start", lambda **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        upload()
    assert stored() == [] and not Machine.objects.exists()


def test_the_page_tells_how_far_it_is_and_then_shows_the_columns(upload, alice_client):
    machine = upload()
    address = f"/machines/{machine.pk}/columns/"
    page = alice_client.get(address).content.decode()
    assert "Waiting for the worker" in page and 'hx-trigger="every 1s"' in page
    work = latest_reading(machine)
    work.start()
    work.report(0.5, "Looking at the columns")
    part = alice_client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert 'value="50"' in part and "<html" not in part
    work.give_back()
    read(machine)
    assert alice_client.get(address, headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"
    assert "Use as" in alice_client.get(address).content.decode()


def test_charlie_sees_nothing_of_it(upload, charlie):
    machine = upload()
    client = signed_in(charlie)
    assert client.get(f"/machines/{machine.pk}/columns/").status_code == 404
    assert client.post(f"/machines/{machine.pk}/reading/cancel/").status_code == 404
    assert work_cancel(work=latest_reading(machine)), "it was not cancelled"


def test_what_failed_is_tried_again(upload, alice):
    machine = upload(b"\x00\x01\x02\x03" * 50)
    work = read(machine)
    assert work.state is WorkState.ERROR and work_retry(work=work)
    assert read(machine).state is WorkState.ERROR


def test_not_when_its_file_is_gone(upload, alice):
    machine = upload()
    read(machine)
    rows_add(machine=machine, user=alice, file_name="more.csv", chunks=[b"a,b\n1,2\n3,4\n"])
    work = read(machine)
    with pytest.raises(DataError, match="not kept here any more"):
        work_retry(work=work)
    assert Work.objects.get(pk=work.pk).state is WorkState.ERROR


def test_not_when_something_newer_would_be_lost(upload, alice):
    machine = upload(b"\x00\x01\x02\x03" * 50)
    failed = read(machine)
    dataset_read_again(machine=machine, options={}, user=alice)
    with pytest.raises(DataError, match="meanwhile"):
        work_retry(work=failed)
    assert Work.objects.active().count() == 1
