"""What every address needs, declared once. A new address without a row here, or a row without one, fails."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from models.access import Action, Role
from models.api_key import Scope
from tests.access.world import MEMBERS, NOWHERE, Tenant, World

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class Who(Enum):
    """Needs that no role in a team answers."""

    PUBLIC = "everybody"
    SIGNED_IN = "everybody with an account"
    STAFF = "staff"
    SUPER = "super administrators"


PUBLIC, SIGNED_IN, STAFF, SUPER = Who
NONE = None  # there is no such method: 405
Need = Action | Who | None


class Answer(Enum):
    """What an answer means for the person who asked; the status codes that say it."""

    LET_IN = "2xx, 3xx, or 400/409/422 about what was sent"
    SIGN_IN = "302 to the sign-in page"
    REFUSED = "403"
    MISSING = "404"
    NO_METHOD = "405"
    NO_KEY = "401"
    BROKEN = "anything else"

    @classmethod
    def of(cls, response: Any) -> "Answer":
        status, place = response.status_code, response.get("Location", "") or response.get("HX-Redirect", "")
        if place.startswith(("/accounts/login/", "/admin/login/")):
            return cls.SIGN_IN
        if place == "/admin/":  # how the administration says that a row is not there
            return cls.MISSING
        known = {401: cls.NO_KEY, 403: cls.REFUSED, 404: cls.MISSING, 405: cls.NO_METHOD}
        let_in = 200 <= status < 400 or status in {400, 409, 410, 422}
        return known.get(status, cls.LET_IN if let_in else cls.BROKEN)


@dataclass(frozen=True)
class Row:
    """One address. `data` is a form (or JSON, under /api/) that works when the tenant's own people send it."""

    name: str
    get: Need = NONE
    post: Need = NONE
    put: Need = NONE
    patch: Need = NONE
    delete: Need = NONE
    data: Callable[[Tenant], dict[str, Any]] = field(default=lambda tenant: {})
    query: Callable[[Tenant], dict[str, Any]] = field(default=lambda tenant: {})
    is_heavy: bool = False  # a working request starts a child process: the matrix sends an empty form instead
    is_idle: bool = False  # its working POST writes nothing but notes
    who: str = ""  # the role that asks where it is recorded; else the machine's maker, or the team's owner
    but: dict[str, set[Answer]] = field(default_factory=dict)  # "role" or "METHOD role" -> what holds instead

    def need(self, method: str) -> Need:
        need: Need = getattr(self, method.lower())
        return need

    @property
    def namespace(self) -> str:
        return self.name.rpartition(":")[0]

    @property
    def role(self) -> str:
        return self.who or ("maker" if self.namespace in {"machines", "uploaded", "graphs", "accounts"} else "owner")

    @property
    def arguments(self) -> tuple[str, ...]:
        return patterns()[self.name]

    @property
    def is_private(self) -> bool:
        return any(need not in {PUBLIC, NONE} for need in map(self.need, METHODS))

    @property
    def things(self) -> tuple[str, ...]:
        """Whose objects it can be asked for."""
        if "token" in self.arguments:
            return ("open", "revoked", "expired", "used up", "unknown")
        if not self.arguments or not self.namespace:
            return ("none",)
        if self.namespace == "accounts":
            return ("own", "foreign", "gone")
        of_tenants = [name for name in self.arguments if name != "key"]  # every report has pictures of these names
        return ("own", "foreign", "gone") + (("mixed",) if len(of_tenants) > 1 else ())


def rows(*found: Row) -> dict[str, Row]:
    return {row.name: row for row in found}


def walk(resolver: URLResolver, spaces: tuple[str, ...] = ()) -> Iterator[tuple[str, tuple[str, ...]]]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            below = (*spaces, pattern.namespace) if pattern.namespace else spaces
            yield from walk(pattern, below)
        else:
            assert isinstance(pattern, URLPattern)
            name = pattern.name or str(pattern.pattern)
            yield ":".join((*spaces, name)), tuple(pattern.pattern.regex.groupindex)


@cache
def patterns() -> dict[str, tuple[str, ...]]:
    """Every address of the site: its name -> the names of its arguments."""
    return dict(walk(get_resolver()))


def arguments_of(row: Row, tenant: Tenant, role: str = "maker") -> dict[str, Any]:
    """Return the arguments with which this address shows what belongs to the tenant (or to the person in this role)."""
    return {name: _argument(row, name, tenant, role) for name in row.arguments}


def _argument(row: Row, name: str, tenant: Tenant, role: str) -> Any:
    own_key = tenant.keys.get(f"{role}'s own")
    known: dict[str, Callable[[], Any]] = {
        "machines pk": lambda: tenant.machine.pk,
        "machines column_pk": lambda: tenant.column.pk,
        "machines link_pk": lambda: tenant.link.pk,
        "machines work_pk": lambda: tenant.solving.pk,
        "uploaded pk": lambda: tenant.version.machine_id,
        "uploaded number": lambda: tenant.version.number,
        "graphs pk": lambda: tenant.machine.pk,
        "graphs graph_pk": lambda: tenant.graph.pk,
        "graphs link_pk": lambda: tenant.graph_link.pk,
        "shown graph_pk": lambda: tenant.graph.pk,
        "shown token": lambda: tenant.tokens["shown open"],
        "teams pk": lambda: tenant.team.pk,
        "teams user_pk": lambda: tenant.people["viewer"].pk,
        "teams invite_pk": lambda: tenant.invite.pk,
        "teams request_pk": lambda: tenant.request.pk,
        "teams key_pk": lambda: tenant.keys["team key"].pk,
        "accounts key_pk": lambda: own_key.pk if own_key else NOWHERE,
        "accounts session_pk": lambda: tenant.session_rows.get(role, NOWHERE),
        "invites token": lambda: tenant.tokens["invites open"],
        "public token": lambda: tenant.tokens["public open"],
        " key": lambda: "nothing",  # of links in mails; their own tests follow good ones
        " uidb36": lambda: "1",
        "dashboards pk": lambda: tenant.machine.pk,
        "dashboards column_pk": lambda: tenant.column.pk,
        "dashboards key": lambda: "importance",  # a picture of the training report
        "dashboards work_pk": lambda: tenant.work.pk,
        "dashboards server_pk": lambda: tenant.server.pk,
        "api pk": lambda: tenant.version.machine_id if "api:model" in row.name else tenant.machine.pk,
        "api number": lambda: tenant.version.number,
        "api work_pk": lambda: tenant.work.pk,
    }
    return known[f"{row.namespace} {name}"]()


def address_of(row: Row, thing: str, world: World, role: str) -> str:
    """Return the address of this thing for this person."""
    own = arguments_of(row, world.a, role)
    if "token" in own:
        return reverse(row.name, kwargs=own | {"token": world.a.tokens[f"{row.namespace} {thing}"]})
    if thing == "own":
        return reverse(row.name, kwargs=own)
    foreign = arguments_of(row, world.b, "editor")
    if thing == "foreign":
        return reverse(row.name, kwargs=foreign)
    if thing == "mixed":
        first = next(iter(own))
        return reverse(row.name, kwargs=foreign | {first: own[first]})
    if thing == "gone":
        first = next(iter(own))
        return reverse(row.name, kwargs=own | {first: world.gone.get(row.namespace.rstrip("s"), NOWHERE)})
    return reverse(row.name, kwargs=own)


def expected(row: Row, method: str, role: str, thing: str) -> set[Answer]:
    """Work out from the roles and the table of access what this cell must answer."""
    for key in (f"{method} {role} {thing}", f"{method} {role}", role, f"{method} {thing}", thing, method):
        if key in row.but:
            return row.but[key]
    need = row.need(method)
    if role == "anonymous" and row.is_private and need is not PUBLIC:
        return {Answer.SIGN_IN} if need else {Answer.SIGN_IN, Answer.NO_METHOD}
    if need is None:
        return {Answer.NO_METHOD}
    if isinstance(need, Who):
        return {_by_account(need, role, thing)}
    return {_by_role(need, role, thing, row.namespace)}


DEAD_KEYS = {"expired key", "revoked key", "ex-admin's team key"}
KEY_POWERS: dict[str, tuple[Role | None, set[Scope]]] = {  # what the key's maker or team may, and the key's scopes
    "read key": (Role.EDITOR, {Scope.READ}),
    "predict key": (Role.EDITOR, {Scope.READ, Scope.PREDICT}),
    "write key": (Role.EDITOR, set(Scope)),
    "no scope key": (Role.EDITOR, set()),
    "team key": (Role.OWNER, set(Scope)),
    "viewer's own": (Role.VIEWER, set(Scope)),
    "ex-member's own": (None, set(Scope)),
    "stranger's own": (None, set(Scope)),
}


def expected_of_key(row: Row, method: str, key: str, thing: str) -> set[Answer]:
    """The same for a call under /api/. A session opens nothing there, whoever's it is."""
    if f"{method} {key}" in row.but:
        return row.but[f"{method} {key}"]
    need = row.need(method)
    if need is PUBLIC:
        return {Answer.LET_IN}
    if key not in KEY_POWERS:
        return {Answer.NO_KEY} if need else {Answer.NO_KEY, Answer.NO_METHOD}
    if need is None:
        return {Answer.NO_METHOD}
    assert isinstance(need, Action)
    role, scopes = KEY_POWERS[key]
    if Scope.of(need) not in scopes:
        return {Answer.REFUSED}
    if thing == "none":
        return {Answer.LET_IN}
    if role is None or thing not in {"own", "mixed"}:
        return {Answer.MISSING}
    if not role.may(need):
        return {Answer.REFUSED}
    return {Answer.LET_IN if thing == "own" else Answer.MISSING}


def _by_account(need: Who, role: str, thing: str) -> Answer:
    is_let_in = {
        PUBLIC: True,
        SIGNED_IN: role != "anonymous",
        STAFF: role in {"staff", "super admin"},
        SUPER: role == "super admin",
    }[need]
    if not is_let_in:
        return Answer.MISSING
    return Answer.LET_IN if thing in {"none", "own", "open"} else Answer.MISSING


def _by_role(need: Action, role: str, thing: str, namespace: str) -> Answer:
    """A role in the team decides about what is the team's; everything else is not there."""
    if thing == "gone":
        return Answer.MISSING
    if role == "super admin":
        return Answer.MISSING if thing == "mixed" else Answer.LET_IN
    if role not in MEMBERS or thing == "foreign":
        return Answer.MISSING
    is_owner = role == "maker" and namespace in {"machines", "uploaded", "graphs"}
    if not is_owner and not MEMBERS[role].may(need):
        return Answer.REFUSED
    return Answer.MISSING if thing == "mixed" else Answer.LET_IN
