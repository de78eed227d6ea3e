"""The description of the calls: whole, valid, public, and only loaded when somebody asks for it."""

import json
import re

import pytest
import yaml

from api.operations import OPERATIONS, REFUSALS
from tests.access.table import patterns

DESCRIBING = {"api:docs", "api:schema"}


@pytest.fixture
def told(client):
    return client.get("/api/schema/").json()


def test_it_works(told):
    assert told["openapi"].startswith("3.1") and told["info"]["title"] == "EasyAutoML"
    assert "post" in told["paths"]["/api/models/upload/"]


def test_it_is_valid(told):
    from drf_spectacular.validation import validate_schema

    validate_schema(told)


def test_yaml_says_the_same(client, told):
    response = client.get("/api/schema/?format=yaml")
    assert response["Content-Type"].startswith("application/yaml")
    assert yaml.safe_load(response.content) == told


def test_every_address_is_in_it(told):
    addresses = {name for name in patterns() if name.startswith("api:")} - DESCRIBING
    assert {f"api:{name}" for name, _method in OPERATIONS} == addresses
    assert sum(len(methods) for methods in told["paths"].values()) == len(OPERATIONS)


def test_every_call_says_who_may_and_what_is_refused(told):
    for path, methods in told["paths"].items():
        for method, call in methods.items():
            assert call["security"] == [{"key": []}], (path, method)
            assert {"401", "403", "429"} <= set(call["responses"]), (path, method)
            assert ("404" in call["responses"]) >= ("{" in path), (path, method)
            refusals = [answer for code, answer in call["responses"].items() if code >= "400"]
            assert all(r["content"]["application/json"]["schema"]["$ref"].endswith("/Error") for r in refusals)
    assert told["components"]["securitySchemes"]["key"]["scheme"] == "bearer"


def test_every_refusal_has_words():
    assert {code for operation in OPERATIONS.values() for code in operation.all_refusals} <= set(REFUSALS)


def test_every_schema_that_is_named_is_there(told):
    named = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(told)))
    assert named == set(told["components"]["schemas"])


def test_the_upload_is_a_form_with_a_file(told):
    call = told["paths"]["/api/models/upload/"]["post"]
    (kind,) = call["requestBody"]["content"]
    assert kind == "multipart/form-data"
    assert told["components"]["schemas"]["ModelFile"]["properties"]["file"]["format"] == "binary"
    assert "Idempotency-Key" in [parameter["name"] for parameter in call["parameters"]]


def test_answers_are_as_described(told, program, alice):
    """What the calls really answer, held against the schema."""
    from jsonschema import Draft202012Validator

    from tests.factories import make_version
    from tests.machines.houses import houses

    model, machine = make_version(owner=alice).machine, houses().machine(owner=alice)
    why = {"rows": [{}, {"size": 95, "city": "north"}], "reasons": True}
    asked = {
        "Model": program.get("models/").json()[0],
        "ModelDetails": program.get(f"models/{model.pk}/").json(),
        "Machine": program.get("machines/").json()[0],
        "MachineDetails": program.get(f"machines/{machine.pk}/").json(),
        "Predictions": program.post(f"machines/{machine.pk}/predict/", why).json(),
        "Error": program.get("models/0/").json(),
    }
    for name, answer in asked.items():
        schema = {"$ref": f"#/components/schemas/{name}", "components": told["components"]}
        assert list(Draft202012Validator(schema).iter_errors(answer)) == [], name


# The page


def test_the_page_shows_each_call(client):
    page = client.get("/api/docs/")
    text = page.content.decode()
    assert page.status_code == 200
    for operation in OPERATIONS.values():
        assert f'id="{operation.id}"' in text
    assert "curl" in text and "input_data" in text


def test_the_page_needs_no_foreign_script(client):
    text = client.get("/api/docs/").content.decode()
    assert not re.findall(r'(?:src|href)="(?:https?:)?//(?!testserver)', text)
    assert "<style" not in text and " style=" not in text


@pytest.mark.parametrize("address", ["/api/docs/", "/api/schema/"])
def test_looking_only(client, address):
    assert client.get(address).status_code == client.head(address).status_code == 200
    assert client.post(address).status_code == 405
