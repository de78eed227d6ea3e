"""Every address of machines, every method, every kind of person. A new address without a row here fails."""

import pytest
from django.test import Client

from machines.urls import urlpatterns
from models import Column, Machine, Work
from tests.conftest import signed_in
from tests.factories import make_user
from tests.machines.houses import houses
from tests.machines.views.pages import HTMX, url

pytestmark = pytest.mark.django_db

SEE, EDIT, ANYONE = "see", "edit", "anyone signed in"

# Address -> who may GET it and who may POST to it; None: nobody, it has no such method.
TABLE = {
    "list": (ANYONE, None),
    "new": (ANYONE, ANYONE),
    "detail": (SEE, None),
    "source": (EDIT, EDIT),
    "columns": (EDIT, EDIT),
    "column": (None, EDIT),
    "rows": (EDIT, EDIT),
    "training": (SEE, EDIT),
    "training-finish": (None, EDIT),
    "training-cancel": (None, EDIT),
    "predict": (SEE, SEE),
    "download": (EDIT, None),
    "delete": (EDIT, EDIT),
}
MAY = {
    "owner": {SEE, EDIT, ANYONE},
    "administrator": {SEE, EDIT, ANYONE},
    "team admin": {SEE, EDIT, ANYONE},
    "member": {SEE, ANYONE},
    "stranger": {ANYONE},
    "former member": {ANYONE},
}
CELLS = [(name, method, who) for name in TABLE for method in ("GET", "POST") for who in [*MAY, "nobody"]]


def arguments(name, machine):
    if name in {"list", "new"}:
        return []
    return [machine.pk, machine.columns.first().pk] if name == "column" else [machine.pk]


@pytest.fixture
def people(alice, bob, charlie, dana, team):
    """The cast in its roles; the machine belongs to Alice and to a team that Tina administers."""
    tina, former = make_user(email="tina@example.org"), make_user(email="former@example.org")
    team.admin_user = tina
    team.save()
    team.add_user_to_team(alice)
    team.add_user_to_team(former)
    former.Teams.remove(team)
    return {
        "owner": alice, "team admin": tina, "member": bob, "stranger": charlie, "administrator": dana,
        "former member": former,
    }  # fmt: skip


def test_every_address_has_a_row():
    assert {pattern.name for pattern in urlpatterns} == set(TABLE)


@pytest.mark.parametrize(("name", "method", "who"), CELLS, ids=lambda value: value.replace(" ", "-"))
def test_matrix(shared, people, name, method, who):
    client = Client() if who == "nobody" else signed_in(people[who])
    response = client.generic(method, url(name, *arguments(name, shared)))
    needed = TABLE[name][method == "POST"]
    if who == "nobody":
        assert response.status_code == 302 and response["Location"].startswith("/accounts/login/?next=/machines/")
    elif needed is None:
        assert response.status_code == 405
    elif needed in MAY[who]:
        assert response.status_code in {200, 302} and "/accounts/login/" not in response.get("Location", "")
    else:
        assert response.status_code == (403 if who == "member" else 404)


@pytest.mark.parametrize("name", [name for name in TABLE if TABLE[name][1] == EDIT])
def test_a_refused_post_changes_nothing(shared, bob_client, name):
    before = dump()
    response = bob_client.post(url(name, *arguments(name, shared)), {"level": "1", "train": "1"}, headers=HTMX)
    assert response.status_code == 403 and b"Bob is Predictor in" in response.content
    assert dump() == before


@pytest.mark.parametrize("name", [name for name in TABLE if TABLE[name][0] and name != "list"])
def test_looking_changes_nothing(shared, alice_client, name):
    before = dump()
    alice_client.get(url(name, *arguments(name, shared)))
    alice_client.get(url(name, *arguments(name, shared)), headers=HTMX)
    assert dump() == before


def dump():
    return [list(model.objects.order_by("pk").values()) for model in (Machine, Column, Work)]


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
@pytest.mark.parametrize("name", TABLE)
def test_no_other_methods(shared, alice_client, name, method):
    assert getattr(alice_client, method)(url(name, *arguments(name, shared))).status_code == 405


@pytest.mark.parametrize("name", [name for name in TABLE if name not in {"list", "new"}])
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["browser", "htmx"])
def test_not_yours_and_not_there_look_the_same(machine, charlie_client, name, headers):
    method = "get" if TABLE[name][0] else "post"
    here = url(name, *arguments(name, machine))
    nowhere = here.replace(f"/{machine.pk}/", "/987654/", 1)
    theirs, none = (getattr(charlie_client, method)(address, headers=headers) for address in (here, nowhere))
    assert theirs.status_code == none.status_code == 404
    assert theirs.content == none.content and b"Houses" not in theirs.content


def test_a_column_of_another_machine_is_not_there(machine, alice_client):
    other = houses().machine(owner=make_user())
    foreign = other.columns.get(name="size")
    response = alice_client.post(url("column", machine.pk, foreign.pk), {f"{foreign.pk}-type": "LABEL"})
    assert response.status_code == 404
    foreign.refresh_from_db()
    assert foreign.type == "FLOAT"


def test_fields_that_are_not_in_the_form_are_not_written(machine, alice_client, charlie):
    column = machine.columns.get(name="size")
    fields = {"type": "FLOAT", "role": "input", "name": "stolen", "machine": 1, "position": 99, "profile": "{}"}
    alice_client.post(url("column", machine.pk, column.pk), {f"{column.pk}-{name}": v for name, v in fields.items()})
    column.refresh_from_db()
    assert (column.name, column.machine_id, column.position) == ("size", machine.pk, 0) and column.profile
    alice_client.post(url("columns", machine.pk), {"machine_owner_user": charlie.pk, "rows_count": 5, "save": "1"})
    machine.refresh_from_db()
    assert machine.machine_owner_user != charlie and machine.rows_count == 200


@pytest.mark.parametrize("name", [name for name in TABLE if TABLE[name][1]])
def test_a_form_from_elsewhere_is_refused(shared, alice, name):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    before = dump()
    assert client.post(url(name, *arguments(name, shared)), {"level": "1"}).status_code == 403
    assert dump() == before
