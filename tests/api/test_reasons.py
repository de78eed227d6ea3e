"""A program that asks for them gets the reasons of each answer; all others get what they got before."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from machines.api.answers import MOST_EXPLAINED
from machines.services.predictions import reasons_find
from models import Membership
from models.access import Role
from tests.api.conftest import error_of, make_key
from tests.factories import make_machine, make_version
from tests.machines.houses import ANSWERS, SECONDS

pytestmark = pytest.mark.django_db

ROW = {"size": 91.5, "city": "north", "kind": "kind 07", "day": "2022-05-17", "note": "a new roof and a garden"}


def ask(program, machine, *rows, reasons=True):
    return program.post(f"machines/{machine.pk}/predict/", {"rows": list(rows), "reasons": reasons})


def told(response):
    assert response.status_code == 200, response.content
    return response.json()["predictions"]


def test_it_works(program, machine):
    (row,) = told(ask(program, machine, ROW))
    assert [name for name in row if name.endswith(":reasons")] == ["risk:reasons", "price:reasons"]
    answered = {"risk": row["risk:probabilities"][row["risk"]], "price": row["price"]}
    for output, answer in answered.items():
        found = row[f"{output}:reasons"]
        assert list(found) == ["usual", "parts", "others"]
        assert set(found["parts"]) <= set(ROW)
        assert found["usual"] + sum(found["parts"].values()) + found["others"] == pytest.approx(answer, rel=1e-3)
    assert next(iter(row["price:reasons"]["parts"])) == "size", "the strongest first"


def test_they_are_those_of_the_form(program, machine):
    values = ANSWERS | {"size": 91.5, "delta": -3.0, "pressure": 88.0} | SECONDS
    typed = values | {name: ANSWERS[name] for name in SECONDS}
    (row,) = told(ask(program, machine, typed))
    for found in reasons_find(machine=machine, values=values):
        assert row[f"{found.output}:reasons"]["parts"] == pytest.approx(found.parts, rel=1e-4, abs=1e-6)


def test_who_does_not_ask_gets_none(program, machine):
    plain = told(program.ask(machine, ROW))
    assert told(ask(program, machine, ROW, reasons=False)) == plain
    (row,) = told(ask(program, machine, ROW))
    assert {name: value for name, value in row.items() if not name.endswith(":reasons")} == plain[0]


def test_each_row_has_its_own(program, machine):
    rows = [ROW | {"size": 20.0 + 7 * number} for number in range(MOST_EXPLAINED)]
    together = told(ask(program, machine, *rows))
    for number in (0, 4, MOST_EXPLAINED - 1):
        (alone,) = told(ask(program, machine, rows[number]))
        found, wanted = (row["price:reasons"] for row in (together[number], alone))
        assert found["parts"] == pytest.approx(wanted["parts"], rel=1e-4, abs=1e-6)
    assert together[0]["price:reasons"]["parts"]["size"] < together[-1]["price:reasons"]["parts"]["size"]


def test_nothing_is_told_of_a_row_that_tells_nothing(program, machine):
    empty, full = told(ask(program, machine, {}, ROW))
    assert empty["risk:reasons"] is empty["price:reasons"] is None and full["price:reasons"]
    assert told(ask(program, machine)) == []


def test_more_rows_than_are_explained(program, machine):
    rows = [ROW] * (MOST_EXPLAINED + 1)
    response = ask(program, machine, *rows)
    assert response.status_code == 413
    assert error_of(response) == {
        "code": "too_large",
        "message": "11 rows are too many to give reasons for. Send at most 10 at once, or ask without reasons.",
        "fields": {},
    }
    assert len(told(ask(program, machine, *rows, reasons=False))) == 11


@pytest.mark.parametrize("wrong", [None, 1, 0, "true", "yes", [], {}])
def test_a_wish_that_is_none(program, machine, wrong):
    response = ask(program, machine, ROW, reasons=wrong)
    assert response.status_code == 422
    error = error_of(response)
    assert error["message"] == "Send true or false for “reasons”." and list(error["fields"]) == ["reasons"]


def test_a_row_that_cannot_be_read_is_named(program, machine):
    error = error_of(ask(program, machine, ROW, {"size": "forty"}))
    assert error["message"].startswith("Row 2: “size” is “forty”.")


def test_an_uploaded_model_has_none(program, alice):
    machine = make_version(owner=alice).machine
    (row,) = told(ask(program, machine, {"x1": 1, "x2": 2, "x3": 3}))
    assert row["y"] == 14.5 and row["y:reasons"] is None


def test_a_machine_that_is_not_trained(program, alice):
    assert ask(program, make_machine(owner=alice), ROW).status_code == 409


def test_they_ask_the_database_nothing_more(program, machine):
    def queries(**kwargs):
        with CaptureQueriesContext(connection) as asked:
            ask(program, machine, ROW, **kwargs)
        return len(asked)

    queries()
    assert queries() == queries(reasons=False) == 2


# Who may ask


def test_bob_on_the_team_is_told(shared, team, bob):
    Membership.objects.filter(user=bob, team=team).update(role=Role.PREDICTOR)
    (row,) = told(ask(make_key(bob), shared, ROW))
    assert row["price:reasons"]["parts"]
    Membership.objects.filter(user=bob, team=team).update(role=Role.VIEWER)
    assert ask(make_key(bob), shared, ROW).status_code == 403


def test_charlie_gets_nothing(charlie, machine, shared):
    for number in (machine, shared):
        response = ask(make_key(charlie), number, ROW)
        assert response.status_code == 404 and error_of(response)["code"] == "not_found"
        assert "usual" not in response.content.decode()


def test_a_key_for_looking_is_not_one_for_asking(alice, machine):
    response = ask(make_key(alice, scopes=["read"]), machine, ROW)
    assert response.status_code == 403 and error_of(response)["code"] == "scope"
