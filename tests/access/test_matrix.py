"""Every address x every method x every role x every kind of object answers as the table of access says (A1).

Each cell runs in a savepoint that is rolled back. Pages are rendered for a few roles only; the status needs no page.
"""

from itertools import product
from typing import Any

import pytest

from models.access import Action
from tests.access.rows import API, ROWS
from tests.access.table import METHODS, Answer, Row, address_of, expected, expected_of_key, patterns
from tests.access.world import KEYS, ROLES, World, call, nothing_remains, watching

pytestmark = pytest.mark.django_db

RENDERED = {"anonymous", "viewer", "owner"}
HTMX = {"HX-Request": "true"}
MEMBERS_ONLY = {action for action in Action if action is not Action.SEE}  # what a viewer may not do


def test_every_address_has_a_row_and_every_row_an_address():
    addresses = {name for name in patterns() if not name.startswith("admin:")}
    missing, idle = addresses - set(ROWS) - set(API), (set(ROWS) | set(API)) - addresses
    assert not missing, f"declare a row in tests/access/rows.py for {sorted(missing)}"
    assert not idle, f"no address has the name of these rows: {sorted(idle)}"


@pytest.mark.parametrize("name", ROWS)
def test_matrix(world: World, plain: Any, name: str):
    row, problems = ROWS[name], Problems()
    for thing, role in product(row.things, ROLES):
        address, session = address_of(row, thing, world, role), world.session(role)
        for method in METHODS:
            plain(role in RENDERED and row.need(method) is not None)
            data = row.data(world.a) if method == "POST" and not row.is_heavy else {}
            wanted = expected(row, method, role, thing)
            problems.ask(row, method, address, role, thing, wanted, session=session, data=data)
            if method == "GET" and role in RENDERED:  # a part of the page is guarded like the whole
                problems.ask(row, method, address, role, thing, wanted, session=session, headers=HTMX)
    assert not problems.found, str(problems)


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if MEMBERS_ONLY & set(map(row.need, METHODS))])
def test_a_refusal_says_why(world: World, name: str):
    """Who sees a thing and may not change it is told which role it takes, and who can give it."""
    row, viewer = ROWS[name], world.a.people["viewer"]
    for method in (method for method in ("GET", "POST") if row.need(method) in MEMBERS_ONLY):
        with nothing_remains():
            response = call(method, address_of(row, "own", world, "viewer"), session=world.session("viewer"))
        assert response.status_code == 403
        assert f"{viewer.get_full_name()} is Viewer in “{world.a.team.name}”" in response.content.decode(), method


@pytest.mark.parametrize("name", API)
def test_keys(world: World, name: str):
    """Under /api/ a key is asked for, and nothing else: the sessions of the cast open nothing."""
    row, problems = API[name], Problems()
    for thing, key in product(row.things, [*KEYS, *ROLES]):
        address = address_of(row, thing, world, "maker")
        secret, session = world.a.secrets.get(key), world.session(key)
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        for method in METHODS:
            wanted = expected_of_key(row, method, key, thing)
            given = {"session": session, "headers": headers, "content_type": "application/json"}
            problems.ask(row, method, address, key, thing, wanted, data=row.data(world.a), **given)
    assert not problems.found, str(problems)


class Problems:
    """Asks for one cell after another and keeps what is wrong, with the people for whom it is."""

    def __init__(self) -> None:
        self.found: dict[str, list[str]] = {}

    def ask(self, row: Row, method: str, address: str, who: str, thing: str, wanted: set[Answer], **given: Any) -> None:
        """An answer must be a wanted one; looking and being refused must write nothing."""
        with nothing_remains(), watching() as writes:
            response = call(method, address, **given)
        got = Answer.of(response)
        cell = f"{method} {address} ({thing}): {response.status_code} {got.name}"
        if got not in wanted:
            self._note(f"{cell}, not {' or '.join(sorted(answer.name for answer in wanted))}", who)
        if writes and (method == "GET" or got is not Answer.LET_IN) and f"{method} writes" not in row.but:
            self._note(f"{cell} and yet {writes[0]}", who)

    def _note(self, problem: str, who: str) -> None:
        self.found.setdefault(problem, []).append(who)

    def __str__(self) -> str:
        return "\n" + "\n".join(f"{problem}, as {', '.join(people)}" for problem, people in self.found.items())
