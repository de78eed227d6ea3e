"""One machine: how good it is, its file, its end."""

import pytest

from machines.serving.predictor import Predictor
from models import Column, DataLinesOperation, EncDecConfiguration, Machine, NNModel
from tests.factories import make_machine, make_ready_machine
from tests.machines.houses import houses
from tests.machines.views.pages import page, url

pytestmark = pytest.mark.django_db


def test_it_works(machine, alice_client):
    shown = page(alice_client.get(url("detail", machine.pk)))
    assert "Houses" in shown.text and "risk" in shown.text and "price" in shown.text
    assert "ROC AUC" in shown.text and "RMSE" in shown.text
    assert shown.all("a", href=url("predict", machine.pk)) and shown.all("a", href=url("download", machine.pk))
    learned, measured = machine.training_report["rows_trained"], machine.training_report["rows_held_out"]
    assert f"Rows learned from {learned} Rows it was measured on {measured} " in shown.text
    assert len(set(shown.ids())) == len(shown.ids())


def test_each_picture_leads_to_its_larger_one(machine, alice_client):
    report = f"/machines/{machine.pk}/report/"
    links = [link["href"] for link in page(alice_client.get(url("detail", machine.pk))).all("a")]
    places = [link.removeprefix(f"{report}#") for link in links if link.startswith(f"{report}#")]
    assert places == ["short-0", "short-1", "importance", "rounds"]
    assert {*places} <= {*page(alice_client.get(report)).ids()}


def test_a_comma_person_reads_commas(machine, alice, alice_client):
    auc = machine.training_report["outputs"][0]["holdout"]["roc_auc"]["value"]
    assert f"{auc:.2f}"[:3] in page(alice_client.get(url("detail", machine.pk))).text
    alice.decimal_separator = ","
    alice.save()
    text = page(alice_client.get(url("detail", machine.pk))).text
    assert f"{auc:.2f}"[:3].replace(".", ",") in text


@pytest.mark.parametrize(("status", "to"), [("new", "columns"), ("typed", "training"), ("failed", "training")])
def test_before_it_is_trained_it_leads_on(alice, alice_client, status, to):
    machine = make_machine(owner=alice, status=status)
    assert alice_client.get(url("detail", machine.pk))["Location"] == url(to, machine.pk)


def test_a_member_is_led_to_a_page_that_is_theirs(alice, team, bob_client):
    machine = make_machine(owner=alice, team=team)
    response = bob_client.get(url("detail", machine.pk), follow=True)
    assert response.status_code == 200


def test_a_machine_trained_by_an_older_version_has_a_page_too(alice, alice_client):
    machine = make_ready_machine(owner=alice, training_report={})
    assert alice_client.get(url("detail", machine.pk)).status_code == 200


# The file


def test_download(machine, alice_client):
    response = alice_client.get(url("download", machine.pk))
    assert response["Content-Disposition"] == 'attachment; filename="houses.onnx"'
    assert (response["Content-Type"], response["X-Content-Type-Options"]) == ("application/octet-stream", "nosniff")
    content = response.getvalue()
    assert content == houses().onnx
    assert Predictor(content).metadata["outputs"][1]["name"] == "price"


@pytest.mark.parametrize(
    ("name", "file_name"), [('a"; x="\r\nSet-Cookie: a=b', "a-x-set-cookie-ab"), ("東京", "machine"), ("../../x", "x")]
)
def test_names_of_downloads_are_plain(machine, alice_client, name, file_name):
    Machine.objects.update(machine_name=name)
    response = alice_client.get(url("download", machine.pk))
    assert response["Content-Disposition"] == f'attachment; filename="{file_name}.onnx"'


def test_nothing_to_download(alice, alice_client):
    assert alice_client.get(url("download", make_machine(owner=alice).pk)).status_code == 404
    empty = make_ready_machine(owner=alice, nn_model=b"")
    assert alice_client.get(url("download", empty.pk)).status_code == 404


# The end


def test_deleting_asks_first(machine, alice_client):
    shown = page(alice_client.get(url("delete", machine.pk)))
    assert "Delete “Houses”?" in shown.text and "200 rows" in shown.text
    assert Machine.objects.exists()


def test_deleting(upload, alice_client, stored):
    machine = upload()
    response = alice_client.post(url("delete", machine.pk), follow=True)
    assert response.redirect_chain == [(url("list"), 302)]
    assert "“Houses” and its data are deleted" in page(response).text
    for model in (Machine, Column, NNModel, EncDecConfiguration, DataLinesOperation):
        assert not model.objects.exists()
    assert stored() == []
    assert alice_client.post(url("delete", machine.pk)).status_code == 404
