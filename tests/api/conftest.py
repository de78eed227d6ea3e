"""A machine that answers, and programs that ask it with keys."""

from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.test import Client
from django.utils import timezone

from machines.services import predictions
from machines.serving.sessions import Cache
from models import ApiKey, Machine, Team, User
from models.api_key import Scope
from tests.machines.houses import houses

EVERY_SCOPE = [scope.value for scope in Scope]


@pytest.fixture(autouse=True)
def _no_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers of machines come back after a rollback; loaded models must not."""
    monkeypatch.setattr(predictions, "SESSIONS", Cache())
    monkeypatch.setattr(predictions, "UPLOADED", OrderedDict())


@pytest.fixture
def machine(alice: User) -> Machine:
    return houses().machine(owner=alice, machine_name="Houses")


@pytest.fixture
def shared(machine: Machine, team: Team) -> Machine:
    machine.machine_owner_team = team
    machine.save()
    return machine


class Program:
    """A program with a key. Cookies, CSRF checks and all else is as for any client."""

    def __init__(self, secret: str, key: ApiKey | None = None) -> None:
        self.key, self.client = key, Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {secret}"})
        self.secret = secret

    def get(self, path: str, **kwargs: Any) -> Any:
        return self.client.get(f"/api/{path}", **kwargs)

    def post(self, path: str, body: Any, content_type: str = "application/json") -> Any:
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        return self.client.post(f"/api/{path}", content, content_type=content_type)

    def ask(self, machine: Machine, *rows: Any) -> Any:
        return self.post(f"machines/{machine.pk}/predict/", {"rows": list(rows)})


def make_key(user: User, team: Team | None = None, ends: timedelta | None = None, **kwargs: Any) -> Program:
    key = ApiKey(user=user, team=team, **{"name": "program", "scopes": EVERY_SCOPE} | kwargs)
    key.expires_at = timezone.now() + ends if ends is not None else None
    secret = key.make_secret()
    key.save()
    return Program(secret, key)


@pytest.fixture
def program(alice: User) -> Program:
    """Alice's, with every scope."""
    return make_key(alice)


@pytest.fixture
def of_bob(bob: User) -> Callable[..., Program]:
    return lambda **kwargs: make_key(bob, **kwargs)


def error_of(response: Any) -> dict[str, Any]:
    """Return what was refused, after a look at its shape."""
    assert response["Content-Type"].startswith("application/json"), response.content[:200]
    told: dict[str, Any] = response.json()
    assert set(told) == {"error"} and set(told["error"]) == {"code", "message", "fields"}
    assert told["error"]["message"].endswith((".", "”")) and isinstance(told["error"]["fields"], dict)
    error: dict[str, Any] = told["error"]
    return error
