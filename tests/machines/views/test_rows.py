import pytest

from models import MachineTableLockWrite
from tests.machines.houses import HEADER, csv_bytes, file_of, table_rows
from tests.machines.views.pages import HTMX, htmx, is_whole, page, url

pytestmark = pytest.mark.django_db

SHORT = table_rows(30)


@pytest.fixture
def read(upload):
    return upload(csv_bytes(SHORT))


def send(client, machine, content=None, name="more.csv", **kwargs):
    return client.post(
        url("rows", machine.pk), {"file": file_of(csv_bytes(SHORT) if content is None else content, name)}, **kwargs
    )


def test_it_works(read, alice_client):
    assert "30 rows so far" in page(alice_client.get(url("rows", read.pk))).text
    response = alice_client.post(url("rows", read.pk), {"file": file_of(csv_bytes(SHORT))}, follow=True)
    assert response.redirect_chain == [(url("training", read.pk), 302)]
    assert "30 rows added" in page(response).text and "60 rows" in page(response).text


def test_htmx_is_told_where_to_go(read, alice_client):
    assert send(alice_client, read, headers=HTMX)["HX-Redirect"] == url("training", read.pk)


def test_a_mismatch_names_the_column(read, alice_client, stored):
    response = send(alice_client, read, csv_bytes([cells[1:] for cells in SHORT], HEADER[1:]))
    shown = page(response)
    assert response.status_code == 200 and "“size” is missing" in shown.text
    assert shown.all("a", href="#id_file")
    read.refresh_from_db()
    assert read.rows_count == 30 and stored() == ["part", "source"]


def test_htmx_gets_the_form_alone(read, alice_client):
    response = htmx(alice_client, url("rows", read.pk), {})
    assert not is_whole(response) and "Choose a file" in page(response).text


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [("a.csv", b"", "empty"), ("a.exe", b"MZ", "none of the formats"), ("a.csv", b"\x89PNG\r\n\x1a\n", "PNG")],
)
def test_bad_files(read, alice_client, stored, name, content, said):
    assert said in page(send(alice_client, read, content, name)).text
    assert stored() == ["part", "source"]


def test_while_somebody_else_adds_rows(read, alice_client, monkeypatch):
    hold = MachineTableLockWrite.objects.hold
    monkeypatch.setattr(MachineTableLockWrite.objects, "hold", lambda name, **_options: hold(name, wait_seconds=0.1))
    with hold(f"machine-{read.pk}"):
        response = send(alice_client, read)
    assert response.status_code == 200 and "Try again in a minute" in page(response).text
