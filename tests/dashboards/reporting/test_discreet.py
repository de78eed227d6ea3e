"""What a report leaves out for people who may not change the machine."""

import numpy as np
import pytest

from dashboards.reporting import discreet
from models.access import Action
from tests.dashboards.reporting.told import LABELS, NUMBER

VIEWER, PREDICTOR = {Action.SEE}, {Action.SEE, Action.PREDICT}
EDITOR = PREDICTOR | {Action.EDIT}
INPUTS = [
    {"name": "size", "type": "FLOAT", "low": 1.5, "high": 97.25},
    {"name": "city", "type": "LABEL", "labels": ["north", "<b>east"]},
]
LINE = {"mean": [0.1, 0.2, 0.3, 0.4], "low": [0.0] * 4, "high": [1.0] * 4}
TOLD = {
    "rows": 40, "asked": 40, "answers": [{"output": "risk", "label": "yes"}],
    "columns": [
        {"name": "size", "type": "FLOAT", "unit": "", "values": [1.5, 10.0, 50.0, 97.25], "counts": [9, 20, 4, 7],
         "lines": [LINE], "is_each": False},
        {"name": "rooms", "type": "FLOAT", "unit": "", "values": [1.0, 2.0, 3.0, 9.0], "counts": [9, 20, 10, 1],
         "lines": [LINE], "is_each": True},
        {"name": "city", "type": "LABEL", "unit": "", "values": ["north", "south", "<b>east", "west"], "counts": [30, 5, 4, 1],
         "lines": [LINE], "is_each": True},
    ],
}  # fmt: skip


def shown(may):
    return {about["name"]: about["values"] for about in discreet.effects(TOLD, INPUTS, may)["columns"]}


def test_effects_of_rare_values_are_left_out():
    assert shown(EDITOR) == {about["name"]: about["values"] for about in TOLD["columns"]}
    assert shown(PREDICTOR) == {  # whose form shows "<b>east", and the ends
        "size": [1.5, 10.0, 97.25], "rooms": [1.0, 2.0, 3.0], "city": ["north", "south", "<b>east"],
    }  # fmt: skip
    assert shown(VIEWER) == {"rooms": [1.0, 2.0, 3.0], "city": ["north", "south"]}
    city = discreet.effects(TOLD, INPUTS, VIEWER)["columns"][-1]
    assert city["counts"] == [30, 5] and city["lines"][0]["mean"] == [0.1, 0.2]


def bins(may, output=LABELS, place=1):
    return discreet.outputs([output], INPUTS, may)[0]["regions"][place]["bins"]


def test_rare_labels_have_no_name_and_few_rows_no_error():
    assert discreet.outputs([LABELS], INPUTS, EDITOR) == [LABELS]
    assert [(part["kind"], part["label"]) for part in bins(VIEWER)][:2] == [("label", "north"), ("rare", None)]
    assert [part["label"] for part in bins(PREDICTOR)][:2] == ["north", "<b>east"]  # the form shows it
    few = LABELS | {"regions": [{"column": "city", "bins": [LABELS["regions"][1]["bins"][0] | {"measured": 4}]}]}
    for may in (VIEWER, PREDICTOR):
        assert bins(may, few, 0)[0]["error"] is None and bins(may)[0]["error"] is not None
    assert bins(EDITOR, few, 0)[0]["error"] is not None


@pytest.mark.parametrize("may", [VIEWER, PREDICTOR])
def test_single_rows_are_not_shown(may):
    assert discreet.outputs([NUMBER], INPUTS, may)[0]["points"] == [] and NUMBER["points"]


def test_the_middle_nine_tenths_are_about_those_of_the_values():
    values = np.random.default_rng(1).gamma(2.0, 10.0, 4000)
    counts, edges = np.histogram(values, 12)
    low, high = discreet.middle({"histogram": counts.tolist(), "low": edges[0], "high": edges[-1]})
    width = edges[1] - edges[0]
    assert abs(low - np.quantile(values, 0.05)) < width and abs(high - np.quantile(values, 0.95)) < width
    assert discreet.middle({"histogram": [50, 49], "low": 0.0, "high": 1.0}) == (None, None)
    assert discreet.middle({}) == (None, None)


def test_who_may_not_ask_sees_shared_labels_and_the_middle():
    profiles = {"size": {"readings": {"FLOAT": {"histogram": [100] * 10, "low": 0.0, "high": 100.0}}}}
    size, city = discreet.seen(INPUTS, [LABELS], profiles, VIEWER)
    assert (size["low"], size["high"], city["labels"], city["hidden"]) == (5.0, 95.0, ["north"], 1)
    assert discreet.seen(INPUTS, [LABELS], profiles, PREDICTOR) == INPUTS
    size, _city = discreet.seen(INPUTS, [LABELS], {}, VIEWER)
    assert size["low"] is None and size["high"] is None
