"""The picture of how networks learned: what one of them reached says nothing of the next, so their lines are apart."""

import pytest

from machines.engine.progress import POINTS, Curve
from machines.loss_curve import LossCurve
from machines.services.training import training_start
from models import Machine
from tests.machines.views.pages import page, url

TWO = {
    "training_loss": [0.9, 0.5, 1.1, 0.7],
    "validation_loss": [1.0, 0.6, 1.0, 0.8],
    "loss_rounds": [1, 2, 3, 4],
    "networks": [["network", 1], ["ensemble network 2", 3]],
}


def test_it_works():
    first, second = LossCurve(TWO).parts
    assert [point[0] for point in first.points] == [1, 2] and [point[0] for point in second.points] == [3, 4]
    assert first.validation == "0.00,16.67 33.33,83.33" and second.validation.startswith("66.67,16.67 100.00,")
    assert 33.33 < second.begin < 66.67, "between the two"
    assert LossCurve(TWO).caption == "2 networks, each from its beginning: Network · Ensemble of networks"


@pytest.mark.parametrize("told", [{}, {"training_loss": [], "validation_loss": []}, {"networks": [["network", 1]]}])
def test_where_no_network_learned_there_is_nothing_to_draw(told):
    curve = LossCurve(told)
    assert (curve.rounds, curve.parts, curve.caption) == (0, [], "")


def test_a_report_from_before_is_one_line():
    old = LossCurve({name: losses for name, losses in TWO.items() if name.endswith("_loss")})
    (only,) = old.parts
    assert [point[0] for point in only.points] == [1, 2, 3, 4] and old.caption == ""


def test_long_curves_keep_the_first_round_of_every_network():
    curve = Curve()
    for name, rounds in (("network", 1001), ("deep network", 3), ("network 1", 0), ("network 2", 500)):
        curve.begin(name)
        for at in range(rounds):
            curve.add(1 / (at + 1), 2 / (at + 1))
    told = curve.thinned()
    drawn = LossCurve(told)
    assert len(told["loss_rounds"]) <= POINTS + 4 and [part.points[0] for part in drawn.parts] == [
        (1, 1, 2), (1002, 1, 2), (1005, 1, 2)
    ]  # fmt: skip
    assert [part.name for part in drawn.parts] == ["network", "deep network", "network 2"]
    assert Curve.from_bytes(curve.to_bytes()) == curve


@pytest.mark.django_db
def test_both_pages_show_where_another_network_begins(machine, alice, alice_client):
    Machine.objects.update(training_report=TWO)
    pages = [page(alice_client.get(url("detail", machine.pk)))]
    work = training_start(machine=Machine.objects.get(), user=alice, level=1)
    work.start()
    work.report(0.4, "…", curve=TWO)
    pages.append(page(alice_client.get(url("training", machine.pk))))
    assert pages[1].all("a", href=f"/machines/{machine.pk}/training.csv")
    for shown in pages:
        assert LossCurve(TWO).caption in shown.text
        drawn = [a["points"] for a in shown.all("polyline")]
        assert drawn == [line for part in LossCurve(TWO).parts for line in (part.training, part.validation)]
        assert len(shown.all("line")) == 1


@pytest.mark.django_db
def test_losses_as_a_table(machine, alice, alice_client):
    """Of the training that runs, not of the one before."""
    address = f"/machines/{machine.pk}/training.csv"
    assert alice_client.get(address).status_code == 404
    work = training_start(machine=machine, user=alice, level=1)
    work.start()
    assert alice_client.get(address).status_code == 404
    work.report(0.4, "…", curve=TWO)
    answer = alice_client.get(address)
    assert answer["Content-Type"].startswith("text/csv") and "-training.csv" in answer["Content-Disposition"]
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines == [
        'Network,Round,"Loss, learned from","Loss, kept aside"', "Network,1,0.9,1.0", "Network,2,0.5,0.6",
        "Ensemble of networks,3,1.1,1.0", "Ensemble of networks,4,0.7,0.8",
    ]  # fmt: skip
