"""Limits hold on the server, whatever a browser would have prevented; and what costs the server has an end."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse

from config import limits
from tests.access.rows import ROWS
from tests.access.table import arguments_of
from tests.access.world import World, call, nothing_remains, watching
from tests.machines.views.pages import page

pytestmark = pytest.mark.django_db

FORMS = [name for name, row in ROWS.items() if row.get and row.post and ":" in name and "token" not in row.arguments]
# What makes the server read, train, mail or store: a person can ask for it so often, and no more (2.4.1).
COSTLY = {
    "machines:new", "machines:source", "machines:rows", "machines:predict", "machines:sharing", "teams:new",
    "teams:invites", "teams:invites-bulk", "teams:invite", "teams:keys", "accounts:keys", "accounts:export",
}  # fmt: skip


def ask(world: World, name: str, method: str, data: Any = None) -> Any:
    row = ROWS[name]
    address = reverse(name, kwargs=arguments_of(row, world.a, row.role))
    return call(method, address, data, session=world.session(row.role))


def beyond(response: Any) -> Iterator[tuple[str, str]]:
    """Yield the fields of a page's forms with a value that the browser would not let pass."""
    for tag, attributes in page(response).elements:
        field = attributes.get("name") or ""
        if tag not in {"input", "textarea", "select"} or attributes.get("type") == "hidden":
            continue
        if (attributes.get("maxlength") or "").isdecimal():
            yield field, "x" * (int(str(attributes["maxlength"])) + 1)
        if attributes.get("type") == "number" and attributes.get("max"):
            yield field, str(int(float(str(attributes["max"]))) + 1)
        if attributes.get("type") == "number" and attributes.get("min"):
            yield field, str(int(float(str(attributes["min"]))) - 1)
        if "required" in attributes:
            yield field, ""


@pytest.mark.parametrize("name", FORMS)
def test_limits_hold_without_a_browser(world: World, name: str):
    row = ROWS[name]
    if row.is_heavy:
        return
    data = row.data(world.a)
    for field, value in beyond(ask(world, name, "GET")):
        if field in data:  # the page may hold other forms too
            with nothing_remains(), watching() as writes:
                response = ask(world, name, "POST", data | {field: value})
            assert response.status_code < 500, field
            assert not writes, f"{field}={value[:20]} was taken: {writes}"


def test_some_forms_have_limits(world: World):
    found = {name for name in FORMS if list(beyond(ask(world, name, "GET")))}
    assert {"accounts:profile", "teams:new", "teams:settings", "machines:columns"} <= found


def test_what_costs_is_limited(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "count_up", lambda *args: 10**9)
    for name in COSTLY:
        with nothing_remains(), watching() as writes:
            response = ask(world, name, "POST", {} if ROWS[name].is_heavy else ROWS[name].data(world.a))
        assert response.status_code == 429 and int(response["Retry-After"]) > 0 and not writes, name
