"""The administration is for staff, shows no secret, and breaks at nothing that is searched for."""

from itertools import product
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.urls import reverse

from models import User
from tests.access.table import METHODS, Answer, Row, patterns
from tests.access.test_matrix import Problems
from tests.access.world import ROLES, World, call, nothing_remains

pytestmark = pytest.mark.django_db

ADMIN = sorted(name for name in patterns() if name.startswith("admin:"))
OF_ROWS = ("_changelist", "_add", "_history", "_delete", "_change")
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.mark.parametrize("name", ADMIN)
def test_the_administration_is_for_staff(world: World, plain: Any, name: str):
    """Who is no staff is sent to the sign-in page; staff without a permission get nothing; looking writes nothing."""
    row, problems = Row(name), Problems()
    address = address_in(name, world)
    plain(False)
    for role, method in product(ROLES, METHODS):
        problems.ask(row, method, address, role, "any", answers_for(name, role), session=world.session(role))
    assert not problems.found, str(problems)


def address_in(name: str, world: World) -> str:
    if not name.split(":")[1][0].isalpha():  # without a name: what catches the rest, and old addresses of rows
        return "/admin/nowhere/" if "url" in patterns()[name] else f"/admin/models/machine/{world.a.machine.pk}/"
    known = {"app_label": "models", "content_type_id": 1, "url": "nowhere", "object_id": world.a.machine.pk}
    return reverse(name, kwargs={argument: known[argument] for argument in patterns()[name]})


def answers_for(name: str, role: str) -> set[Answer]:
    for_staff = {Answer.LET_IN, Answer.MISSING, Answer.NO_METHOD, Answer.REFUSED, Answer.SIGN_IN}
    if role == "super admin" or name in {"admin:login", "admin:logout"}:
        return for_staff
    if role != "staff":
        return {Answer.SIGN_IN}
    is_of_rows = name.endswith(OF_ROWS) and name != "admin:password_change"
    return {Answer.REFUSED, Answer.MISSING} if is_of_rows else for_staff


def pages(world: World, session: str | None) -> list[tuple[str, str]]:
    """Return every page of the administration that shows rows, as this person gets it."""
    found = []
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        addresses = [reverse(f"{name}_changelist")]
        addresses += [reverse(f"{name}_change", args=[row.pk]) for row in model._default_manager.all()[:30]]
        found += [(address, call("GET", address, session=session).content.decode()) for address in addresses]
    return found


def secrets_of(world: World) -> list[str]:
    tokens = [token for token in world.a.tokens.values() if token != "x" * 43]
    seeds = [world.a.invite.token_seed, world.a.link.token_seed]
    return [TOTP_SECRET, *world.a.secrets.values(), *tokens, *seeds, *world.a.sessions.values()]


def test_no_page_shows_a_secret(world: World):
    """Not even to who administers the site: with them they could be anybody else, and nothing would tell."""
    with nothing_remains():
        TOTP.activate(world.a.people["owner"], TOTP_SECRET)
        for role, session in world.a.sessions.items():
            person = User.objects.filter(pk=getattr(world.a.people.get(role), "pk", None)).first()
            if person:
                UserSession.objects.create(user=person, session_key=session, ip="127.0.0.1", user_agent="browser")
        assert Authenticator.objects.exists() and UserSession.objects.exists()
        shown = pages(world, world.session("super admin"))
    assert [(address, secret) for address, text in shown for secret in secrets_of(world) if secret in text] == []


@pytest.mark.parametrize("text", ["'", "x", "9" * 40, "%", "alice@example.org"])
def test_searching_breaks_nothing(world: World, text: str):
    for model in admin.site._registry:
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        response = call("GET", address, {"q": text}, session=world.session("super admin"))
        assert response.status_code < 500, address


def test_staff_see_in_it_what_they_may_see_elsewhere(world: World):
    """A permission says what they may do with rows, not whose rows they are."""
    staff = User.objects.get(is_staff=True, is_superuser=False)
    address = reverse("admin:models_machine_change", args=[world.a.machine.pk])
    with nothing_remains():
        staff.user_permissions.add(*Permission.objects.filter(codename__in=["view_machine", "view_team"]))
        for model in ("machine", "team"):
            listed = call("GET", reverse(f"admin:models_{model}_changelist"), session=world.session("staff"))
            assert listed.status_code == 200 and world.a.marker not in listed.content.decode()
        assert Answer.of(call("GET", address, session=world.session("staff"))) is Answer.MISSING
