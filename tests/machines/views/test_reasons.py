"""Why an answer is what it is, on the page of the answer."""

import numpy as np
import pytest

from machines.answer_reasons import MOST_SHOWN, reasons_view
from machines.serving.predictor import Answer
from machines.serving.reasons import Reasons
from tests.machines.houses import ANSWERS
from tests.machines.views.pages import HTMX, page, url

pytestmark = pytest.mark.django_db


def ask(client, machine, headers=HTMX, **answers):
    inputs = machine.enc_dec_configuration.enc_dec_config["inputs"]
    fields = {item["name"]: f"c{number}" for number, item in enumerate(inputs)}
    sent = {fields[column]: value for column, value in answers.items()}
    return page(client.post(url("predict", machine.pk), sent, headers=headers))


@pytest.mark.parametrize("headers", [HTMX, {}])
def test_it_works(machine, alice_client, headers):
    shown = ask(alice_client, machine, headers, **ANSWERS | {"size": "95"}).text
    risk, price = (shown[shown.index(f"With usual values the {what}") :] for what in ("probability", "answer"))
    assert price.index("size") < price.index("+")  # the strongest first, and more than usual
    assert "points" in risk


def test_a_value_below_what_is_usual_takes_away(machine, alice_client):
    shown = ask(alice_client, machine, size="12").text
    why = shown[shown.index("With usual values the answer") :]
    assert "−" in why[: why.index("size") + 40]


def test_without_an_answer_there_is_nothing_to_explain(machine, alice_client):
    assert "With usual values" not in ask(alice_client, machine).text


def view(parts, others=0.0, label=None, unit=""):
    chances = {label: np.array([0.7])} if label else {}
    answer = Answer("y", np.array([label or 5.0]), np.array([1.0]), np.array([9.0]), chances)
    return reasons_view(Reasons("y", 0.25, parts, others), answer, {"unit": unit})


def test_the_rest_is_one_line_so_that_the_parts_add_up():
    parts = {f"x{i}": 0.1 - 0.01 * i for i in range(8)}
    found = view(parts, 0.02, label="yes")
    assert [reason.name for reason in found.reasons] == [*(f"x{i}" for i in range(MOST_SHOWN)), "Everything else"]
    assert [reason.text for reason in found.reasons[:1] + found.reasons[-1:]] == ["+10 points", "+9,0 points"]
    assert found.usual == "With usual values the probability of “yes” is 25\N{NO-BREAK SPACE}%."
    assert found.reasons[0].percent == 100


def test_a_number_has_its_unit():
    found = view({"a": -2000.0, "b": 500.0, "c": 0.1}, unit="€")
    assert [reason.name for reason in found.reasons] == ["a", "b"]
    assert found.reasons[0].text.startswith("−2") and found.reasons[0].text.endswith(" €")


def test_nothing_is_written_as_zero():
    """Of 120 two digits count, so that 4 would be “+0”: its line would say the opposite of a reason."""
    assert [reason.text for reason in view({"a": 120.0, "b": -8.0, "c": 4.0, "d": -1.0}).reasons] == ["+120", "−10"]


def test_where_nothing_moved_the_answer_nothing_is_said():
    assert view({"a": 0.0}) is None and view({}) is None and view({"a": 0.001}, label="yes") is None
