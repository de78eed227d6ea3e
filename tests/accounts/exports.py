"""What the tests of the export share: to ask for it, have it done, and look into it."""

import io
import json
import zipfile

from django.test import TestCase

from machines import storage
from machines.jobs.runner import work_run
from models import DataLinesOperation, Work
from models.work import WorkKind
from tests.factories import (
    make_column,
    make_ready_machine,
)

URL, FILE, DELETE, PAGE = "/accounts/export/", "/accounts/export/file/", "/accounts/export/delete/", "/accounts/data/"


def prepare(client):
    """Ask for it, and let a worker do it."""
    response = post(client, URL)
    assert (response.status_code, response["Location"]) == (302, PAGE)
    do(Work.objects.filter(WorkKind.EXPORT.q).first())


def post(client, path, **kwargs):
    with TestCase.captureOnCommitCallbacks(execute=True):
        return client.post(path, **kwargs)


def do(work):
    with TestCase.captureOnCommitCallbacks(execute=True):
        work_run(work_id=work.pk)


def archive_of(client):
    prepare(client)
    return fetched(client)


def fetched(client):
    response = client.get(FILE)
    assert response.status_code == 200
    archive = zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))
    assert archive.testzip() is None
    return archive


def facts_of(client):
    return json.loads(archive_of(client).read("data.json"))


def shown(client, **headers):
    return client.get(PAGE, headers=headers).content.decode()


def left():
    """What lies in the folders of works."""
    places = storage.absolute("works").rglob("*")
    return sorted(place.name for place in places if place.is_file())


def make_whole_machine(owner, **kwargs):
    """A machine with its file, one part of rows and a model."""
    folder = storage.new_folder()
    (folder / "source").write_bytes(b"a,b\n1,2\n")
    (folder / "rows.parquet").write_bytes(b"PAR1")
    source = storage.recorded(folder / "source")
    machine = make_ready_machine(owner=owner, source_path=source, source_name="my table.CSV", **kwargs)
    path = storage.recorded(folder / "rows.parquet")
    DataLinesOperation.objects.create(machine_id=machine.pk, path=path, rows=1, is_added_for_learning=True, user=owner)
    make_column(machine, name="Größe", unit="cm")
    return machine
