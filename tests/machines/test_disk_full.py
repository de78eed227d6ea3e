"""A full disk (J4): a clear sentence, nothing half-made, pages go on, and all is well when there is room again.

The storage lies on a real file system of a few megabytes.
"""

import logging
import random
import subprocess

import pytest
from django.conf import settings
from django.db import DatabaseError
from django.db.utils import ConnectionHandler
from django.http import HttpResponse
from django.test import Client
from django.urls import include, path

from config.full_disk import is_disk_full
from machines.child import run_child
from machines.engine.job import DISK_FULL
from machines.services.rows import part_paths
from models import DataLinesOperation, EasyAutoMLLogger, Machine
from tests.conftest import signed_in
from tests.machines.engine.tables import simple_table
from tests.machines.houses import csv_bytes, file_of, table_rows
from tests.machines.views.pages import HTMX, url

pytestmark = pytest.mark.django_db

MB = 1_000_000
SIZE = 4 * MB
SENTENCE = "The disk of this server is full, so nothing was saved."
SHORT = csv_bytes(table_rows(30))


@pytest.fixture
def disk(tmp_path, settings):
    """The storage, on a disk of its own."""
    place = tmp_path / "small"
    place.mkdir()
    options = f"size={SIZE // 4096 * 4096},mode=700"
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], capture_output=True, text=True)
    if done.returncode:
        pytest.skip("A disk can be mounted by root only. Run the test as root, or in a shell of `unshare -Urm`.")
    settings.STORAGE_ROOT = place
    yield place
    subprocess.run(["umount", "-l", place], check=True)


@pytest.fixture
def client(point):
    client = signed_in(point)
    client.raise_request_exception = False
    return client


@pytest.fixture
def fill(disk):
    """Leave so many bytes free on the disk; `fill.filler` is what takes up the rest."""

    def leave(free):
        fill_up(disk / "filler")
        leave.filler.write_bytes(b"x" * max(0, leave.filler.stat().st_size - free))

    leave.filler = disk / "filler"
    return leave


def fill_up(file):
    with pytest.raises(OSError, match="No space left"), file.open("wb", buffering=0) as out:
        while out.write(b"x" * 4096):
            pass


def table(size):
    """A CSV file of about so many bytes, hardly any smaller as Parquet."""
    rng = random.Random(7)
    return b"a,b\n" + b"".join(b"%032x,%06d\n" % (rng.getrandbits(128), number) for number in range(size // 40))


def send(client, content, **kwargs):
    return client.post(url("new"), {"file": file_of(content), "name": "Houses"}, **kwargs)


def files_in(disk):
    return sorted(file.name for file in disk.rglob("*") if file.is_file() and file.name != "filler")


def leftovers(disk):
    return files_in(disk) + [folder.name for folder in disk.glob("machines/*")]


def check_refused(response, disk):
    assert response.status_code == 507 and SENTENCE in response.content.decode()
    assert leftovers(disk) == []
    assert not Machine.objects.exists() and not DataLinesOperation.objects.exists()


def test_it_works_again_when_there_is_room(client, disk, fill):
    fill(20_000)
    content = table(100_000)
    check_refused(send(client, content), disk)
    assert [client.get(url(name)).status_code for name in ("list", "new")] == [200, 200]
    fill.filler.unlink()
    assert send(client, content).status_code == 302
    assert Machine.objects.get().rows_count == 2500


@pytest.mark.parametrize(
    ("size", "free"),
    [
        pytest.param(MB, 0, id="not a byte fits"),
        pytest.param(MB, 600_000, id="while it travels"),
        pytest.param(MB, 1_600_000, id="when it is kept"),
        pytest.param(MB, 2_200_000, id="when its rows are stored"),
    ],
)  # fmt: skip
def test_nothing_half_made_remains(client, disk, fill, size, free):
    for headers in ({}, HTMX):
        fill(free)
        check_refused(send(client, table(size), headers=headers), disk)


@pytest.mark.browser
@pytest.mark.usefixtures("files_as_they_lie")
@pytest.mark.django_db(transaction=True)
def test_in_a_browser_the_form_stays_and_the_sentence_comes(chromium, live_server, client, fill):
    fill(0)
    name = settings.SESSION_COOKIE_NAME
    with chromium.new_context() as context:
        context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        shown = context.new_page()
        shown.goto(live_server.url + url("new"))
        shown.locator("[name=name]").fill("My houses")
        file = {"name": "houses.csv", "mimeType": "text/csv", "buffer": SHORT}
        shown.locator("[name=file]").set_input_files(files=[file])
        shown.locator("main button[type=submit]").click()
        shown.locator("#alerts", has_text=SENTENCE).wait_for()
        assert shown.locator("[name=name]").input_value() == "My houses"
        fill.filler.unlink()
        shown.locator("main button[type=submit]").click()
        shown.wait_for_url("**/columns/")


def test_a_machine_stays_as_it_was(client, disk, fill, upload):
    machine = upload(SHORT)
    before = files_in(disk)
    for free in (0, 30_000):
        fill(free)
        more = client.post(url("rows", machine.pk), {"file": file_of(table(100_000))})
        assert more.status_code == 507
    fill(0)
    again = client.post(url("source", machine.pk), {"header": "on"})
    assert again.status_code == 507
    assert files_in(disk) == before and client.get(url("columns", machine.pk)).status_code == 200
    machine.refresh_from_db()
    assert machine.rows_count == 30 and [part.exists() for part in part_paths(machine)] == [True]


def test_the_log_has_one_line(client, disk, fill, caplog):
    fill(0)
    with caplog.at_level(logging.WARNING):
        send(client, SHORT)
    assert [(record.getMessage(), record.exc_info) for record in caplog.records] == [
        ("Insufficient Storage: /machines/new/", None)
    ]
    assert EasyAutoMLLogger.objects.get().traceback == ""


def test_a_training_says_so(disk, fill, tmp_path):
    import polars as pl

    rows, schema = simple_table(120, classes=2)
    cells = {name: [str(value) for value in values] for name, values in rows.items()}
    pl.DataFrame(cells).write_parquet(tmp_path / "a.parquet")
    job = {
        "parts": [str(tmp_path / "a.parquet")], "schema": schema.to_json(), "level": 1, "deadline": 1, "seed": 0,
        "parameters": {"epochs": 1}, "onnx_path": str(disk / "m.onnx"), "report_path": str(disk / "r.json"),
    }  # fmt: skip
    fill(0)
    answer = run_child("machines.engine.fit_job", job, seconds=120, memory_mb=4096)
    assert (answer["kind"], answer["error"]["template"]) == ("error", DISK_FULL)
    assert files_in(disk) == []


# What has no upload: calls, and the database itself


def write_more(request):
    (write_more.disk / "file").write_bytes(b"x" * SIZE)
    return HttpResponse()


urlpatterns = [path("api/write", write_more), path("write", write_more), path("", include("config.urls"))]
handler500 = "config.full_disk.server_error"


def test_a_call_gets_json(disk, settings, caplog):
    settings.ROOT_URLCONF, write_more.disk = __name__, disk
    client = Client(raise_request_exception=False)  # as a browser or a program meets it
    assert SENTENCE in client.get("/write").content.decode()
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        response = client.get("/api/write")
    assert response.status_code == 507 and len(caplog.records) == 1
    assert (response.json()["error"]["code"], SENTENCE in response.json()["error"]["message"]) == ("disk_full", True)


def test_a_full_database_is_a_full_disk(disk):
    handler = ConnectionHandler({"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(disk / "db.sqlite3")}})
    connection = handler["default"]
    try:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE t (x)")
            with pytest.raises(DatabaseError) as found:
                cursor.execute("INSERT INTO t VALUES (zeroblob(%s))", [SIZE])
            assert is_disk_full(found.value)
            with pytest.raises(DatabaseError) as other:
                cursor.execute("INSERT INTO nowhere VALUES (1)")
            assert not is_disk_full(other.value)
    finally:
        connection.close()
