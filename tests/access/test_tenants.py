"""Two tenants that are alike: whatever one of them asks for leads nowhere in the hands of the other (A2).

Every string and secret of tenant A holds its marker. B replays A's requests, and asks for its own things with A's ids
swapped in: in the path, the query, the form, the JSON and the headers of htmx, one at a time.
"""

import re
from collections.abc import Iterator
from itertools import permutations, product
from typing import Any

import pytest
from django.apps import apps
from django.db import models
from django.urls import reverse

from models import Machine, Team, User
from tests.access.rows import API, ROWS
from tests.access.table import STAFF, Answer, Row, arguments_of
from tests.access.world import NOWHERE, Tenant, World, call, nothing_remains, watching

pytestmark = pytest.mark.django_db

EVERY = ROWS | API
# Names without a colon are allauth's: its pages show a person themselves, and take no id.
PRIVATE = {
    name: row for name, row in EVERY.items() if row.is_private and ":" in name and STAFF not in {row.get, row.post}
}
WITH_IDS = [name for name, row in PRIVATE.items() if row.arguments and "token" not in row.arguments]
HTMX = {"HX-Request": "true"}
# Names under which a form or an address could take an id, whether it is meant to or not.
NAMES = {
    "team": ("team", "team_id", "workspace", "machine_owner_team"),
    "machine": ("machine", "machine_id", "landing_machine", "machine_original", "pk", "id"),
    "user": ("user", "user_pk", "person", "member", "owner", "to", "new_owner", "machine_owner_user", "invited_by", "who"),
    "column": ("column", "column_pk"), "work": ("work",), "invite": ("invite", "invite_pk", "made", "from"),
    "link": ("link", "link_pk"), "key": ("key", "key_pk"), "request": ("request",),
}  # fmt: skip


def ids_of(tenant: Tenant) -> dict[str, int]:
    return {
        "team": tenant.team.pk, "machine": tenant.machine.pk, "user": tenant.people["viewer"].pk,
        "column": tenant.column.pk, "work": tenant.work.pk, "invite": tenant.invite.pk, "link": tenant.link.pk,
        "key": tenant.keys["team key"].pk, "request": tenant.request.pk,
    }  # fmt: skip


def send(world: World, tenant: Tenant, row: Row, method: str, kwargs: dict[str, Any], **given: Any) -> Any:
    """Ask as the tenant's owner; under /api/ with the key of its team."""
    address = reverse(row.name, kwargs=kwargs)
    if row.name in API:
        given |= {"content_type": "application/json"}
        given["headers"] = {"Authorization": f"Bearer {tenant.secrets['team key']}"} | (given.get("headers") or {})
        return call(method, address, **given)
    return call(method, address, session=tenant.sessions[row.role], **given)


def body_of(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def plain(response: Any) -> str:
    """Return headers and body without what differs from answer to answer: tokens against forgery."""
    text = body_of(response).decode(errors="replace")
    return re.sub(r"(csrfmiddlewaretoken\"? (?:value|content)=|X-CSRFToken\": ?)\"[^\"]+\"", "", text)


def leaks(response: Any, tenant: Tenant) -> list[str]:
    """Return what of the tenant's stands in the answer."""
    said = f"{plain(response)} {dict(response.items())} {response.cookies.output()}"
    if tenant.marker.lower() in said.lower():
        place = said.lower().index(tenant.marker.lower())
        return [said[max(0, place - 80) : place + 80]]
    secrets = [*tenant.secrets.values(), *(token for token in tenant.tokens.values() if token != "x" * 43)]
    return [secret for secret in secrets if secret in said]


def rows_of(tenant: Tenant) -> list[Any]:
    """Return everything that is the tenant's, but for the notes of the log."""
    people = [person.pk for person in tenant.people.values()]
    ours: dict[type[models.Model], Any] = {Team: [tenant.team.pk], Machine: [tenant.machine.pk], User: people}
    found = []
    for model in apps.get_app_config("models").get_models():
        if model.__name__ in {"AuditEntry", "EasyAutoMLLogger"}:
            continue
        rows = model._default_manager.filter(pk__in=ours.get(model, []))
        for field in model._meta.concrete_fields:
            if field.related_model in ours:
                rows = rows | model._default_manager.filter(**{f"{field.name}__in": ours[field.related_model]})
        found += [(model.__name__, row) for row in rows.order_by("pk").values()]
    return found


def crossings(a: Tenant, b: Tenant) -> Iterator[str]:
    """Yield the rows that belong to both tenants: nothing of B may come to point at something of A."""
    sides = [{Team: [t.team.pk], Machine: [t.machine.pk], User: [p.pk for p in t.people.values()]} for t in (a, b)]
    for model in apps.get_app_config("models").get_models():
        if model.__name__ in {"AuditEntry", "EasyAutoMLLogger"}:
            continue  # who was refused stands in the log of whoever's it is
        fields = [field for field in model._meta.concrete_fields if field.related_model in sides[0]]
        for one, other in permutations(fields, 2):
            mine, theirs = sides[0][one.related_model], sides[1][other.related_model]
            found = model._default_manager.filter(**{f"{one.name}__in": mine, f"{other.name}__in": theirs})
            if found.exists():
                yield f"{model.__name__}: {one.name} is A's and {other.name} is B's"


def data_of(row: Row, method: str, tenant: Tenant) -> dict[str, Any]:
    return row.query(tenant) if method == "GET" else row.data(tenant)


def methods_of(row: Row) -> list[str]:
    return [method for method in ("GET", "POST") if row.need(method)]


@pytest.mark.parametrize("name", PRIVATE)
def test_the_recorded_requests_work(world: World, name: str):
    """Replaying what never worked would prove nothing."""
    row = PRIVATE[name]
    for method in methods_of(row):
        for tenant in (world.a, world.b):
            with nothing_remains(), watching() as writes:
                kwargs = arguments_of(row, tenant, row.role)
                response = send(world, tenant, row, method, kwargs, data=data_of(row, method, tenant))
            assert Answer.of(response) is Answer.LET_IN and response.status_code < 400, f"{method} {response}"
            if method == "POST" and not row.is_idle:
                assert writes, f"POST {response.request['PATH_INFO']} wrote nothing: give its row data that works"


@pytest.mark.parametrize("name", WITH_IDS)
def test_a_request_replayed_by_the_other_leads_nowhere(world: World, name: str):
    """As B, A's requests: 404, nothing of A's in it, nothing written, and the same as for what does not exist."""
    row, kwargs = PRIVATE[name], arguments_of(PRIVATE[name], world.a, PRIVATE[name].role)
    for method, headers in product(methods_of(row), ({}, HTMX)):
        data = data_of(row, method, world.a)
        with nothing_remains(), watching() as writes:
            response = send(world, world.b, row, method, kwargs, data=data, headers=headers)
            made_up = send(
                world, world.b, row, method, kwargs | {next(iter(kwargs)): NOWHERE}, data=data, headers=headers
            )
        cell = f"{method} {response.request['PATH_INFO']} {headers}"
        assert response.status_code == made_up.status_code == 404, cell
        assert not leaks(response, world.a), cell
        assert not writes, cell
        assert plain(response) == plain(made_up), cell


@pytest.mark.parametrize("name", WITH_IDS)
def test_ids_swapped_in_the_path(world: World, name: str):
    """B's own address with one id of A's in it, one at a time."""
    row, before = PRIVATE[name], rows_of(world.a)
    ours, theirs = (arguments_of(row, tenant, row.role) for tenant in (world.b, world.a))
    of_tenants = [part for part in ours if part != "key"]  # every report has pictures of the same names
    for method, swapped in product(methods_of(row), of_tenants):
        with nothing_remains(), watching() as writes:
            data = data_of(row, method, world.b)
            response = send(world, world.b, row, method, ours | {swapped: theirs[swapped]}, data=data)
        with nothing_remains():
            made_up = send(world, world.b, row, method, ours | {swapped: NOWHERE}, data=data)
        assert response.status_code == made_up.status_code == 404, f"{method} {name} with A's {swapped}"
        assert not leaks(response, world.a) and plain(response) == plain(made_up)
        assert not writes and rows_of(world.a) == before


def swaps(world: World, row: Row, method: str) -> Iterator[dict[str, Any]]:
    """Yield B's own data with one of A's ids in it, under every name that could mean it."""
    data, theirs = data_of(row, method, world.b), ids_of(world.a)
    for kind, names in NAMES.items():
        if not row.is_heavy or set(names) & set(data):
            yield data_of(row, method, world.b) | dict.fromkeys(names, theirs[kind])


@pytest.mark.parametrize("name", PRIVATE)
def test_ids_swapped_in_query_form_and_json(world: World, name: str):
    """Where an id could stand, A's stands, one at a time: nothing of A's is shown, changed or pointed at."""
    row, before, problems = PRIVATE[name], rows_of(world.a), []
    for method in methods_of(row):
        for data in swaps(world, row, method):
            with nothing_remains(), watching() as writes:
                response = send(world, world.b, row, method, arguments_of(row, world.b, row.role), data=data)
                cell = f"{method} {response.request['PATH_INFO']} with {data}: {response.status_code}"
                problems += [f"{cell} shows {leak}" for leak in leaks(response, world.a)]
                problems += [f"{cell}: {crossing}" for crossing in (crossings(world.a, world.b) if writes else ())]
                if (writes and rows_of(world.a) != before) or response.status_code >= 500:
                    problems.append(f"{cell}, and it broke or changed something of A's")
    assert not problems, "\n" + "\n".join(problems)


@pytest.mark.parametrize("name", PRIVATE)
def test_ids_swapped_in_the_headers_of_htmx(world: World, name: str):
    """htmx tells from where it asks. Nothing may be looked up by that."""
    row = PRIVATE[name]
    pages = [f"http://testserver/machines/{world.a.machine.pk}/", f"http://testserver/teams/{world.a.team.pk}/"]
    for method, page in product(methods_of(row), pages):
        told = {"HX-Current-URL": page, "HX-Target": f"machine-{world.a.machine.pk}", "Referer": page}
        told |= {"HX-Trigger": f"row-{world.a.column.pk}", "HX-Prompt": str(world.a.team.pk)}
        with nothing_remains():
            data = {} if row.is_heavy else data_of(row, method, world.b)
            response = send(
                world, world.b, row, method, arguments_of(row, world.b, row.role), data=data, headers=HTMX | told
            )
            assert response.status_code < 500
            assert not leaks(response, world.a)
            assert not list(crossings(world.a, world.b))


def test_the_proof_can_fail(world: World):
    """It finds what stands in a page, a row that changed, and a row that belongs to both."""
    row = ROWS["machines:detail"]
    assert leaks(send(world, world.a, row, "GET", arguments_of(row, world.a)), world.a)
    before = rows_of(world.a)
    with nothing_remains():
        Machine.objects.filter(pk=world.a.machine.pk).update(machine_name="changed")
        assert rows_of(world.a) != before
    with nothing_remains():
        Machine.objects.filter(pk=world.b.machine.pk).update(machine_owner_team=world.a.team)
        assert list(crossings(world.a, world.b))
    assert not list(crossings(world.a, world.b))
