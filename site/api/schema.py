"""The calls as an OpenAPI 3.1 document, made by drf-spectacular from the addresses there are."""

from functools import cache
from typing import Any

import orjson
from django.urls import resolve
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.renderers import OpenApiYamlRenderer

from api.components import SCHEMAS, Json, of, text, whole
from api.operations import ABOUT, OPERATIONS, REFUSALS, Operation

KEY = "key"
ABOUT_ALL = (
    "Send your key with each request as `Authorization: Bearer <key>`; keys are made under Profile → API keys. "
    "Every refusal has one shape, `Error`. Every address ends in a slash."
)


class Described(AutoSchema):
    """One call, from its line in `api.operations`: values are read by hand, so there are no serializers to ask."""

    def get_operation(self, path: str, path_regex: str, path_prefix: str, method: str, registry: Any) -> Json:
        said = OPERATIONS[_name_of(path), method.upper()]
        about = f"{said.about} Scope: `{said.scope}`.".strip()
        body = {"requestBody": _body(said)} if said.body else {}
        told = {"operationId": said.id, "summary": said.title, "description": about, "tags": [said.group]}
        return (
            told
            | body
            | {
                "parameters": [*_in_path(path), *_parameters(said)],
                "security": [{KEY: []}],
                "responses": {str(said.status): _success(said)}
                | {str(code): _refusal(code) for code in said.all_refusals},
            }
        )


class Generator(SchemaGenerator):
    """Describes all calls, whatever the settings of the framework say: so nothing of this is loaded before it is asked for."""

    def coerce_path(self, path: str, method: str, view: Any) -> str:
        coerced: str = super().coerce_path(path, method, view)
        return coerced.replace("{work_pk}", "{id}")

    def create_view(self, callback: Any, method: str, request: Any = None) -> Any:
        view = super().create_view(callback, method, request)
        self._set_schema_to_view(view, Described())
        return view


@cache
def document() -> Json:
    """Return the whole description."""
    made: Json = Generator().get_schema(public=True)
    made["openapi"] = "3.1.1"
    made["info"] = {"title": "EasyAutoML", "version": "1", "description": ABOUT_ALL}
    made["tags"] = [{"name": name, "description": about} for name, about in ABOUT.items()]
    made["components"] = {
        "schemas": SCHEMAS,
        "securitySchemes": {KEY: {"type": "http", "scheme": "bearer", "description": "An API key."}},
    }
    return made


@cache
def as_json() -> bytes:
    return orjson.dumps(document(), option=orjson.OPT_INDENT_2)


@cache
def as_yaml() -> bytes:
    written: bytes = OpenApiYamlRenderer().render(document())
    return written


def _name_of(path: str) -> str:
    """Return the name of an address: each of its arguments is a number."""
    return str(resolve(_without_words(path)).url_name)


def _without_words(path: str) -> str:
    return "/".join("1" if part.startswith("{") else part for part in path.split("/"))


def _in_path(path: str) -> list[Json]:
    names = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
    return [{"name": name, "in": "path", "required": True, "schema": whole()} for name in names]


def _parameters(said: Operation) -> list[Json]:
    pages = {"name": "page", "in": "query", "description": "100 on a page.", "schema": whole(minimum=1, default=1)}
    repeats = {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "A word of your own, such as a UUID. Whoever repeats the call with it within 24 hours gets the same "
        "answer, and nothing is done twice.",
        "schema": text(maxLength=200),
    }
    return [pages] * said.is_list + [repeats] * said.can_repeat


def _body(said: Operation) -> Json:
    kind = "multipart/form-data" if said.is_form else "application/json"
    example = {} if said.is_form else {"example": said.sent}
    return {"required": True, "content": {kind: {"schema": of(said.body)} | example}}


def _success(said: Operation) -> Json:
    links = (
        {"Link": {"description": "The pages before and after (RFC 8288).", "schema": text()}} if said.is_list else {}
    )
    headers = {"headers": links} if links else {}
    if said.is_file:
        content = {"application/octet-stream": {"schema": text(format="binary")}}
        return {"description": "The file.", "content": content}
    if said.answer is None:
        return {"description": "Done."}
    return headers | {
        "description": said.title,
        "content": {"application/json": {"schema": said.answer, "example": said.given}},
    }


def _refusal(code: int) -> Json:
    waits = {"headers": {"Retry-After": {"description": "Seconds.", "schema": whole()}}} if code in {429, 503} else {}
    return waits | {"description": REFUSALS[code], "content": {"application/json": {"schema": of("Error")}}}
