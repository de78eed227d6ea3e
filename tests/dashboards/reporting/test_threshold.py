"""The threshold and its costs, against plain loops over the answers."""

import pytest

from config.formats import Formats, use_formats
from dashboards.reporting.threshold import Costs, Threshold, threshold
from tests.dashboards.reporting.told import CHANCES, LABELS, NUMBER, ROWS, TRUTH, old, operating


def by_loop(at, miss, alarm):
    """Cost of 1,000 rows when rows from this chance on are answered "yes"."""
    total = 0.0
    for is_it, chance in zip(TRUTH, CHANCES, strict=True):
        answered = at is not None and chance >= at
        total += miss if is_it and not answered else alarm if answered and not is_it else 0.0
    return 1000 * total / ROWS


@pytest.mark.parametrize(("miss", "alarm"), [(1, 1), (10, 1), (1, 25), (3.5, 0), (0, 0)])
def test_every_threshold_costs_what_a_loop_says(miss, alarm):
    chosen = Threshold(operating(), Costs(miss, alarm))
    costs = [by_loop(at, miss, alarm) for at, _found, _false in chosen.steps]
    assert [chosen.cost(place) for place in range(chosen.last + 1)] == pytest.approx(costs)
    assert chosen.steps[-1][0] is None and chosen.steps[0][0] == min(CHANCES)
    assert chosen.cost(chosen.cheapest) == pytest.approx(min(costs))
    assert chosen.cheapest == max(place for place, cost in enumerate(costs) if cost == pytest.approx(min(costs)))


def test_counts_are_those_of_a_loop():
    for place in (0, 17, Threshold(operating()).last):
        chosen = Threshold(operating(), place=place)
        at = chosen.steps[place][0]
        said = [at is not None and chance >= at for chance in CHANCES]
        pairs = [*zip(TRUTH.tolist(), said, strict=True)]
        expected = {
            "found": pairs.count((True, True)), "missed": pairs.count((True, False)),
            "false": pairs.count((False, True)), "right": pairs.count((False, False)),
        }  # fmt: skip
        assert chosen.counts == expected and sum(expected.values()) == ROWS


def test_it_is_said_as_the_person_writes():
    with use_formats(Formats(decimal_separator=",")):
        shown = Threshold(operating(), Costs(2, 1, 50_000), 5).shown
    assert shown["cost"].count(",") == 1 and "," in shown["chance"] and "\u202f" in shown["year"]
    never = Threshold(operating(), place=10_000)
    assert never.shown["chance"] == "never" and never.shown["precision"] == "–" and never.counts["found"] == 0


def test_the_picture_and_its_table_tell_the_same():
    section = threshold(0, LABELS, {0: Costs(5, 2)}, {0: 3})
    drawn = section.drawn["costs-0"]
    costs, chances = drawn["traces"][0]["y"], drawn["traces"][0]["x"]
    for chance, cost in zip(chances, costs, strict=True):
        assert cost == pytest.approx(by_loop(chance, 5, 2), rel=1e-5)
    chosen, cheapest = drawn["traces"][1:]
    assert cheapest["y"][0] == pytest.approx(min(costs)) and chosen["x"] == [chances[3]]
    assert [row[4] for row in drawn["rows"]] == costs
    cells = {row[0].text: row[1].text for row in section.tables[0].rows}
    assert int(cells["Found"]) + int(cells["Missed"]) == TRUTH.sum()


def test_what_is_chosen_and_cheapest_is_one_mark():
    drawn = threshold(0, LABELS, {}, {}).drawn["costs-0"]
    line, mark = drawn["traces"]
    assert mark["name"] == "chosen, and cheapest" and mark["y"][0] == min(line["y"])


@pytest.mark.parametrize("output", [NUMBER, old(LABELS), LABELS | {"task": "multiclass"}, LABELS | {"operating": []}])
def test_there_is_none_without_two_labels(output):
    assert threshold(0, output, {}, {}) is None
