"""What the network must have, asked for where a training is started."""

import pytest

from machines.services.network import network_fix, network_wishes
from machines.services.training import latest_work
from models import Machine
from tests.machines.views.pages import page, url

pytestmark = pytest.mark.django_db

OPEN = {"level": "1", "loss": "", "optimizer": "", "shape": ""}


@pytest.fixture
def train(upload, alice_client):
    machine = upload()

    def post(**sent):
        response = alice_client.post(url("training", machine.pk), sent)
        return response, Machine.objects.get(pk=machine.pk)

    return post


def test_it_works(train):
    response, machine = train(**OPEN | {"loss": "mae", "optimizer": "sgd", "shape": "64, 32"})
    assert response.status_code == 302 and latest_work(machine)
    assert network_wishes(machine) == {"loss": "mae", "optimizer": "sgd", "shape": [64, 32]}


@pytest.mark.parametrize("typed", ["64,32", " 64  32 ", "64;32", "64 x 32"])
def test_widths_may_be_written_as_one_likes(train, typed):
    assert network_wishes(train(**OPEN | {"shape": typed})[1]) == {"shape": [64, 32]}


@pytest.mark.parametrize("typed", ["many", "0", "5000", "1.5", "9,9,9,9,9,9,9,9,9", "²"])
def test_bad_widths_are_refused_and_kept(train, typed):
    response, machine = train(**OPEN | {"shape": typed})
    shown = page(response)
    assert "Write up to 8 whole numbers from 1 to 4096" in shown.text
    assert shown.one("input", name="shape")["value"] == typed
    assert latest_work(machine) is None and "open" in shown.all("details")[0]


def test_left_open_it_is_chosen(train):
    assert network_wishes(train(**OPEN)[1]) == {}


def test_who_is_not_asked_changes_nothing(machine, alice_client):
    """As on the page of the columns, or over REST."""
    network_fix(machine=machine, wishes={"optimizer": "sgd"})
    alice_client.post(url("training", machine.pk), {"level": "1"})
    assert network_wishes(Machine.objects.get(pk=machine.pk)) == {"optimizer": "sgd"}


def test_what_was_fixed_is_shown(machine, alice_client):
    network_fix(machine=machine, wishes={"optimizer": "sgd", "shape": [8, 4]})
    shown = page(alice_client.get(url("training", machine.pk)))
    assert shown.one("input", name="shape")["value"] == "8, 4"
    assert "selected" in shown.one("option", value="sgd") and "selected" not in shown.one("option", value="adam")


def test_what_the_last_training_used_is_told(machine, alice_client):
    machine.parameter_nn_shape = {"wanted": {}, "used": {"shape": [96, 48], "optimizer": "adam"}}
    machine.save()
    assert "hidden layers of 96, 48 and adam" in page(alice_client.get(url("training", machine.pk))).text
