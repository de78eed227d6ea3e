"""The picture of how networks learned: what one of them reached says nothing of the next, so their lines are apart."""

from itertools import pairwise
from random import Random

import pytest

from config.formats import Formats, use_formats
from machines.engine.progress import POINTS, Curve
from machines.loss_curve import LossCurve, Tick, _round_numbers
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


def learned(*losses, rounds=None):
    told = {"training_loss": list(losses), "validation_loss": list(losses)}
    return LossCurve(told | ({"loss_rounds": rounds} if rounds else {}))


def texts(ticks):
    return [tick.text for tick in ticks]


@pytest.mark.parametrize(
    ("low", "high", "written"),
    [
        (0.0, 1.0, ["0", "0,5", "1,0"]),
        (0.5, 1.1, ["0,6", "0,8", "1,0"]),
        (-0.3, 0.2, ["−0,2", "0", "0,2"]),
        (0.02, 0.0307, ["0,020", "0,025", "0,030"]),
        (0.123456, 0.123457, ["0,1234560", "0,1234565", "0,1234570"]),
        (1000.0, 12345.0, ["5000", "10\N{NARROW NO-BREAK SPACE}000"]),
        (1e-12, 3e-12, ["1e−12", "2e−12", "3e−12"]),
        (0.0, 4e9, ["0", "2e9", "4e9"]),
        (3.0, 1e20, ["0,2e20", "0,4e20", "0,6e20", "0,8e20", "1,0e20"]),
        (1e-300, 1e300, ["0,5e300", "1,0e300"]),
    ],
)
def test_round_numbers_at_the_axis_of_losses(low, high, written):
    assert texts(learned(high, low).loss_ticks) == written


def test_numbers_at_an_axis_are_few_and_lie_in_its_range():
    random = Random(5)
    for _ in range(500):
        low = random.uniform(-1, 1) * 10 ** random.uniform(-9, 9)
        high = low + 10 ** random.uniform(-6, 9)
        numbers = _round_numbers(low, high)
        assert 2 <= len(numbers) <= 5 and low <= numbers[0] and numbers[-1] <= high
        (step,) = {after - before for before, after in pairwise(numbers)}
        assert step.normalize().as_tuple().digits in {(1,), (2,), (5,)} and not any(number % step for number in numbers)


def test_numbers_at_an_axis_stand_where_the_lines_have_them():
    curve = learned(1.0, 0.5, 0.0, rounds=[1, 3, 5])
    assert curve.loss_ticks == [Tick("100.00%", "0"), Tick("50.00%", "0,5"), Tick("0.00%", "1,0")]
    assert curve.round_ticks == [Tick("25.00%", "2"), Tick("75.00%", "4")]
    assert curve.parts[0].training == "0.00,0.00 50.00,50.00 100.00,100.00" and curve.widest == "0,5"


def test_numbers_at_an_axis_are_written_as_the_reader_does():
    with use_formats(Formats(decimal_separator=".")):
        assert texts(learned(0.0, 1.0).loss_ticks) == ["0", "0.5", "1.0"]


@pytest.mark.parametrize(("loss", "written"), [(0.693147, "0,6931"), (0.0, "0"), (2.0, "2"), (2.5e-9, "2,5e−9")])
def test_where_the_loss_is_always_the_same_it_alone_is_written(loss, written):
    curve = learned(loss, loss, loss)
    assert curve.loss_ticks == [Tick("100.00%", written)] and curve.parts[0].training.startswith("0.00,100.00 ")


@pytest.mark.parametrize(
    ("last", "written"),
    [(1, ["1"]), (2, ["1", "2"]), (4, ["1", "2", "3", "4"]), (12, ["5", "10"]), (1000, ["200", "400", "600", "800", "1000"])],
)  # fmt: skip
def test_rounds_are_whole_numbers(last, written):
    curve = learned(*([0.5] * min(last, 2)), rounds=[1, last][: min(last, 2)])
    assert texts(curve.round_ticks) == written


def test_the_table_has_all_that_is_drawn():
    assert LossCurve(TWO).cut == "" and LossCurve(TWO).rows == [
        ("Network", 1, 0.9, 1.0), ("Network", 2, 0.5, 0.6),
        ("Ensemble of networks", 3, 1.1, 1.0), ("Ensemble of networks", 4, 0.7, 0.8),
    ]  # fmt: skip
    assert learned(0.5).rows == [("Network", 1, 0.5, 0.5)], "a report from before, of no name"


def test_a_long_table_has_its_last_lines_and_says_so():
    assert (len(learned(*range(200)).rows), learned(*range(200)).cut) == (200, "")
    long = learned(*range(12_345))
    assert [row[1] for row in long.rows] == [*range(12_146, 12_346)]
    assert long.cut == "The table shows the last 200 of 12\N{NARROW NO-BREAK SPACE}345 lines."


@pytest.mark.django_db
def test_the_numbers_stand_beside_the_picture_as_their_reader_writes_them(machine, alice, alice_client):
    alice.decimal_separator = ","
    alice.save()
    told = {"training_loss": [0.5, None, *[0.25] * 200], "validation_loss": [1234.5] * 202}
    Machine.objects.update(training_report=told)
    shown = page(alice_client.get(url("detail", machine.pk)))
    assert "open" not in shown.one("details", id="curve-table")
    assert shown.one("div", id="curve-rows")["tabindex"] == "0"
    heads = ["Network", "Round", "Loss, learned from", "Loss, kept aside"]
    begin = shown.words.index("Network")
    assert shown.words[begin : begin + 4] == heads
    assert "The table shows the last 200 of 202 lines." in shown.words
    assert shown.words.count("1234,5") == 200 and shown.words.count("0,25") == 200


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
        assert len([line for line in shown.all("line") if line["class"] == "c-begin"]) == 1
        assert [line["y1"] for line in shown.all("line") if line["class"] == "c-grid"] == ["83.33%", "50.00%", "16.67%"]
        assert {"0.6", "0.8", "1.0", "Loss", "Round"} <= set(shown.words), "at the axes"


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
