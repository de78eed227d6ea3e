"""Who is removed is out at the next request: pages, polls, downloads, keys and invitations they made (A3)."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.urls import reverse

from accounts.services.teams import member_remove, role_change, team_delete
from machines.services.sharing import machine_move
from models import Machine, Membership, User, Work
from models.access import Role
from tests.access.rows import API, ROWS
from tests.access.table import PUBLIC, Answer, arguments_of, expected
from tests.access.world import World, call, nothing_remains

pytestmark = pytest.mark.django_db

REMOVED = ["viewer", "predictor", "editor", "admin", "maker"]
# What is shared through the team: its own pages and its machine's.
SHARED = [name for name, row in ROWS.items() if row.namespace in {"teams", "machines", "uploaded"} and row.arguments]
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _undone(world: World) -> Iterator[None]:
    with nothing_remains():
        yield


def remove(world: World, role: str) -> User:
    """Remove the person in this role, as the team's owner does on its page."""
    person = world.a.people[role]
    member_remove(team=world.a.team, person=person, by=world.a.people["owner"])
    return person


def ask(world: World, role: str, name: str, method: str = "GET", **given: Any) -> Any:
    row = ROWS[name]
    address = reverse(name, kwargs=arguments_of(row, world.a, role))
    data = row.data(world.a) if method == "POST" and not row.is_heavy else {}
    with nothing_remains():
        return call(method, address, data, session=world.session(role), **given)


def ask_api(world: World, key: str, name: str) -> int:
    row = API[name]
    method = "GET" if row.get else "POST"
    address = reverse(name, kwargs=arguments_of(row, world.a))
    headers = {"Authorization": f"Bearer {world.a.secrets[key]}"}
    with nothing_remains():
        response = call(method, address, row.data(world.a), headers=headers, content_type="application/json")
    return int(response.status_code)


@pytest.mark.parametrize("role", REMOVED)
def test_every_page_and_form_is_gone(world: World, role: str):
    def answers() -> dict[tuple[str, str], Answer]:
        return {
            (name, method): Answer.of(ask(world, role, name, method))
            for name in SHARED
            for method in ("GET", "POST")
            if ROWS[name].need(method)
        }

    before = answers()
    for (name, method), answer in before.items():
        assert answer in expected(ROWS[name], method, role, "own"), f"{method} {name}"
    assert Answer.LET_IN in before.values()
    remove(world, role)
    assert set(answers().values()) == {Answer.MISSING}


@pytest.mark.parametrize("role", REMOVED)
def test_an_open_poll_ends(world: World, role: str):
    """The page of a running training asks again every few seconds; the next time it is told nothing."""
    Work.objects.get(pk=world.a.work.pk).start()
    assert ask(world, role, "machines:training", headers=HTMX).status_code == 200
    remove(world, role)
    response = ask(world, role, "machines:training", headers=HTMX)
    assert response.status_code == 404 and world.a.marker.encode() not in response.content


@pytest.mark.parametrize(
    ("role", "name"), [("editor", "machines:download"), ("maker", "machines:download"), ("admin", "teams:log-csv")]
)
def test_downloads_end(world: World, role: str, name: str):
    assert ask(world, role, name).status_code == 200
    remove(world, role)
    assert ask(world, role, name).status_code == 404


@pytest.mark.parametrize("role", REMOVED)
def test_their_own_key_opens_nothing_of_the_team(world: World, role: str):
    key = f"{role}'s own"
    assert ask_api(world, key, "api:machine") == 200
    remove(world, role)
    assert ask_api(world, key, "api:machines") == 200  # the key is still theirs
    for name in ("api:machine", "api:machine-predict", "api:machine-download"):
        assert ask_api(world, key, name) == 404, name


def test_a_key_they_made_for_the_team_is_dead(world: World):
    assert ask_api(world, "team key", "api:machine") == 200
    remove(world, "admin")
    asked = [name for name, row in API.items() if row.get != PUBLIC]
    assert len(asked) > 10 and {ask_api(world, "team key", name) for name in asked} == {401}


def test_an_invitation_they_made_is_dead(world: World):
    address = reverse("invites:open", args=[world.a.tokens["invites open"]])
    assert call("GET", address).status_code == 200
    remove(world, "admin")
    assert call("GET", address).status_code == 404
    assert call("POST", address, {"action": "join"}, session=world.session("stranger")).status_code == 404
    assert not Membership.objects.filter(team=world.a.team, user__email__startswith="stranger").exists()


def test_what_they_shared_stays_with_the_team(world: World):
    remove(world, "maker")
    machine = Machine.objects.get(pk=world.a.machine.pk)
    assert (machine.machine_owner_user, machine.machine_owner_team) == (world.a.people["owner"], world.a.team)
    assert ask(world, "viewer", "machines:detail").status_code == 200


def test_what_was_never_shared_stays_theirs(world: World):
    own = Machine.objects.create(machine_name="their own", machine_owner_user=world.a.people["maker"])
    remove(world, "maker")
    own.refresh_from_db()
    assert own.machine_owner_user == world.a.people["maker"]


# Other ways to lose access


def demote(world: World) -> None:
    admin = world.a.people["admin"]
    role_change(team=world.a.team, person=admin, role=Role.VIEWER, by=world.a.people["owner"])


def close(world: World) -> None:
    User.objects.filter(pk=world.a.people["admin"].pk).update(is_active=False)


def end_team(world: World) -> None:
    team_delete(team=world.a.team, by=world.a.people["owner"])


def take_out(world: World) -> None:
    machine = Machine.objects.get(pk=world.a.machine.pk)  # the world's own must not know of it after the test
    machine_move(machine=machine, team=None, user=world.a.people["maker"])


@pytest.mark.parametrize(
    ("happens", "page", "answer"),
    [
        (demote, "teams:log", Answer.REFUSED), (demote, "teams:keys", Answer.REFUSED),
        (demote, "machines:sharing", Answer.REFUSED), (demote, "machines:detail", Answer.LET_IN),
        (close, "teams:log", Answer.SIGN_IN), (close, "machines:detail", Answer.SIGN_IN),
        (end_team, "teams:detail", Answer.MISSING), (end_team, "machines:detail", Answer.MISSING),
        (take_out, "machines:detail", Answer.MISSING), (take_out, "machines:download", Answer.MISSING),
    ],
)  # fmt: skip
def test_it_holds_at_once(world: World, happens: Callable[[World], None], page: str, answer: Answer):
    assert Answer.of(ask(world, "admin", page)) is Answer.LET_IN
    happens(world)
    assert Answer.of(ask(world, "admin", page)) is answer


@pytest.mark.parametrize(("happens", "status"), [(demote, 401), (close, 401), (end_team, 401), (take_out, 404)])
def test_it_holds_for_keys_of_the_team_at_once(world: World, happens: Callable[[World], None], status: int):
    assert ask_api(world, "team key", "api:machine") == 200
    happens(world)
    assert ask_api(world, "team key", "api:machine") == status
