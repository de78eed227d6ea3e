"""Uploaded models over REST: what is told of them, what they answer, their end."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from machines.engine.errors import DataError
from models import Machine, ModelVersion
from models.model_version import Framework, VersionState
from tests.api.conftest import error_of, make_key
from tests.factories import linear_onnx, make_machine, make_version
from tests.machines.houses import houses


@pytest.fixture
def version(alice) -> ModelVersion:
    """y = a + 2 b + 3 c + 0.5"""
    return make_version(owner=alice, machine_name="Linear")


@pytest.fixture
def model(version) -> Machine:
    return version.machine


def predict(program, model, data):
    return program.post(f"models/{model.pk}/predict/", {"input_data": data})


def prediction_of(response):
    assert response.status_code == 200, response.content
    assert list(response.json()) == ["prediction"]
    return response.json()["prediction"]


def test_it_works(program, model):
    assert program.get("models/").json() == [{"id": model.pk, "name": "Linear", "framework": "onnx"}]
    assert prediction_of(predict(program, model, [1, 2, 3])) == [14.5]


# The list


def test_the_list_holds_models_only(program, alice, model):
    houses().machine(owner=alice)
    assert [item["id"] for item in program.get("models/").json()] == [model.pk]


def test_the_framework_is_that_of_the_version_that_answers(program, model):
    make_version(model, state=VersionState.CHECKING, framework=Framework.PYTORCH)
    (listed,) = program.get("models/").json()
    assert listed["framework"] == "onnx"


def test_a_model_that_is_still_checked_is_in_the_list(program, alice):
    checked = make_version(owner=alice, state=VersionState.CHECKING, framework=Framework.TENSORFLOW)
    (listed,) = program.get("models/").json()
    assert listed == {"id": checked.machine_id, "name": checked.machine.machine_name, "framework": "tensorflow"}


def test_the_list_has_pages(program, alice):
    for _ in range(101):
        make_version(owner=alice)
    first = program.get("models/")
    assert len(first.json()) == 100 and first["Link"] == '<http://testserver/api/models/?page=2>; rel="next"'
    assert len(program.get("models/?page=2").json()) == 1
    assert error_of(program.get("models/?page=9"))["code"] == "not_found"


def test_queries_do_not_grow_with_the_list(program, alice):
    def queries():
        program.get("models/")
        with CaptureQueriesContext(connection) as asked:
            assert program.get("models/").status_code == 200
        return len(asked)

    make_version(owner=alice)
    few = queries()
    for _ in range(20):
        make_version(owner=alice)
    assert queries() == few <= 4


# One model


def test_details(program, model, version):
    told = program.get(f"models/{model.pk}/").json()
    assert (told["id"], told["name"], told["framework"], told["status"]) == (model.pk, "Linear", "onnx", "uploaded")
    assert told["inputs"] == [{"name": "x", "dtype": "float32", "shape": [3], "columns": ["x1", "x2", "x3"]}]
    assert told["outputs"] == [{"name": "y", "dtype": "float32", "shape": [1], "columns": ["y"]}]
    assert (told["size_bytes"], told["sha256"]) == (len(linear_onnx()), version.sha256)
    assert told["safety"]["served"] == "converted" and told["safety"]["reason"] == ""
    assert told["created_at"].endswith("Z")
    assert [item["version"] for item in told["versions"]] == [1]


def test_details_of_a_model_that_is_still_checked(program, alice):
    checked = make_version(owner=alice, state=VersionState.CHECKING)
    told = program.get(f"models/{checked.machine_id}/").json()
    assert (told["status"], told["inputs"], told["outputs"]) == ("checking", [], [])


def test_details_of_a_refused_model_say_why(program, alice):
    why = DataError("This file holds %(what)s.", what="nothing").notice.to_json()
    refused = make_version(owner=alice, state=VersionState.REFUSED, notice=why)
    told = program.get(f"models/{refused.machine_id}/").json()
    assert (told["status"], told["safety"]["reason"]) == ("refused", "This file holds nothing.")


def test_a_new_version_under_check_does_not_change_what_is_told(program, model):
    make_version(model, state=VersionState.CHECKING)
    told = program.get(f"models/{model.pk}/").json()
    assert (told["status"], told["version"]) == ("uploaded", 1)
    assert [(item["version"], item["status"], item["answers"]) for item in told["versions"]] == [
        (2, "checking", False),
        (1, "uploaded", True),
    ]


def test_queries_do_not_grow_with_the_versions(program, model):
    def queries():
        with CaptureQueriesContext(connection) as asked:
            assert program.get(f"models/{model.pk}/").status_code == 200
        return len(asked)

    program.get("models/")
    few = queries()
    for _ in range(5):
        make_version(model)
    assert queries() == few <= 4


# Predictions


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        ([1, 2, 3], [14.5]),
        ([1.0, 2, 3.5], [16.0]),
        ([[1, 2, 3]], [[14.5]]),
        ([[1, 2, 3], [0, 0, 0]], [[14.5], [0.5]]),
        ({"x": [1, 2, 3]}, [14.5]),
        ({"x": [[1, 2, 3], [0, 0, 0]]}, [[14.5], [0.5]]),
        ([{"x": [1, 2, 3]}, {"x": [0, 0, 0]}], [[14.5], [0.5]]),
    ],
)
def test_one_row_many_rows_or_by_name(program, model, sent, answered):
    assert prediction_of(predict(program, model, sent)) == answered


SHAPE = "“x” takes float32 of shape [3] for each row; found: "


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ([1, 2], f"{SHAPE}[2]."),
        ([1, 2, 3, 4], f"{SHAPE}[4]."),
        ([[1, 2, 3], [1, 2]], f"{SHAPE}[2] in row 2."),
        ([[1, 2, 3], 4], f"{SHAPE}lists of different depth."),
        ([[1, 2, 3], [1, [2], 3]], f"{SHAPE}more lists in one another."),
        ([[[1, 2, 3]]], f"{SHAPE}lists of shape [1, 1, 3]."),
        (5, f"{SHAPE}a whole number."),
        ("1,2,3", f"{SHAPE}text."),
        ([], f"{SHAPE}[0]."),
        ([1, "2", 3], f"{SHAPE}text."),
        ([1, True, 3], f"{SHAPE}true or false."),
        ([1, None, 3], f"{SHAPE}null."),
        ([1, {"a": 1}, 3], f"{SHAPE}an object."),
        ([1, 1e39, 3], f"{SHAPE}a number that is not finite, or too large for float32."),
        ({"z": [1, 2, 3]}, "“x” is missing. It takes “x”."),
        ({"x": [1, 2, 3], "z": [1]}, "The model has no input “z”. It takes “x”."),
        ([{"x": [1, 2, 3]}, {}], "“x” is missing. It takes “x”."),
    ],
)
def test_what_does_not_fit_is_named(program, model, sent, why):
    response = predict(program, model, sent)
    assert response.status_code == 422
    error = error_of(response)
    assert error["message"] == why
    assert all(place.startswith("input_data") for place in error["fields"])


@pytest.mark.parametrize("body", [{}, {"input_data": None}, [1, 2, 3], {"data": [1, 2, 3]}])
def test_without_input_data(program, model, body):
    response = program.post(f"models/{model.pk}/predict/", body)
    assert response.status_code == 422 and "input_data" in error_of(response)["message"]


@pytest.mark.parametrize("body", [b"{", b'{"input_data": [NaN, 1, 2]}', b'{"input_data": [Infinity, 1, 2]}'])
def test_what_is_no_json(program, model, body):
    assert error_of(program.post(f"models/{model.pk}/predict/", body))["code"] == "malformed"


def test_a_number_beyond_all_bounds(program, model):
    response = program.post(f"models/{model.pk}/predict/", b'{"input_data": [1e999, 1, 2]}')
    assert response.status_code in {400, 422} and error_of(response)


def test_ten_thousand_rows_and_not_one_more(program, model):
    answers = prediction_of(predict(program, model, [[1, 2, 3]] * 10_000))
    assert len(answers) == 10_000 and answers[-1] == [14.5]
    response = predict(program, model, [[1, 2, 3]] * 10_001)
    assert response.status_code == 413 and "10,001" in error_of(response)["message"].replace("10001", "10,001")


def test_not_before_it_is_checked(program, alice):
    checked = make_version(owner=alice, state=VersionState.CHECKING)
    response = predict(program, checked.machine, [1, 2, 3])
    assert response.status_code == 409 and error_of(response)["code"] == "not_ready"
    assert "still being checked" in error_of(response)["message"]


def test_a_refused_model_says_why(program, alice):
    why = DataError("This file holds nothing.").notice.to_json()
    refused = make_version(owner=alice, state=VersionState.REFUSED, notice=why)
    response = predict(program, refused.machine, [1, 2, 3])
    assert response.status_code == 409 and "This file holds nothing." in error_of(response)["message"]


def test_a_machine_that_was_trained_here_is_no_model(program, alice):
    machine = houses().machine(owner=alice)
    for response in (program.get(f"models/{machine.pk}/"), predict(program, machine, [1])):
        assert response.status_code == 404 and error_of(response)["code"] == "not_found"


def test_few_queries(program, model):
    predict(program, model, [1, 2, 3])
    with CaptureQueriesContext(connection) as asked:
        predict(program, model, [1, 2, 3])
    assert len(asked) <= 3


# Versions


def test_versions(program, model):
    make_version(model, file_name="second.onnx")
    listed = program.get(f"models/{model.pk}/versions/").json()
    assert [(item["version"], item["answers"], item["file_name"]) for item in listed] == [
        (2, True, "second.onnx"),
        (1, False, "linear.onnx"),
    ]


def test_going_back(program, model):
    make_version(model)
    response = program.post(f"models/{model.pk}/versions/1/use/", {})
    assert response.status_code == 200, response.content
    assert (response.json()["version"], response.json()["answers"]) == (1, True)
    model.refresh_from_db()
    assert model.uploaded_version.number == 1


def test_a_version_that_is_not_there(program, model):
    assert program.post(f"models/{model.pk}/versions/9/use/", {}).status_code == 404


def test_a_version_that_was_refused_cannot_answer(program, model):
    make_version(model, state=VersionState.REFUSED)
    response = program.post(f"models/{model.pk}/versions/2/use/", {})
    assert response.status_code == 422 and error_of(response)["code"] == "refused"


# The end


def test_delete(program, model):
    response = program.client.delete(f"/api/models/{model.pk}/")
    assert (response.status_code, response.content) == (204, b"")
    assert not Machine.objects.filter(pk=model.pk).exists() and not ModelVersion.objects.exists()
    assert program.get(f"models/{model.pk}/").status_code == 404


def test_delete_is_not_for_trained_machines(program, alice):
    machine = make_machine(owner=alice)
    assert program.client.delete(f"/api/models/{machine.pk}/").status_code == 404
    assert Machine.objects.filter(pk=machine.pk).exists()


# Who may


def test_not_somebody_elses(charlie, model):
    stranger = make_key(charlie)
    assert stranger.get("models/").json() == []
    path = f"/api/models/{model.pk}/"
    for method, address in (
        ("get", path), ("delete", path), ("post", f"{path}predict/"), ("get", f"{path}versions/"),
        ("post", f"{path}versions/"), ("post", f"{path}versions/1/use/"),
    ):  # fmt: skip
        response = getattr(stranger.client, method)(address)
        assert response.status_code == 404 and error_of(response)["code"] == "not_found", (method, address)
    assert Machine.objects.filter(pk=model.pk).exists()


def test_what_each_scope_lets(alice, model):
    reader, asker = make_key(alice, scopes=["read"]), make_key(alice, scopes=["predict"])
    assert reader.get(f"models/{model.pk}/").status_code == 200
    assert error_of(predict(reader, model, [1, 2, 3]))["code"] == "scope"
    assert predict(asker, model, [1, 2, 3]).status_code == 200
    assert error_of(asker.client.delete(f"/api/models/{model.pk}/"))["code"] == "scope"
    assert error_of(asker.client.post("/api/models/upload/"))["code"] == "scope"


def test_a_member_asks_and_does_not_delete(of_bob, model, team):
    model.machine_owner_team = team
    model.save()
    assert predict(of_bob(), model, [1, 2, 3]).status_code == 200
    response = of_bob().client.delete(f"/api/models/{model.pk}/")
    assert response.status_code == 403 and error_of(response)["code"] == "permission_denied"
