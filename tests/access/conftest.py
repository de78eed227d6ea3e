"""One world per module, made once; every test undoes what it did."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import transaction
from django.template.backends.django import Template
from django.test import override_settings

from tests.access.world import World, make_world

MD5 = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Two tenants and those who belong to neither, in a transaction around all tests of the module."""
    storage = tmp_path_factory.mktemp("storage")
    with (
        django_db_blocker.unblock(),
        transaction.atomic(),
        override_settings(PASSWORD_HASHERS=MD5, STORAGE_ROOT=storage),
    ):
        yield make_world()
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker runs here: whoever waited for the check of a model would wait for half a minute."""
    monkeypatch.setattr("machines.api.uploads.WAIT_SECONDS", 0)


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Return a switch: whether templates are rendered. A status needs no page."""
    render, switch = Template.render, {"is_on": True}
    monkeypatch.setattr(Template, "render", lambda self, *a, **k: render(self, *a, **k) if switch["is_on"] else "")
    return lambda is_on: switch.update(is_on=is_on)
