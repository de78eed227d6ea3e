"""The cast, and what every test stands on.

Alice owns, Bob is on her team, Charlie must get nothing, Dana administers, Cara is a consultant.
"""

import os
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connections
from django.test import Client

from models import Team, User
from tests.browsing import open_chromium
from tests.factories import PASSWORD, make_admin, make_team, make_user


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """With CI=true a skip is a failure: what cannot be tested there must be installed, not passed over."""
    outcome: Any = yield
    report = outcome.get_result()
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI", "").lower() == "true":
        report.outcome = "failed"
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.longrepr = f"{item.nodeid} was skipped, and with CI=true a skip is a failure: {reason}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the pure packages touch no database: the second run, on PostgreSQL, leaves them out."""
    for item in items:
        if {"engine", "serving", "conversion"} & set(item.path.parts):
            item.add_marker(pytest.mark.engine)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """SQLite in a file of this run: threads and processes of a test must be able to meet there."""
    database = connections.databases["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture(autouse=True)
def _surroundings(
    request: pytest.FixtureRequest, settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Storage of its own for each test, an empty cache, no mail, fast passwords; static files as they lie."""
    cache.clear()
    standing = SimpleNamespace(time=partial(int, time.time()))  # else a minute of limits may end in between
    monkeypatch.setattr("config.limits.time", standing)
    if loaded := sys.modules.get("machines.services.predictions"):
        loaded.UPLOADED.clear()  # numbers of machines come back after a rollback, their models must not
    settings.STORAGE_ROOT = tmp_path / "storage"
    settings.STORAGE_ROOT.mkdir()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if request.node.get_closest_marker("browser"):
        return  # a browser gets the static files as in production
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATIC_ROOT.mkdir()
    files = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": settings.STORAGE_ROOT}}
    static = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {"default": files, "staticfiles": static}


@pytest.fixture
def alice(db: None) -> User:
    return make_user(email="alice@example.org", first_name="Alice", last_name="Archer")


@pytest.fixture
def bob(db: None) -> User:
    return make_user(email="bob@example.org", first_name="Bob")


@pytest.fixture
def charlie(db: None) -> User:
    return make_user(email="charlie@example.org", first_name="Charlie")


@pytest.fixture
def dana(db: None) -> User:
    return make_admin(email="dana@example.org", first_name="Dana")


@pytest.fixture
def cara(db: None) -> User:
    return make_user(email="cara@example.org", first_name="Cara")


@pytest.fixture
def team(alice: User, bob: User) -> Team:
    return make_team(bob, admin=alice, name="Alice and Bob")


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def proved(client: Client) -> Client:
    """Type the password once more, as is asked before what matters; it counts for five minutes."""
    assert client.post("/accounts/reauthenticate/", {"password": PASSWORD}).status_code == 302
    return client


@pytest.fixture
def alice_client(alice: User) -> Client:
    return signed_in(alice)


@pytest.fixture
def bob_client(bob: User) -> Client:
    return signed_in(bob)


@pytest.fixture
def charlie_client(charlie: User) -> Client:
    return signed_in(charlie)


@pytest.fixture
def dana_client(dana: User) -> Client:
    return signed_in(dana)


@pytest.fixture
def cara_client(cara: User) -> Client:
    return signed_in(cara)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    yield from open_chromium()


@pytest.fixture
def files_as_they_lie(settings: LazySettings, tmp_path: Path) -> None:
    """Link to the static files as they are now, so that no earlier collectstatic decides what a browser sees."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    settings.STATIC_ROOT = tmp_path / "static"
    call_command("collectstatic", link=True, interactive=False, verbosity=0)
