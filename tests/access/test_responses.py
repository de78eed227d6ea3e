"""What every answer keeps to, whatever the address: headers, methods, CSRF, errors, what stays in a browser."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from tests.access.rows import API, ROWS
from tests.access.table import METHODS, PUBLIC, Row, address_of
from tests.access.world import World, call, nothing_remains

pytestmark = pytest.mark.django_db

EVERY = ROWS | API
GETS = [name for name, row in EVERY.items() if row.get]
# The public form takes no cookie, so nobody can be made to send it in their own name.
UNSAFE = [name for name, row in ROWS.items() if row.post and name != "public:form"]
KINDS = {
    "text/html; charset=utf-8", "application/json", "text/csv; charset=utf-8", "text/csv", "application/octet-stream",
    "image/svg+xml", "application/zip", "text/plain; charset=utf-8", "application/pdf",
}  # fmt: skip


def ask(world: World, name: str, method: str = "GET", role: str = "owner", **given: Any) -> Any:
    """Ask as this role for what is the team's own (for the open state of a public address)."""
    row = EVERY[name]
    address = address_of(row, row.things[0], world, role)
    if name in API:
        given["headers"] = {"Authorization": f"Bearer {world.a.secrets['team key']}"} | given.get("headers", {})
        given["content_type"] = "application/json"
    with nothing_remains():
        return call(method, address, session=world.session(role), **given)


def headers_are_right(response: Any) -> bool:
    return response["X-Content-Type-Options"] == "nosniff" and response["Referrer-Policy"] in {
        "same-origin", "no-referrer",
    }  # fmt: skip


@pytest.mark.parametrize("name", GETS)
def test_every_page_has_type_and_headers(world: World, name: str):
    for role in ("anonymous", "viewer", "owner"):
        response = ask(world, name, role=role)
        body = b"".join(response.streaming_content) if response.streaming else response.content
        kind = response.get("Content-Type", "")
        assert kind in KINDS or (not body and kind.startswith("text/html")), f"{role}: {kind}"
        assert headers_are_right(response), f"{role}: {response.headers}"
        assert "Content-Security-Policy" in response.headers or name in API, role


@pytest.mark.parametrize("name", EVERY)
def test_trace_is_no_method(world: World, name: str):
    for role in ("anonymous", "owner"):
        assert ask(world, name, "TRACE", role).status_code == 405, role


@pytest.mark.parametrize(
    ("address", "status"), [("/nowhere/", 404), ("/machines/987654/", 404), ("/api/nowhere/", 404), ("/healthz", 405)]
)
def test_errors_have_the_headers_too(world: World, address: str, status: int):
    response = call("POST" if status == 405 else "GET", address, session=world.session("owner"))
    assert response.status_code == status and headers_are_right(response)


@pytest.mark.parametrize("name", UNSAFE)
def test_a_form_from_elsewhere_is_refused(world: World, name: str):
    """Without its token no unsafe view does anything, not even for those who may."""
    row = ROWS[name]
    client = Client(enforce_csrf_checks=True)
    client.cookies[settings.SESSION_COOKIE_NAME] = world.a.sessions["owner"]
    address = address_of(row, row.things[0], world, "owner")
    data = {} if row.is_heavy else row.data(world.a)
    for method in METHODS[1:]:
        with nothing_remains():
            response = getattr(client, method.lower())(address, data if method == "POST" else None)
        assert response.status_code in ({403} if method == "POST" else {403, 405}), method


@pytest.mark.parametrize("name", [name for name in GETS if ROWS.get(name, Row("")).get not in {PUBLIC, None}])
def test_what_is_private_stays_in_no_browser(world: World, name: str):
    response = ask(world, name)
    assert "no-store" in response.get("Cache-Control", ""), response.headers


@pytest.mark.parametrize("name", [name for name in GETS if ":" in name and ("download" in name or "csv" in name)])
def test_files_are_attachments(world: World, name: str):
    response = ask(world, name)
    assert response.status_code == 200
    assert response["Content-Disposition"].startswith("attachment; filename=")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert not set("\r\n/\\") & set(response["Content-Disposition"])


@pytest.mark.parametrize("address", ["/machines/", "/healthz", "/api/machines/"])
def test_an_error_shows_no_trace(world: World, monkeypatch: pytest.MonkeyPatch, address: str):
    """A fault of ours is a sentence for people and a line in the log, not a page for attackers."""
    from django.db.backends.utils import CursorWrapper

    from models import Machine

    def broken(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("kaboom at /etc/secret")

    monkeypatch.setattr(type(Machine.objects.all()), "allowing", broken)
    if address == "/healthz":
        monkeypatch.setattr(CursorWrapper, "execute", broken)
    headers = {"Authorization": f"Bearer {world.a.secrets['write key']}"}
    session = None if address == "/healthz" else world.session("owner")
    response = call("GET", address, session=session, headers=headers if "api" in address else None)
    body = response.content.decode()
    assert response.status_code == 500
    assert not [
        word
        for word in ("kaboom", "Traceback", 'File "', str(settings.BASE_DIR), "RuntimeError", "django")
        if word in body
    ]


def test_cr_and_lf_forge_no_line(world: World, caplog: pytest.LogCaptureFixture):
    """Whatever a person types, a line of the log stays one line (16.4.1)."""
    console = next(handler for handler in logging.getLogger().handlers if type(handler) is logging.StreamHandler)
    formatter = console.formatter
    assert formatter is not None
    record = logging.LogRecord("x", logging.INFO, "", 0, "typed %s", ("a\r\n2026 ERROR forged\x1b[31m\u2028b",), None)
    assert len(formatter.format(record).splitlines()) == 1 and "\x1b" not in formatter.format(record)


@pytest.fixture
def lines() -> Callable[[], str]:
    """Return everything that was logged since, at any level, as text."""
    kept: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            kept.append(record.getMessage() + str(record.__dict__.get("exc_text") or ""))

    handler, root = Keep(logging.DEBUG), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lambda: "\n".join(kept)
    root.removeHandler(handler)
    root.setLevel(level)


def test_no_secret_is_logged(world: World, lines: Callable[[], str]):
    """Every page asked for, with keys and tokens in use: none of them reaches the log (14.2.1)."""
    for name in EVERY:
        for method in ("GET", "POST"):
            ask(world, name, method, data=EVERY[name].data(world.a) if not EVERY[name].is_heavy else {})
    sql_free = "\n".join(line for line in lines().splitlines() if "SELECT" not in line and "INSERT" not in line)
    secrets = [
        *world.a.secrets.values(),
        *(t for t in world.a.tokens.values() if t != "x" * 43),
        *world.a.sessions.values(),
    ]
    assert [secret for secret in secrets if secret in sql_free] == []
