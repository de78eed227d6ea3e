"""What a form does not ask for is not written, whatever is sent along (A4, mass assignment).

The names are those of every column of every table. A request with them must leave the database as the same request
without them does.
"""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.contrib.auth.models import Permission
from django.db import models
from django.urls import reverse

from models import Invite, Machine, Membership, Team, User
from models.access import Role
from tests.access.rows import API, ROWS
from tests.access.table import Row, arguments_of
from tests.access.world import MEMBERS, World, call, nothing_remains

pytestmark = pytest.mark.django_db

POSTS = [name for name, row in (ROWS | API).items() if row.post and not row.is_heavy]
TABLES = [model for model in apps.get_app_config("models").get_models() if model.__name__ != "AuditEntry"]
TABLES += [EmailAddress]
MADE_UP = ["owner", "balance", "price", "is_public", "is_admin", "admin", "superuser", "permissions", "next_role"]
NAMED_BY_FORMS = {  # what the form itself may ask for, beyond what its row sends
    "account_email": {"email"},
    "account_signup": {"email", "password", "name"},
    "account_reset_password": {"email"},
    "accounts:profile": {"preview"},
    "invites:open": {"email"}, "invites:kept": {"email"},
    "machines:columns": {"page", "level"},
    "machines:sharing": {"questions", "max_uses", "allowed_sites"},
    "teams:invites": {"email", "domain", "note", "is_locked"},
    "teams:invites-bulk": {"note", "is_locked", "machine"},
}  # fmt: skip


def value_for(field: models.Field[Any, Any] | None, world: World) -> Any:
    """Return something that the column would take, and that nobody may write: tenant B's, or more than one has."""
    theirs = {User: world.b.people["owner"].pk, Team: world.b.team.pk, Machine: world.b.machine.pk}
    if field is None:
        return 9999
    if field.is_relation:
        return theirs.get(field.related_model, 1)
    kinds: list[tuple[type[models.Field[Any, Any]], Any]] = [
        (models.BooleanField, "true"), (models.DateTimeField, "2040-01-01 00:00"), (models.DateField, "2040-01-01"),
        (models.DecimalField, "9999"), (models.IntegerField, "9999"), (models.FloatField, "9999"),
        (models.JSONField, '{"stolen": 1}'),
    ]  # fmt: skip
    return next((value for kind, value in kinds if isinstance(field, kind)), "stolen")


def extra_fields(world: World, row: Row, data: dict[str, Any]) -> dict[str, Any]:
    """Return every name of a column, alone and as the forms of columns prefix theirs, with a forbidden value."""
    found = {name: value_for(None, world) for name in MADE_UP}
    for model in TABLES:
        for field in [*model._meta.concrete_fields, *model._meta.many_to_many]:
            found[field.name] = found[field.attname] = value_for(field, world)
    prefix = f"{world.a.column.pk}-"
    asked = set(data) | NAMED_BY_FORMS.get(row.name, set())
    if any(name.startswith(prefix) for name in data):
        own = {"unit", "range_low", "range_high", "zero_is_missing"}
        found |= {
            f"{prefix}{field.name}": 9999 for field in world.a.column._meta.concrete_fields if field.name not in own
        }
    return {name: value for name, value in found.items() if name not in asked}


def known_rows() -> dict[Any, set[Any]]:
    """Return the numbers of all rows that a column may point at; those made later differ from run to run."""
    return {model: set(model._default_manager.values_list("pk", flat=True)) for model in [*TABLES, Permission]}


def dump(known: dict[Any, set[Any]]) -> list[Any]:
    """Return all rows, without what differs from time to time: secrets, moments, the numbers of new rows."""
    found = [
        (model.__name__, [_plain(field, getattr(row, field.attname), known) for field in _compared(model)])
        for model in TABLES
        for row in model._default_manager.all()
    ]
    return sorted(found, key=repr)


def _compared(model: type[models.Model]) -> list[Any]:
    secret = ("seed", "hash", "password", "start", "timestamp", "delivery", "folder")
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    return [field for field in fields if not isinstance(field, models.BinaryField) and not field.name.endswith(secret)]


def _plain(field: Any, value: Any, known: dict[Any, set[Any]]) -> Any:
    if field.is_relation:
        return value if value is None or value in known.get(field.related_model, {value}) else "new"
    if isinstance(field, models.JSONField) and isinstance(value, dict):
        return {name: part for name, part in value.items() if name not in {"operation", "version"}}  # of new rows
    return value.year if isinstance(field, models.DateTimeField) and value else value


def send(world: World, row: Row, data: dict[str, Any]) -> Any:
    kwargs = arguments_of(row, world.a, row.role)
    if row.name in API:
        headers = {"Authorization": f"Bearer {world.a.secrets['team key']}"}
        return call("POST", reverse(row.name, kwargs=kwargs), data, headers=headers, content_type="application/json")
    return call("POST", reverse(row.name, kwargs=kwargs), data, session=world.session(row.role))


@pytest.mark.parametrize("name", POSTS)
def test_extra_fields_make_no_difference(world: World, name: str):
    row = (ROWS | API)[name]
    data = row.data(world.a)
    known = known_rows()
    with nothing_remains():
        plain, without = send(world, row, data), dump(known)
    with nothing_remains():
        more = row.data(world.a) | extra_fields(world, row, data)  # anew: a file is read once
        extended, with_them = send(world, row, more), dump(known)
    assert extended.status_code == plain.status_code
    different = [(a, b) for a, b in zip(without, with_them, strict=False) if a != b]
    assert with_them == without, different[:3]


@pytest.mark.parametrize("name", POSTS)
@pytest.mark.parametrize("role", MEMBERS)
def test_nobody_makes_themselves_or_others_an_owner(world: World, name: str, role: str):
    """`role=owner`, in every form: there is one owner, made by a transfer."""
    row = (ROWS | API)[name]
    if row.name in API or name in {"teams:transfer", "accounts:delete"}:
        return
    with nothing_remains():
        data = row.data(world.a) | {"role": Role.OWNER.value, "admin_user": world.a.people[role].pk}
        address = reverse(row.name, kwargs=arguments_of(row, world.a, role))
        response = call("POST", address, data, session=world.session(role))
        assert response.status_code < 500
        owners = {
            team.pk: team.admin_user_id for team in Team.objects.filter(pk__in=[world.a.team.pk, world.b.team.pk])
        }
        assert owners.get(world.a.team.pk, world.a.team.admin_user_id) == world.a.people["owner"].pk
        for model in (Membership, Invite):
            assert set(model._default_manager.values_list("role", flat=True)) <= {r.value for r in Role.stored()}


@pytest.mark.parametrize("role", ["viewer", "predictor", "editor"])
@pytest.mark.parametrize("field", ["machine_owner_user", "machine_price_per_row", "is_public", "owner", "team"])
def test_a_member_sets_none_of_these(world: World, role: str, field: str):
    """Whatever form of a machine a member may send: owner, price and publicity of the machine stay."""
    before = Machine.objects.filter(pk=world.a.machine.pk).values().get()
    names = {"machine_owner_user_id", "machine_owner_team_id"} | {name for name in before if "price" in name}
    for name in POSTS:
        row = (ROWS | API)[name]
        if row.namespace != "machines":
            continue
        with nothing_remains():
            address = reverse(name, kwargs=arguments_of(row, world.a, role))
            call("POST", address, row.data(world.a) | {field: world.a.people[role].pk}, session=world.session(role))
            after = Machine.objects.filter(pk=world.a.machine.pk).values().get()
            assert {name: after[name] for name in names} == {name: before[name] for name in names}, name


def test_the_proof_can_fail(world: World):
    """A write of any column is seen."""
    known = known_rows()
    before = dump(known)
    for model, values in ((User, {"is_staff": True}), (Machine, {"machine_owner_team": None}), (Invite, {"note": "x"})):
        with nothing_remains():
            model._default_manager.update(**values)
            assert dump(known) != before
