from pathlib import Path

import pytest

from machines.engine.parameters import PROMISED_ROWS
from machines.services.training import JOB, seconds_by_level, training_start
from models import Machine, Work
from models.machine import MachineStatus
from models.work import WorkState
from tests.factories import make_machine, make_work
from tests.machines.views.pages import HTMX, htmx, is_whole, page, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def running(machine, alice):
    """A training that a worker has begun and told about."""
    work = training_start(machine=machine, user=alice, level=3)
    work.start()
    message = {"template": "Training the network, round %(round)s", "values": {"round": 12}, "weight": "info"}
    Work.objects.update(notice=message)
    curve = {"training_loss": [0.9, 0.5, 0.4], "validation_loss": [0.95, 0.7, 0.65]}
    work.report(0.4, "…", best_score=0.65, seconds_left=36, curve=curve)
    return Work.objects.get()


def test_it_works(machine, alice_client):
    response = alice_client.get(url("training", machine.pk))
    shown = page(response)
    assert is_whole(response) and len(shown.all("input", type="radio", name="level")) == 5
    assert "about 5 s" in shown.text and "20 min" in shown.text
    response = alice_client.post(url("training", machine.pk), {"level": "2"})
    assert (response.status_code, response["Location"]) == (302, url("training", machine.pk))
    assert Work.objects.get().level == 2


def test_the_time_of_a_level_grows_with_the_table(machine, alice_client):
    Machine.objects.update(rows_count=10 * PROMISED_ROWS)
    assert seconds_by_level(Machine.objects.get())[1] == 50
    shown = page(alice_client.get(url("training", machine.pk)))
    assert "1 · about 50 s" in shown.text and "3 · 10 min" in shown.text
    alice_client.post(url("training", machine.pk), {"level": "1"})
    work = Work.objects.get()
    assert JOB.prepare(work, Path("folder"))["deadline"] == 50, "and so long it may learn"


def test_a_waiting_training(machine, alice_client, alice):
    training_start(machine=machine, user=alice, level=1)
    shown = page(alice_client.get(url("training", machine.pk)))
    assert "Waiting for the worker" in shown.text
    assert shown.all("form", action=url("training-cancel", machine.pk))


def test_progress(machine, running, alice_client):
    response = htmx(alice_client, url("training", machine.pk))
    shown = page(response)
    assert not is_whole(response)
    root = next(attributes for tag, attributes in shown.elements if tag == "div")
    assert (root["id"], root["hx-get"]) == ("progress", url("training", machine.pk)) and "every" in root["hx-trigger"]
    assert shown.one("progress")["value"] == "40"
    assert "Training the network, round 12" in shown.text and "about 35 s left" in shown.text and "0.65" in shown.text
    assert len(shown.all("polyline")) == 2
    assert shown.all("form", action=url("training-finish", machine.pk))
    assert shown.all("form", action=url("training-cancel", machine.pk))


def test_polling_ends_by_itself(machine, running, alice_client):
    Work.objects.get().finish({"outputs": ["price"]})
    Machine.objects.update(machine_status=MachineStatus.READY)
    shown = page(htmx(alice_client, url("training", machine.pk)))
    assert not any("every" in attributes.get("hx-trigger", "") for _tag, attributes in shown.elements)
    assert "Trained" in shown.text and shown.all("a", href=url("predict", machine.pk))


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["browser", "htmx"])
def test_finish_now(machine, running, alice_client, headers):
    response = alice_client.post(url("training-finish", machine.pk), headers=headers)
    assert (response.status_code, response["Location"]) == (302, url("training", machine.pk))
    assert Work.objects.get().is_finish_requested and not Work.objects.get().is_cancel_requested
    shown = page(alice_client.get(url("training", machine.pk)))
    assert "Coming to an end" in shown.text and "left" not in shown.text, "it does not take that long any more"


def test_what_waits_has_nothing_to_keep(machine, alice_client, alice):
    training_start(machine=machine, user=alice, level=1)
    assert not page(alice_client.get(url("training", machine.pk))).all(
        "form", action=url("training-finish", machine.pk)
    )


def test_what_has_only_begun_does_not_wait(machine, alice_client, alice):
    training_start(machine=machine, user=alice, level=1).start()
    shown = page(alice_client.get(url("training", machine.pk)))
    assert "Starting" in shown.text and "Waiting for the worker" not in shown.text


def test_cancel(machine, running, alice_client):
    alice_client.post(url("training-cancel", machine.pk))
    assert Work.objects.get().is_cancel_requested and Work.objects.get().state is WorkState.CANCELLED
    machine.refresh_from_db()
    assert machine.machine_status == "ready", "at once, whether its worker lives or not"


def test_cancel_what_waits(machine, alice_client, alice):
    training_start(machine=machine, user=alice, level=1)
    shown = page(alice_client.post(url("training-cancel", machine.pk), follow=True))
    assert "Cancelled" in shown.text and Work.objects.get().state is WorkState.CANCELLED
    machine.refresh_from_db()
    assert machine.machine_status == "ready"


@pytest.mark.parametrize("name", ["training-finish", "training-cancel"])
def test_nothing_to_end_is_no_error(machine, alice_client, name):
    assert alice_client.post(url(name, machine.pk)).status_code == 302
    work = make_work(machine)
    assert work.start() and work.fail("It broke.")
    assert alice_client.post(url(name, machine.pk)).status_code == 302
    assert Work.objects.get().state is WorkState.ERROR


def test_a_failed_training_says_why(machine, running, alice_client):
    notice = {"template": "“%(column)s” is “%(value)s” in every row.", "values": {"column": "<b>risk</b>", "value": 2.5},
              "weight": "warning"}  # fmt: skip
    Work.objects.get().fail("“risk” is constant.")
    Work.objects.update(notice=notice)
    response = alice_client.get(url("training", machine.pk))
    shown = page(response)
    assert "The training failed" in shown.text and "“<b>risk</b>” is “2.5” in every row." in shown.text
    assert not shown.all("b", **{"class": "risk"}) and "<b>risk" not in response.content.decode()
    assert shown.all("form", action=url("training", machine.pk)), "it can be tried again"


@pytest.mark.parametrize("level", ["", "0", "9", "x", "1.5", "-1", "9" * 4000])
def test_junk_levels(machine, alice_client, level):
    response = alice_client.post(url("training", machine.pk), {"level": level} if level else {})
    assert response.status_code == 200 and "Please correct this" in page(response).text
    assert not Work.objects.exists()


def test_a_second_start_is_refused(machine, running, alice_client):
    assert alice_client.post(url("training", machine.pk), {"level": "1"}).status_code in {200, 302}
    assert Work.objects.count() == 1


def test_columns_that_cannot_be_learned_from(machine, alice_client):
    machine.columns.update(role="input")
    shown = page(alice_client.post(url("training", machine.pk), {"level": "1"}))
    assert "No column is an output" in shown.text


def test_a_machine_without_columns(alice, alice_client):
    machine = make_machine(owner=alice)
    assert alice_client.get(url("training", machine.pk)).status_code == 200
    assert "No column is an output" in page(alice_client.post(url("training", machine.pk), {"level": "1"})).text
