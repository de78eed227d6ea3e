"""The description of the calls as the page about them shows it."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from api.components import Json
from api.operations import ABOUT, OPERATIONS, Operation

LINE = 88  # characters of an example
BY_ID = {operation.id: operation for operation in OPERATIONS.values()}


@dataclass(frozen=True)
class Field:
    """A parameter, or a field of a body."""

    name: str
    place: str
    about: str
    is_needed: bool


@dataclass(frozen=True)
class CallView:
    """One call."""

    path: str
    method: str
    told: Json
    said: Operation
    fields: list[Field]
    base: str

    @property
    def curl(self) -> str:
        """Return a command for the shell that makes this call."""
        return " \\\n  ".join(["curl", *_options(self.method, self.said), f"{self.base}{_example_path(self.path)}"])

    @property
    def about(self) -> str:
        return _plain(self.said.about)

    @property
    def answer(self) -> str:
        return _pretty(self.said.given) if self.said.given is not None else ""

    @property
    def status(self) -> str:
        return f"{self.said.status} {HTTPStatus(self.said.status).phrase}"

    @property
    def refusals(self) -> list[tuple[str, str]]:
        return [
            (code, _plain(answer["description"])) for code, answer in self.told["responses"].items() if code >= "400"
        ]


@dataclass(frozen=True)
class Group:
    """Calls about the same things."""

    name: str
    about: str
    calls: list[CallView]


def groups_of(document: Json, base: str) -> list[Group]:
    """Return all calls of an OpenAPI document in their groups, in the order of `api.operations`."""
    calls = sorted(_calls(document, base), key=lambda call: list(BY_ID).index(call.said.id))
    return [Group(name, about, [c for c in calls if c.said.group == name]) for name, about in ABOUT.items()]


def _calls(document: Json, base: str) -> Iterator[CallView]:
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            fields = [*_parameters(told), *_body_fields(document, told)]
            yield CallView(path, method.upper(), told, BY_ID[told["operationId"]], fields, base)


def _parameters(told: Json) -> Iterator[Field]:
    places = {"path": "address", "query": "address", "header": "header"}
    for item in told.get("parameters", []):
        about = _plain(item.get("description", ""))
        yield Field(item["name"], places[item["in"]], about, item.get("required", False))


def _body_fields(document: Json, told: Json) -> Iterator[Field]:
    for kind, content in told.get("requestBody", {}).get("content", {}).items():
        name = content["schema"]["$ref"].rpartition("/")[2]
        schema = document["components"]["schemas"][name]
        place = "JSON" if kind == "application/json" else "form"
        for field, about in schema["properties"].items():
            yield Field(field, place, _plain(about.get("description", "")), field in schema.get("required", []))


def _options(method: str, said: Operation) -> Iterator[str]:
    if method == "DELETE" or (method == "POST" and said.sent is None):
        yield f"-X {method}"
    yield '-H "Authorization: Bearer $EASYAUTOML_KEY"'
    if method == "POST" and not said.is_form:
        yield '-H "Content-Type: application/json"'
    if said.is_form:
        yield from (f"-F {shlex.quote(f'{name}={value}')}" for name, value in said.sent.items())
    elif said.sent is not None:
        yield f"-d {shlex.quote(json.dumps(said.sent))}"
    if said.is_file:
        yield "-o machine.onnx"


def _example_path(path: str) -> str:
    return "/".join("1" if part.startswith("{") else part for part in path.split("/"))


def _plain(text: str) -> str:
    """Return a sentence with quotes in place of the marks of Markdown, which OpenAPI takes."""
    return re.sub("`([^`]+)`", r"“\1”", text)


def _pretty(value: Any) -> str:
    """Return JSON on one line if it is short, else on one for each field or item."""
    text = json.dumps(value, ensure_ascii=False)
    if len(text) <= LINE:
        return text
    if isinstance(value, dict):
        lines = [f"{json.dumps(name)}: {json.dumps(item, ensure_ascii=False)}" for name, item in value.items()]
        return "{\n  " + ",\n  ".join(lines) + "\n}"
    return "[\n  " + ",\n  ".join(json.dumps(item, ensure_ascii=False) for item in value) + "\n]"
