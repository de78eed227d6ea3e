"""What the training page says of a training that waits, or is tried again."""

import pytest

from machines.services.training import training_start
from models import Work
from tests.factories import make_work
from tests.machines.views.pages import page, url

pytestmark = pytest.mark.django_db
CRASH = {"template": "The training stopped with an error of ours.", "values": {}, "weight": "info"}


def shown(client, machine) -> str:
    return page(client.get(url("training", machine.pk))).text


def test_its_place_and_how_long_such_trainings_take(machine, alice, bob, alice_client):
    make_work(user=bob), make_work(user=bob), make_work(user=bob, queue="gpu")
    work = training_start(machine=machine, user=alice, level=1)
    make_work(user=bob)
    Work.objects.filter(pk=work.pk).update(work_duration_estimation_seconds=8)
    assert "Waiting for the worker" in shown(alice_client, machine)
    assert "2 before it · usually takes about 8 s" in shown(alice_client, machine)
    Work.objects.exclude(pk=work.pk).delete()
    assert "next in the queue · usually takes" in shown(alice_client, machine)
    Work.objects.get().start()
    assert "queue" not in shown(alice_client, machine), "it runs"


def test_why_it_is_tried_again(machine, alice, alice_client):
    work = training_start(machine=machine, user=alice, level=1)
    work.start()
    assert "Trying again" not in shown(alice_client, machine)
    work.give_back(message="…", notice=CRASH)
    again = "Trying again (2 of 3): The training stopped with an error of ours."
    assert "Waiting for the worker" in shown(alice_client, machine) and again in shown(alice_client, machine)
    work = Work.objects.get()
    work.start()
    assert shown(alice_client, machine).count("The training stopped") == 1, "not as what it does now"
    work.report(0.1, "…", notice={"template": "Reading the rows", "values": {}, "weight": "info"})
    text = shown(alice_client, machine)
    assert "Reading the rows" in text and again in text
    work.fail("It broke.", CRASH)
    assert "Trying again" not in shown(alice_client, machine)
