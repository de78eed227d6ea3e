"""The sweeper: what no row names goes after a day; what a row names stays, whatever happens."""

import os
import threading
import time
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from config.uploads import IncomingFile
from machines import storage
from machines.management.commands.worker import keep_house
from machines.services.rows import part_paths
from machines.services.sweeping import StrangeStorageError, Swept, storage_sweep
from models import DataLinesOperation, Work

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def put(settings):
    """Put a file into the storage that was last changed so many hours ago."""

    def make(path, hours=30, content=b"12345"):
        place = settings.STORAGE_ROOT / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        age(place, hours)
        return place

    return make


def age(place, hours=30):
    """Make a file or link, and the folders around it, look so old."""
    moment = time.time() - hours * 3600
    for path in (place, *list(place.parents)[:3]):
        os.utime(path, (moment, moment), follow_symlinks=False)


def test_it_works(put, upload, alice):
    machine = upload()
    kept = [storage.absolute(machine.source_path), *part_paths(machine)]
    work = Work.objects.create(machine=machine, user=alice, is_work_training=True, folder="works/known")
    kept.append(put(f"{work.folder}/model.onnx"))
    folder = kept[0].parent.relative_to(storage.absolute("."))
    gone = [
        put("machines/lost/source"), put("machines/lost/rows.parquet"), put("works/lost/deep/down/model.onnx"),
        put("incoming/a.upload"), put(f"{folder}/.half.part"), put(f"{folder}/unrecorded.parquet"),
        put("works/known/.half.part"), put("exports/.half.part"),
    ]  # fmt: skip
    for place in kept:
        age(place)
    assert storage_sweep(older_than=DAY) == Swept(len(gone), 5 * len(gone))
    assert [place for place in gone if place.exists()] == [] and all(place.exists() for place in kept)
    assert not gone[0].parent.exists() and not gone[2].parents[2].exists()
    assert storage_sweep(older_than=DAY) == Swept(0, 0)


def test_what_is_young_stays(put):
    young = [
        put("machines/new/source", hours=23), put("incoming/a.upload", hours=23), put("works/new/.half.part", hours=1),
    ]  # fmt: skip
    put("machines/old/source")
    growing = put("machines/old/.rows.part", hours=1)
    for folder in (growing.parent, young[2].parent):
        os.utime(folder, (0, 0))
    assert storage_sweep(older_than=DAY) == Swept(0, 0)
    assert all(place.exists() for place in (*young, growing))
    assert storage_sweep(older_than=timedelta(0)).files == 5


def test_a_deleted_machine_leaves_nothing(upload, folders):
    """As if the process had died between deleting its rows and removing the folder."""
    machine = upload()
    DataLinesOperation.objects.for_machine(machine).delete()
    machine.delete()
    assert storage_sweep(older_than=timedelta(0)).files == 2 and folders() == 0


def test_links_are_removed_and_never_followed(put, settings, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious.parquet").write_bytes(b"12345")
    inside = put("machines/lost/source").parent
    links = [inside / "folder", inside / "file", settings.STORAGE_ROOT / "machines" / "link"]
    for link, target in zip(links, (outside, outside / "precious.parquet", outside), strict=True):
        link.symlink_to(target)
        age(link)
    (settings.STORAGE_ROOT / "works").symlink_to(outside)
    storage_sweep(older_than=DAY)
    assert not any(os.path.lexists(link) for link in links)
    assert (outside / "precious.parquet").exists() and (settings.STORAGE_ROOT / "works").is_symlink()


def test_the_storage_itself_may_be_a_link(put, settings, tmp_path):
    lost = put("incoming/a.upload")
    (tmp_path / "link").symlink_to(settings.STORAGE_ROOT)
    settings.STORAGE_ROOT = tmp_path / "link"
    assert storage_sweep(older_than=DAY) == Swept(1, 5) and not lost.exists()


def test_what_it_does_not_know_stays(put):
    others = [put("exports/old.csv"), put(".keep"), put("machines.txt"), put("exports/.git/config")]
    assert storage_sweep(older_than=DAY) == Swept(0, 0)
    assert all(place.exists() for place in others)


def test_an_upload_whose_process_died_is_swept(settings):
    process = os.fork()
    if not process:
        file = IncomingFile("houses.csv", "text/csv", 0, None, None)
        file.write(b"12345" * 100_000)
        os._exit(0)
    os.waitpid(process, 0)
    (left,) = (settings.STORAGE_ROOT / "incoming").iterdir()
    assert left.stat().st_mode & 0o077 == left.parent.stat().st_mode & 0o077 == 0
    assert storage_sweep(older_than=timedelta(0)).files == 1 and not left.exists()


@pytest.mark.django_db(transaction=True)
def test_two_at_a_time(put, settings):
    for number in range(300):
        put(f"works/{number}/source")
        put(f"incoming/{number}")
    errors = []

    def sweep():
        try:
            storage_sweep(older_than=DAY)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=sweep) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == [] and not list(settings.STORAGE_ROOT.glob("*/*"))


def test_the_number_of_queries_does_not_grow(put, upload, django_assert_num_queries):
    upload()
    for number in range(50):
        put(f"works/{number}/source")
    with django_assert_num_queries(5):
        assert storage_sweep(older_than=DAY).files == 50


def test_the_command(put):
    lost = put("incoming/a.upload", content=b"x" * 1_500_000)
    said = StringIO()
    call_command("storage_sweep", "--dry-run", stdout=said)
    assert said.getvalue() == "Files to remove: 1 (1.5 MB)\n" and lost.exists()
    call_command("storage_sweep", "--older-than", "31", stdout=said)
    assert lost.exists()
    call_command("storage_sweep", stdout=said)
    assert said.getvalue().endswith("Files removed: 1 (1.5 MB)\n") and not lost.exists()
    with pytest.raises(CommandError, match="1 or more"):
        call_command("storage_sweep", "--older-than", "0")


def test_the_storage_of_another_database_is_left_alone(put, upload, caplog):
    upload()
    lost = [put(f"machines/lost{number}/source") for number in range(5)]
    with pytest.raises(StrangeStorageError, match="5 of 6"):
        storage_sweep(older_than=DAY)
    with pytest.raises(CommandError, match="Does this database belong to this storage"):
        call_command("storage_sweep")
    keep_house()
    assert "the storage was not swept: 5 of 6" in caplog.text
    assert all(place.exists() for place in lost)
    assert storage_sweep(older_than=DAY, is_dry_run=True).files == 5
