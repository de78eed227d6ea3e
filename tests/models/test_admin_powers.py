"""The administration: nobody makes themselves more powerful there, or goes around roles and log."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from models import AuditEntry, User
from models.access import Role
from models.audit import AuditAction
from tests.conftest import signed_in
from tests.factories import make_column, make_graph, make_machine, make_team, make_user

pytestmark = pytest.mark.django_db

VERBS = ("change", "delete")
EVERYTHING = {"is_staff": "on", "is_superuser": "on", "is_super_admin": "on"}


@pytest.fixture
def helper():
    """Staff who may change people, and nothing else."""
    user = make_user(email="helper@example.org", is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=["change_user", "view_user"]))
    return user


def send(client, thing, **fields):
    page = client.get(reverse(f"admin:models_{thing._meta.model_name}_change", args=[thing.pk]))
    given = {}
    if page.context and "adminform" in page.context:
        form = page.context["adminform"].form
        given = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
        inlines = page.context["inline_admin_formsets"]
        given |= {f"{i.formset.prefix}-{n}": v for i in inlines for n, v in i.formset.management_form.initial.items()}
    given = {name: value for name, value in given.items() if value is not None and value is not False} | fields
    return client.post(page.wsgi_request.path, given)


def powers(user):
    user = User.objects.get(pk=user.pk)
    return (user.is_staff, user.is_superuser, user.is_super_admin, user.user_permissions.count())


@pytest.mark.parametrize("target", ["helper", "alice"])
def test_who_may_change_people_gives_no_power(request, helper, target):
    person = request.getfixturevalue(target)
    before = powers(person)
    response = send(signed_in(helper), person, first_name="Changed", **EVERYTHING)
    assert response.status_code == 302 and User.objects.get(pk=person.pk).first_name == "Changed"
    assert powers(person) == before


def test_who_may_change_people_cannot_take_over_an_administrator(helper, dana):
    assert send(signed_in(helper), dana, email="mine@example.org").status_code == 403
    assert User.objects.get(pk=dana.pk).email == "dana@example.org"


@pytest.mark.parametrize("kind", ["team", "membership", "machine", "column", "graph"])
def test_what_has_pages_of_its_own_is_only_looked_at(helper, alice, kind):
    """There roles count and the log is written; a permission of the administration must not go around both."""
    codenames = [f"{verb}_{kind}" for verb in ("view", "add", "change", "delete")]
    helper.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    team = make_team(helper, admin=alice)
    machine = make_machine(owner=alice, team=team)
    things = {"team": team, "membership": team.memberships.get(user=helper), "machine": machine}
    things |= {"column": make_column(machine), "graph": make_graph(machine)}
    where, client = f"admin:models_{kind}", signed_in(helper)
    assert client.get(reverse(f"{where}_change", args=[things[kind].pk])).status_code == 200
    for address in (reverse(f"{where}_add"), *(reverse(f"{where}_{v}", args=[things[kind].pk]) for v in VERBS)):
        assert client.post(address, {"post": "yes", "role": "admin"}).status_code == 403
    things[kind].refresh_from_db()
    assert team.role_of(helper) is Role.PREDICTOR


def test_nobody_is_deleted_there(dana_client, alice):
    assert dana_client.post(reverse("admin:models_user_delete", args=[alice.pk]), {"post": "yes"}).status_code == 403


def test_who_gives_power_is_noted(dana_client, dana, alice):
    send(dana_client, alice, is_staff="on")
    send(dana_client, alice, is_staff="on", first_name="Alicia")
    (entry,) = AuditEntry.objects.filter(action=AuditAction.POWERS_CHANGED)
    assert (entry.actor, entry.object_name, entry.details) == (dana, alice.email, {"powers": ["is_staff"]})


def test_an_administrator_gives_power(dana_client, alice):
    assert send(dana_client, alice, **EVERYTHING).status_code == 302
    assert powers(alice)[:3] == (True, True, True)
