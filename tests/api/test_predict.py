"""Asking machines over REST: the answers are those of the form, and what cannot be read is named."""

import json
import math
import tracemalloc

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from machines.forms import rows as rows_module
from machines.forms.rows import RowsError, read_rows
from machines.services.predictions import description_of, prediction_make
from tests.api.conftest import error_of, make_key
from tests.factories import make_machine
from tests.machines.houses import HEADER, OUTPUTS, ROWS, SECONDS, csv_bytes, table_rows, train

ROW = {
    "size": 41.5, "delta": -3, "pressure": 88, "city": "north", "kind": "kind 07", "day": "2022-05-17",
    "hour": "14:30", "seen": "2021-03-04T05:06:00Z", "note": "a new roof and a garden",
}  # fmt: skip


def one(response):
    assert response.status_code == 200, response.content
    (prediction,) = response.json()["predictions"]
    return prediction


def test_it_works(program, machine):
    response = program.ask(machine, ROW)
    prediction = one(response)
    assert list(prediction) == ["risk", "risk:probabilities", "price", "price:low", "price:high"]
    assert prediction["risk"] in {"yes", "no"}
    assert set(prediction["risk:probabilities"]) == {"yes", "no"}
    assert math.isclose(sum(prediction["risk:probabilities"].values()), 1, abs_tol=1e-5)
    assert prediction["price:low"] <= prediction["price"] <= prediction["price:high"]
    assert response.json()["warnings"] == []


def test_the_answer_is_that_of_the_form(program, machine):
    values = ROW | SECONDS
    answers = {answer.name: answer for answer in prediction_make(machine=machine, values=values)}
    prediction = one(program.ask(machine, ROW))
    assert prediction["risk"] == answers["risk"].values[0]
    assert prediction["price"] == pytest.approx(float(answers["price"].values[0]))
    for label, chances in answers["risk"].probabilities.items():
        assert prediction["risk:probabilities"][label] == pytest.approx(float(chances[0]))


@pytest.mark.parametrize(
    "same",
    [
        {"size": "41.5"}, {"size": " 4.15e1 "}, {"delta": -3.0}, {"delta": "-3"}, {"hour": "14:30:00"}, {"hour": "14:30:00.0"},
        {"seen": "2021-03-04 05:06"}, {"seen": "2021-03-04T06:06:00+01:00"}, {"seen": "2021-03-04T05:06:00.000Z"},
    ],
)  # fmt: skip
def test_values_may_be_written_in_several_ways(program, machine, same):
    assert one(program.ask(machine, ROW | same)) == one(program.ask(machine, ROW))


def test_an_order_of_days_is_never_guessed(program, machine):
    assert "05/17/2022" in error_of(program.ask(machine, ROW | {"day": "05/17/2022"}))["message"]


@pytest.mark.parametrize("name", [name for name in HEADER if name in ROW])
def test_unknown(program, machine, name):
    left_out = {key: value for key, value in ROW.items() if key != name}
    wanted = one(program.ask(machine, left_out))
    assert one(program.ask(machine, left_out | {name: None})) == wanted
    assert one(program.ask(machine, left_out | {name: ""})) == wanted


def test_all_unknown(program, machine):
    assert one(program.ask(machine, {}))["risk"] in {"yes", "no"}


def test_no_rows(program, machine):
    assert program.ask(machine).json() == {"predictions": [], "warnings": []}


def test_labels_that_are_numbers_may_be_sent_as_numbers(program, alice):
    lines = [f"{at % 3},{at % 5}.0,{'yes' if at % 3 else 'no'}" for at in range(90)]
    content = ("a,b,y\n" + "\n".join(lines) + "\n").encode()
    machine = train(content, ("y",), a="LABEL", b="LABEL").machine(owner=alice)
    wanted = one(program.ask(machine, {"a": "2", "b": "4.0"}))
    for sent in ({"a": 2, "b": 4}, {"a": 2.0, "b": 4.0}):
        response = program.ask(machine, sent)
        assert one(response) == wanted and response.json()["warnings"] == []


# Many rows


def many(count):
    names = [name for name in HEADER if name in ROW]
    cells = (dict(zip(HEADER, row, strict=True)) for row in table_rows(count))
    return [{name: row[name] for name in names} for row in cells]


def test_as_many_rows_as_allowed_in_order(program, machine):
    rows = many(ROWS) * (rows_module.MOST_ROWS // ROWS)
    response = program.ask(machine, *rows)
    predictions = response.json()["predictions"]
    assert len(rows) == len(predictions) == 10_000
    first = [one(program.ask(machine, row)) for row in rows[:5]]
    for wanted, got in zip(first, predictions, strict=False):
        assert got["risk"] == wanted["risk"] and got["price"] == pytest.approx(wanted["price"], rel=1e-5)
    assert predictions[9_800]["price"] == pytest.approx(predictions[0]["price"], rel=1e-5)
    assert np.isfinite([row["price"] for row in predictions]).all()


def test_more_rows_than_allowed(program, machine):
    response = program.ask(machine, *[{}] * 10_001)
    assert response.status_code == 413
    assert error_of(response) == {
        "code": "too_large",
        "message": "10001 rows are too many. Send at most 10000 at once.",
        "fields": {},
    }


def test_a_body_that_is_too_large(program, machine, monkeypatch):
    monkeypatch.setattr("api.formats.MOST_BYTES", 1_000_000)
    response = program.ask(machine, {"note": "x" * 1_000_000})
    assert response.status_code == 413
    assert error_of(response)["message"] == "The body is larger than 1 MB. Send less at once."


def test_queries_do_not_grow_with_the_rows(program, machine):
    def queries(*rows):
        with CaptureQueriesContext(connection) as asked:
            program.ask(machine, *rows)
        return len(asked)

    queries(ROW)
    assert queries(ROW) == queries(*many(100)) == 2


# What cannot be read

WRONG = {
    "size": ["forty", "41,5", "1 000", "0x10", "nan", "inf", "1e999", True, [], {}, [41.5], "4" * 500],
    "city": [True, ["north"], {"a": [1]}, "x" * 201],
    "day": ["17.05.2022", "2022-02-30", "2022-5-17", 1652745600, "20220517", "2022-W20-2", "tomorrow", True],
    "hour": ["25:00", "2:30 PM", "14", 52200, "14:30Z"],
    "seen": ["2021-03-04T25:00", "04/03/2021 05:06", 1614834360, "2021-03-04T05:06+99:00", "now"],
    "note": [5, True, "x" * 20_001],
}
EXPECTED = {
    "size": "Send a number such as 30.5.",
    "city": "Send text of at most 200 characters.",
    "day": "Send a date such as 2026-02-28.",
    "hour": "Send a time such as 14:30 or 14:30:05.",
    "seen": "Send a date and time such as 2026-02-28T14:30:05Z.",
    "note": "Send text of at most 20000 characters.",
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_value_that_cannot_be_read(program, machine, name, value):
    response = program.ask(machine, ROW, ROW | {name: value})
    assert response.status_code == 422
    error = error_of(response)
    assert error["code"] == "refused"
    assert error["message"].startswith(f"Row 2: “{name}” is ")
    assert error["message"].endswith(EXPECTED[name])
    written = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    assert written[:30] in error["message"]
    assert list(error["fields"]) == [f"rows[1].{name}"]
    assert len(error["message"]) < 200


def test_several_at_once(program, machine):
    error = error_of(program.ask(machine, {"size": "a", "day": "b"}, {"size": "c"}))
    assert set(error["fields"]) == {"rows[0].size", "rows[0].day", "rows[1].size"}
    assert error["message"].endswith("More of them stand in “fields”.")


def test_a_whole_table_of_nonsense_is_answered_shortly(program, machine):
    response = program.ask(machine, *[{"size": "x", "nonsense": 1}] * 5_000)
    assert len(error_of(response)["fields"]) == 20
    response = program.ask(machine, *[dict.fromkeys(ROW, "x" * 300)] * 200)
    assert len(error_of(response)["fields"]) == 20
    assert len(response.content) < 10_000


def test_millions_of_unknown_columns_cost_no_memory(machine):
    row, description = {f"unknown {number}": 1 for number in range(100)}, description_of(machine)
    tracemalloc.start()
    try:
        with pytest.raises(RowsError) as refused:
            read_rows(description, {"rows": [row] * 5_000})
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(refused.value.fields) == 20
    assert most < 5_000_000


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_lists_in_lists_in_lists(program, machine, opening, closing):
    value = opening * 500 + b"1" + closing * 500
    response = program.post(f"machines/{machine.pk}/predict/", b'{"rows": [{"size": ' + value + b"}]}")
    assert response.status_code == 422
    assert error_of(response)["message"] == "Row 1: “size” is …. Send a number such as 30.5."


def test_a_column_the_machine_does_not_have(program, machine):
    response = program.ask(machine, ROW, {"siez": 1})
    assert response.status_code == 422
    error = error_of(response)
    assert error["message"].startswith("Row 2: The machine has no column “siez”. It asks for “size”, “delta”,")
    assert list(error["fields"]) == ["rows[1].siez"]


def test_a_column_it_does_not_ask_for(program, machine):
    response = program.ask(machine, ROW | {"risk": "yes", "price": 3})
    assert one(response) == one(program.ask(machine, ROW))
    assert response.json()["warnings"] == [
        "“price” is not asked for and was not used.",
        "“risk” is not asked for and was not used.",
    ]


@pytest.mark.parametrize("body", [{}, [], None, 5, "x", {"rows": {}}, {"rows": None}, {"rows": "x"}, {"row": [{}]}])
def test_a_body_without_rows(program, machine, body):
    response = program.post(f"machines/{machine.pk}/predict/", body)
    assert response.status_code == 422
    assert error_of(response)["message"] == ('Send an object with a list of rows, such as {"rows": [{"column": 1.5}]}.')


@pytest.mark.parametrize("row", [None, 5, "x", [1, 2]])
def test_a_row_that_is_no_object(program, machine, row):
    error = error_of(program.ask(machine, {}, row))
    assert error["message"] == "Row 2: Write each row as an object: column name, then value."
    assert list(error["fields"]) == ["rows[1]"]


BROKEN = [b"", b"{", b'{"rows": [', b"{'rows': []}", b"\xff\xfe", b'{"rows": [NaN]}', b'"\\ud800"', b"[" * 100_000]


@pytest.mark.parametrize("body", BROKEN, ids=range(len(BROKEN)))
def test_a_body_that_is_no_json(program, machine, body):
    response = program.post(f"machines/{machine.pk}/predict/", body)
    assert response.status_code == (422 if not body else 400)
    assert error_of(response)["code"] == ("refused" if not body else "malformed")


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/csv", "text/plain", "", "x" * 400])
def test_another_format(program, machine, kind):
    response = program.post(f"machines/{machine.pk}/predict/", b'{"rows": []}', content_type=kind)
    assert response.status_code == 415
    assert error_of(response)["message"] == "Send JSON, with the header “Content-Type: application/json”."


def test_json_with_a_charset(program, machine):
    response = program.post(f"machines/{machine.pk}/predict/", {"rows": []}, "Application/JSON; charset=utf-8")
    assert response.status_code == 200


def test_a_machine_that_is_not_trained(program, alice):
    response = program.ask(make_machine(owner=alice), {})
    assert response.status_code == 409
    assert error_of(response)["code"] == "not_ready"
    assert error_of(response)["message"] == "This machine has not been trained yet."


# What is unusual


def test_warnings(program, machine):
    sent = [ROW | {"size": 5000}, ROW | {"size": -5000}, ROW | {"size": 6000}, ROW | {"kind": "kind 99"}, ROW]
    size = next(item for item in description_of(machine)["inputs"] if item["name"] == "size")
    span = f"{size['low']} – {size['high']:g}"
    response = program.ask(machine, *sent)
    assert response.json()["warnings"] == [
        f"“size” is above anything seen in training ({span}) in 2 rows. The answer is less sure.",
        f"“size” is below anything seen in training ({span}) in 1 row. The answer is less sure.",
        "“kind” holds a label never seen in training in 1 row. The answer is less sure.",
    ]


def test_a_day_out_of_range_is_written_as_days_are_sent(program, machine, alice):
    alice.date_format = "DMY"
    alice.save()
    (warning,) = program.ask(machine, ROW | {"day": "2035-01-01"}).json()["warnings"]
    assert warning.startswith("“day” is above anything seen in training (2020-0")


def test_zero_that_means_not_measured_is_no_warning(program, machine):
    zero, unknown = program.ask(machine, ROW | {"pressure": 0}), program.ask(machine, ROW | {"pressure": None})
    assert zero.json() == unknown.json()


# Which machine


def test_the_machine_of_another_is_not_asked(charlie, machine):
    response = make_key(charlie).ask(machine, ROW)
    assert response.status_code == 404 and error_of(response)["code"] == "not_found"


def test_the_newest_model_answers(program, machine):
    first = one(program.ask(machine, ROW))
    machine.training_nn_model_extfield = train(csv_bytes(table_rows(60)), OUTPUTS).onnx
    machine.model_version += 1
    machine.save()
    assert one(program.ask(machine, ROW)) != first


def test_labels_keep_their_spelling(alice, program):
    lines = [f"{100 + at % 90},{20 + at % 40},{int(at % 90 > 45)}" for at in range(180)]
    content = ("Glucose,Age,Outcome\n" + "\n".join(lines) + "\n").encode()
    machine = train(content, ("Outcome",), Outcome="LABEL").machine(owner=alice)
    prediction = one(program.ask(machine, {"Glucose": 148, "Age": 50}))
    assert prediction["Outcome"] in {"0", "1"}
    assert set(prediction["Outcome:probabilities"]) == {"0", "1"}
