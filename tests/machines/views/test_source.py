import datetime as dt

import pytest

from models import Machine
from models.machine import MachineStatus
from tests.machines.views.pages import page, url

pytestmark = pytest.mark.django_db

TABLE = b"day;score\n" + b"".join(b"%02d/02/2020;%d,5\n" % (1 + number % 28, number) for number in range(40))


@pytest.fixture
def read(upload):
    return upload(TABLE, file_name="scores.csv")


def options(**changes):
    names = ("encoding", "delimiter", "decimal", "thousands", "date_order", "has_header", "has_description_row")
    return dict.fromkeys(names, "") | {"skip_rows": ""} | changes


def test_it_works(read, alice_client):
    shown = page(alice_client.get(url("source", read.pk)))
    assert "scores.csv" in shown.text and "40 rows" in shown.text
    names = {attributes["name"] for attributes in shown.all("select")}
    assert names == set(options()) - {"skip_rows"}
    assert "01/02/2020" in shown.text, "the first rows"
    html = alice_client.get(url("source", read.pk)).content.decode()
    assert '<option value=";" selected>' in html and '<option value="utf-8" selected>' in html


def test_what_is_changed_is_read_so(read, alice_client):
    response = alice_client.post(url("source", read.pk), options(has_header="false", delimiter=";"))
    assert (response.status_code, response["Location"]) == (302, url("source", read.pk))
    read.refresh_from_db()
    assert read.rows_count == 41 and read.source_options["has_header"] is False
    html = alice_client.get(url("source", read.pk)).content.decode()
    assert '<option value="false" selected>' in html


@pytest.mark.parametrize(("order", "first"), [("DMY", dt.date(2020, 2, 1)), ("MDY", dt.date(2020, 1, 2))])
def test_the_order_of_dates(read, alice_client, order, first):
    alice_client.post(url("source", read.pk), options(date_order=order))
    reading = read.columns.get(name="day").profile["readings"]["DATE"]
    assert reading["format"]["date_order"] == order
    assert dt.datetime.fromtimestamp(reading["low"], dt.UTC).date() == first


def test_the_decimal_separator(read, alice_client):
    assert read.columns.get(name="score").type == "FLOAT"
    alice_client.post(url("source", read.pk), options(decimal="."))
    score = read.columns.get(name="score")
    assert score.type != "FLOAT" or score.profile["readings"]["FLOAT"]["failed"]


def test_a_refusal_keeps_what_was_chosen_and_the_old_table(read, alice_client):
    response = alice_client.post(url("source", read.pk), options(skip_rows="900", decimal=","))
    shown = page(response)
    assert response.status_code == 200 and "Please correct this" in shown.text
    assert shown.one("input", name="skip_rows")["value"] == "900"
    assert '<option value="," selected>' in response.content.decode()
    assert read.columns.count() == 2 and Machine.objects.get().rows_count == 40


def test_during_a_training_it_is_refused(read, alice_client):
    Machine.objects.update(machine_status=MachineStatus.TRAINING)
    shown = page(alice_client.post(url("source", read.pk), options()))
    assert "This machine is training" in shown.text


def test_a_machine_without_its_file(machine, alice_client):
    shown = page(alice_client.post(url("source", machine.pk), options()))
    assert "not kept here" in shown.text


def test_what_was_found_can_be_chosen(upload, alice_client):
    for encoding, bom in (
        ("utf-16-le", b"\xff\xfe"),
        ("utf-16-be", b"\xfe\xff"),
        ("utf-32-le", b"\xff\xfe\0\0"),
        ("cp1252", b""),
    ):
        machine = upload(bom + "name;town\nJörg;Köln\nÄnne;Öhringen\n".encode(encoding))
        html = alice_client.get(url("source", machine.pk)).content.decode()
        assert f'<option value="{encoding}" selected>' in html
        assert "Köln" in html


@pytest.mark.parametrize(
    "junk",
    [
        {"encoding": "klingon"},
        {"delimiter": "x"},
        {"date_order": "YDM"},
        {"skip_rows": "-1"},
        {"skip_rows": "9" * 500},
        {"skip_rows": "many"},
        {"has_header": "perhaps"},
    ],
    ids=str,
)
def test_junk_is_refused_at_its_field(read, alice_client, junk):
    response = alice_client.post(url("source", read.pk), options(**junk))
    (name,) = junk
    assert response.status_code == 200
    assert page(response).all("a", href=f"#id_{name}")
    assert Machine.objects.get().source_options["delimiter"] == ";"
