"""What is told of a training, on its page and on the home page."""

import pytest

from dashboards.cards import home_of
from machines.work_view import WorkView
from models import Machine, Work
from models.machine import MachineStatus
from tests.factories import make_machine, make_work

pytestmark = pytest.mark.django_db


def test_a_loss_that_is_no_number_leaves_the_curve_drawable():
    work = make_work(curve={"training_loss": [0.9, None, 0.5], "validation_loss": [None, 0.8, 0.6]})
    curve = WorkView(work).curve
    (only,) = curve.parts
    assert only.training == "0.00,0.00 100.00,100.00"
    assert only.validation == "50.00,25.00 100.00,75.00"
    assert (curve.best, curve.rounds, curve.caption) == (0.6, 2, "")


@pytest.mark.parametrize("curve", [{}, [], [[1, 0.8]], {"validation_loss": [None, None]}, {"validation_loss": [0.5]}])
def test_without_two_points_there_is_no_curve(curve):
    assert WorkView(make_work(curve=curve)).curve is None


def test_home_tells_the_same_as_the_page(alice):
    machine = make_machine(machine_owner_user=alice)
    Machine.objects.update(machine_status=MachineStatus.TRAINING)
    work = make_work(machine)
    work.start()
    work.report(0.4, "Training the network, round 1234567", seconds_left=30.0)
    notice = {"template": "Training the network, round %(round)s", "values": {"round": 1234567}, "weight": "info"}
    Work.objects.update(notice=notice)
    (card,) = home_of(alice).cards
    view = WorkView(Work.objects.get())
    assert (card.percent, card.left, card.message) == (view.percent, view.left, view.message)
    assert card.percent == 40 and card.message != work.message, "numbers as this person writes them"
