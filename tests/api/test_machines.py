"""Machines over REST: what is told of them, and their file."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from machines.serving.predictor import Predictor
from models import AuditEntry
from models.audit import AuditAction
from tests.api.conftest import error_of, make_key
from tests.factories import make_column, make_machine
from tests.machines.houses import HEADER, houses


def test_it_works(program, machine):
    (listed,) = program.get("machines/").json()
    assert listed["id"] == machine.pk and listed["name"] == "Houses" and listed["status"] == "ready"
    assert listed["rows"] == 200 and listed["team"] is None
    told = program.get(f"machines/{machine.pk}/").json()
    assert listed.items() <= told.items()
    assert [column["name"] for column in told["columns"]] == HEADER


def test_columns(program, machine):
    machine.columns.filter(name="size").update(unit="m²", description="living space")
    columns = {column["name"]: column for column in program.get(f"machines/{machine.pk}/").json()["columns"]}
    size = columns["size"]
    assert (size["type"], size["role"], size["missing"]) == ("FLOAT", "input", 10)
    assert size["unique"] > 100 and size["reason"].startswith("190 numbers from 10.4 to 99")
    assert (size["unit"], size["description"]) == ("m²", "living space")
    assert columns["risk"]["role"] == "output"


def test_quality(program, machine):
    told = program.get(f"machines/{machine.pk}/").json()
    assert set(told["holdout"]) == set(told["baseline"]) == {"risk", "price"}
    score = told["holdout"]["risk"]["roc_auc"]
    assert score["low"] <= score["value"] <= score["high"]
    assert "value" in told["baseline"]["price"]["rmse"]


def test_a_machine_that_is_new(program, alice):
    machine = make_machine(owner=alice)
    make_column(machine, name="a")
    told = program.get(f"machines/{machine.pk}/").json()
    assert (told["status"], told["holdout"], told["baseline"], told["trained_at"]) == ("new", {}, {}, None)
    assert told["columns"][0]["name"] == "a" and told["columns"][0]["reason"] == ""
    assert told["seconds_at_most"] == {"1": 5, "2": 15, "3": 60, "4": 300, "5": 1200}


def test_numbers_are_written_in_one_way_whoever_asks(program, alice, machine):
    alice.decimal_separator = ","
    alice.save()
    comma = program.get(f"machines/{machine.pk}/").content
    alice.decimal_separator = "."
    alice.save()
    assert program.get(f"machines/{machine.pk}/").content == comma


# Pages of the list


def test_the_list_has_pages(program, alice):
    machines = [make_machine(owner=alice) for _ in range(103)]
    first = program.get("machines/")
    assert [item["id"] for item in first.json()] == [machine.pk for machine in machines[:2:-1]]
    assert first["Link"] == '<http://testserver/api/machines/?page=2>; rel="next"'
    second = program.get("machines/?page=2")
    assert len(second.json()) == 3
    assert second["Link"] == '<http://testserver/api/machines/>; rel="prev"'


def test_one_page_has_no_links(program, machine):
    assert "Link" not in program.get("machines/")


@pytest.mark.parametrize("page", ["0", "99", "x", "-1"])
def test_a_page_that_is_not_there(program, machine, page):
    assert error_of(program.get(f"machines/?page={page}"))["code"] == "not_found"


def test_queries_do_not_grow_with_the_list(program, alice):
    def queries():
        program.get("machines/")
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert program.get("machines/").status_code == 200
        return len(asked)

    make_machine(owner=alice)
    few = queries()
    for _ in range(60):
        make_machine(owner=alice)
    assert queries() == few <= 4


# The file


def test_download(program, machine):
    response = program.get(f"machines/{machine.pk}/download/")
    content = response.getvalue()
    assert content == houses().onnx
    assert response["Content-Disposition"] == 'attachment; filename="houses.onnx"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert Predictor(content).schema.inputs
    entry = AuditEntry.objects.get(action=AuditAction.MACHINE_DOWNLOADED)
    assert (entry.actor, entry.object_id) == (program.key.user, str(machine.pk))


def test_whatever_the_client_says_it_accepts(program, machine):
    for kind in ("application/octet-stream", "text/html", "image/png"):
        response = program.get(f"machines/{machine.pk}/download/", headers={"accept": kind})
        assert response.status_code == 200 and response.getvalue() == houses().onnx


def test_nothing_to_download_yet(program, alice):
    response = program.get(f"machines/{make_machine(owner=alice).pk}/download/")
    assert response.status_code == 409 and error_of(response)["code"] == "not_ready"


def test_downloading_takes_more_than_looking(of_bob, shared):
    assert of_bob().get(f"machines/{shared.pk}/").status_code == 200
    assert of_bob().get(f"machines/{shared.pk}/download/").status_code == 403, "a predictor is no editor"


# Errors have one shape


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("get", "/api/", 404, "not_found"),
        ("get", "/api/nowhere/", 404, "not_found"),
        ("get", "/api/machines/x/", 404, "not_found"),
        ("get", "/api/machines/99999999999999999999/", 404, "not_found"),
        ("delete", "/api/machines/", 405, "method_not_allowed"),
        ("post", "/api/machines/1/", 405, "method_not_allowed"),
        ("get", "/api/machines/1/predict/", 405, "method_not_allowed"),
        ("options", "/api/machines/", 405, "method_not_allowed"),
        ("trace", "/api/machines/", 405, "method_not_allowed"),
    ],
)
def test_errors(program, method, path, status, code):
    response = getattr(program.client, method)(path)
    assert response.status_code == status
    assert error_of(response)["code"] == code


def test_405_says_what_there_is(program):
    assert "POST" in program.get("machines/1/predict/")["Allow"]


def test_another_host(program):
    response = program.get("machines/", headers={"host": "evil.example.org"})
    assert response.status_code == 400 and error_of(response)["code"] == "bad_request"


def test_a_fault_of_ours(program, machine, monkeypatch):
    def broken(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("machines.api.answers.predictor_of", broken)
    program.client.raise_request_exception = False
    response = program.ask(machine, {})
    assert response.status_code == 500
    assert error_of(response)["code"] == "internal_server_error"
    assert b"secret detail" not in response.content and b"Traceback" not in response.content


def test_pages_keep_their_own_errors(client):
    assert client.get("/nowhere/")["Content-Type"].startswith("text/html")


def test_a_key_of_nobody_in_particular(cara, machine):
    assert make_key(cara).get("machines/").json() == []
