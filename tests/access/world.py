"""Two tenants that are alike, and people who belong to neither: what the proofs of this folder look at.

Everything that a tenant typed or made contains its marker, so that a single byte of it in a wrong place is found.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core.cache import cache
from django.core.files.uploadedfile import UploadedFile
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from models import (
    ApiKey,
    Column,
    Graph,
    GraphLink,
    Invite,
    InviteRequest,
    Machine,
    ModelVersion,
    PublicLink,
    Server,
    Team,
    User,
    Work,
)
from models.access import Role
from models.api_key import Scope
from models.audit import AuditAction, record
from models.work import WorkKind, WorkState
from tests.factories import make_admin, make_graph, make_server, make_team, make_user, make_version, make_work
from tests.machines.houses import houses

# Buyer, seller and consultant come with the marketplace and with consulting: their issues add them here.
ROLES = (
    "anonymous", "stranger", "viewer", "predictor", "editor", "admin", "owner", "maker", "ex-member", "staff",
    "super admin",
)  # fmt: skip
KEYS = (
    "read key", "predict key", "write key", "expired key", "revoked key", "stranger's own", "team key",
    "ex-admin's team key", "no scope key", "viewer's own", "ex-member's own",
)  # fmt: skip
MEMBERS = {
    "viewer": Role.VIEWER, "predictor": Role.PREDICTOR, "editor": Role.EDITOR, "admin": Role.ADMIN,
    "owner": Role.OWNER, "maker": Role.EDITOR,
}  # fmt: skip
NOWHERE = 987_654  # a number that nothing has
MISSING_TOKEN = "x" * 43

# What a request may write without changing anything: sessions, the log of actions and when a key was last used.
NOTES = (
    "django_session", "usersessions_usersession", "models_auditentry", "models_easyautomllogger",
    'UPDATE "models_apikey" SET "last_used_at"',
)  # fmt: skip


@dataclass
class Tenant:
    """A team with everything a team can have. `people` holds one person per role, `secrets` what only they know."""

    marker: str
    people: dict[str, User]
    team: Team
    machine: Machine  # of `maker`, shared with the team
    column: Column
    work: Work
    solving: Work  # what `maker` had answered; its files are deleted
    invite: Invite
    link: PublicLink
    request: InviteRequest
    server: Server  # nobody's: for the staff
    version: ModelVersion  # of an uploaded model of `maker`; another one answers
    graph: Graph  # of `machine`, by its maker
    graph_link: GraphLink
    tokens: dict[str, str] = field(default_factory=dict)  # state of a public address -> its token
    keys: dict[str, ApiKey] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    session_rows: dict[str, int] = field(default_factory=dict)  # a second session of each person


def make_tenant(marker: str) -> Tenant:
    people = {role: _person(f"{marker} {role}") for role in (*MEMBERS, "ex-member", "ex-admin")}
    team = make_team(admin=people["owner"], name=f"{marker} team")
    for role in (*MEMBERS, "ex-member", "ex-admin"):
        if role != "owner":
            team.add_user_to_team(people[role], MEMBERS.get(role, Role.ADMIN))
    machine = houses().machine(
        owner=people["maker"], team=team, machine_name=f"{marker} machine", machine_description=f"{marker} described"
    )
    Column.objects.filter(machine=machine).update(description=f"{marker} column")
    losses = {"training_loss": [0.9, 0.5], "validation_loss": [1.0, 0.6]}
    work = make_work(machine, user=people["maker"], curve=losses)
    Work.objects.create(user=people["maker"], **WorkKind.EXPORT.columns, **WorkState.FINISHED.columns)
    solving = _solved(machine, people["maker"], f"{marker} file.csv")
    invite = Invite.objects.create(team=team, invited_by=people["admin"], max_uses=9, note=f"{marker} note")
    link = PublicLink.objects.create(machine=machine, created_by=people["admin"], name=f"{marker} link")
    column = machine.columns.get(name="size")
    request = InviteRequest.objects.create(invite=invite, email=f"wish@{marker.lower()}.example.org")
    version = _uploaded(people["maker"], team, marker)
    graph = make_graph(machine, graph_name=f"{marker} graph", user=people["maker"], graph_type=4, x="size")
    graph_link = GraphLink.objects.create(machine=machine, graph=graph, created_by=people["admin"])
    things = (machine, column, work, solving, invite, link, request, make_server(), version, graph, graph_link)
    tenant = Tenant(marker, people, team, *things)
    _add_tokens(tenant)
    _add_keys(tenant)
    record(AuditAction.TEAM_RENAMED, actor=people["owner"], team=team, target=team, name=f"{marker} entry")
    for role in ("ex-member", "ex-admin"):
        team.remove_user_from_team(people[role])
    return tenant


def _solved(machine: Machine, user: User, file: str) -> Work:
    work = make_work(
        machine, user=user, is_work_solving=True, folder=f"works/{user.pk}", parameters={"file": file, "format": "csv"}
    )
    work.start()
    work.finish({"rows": 3, "errors": 1, "notices": [], "version": 1})
    return work


def _uploaded(user: User, team: Team, marker: str) -> ModelVersion:
    """Return a version that waits for its turn to answer. Its number is no other tenant's."""
    answers = make_version(owner=user, team=team, machine_name=f"{marker} model", file_name=f"{marker}.onnx")
    version = make_version(answers.machine, number=answers.machine.pk + 1000, file_name=f"{marker} next.onnx")
    answers.machine.uploaded_version = answers
    answers.machine.save(update_fields=["uploaded_version"])
    answers.machine.model_uploaded(answers.number)
    return version


def _person(name: str) -> User:
    return make_user(
        email=f"{name.replace(' ', '.')}@{name.split()[0]}.example.org", first_name=name, user_profile=f"{name} profile"
    )


def _token(row: Any) -> str:
    return str(row.link).rstrip("/").rpartition("/")[2]


def _add_tokens(tenant: Tenant) -> None:
    """Keep the token of one invitation and one public link in every state."""
    past, admin = timezone.now() - timedelta(days=1), tenant.people["admin"]
    states: dict[str, dict[str, Any]] = {
        "open": {"max_uses": 9}, "revoked": {"revoked_at": past}, "expired": {"expires_at": past},
        "used up": {"max_uses": 1, "uses": 1},
    }  # fmt: skip
    for state, values in states.items():
        note = f"{tenant.marker} {state}"
        invite = Invite.objects.create(team=tenant.team, invited_by=admin, note=note, **values)
        link = PublicLink.objects.create(machine=tenant.machine, created_by=admin, name=note, **values)
        tenant.tokens |= {f"invites {state}": _token(invite), f"public {state}": _token(link)}
        if "max_uses" not in values:
            shown = GraphLink.objects.create(machine=tenant.machine, created_by=admin, **values)
            tenant.tokens |= {f"shown {state}": _token(shown)}
    # Graphs are shown as often as one likes: one whose maker has lost the power stands in for what is used up.
    tenant.tokens |= {"shown open": _token(tenant.graph_link), "shown unknown": MISSING_TOKEN}
    stopped = GraphLink.objects.create(machine=tenant.machine, created_by=tenant.people["ex-member"])
    tenant.tokens |= {"shown used up": _token(stopped)}
    by_former = Invite.objects.create(team=tenant.team, invited_by=tenant.people["ex-admin"], max_uses=9)
    tenant.tokens |= {"invites maker removed": _token(by_former)}
    tenant.tokens |= {"invites unknown": MISSING_TOKEN, "public unknown": MISSING_TOKEN}


def _add_keys(tenant: Tenant) -> None:
    """Keep keys of every scope of the editor's, and one of each kind that opens nothing any more."""
    past, editor, admin = timezone.now() - timedelta(days=1), tenant.people["editor"], tenant.people["admin"]
    every = [scope.value for scope in Scope]
    _add_key(tenant, "read key", editor, ["read"])
    _add_key(tenant, "predict key", editor, ["read", "predict"])
    _add_key(tenant, "write key", editor, every)
    _add_key(tenant, "no scope key", editor, [])
    _add_key(tenant, "expired key", editor, every, expires_at=past)
    _add_key(tenant, "revoked key", editor, every, revoked_at=past)
    _add_key(tenant, "team key", admin, every, team=tenant.team)
    _add_key(tenant, "ex-admin's team key", tenant.people["ex-admin"], every, team=tenant.team)
    for role, person in tenant.people.items():
        _add_key(tenant, f"{role}'s own", person, every)


def _add_key(tenant: Tenant, name: str, user: User, scopes: list[str], **values: Any) -> None:
    key = ApiKey(user=user, name=f"{tenant.marker} {name}", scopes=scopes, **values)
    tenant.secrets[name] = key.make_secret()
    key.save()
    tenant.keys[name] = key


@dataclass
class World:
    """Tenant A, tenant B, those who belong to neither, and what is no more."""

    a: Tenant
    b: Tenant
    outsiders: dict[str, User]
    gone: dict[str, int]

    def session(self, role: str) -> str | None:
        """The session of a person of tenant A, or of one who belongs to neither; None for a visitor."""
        return self.a.sessions.get(role)


def make_world() -> World:
    a, b = make_tenant("Aardvark"), make_tenant("Badger")
    outsiders = {"stranger": _person("Stranger"), "staff": _person("Staff"), "super admin": make_admin()}
    User.objects.filter(pk=outsiders["staff"].pk).update(is_staff=True)
    for role, person in outsiders.items():
        _add_key(a, f"{role}'s own", person, [scope.value for scope in Scope])
    world = World(a, b, outsiders, _make_gone(a))
    for tenant, people in ((a, a.people | outsiders), (b, b.people)):
        tenant.sessions = {role: sign_in(person) for role, person in people.items()}
        tenant.session_rows = {role: _second_session(person) for role, person in people.items()}
    return world


def _second_session(person: User) -> int:
    row = UserSession.objects.create(user=person, session_key=sign_in(person), ip="127.0.0.1", user_agent="another")
    return int(row.pk)


def _make_gone(tenant: Tenant) -> dict[str, int]:
    """Numbers that existed in the tenant until a moment ago."""
    owner = tenant.people["owner"]
    team = make_team(admin=owner)
    machine = Machine.objects.create(machine_name="gone", machine_owner_user=owner, machine_owner_team=tenant.team)
    gone = {"team": team.pk, "machine": machine.pk}
    team.delete()
    machine.delete()
    return gone


def sign_in(person: User) -> str:
    """Return the key of a session in which this person has just proved who they are."""
    client = Client()
    client.force_login(person)
    session, methods = client.session, "account_authentication_methods"
    session[methods] = [{"method": "password", "at": time.time(), "email": person.email, "reauthenticated": True}]
    session[f"{methods}_user"] = str(person.pk)
    session.save()
    return str(session.session_key)


def call(
    method: str,
    path: str,
    data: Any = None,
    session: str | None = None,
    headers: dict[str, str] | None = None,
    **given: Any,
) -> Any:
    """Ask the site once, with the cookie of this session and nothing left of earlier requests."""
    cache.clear()  # limits of attempts belong to their own tests
    client = Client(raise_request_exception=False)
    if session:
        client.cookies = SimpleCookie({settings.SESSION_COOKIE_NAME: session})
    if method == "POST":
        if any(isinstance(value, UploadedFile) for value in (data or {}).values()):
            given.pop("content_type", None)  # files come in a form, to programs too
        return client.post(path, data or {}, headers=headers, **given)
    if method == "GET":
        return client.get(path, data if "content_type" not in given else None, headers=headers)
    return client.generic(method, path, headers=headers)


@contextmanager
def nothing_remains() -> Iterator[None]:
    """Undo whatever happens inside."""
    point = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(point)


class Writes:
    """Notes every statement that writes to a table other than those of NOTES."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        words = sql.split(None, 3)
        if words[0].upper() in {"INSERT", "UPDATE", "DELETE", "REPLACE"} and not any(name in sql for name in NOTES):
            self.seen.append(sql[:200])
        return execute(sql, params, many, context)


@contextmanager
def watching() -> Iterator[list[str]]:
    writes = Writes()
    with connection.execute_wrapper(writes):
        yield writes.seen
