"""The short way to a prediction: for a program that asks thousands of times, the answer and hardly anything else.

Django, its middleware and the REST framework take some milliseconds before a machine is asked for microseconds. This
answers such a call right after the web server, and only if all of it is as usual: a key in good standing that may ask
this machine, below its limit, with a small body of JSON that can be read. Whatever else, and every refusal, goes the long
way (machines.api) untouched, so refusals are decided and worded in one place. Who may ask is the same query
(models.prepared), at every call. Headers are those that the long way gave to the same host.
"""

import io
import re
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias
from weakref import WeakKeyDictionary

import orjson
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import activate

from api.formats import JsonRenderer
from api.throttling import COUNTED, is_below_limit
from config.formats import use_formats
from machines.api.answers import ANSWERS, Asked, Caller
from machines.api.calls import FAILED, FORMATS
from machines.services.hosting import ModelFailedError
from models import ApiKey, User, tokens
from models.access import Action
from models.api_key import NOTED_EVERY, Scope
from models.prepared import MOMENTS, NUMBERS, TEXT, Prepared

ADDRESS = re.compile(r"/api/(machines|models)/([0-9]{1,18})/predict/")
BEARER = "Bearer "
UNUSUAL = (
    "QUERY_STRING",
    "HTTP_COOKIE",
    "HTTP_TRANSFER_ENCODING",
    "HTTP_IDEMPOTENCY_KEY",
    "HTTP_EXPECT",
    "SCRIPT_NAME",
)
PLACE = ("HTTP_X_FORWARDED_PROTO", "HTTP_HOST", "HTTP_ACCEPT_LANGUAGE")  # what headers depend on, with the address
SOCKET = "gunicorn.socket"
MOST_PLACES = 100
MOST_BYTES = 65_536  # of a body
RENDERER = JsonRenderer()

Environ: TypeAlias = dict[str, Any]
Headers: TypeAlias = list[tuple[str, str]]
Site: TypeAlias = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

# A key that works and was used in the last minute: its first call of a minute goes the long way, which notes the use.
KEY = Prepared(
    lambda: (
        ApiKey.objects.usable(now=MOMENTS[0])
        .by_secret(TEXT)
        .filter(last_used_at__gt=MOMENTS[1])
        .values_list("pk", "user", "team", "user__is_super_admin", "scopes")
        .order_by()
    ),
    MOMENTS[0],
    tokens.digest(TEXT),
    MOMENTS[1],
)


def _machines(key: ApiKey, *stand_ins: int) -> Prepared:
    """Return the question whether such a key may ask a machine, and for what is needed to ask it."""
    key.scopes = [Scope.PREDICT]
    machines = key.machines(Action.PREDICT)
    return Prepared(lambda: machines.filter(pk=NUMBERS[0]).values_list(*Asked._fields).order_by(), *stand_ins)


OF_TEAM = _machines(ApiKey(team_id=NUMBERS[1]), NUMBERS[0], NUMBERS[1])
OF_PERSON = _machines(ApiKey(user=User(pk=NUMBERS[1])), NUMBERS[0], NUMBERS[1])
OF_SUPER_ADMIN = _machines(ApiKey(user=User(is_super_admin=True)), NUMBERS[0])


class Call(NamedTuple):
    """What the head of a usual request says."""

    kind: str  # in ANSWERS
    pk: int  # of the machine
    digest: str  # of the key
    place: tuple[str | None, ...]  # the values of PLACE


class Known(NamedTuple):
    """What is the same in all answers at a place."""

    headers: Headers
    lines: bytes  # the headers as they are sent
    language: str


class Lane:
    """The WSGI application: the short way, with the site behind it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.known: dict[tuple[Any, ...], Known] = {}  # by address and place
        self.tried: WeakKeyDictionary[Any, Environ] = WeakKeyDictionary()  # by connection: what `quick` has found out

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        tried = self.tried.pop(environ[SOCKET], None) if SOCKET in environ else None
        environ |= tried or {}
        call = self.call_of(environ) if tried is None else None
        if call is None:
            return self.site(environ, start_response)
        place = (environ.get("REMOTE_ADDR"), *call.place)
        known = self.known.get(place)
        if known is None:
            return self.site(environ, self._learning(place, start_response))
        content = _answered(call, environ, None, known.language)
        if content is None:
            return self.site(environ, start_response)
        start_response("200 OK", [*known.headers, ("Content-Length", str(len(content)))])
        return [content]

    @staticmethod
    def call_of(environ: Environ) -> Call | None:
        """Return what a request asks for, if nothing of it but key and body can change the answer."""
        get, size = environ.get, environ.get("CONTENT_LENGTH") or ""
        address, key = ADDRESS.fullmatch(environ["PATH_INFO"]), get("HTTP_AUTHORIZATION", "")
        is_usual = (
            environ["REQUEST_METHOD"] == "POST"
            and get("CONTENT_TYPE") == "application/json"
            and size.isdecimal()
            and int(size) <= MOST_BYTES
            and key.startswith(BEARER)
            and not any(map(get, UNUSUAL))
        )
        if address is None or not is_usual:
            return None
        return Call(address[1], int(address[2]), tokens.digest(key[len(BEARER) :]), tuple(map(get, PLACE)))

    def quick(self, call: Call, body: bytes, address: str, connection: Any) -> tuple[bytes, bytes] | None:
        """Return headers, as they are sent, and content for a request that config.threads has read.

        None: it is to come again, through `__call__` and on the same connection. What it has cost so far is not done
        again: its key's limit has counted it, and a model that failed is not asked twice.
        """
        known = self.known.get((address, *call.place))
        if known is None:
            return None
        found: Environ = {}
        content = _answered(call, found, body, known.language)
        if content is None:
            self.tried[connection] = found
            return None
        return known.lines, content

    def _learning(self, place: tuple[Any, ...], start_response: Callable[..., Any]) -> Callable[..., Any]:
        """Keep the headers that the long way gives to a good answer."""

        def start(status: str, headers: Headers, *error: Any) -> Any:
            names = {name: value for name, value in headers if name != "Content-Length"}
            if status == "200 OK" and "Set-Cookie" not in names and "Content-Language" in names:
                if len(self.known) >= MOST_PLACES:
                    self.known.clear()
                lines = "".join(f"{name}: {value}\r\n" for name, value in names.items())
                self.known[place] = Known([*names.items()], lines.encode("latin-1"), names["Content-Language"])
            return start_response(status, headers, *error)

        return start


def _answered(call: Call, environ: Environ, body: bytes | None, language: str) -> bytes | None:
    """Return the answer, or None for the long way, which is to know what then stands in `environ`."""
    try:
        return _answer(call, environ, body, language)
    except ModelFailedError as error:
        environ[FAILED] = error  # the long way says so: a model that takes too long is not asked twice
    except Exception:  # whatever it is, the long way meets it again, and tells and logs it
        return None
    return None


def _answer(call: Call, environ: Environ, body: bytes | None, language: str) -> bytes | None:
    database = connections[DEFAULT_DB_ALIAS]
    database.close_if_unusable_or_obsolete()
    now, earlier = _moments(int(time.time()) + 1)
    for key, user, team, is_super_admin, scopes in KEY.rows(now, call.digest, earlier, database=database):
        if Scope.PREDICT not in orjson.loads(scopes) or not is_below_limit("predict", key):
            return None
        environ[COUNTED] = True
        if body is None:
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            environ["wsgi.input"] = io.BytesIO(body)
        for row in _rows(call.pk, user, team, is_super_admin, database):
            activate(language)  # as django.middleware.locale does, for good: every request begins with this
            with use_formats(FORMATS):
                return RENDERER.render(ANSWERS[call.kind](Asked(*row), orjson.loads(body), Caller(key, user)))
    return None


@lru_cache(maxsize=1)
def _moments(second: int) -> tuple[datetime, datetime]:
    """Return until when a key must last, and since when it must have been used.

    The end of the running second is asked for, so the same for a second: a key that ends within it goes the long way.
    """
    now = datetime.fromtimestamp(second, UTC)
    return now, now - NOTED_EVERY


def _rows(
    pk: int, user: int, team: int | None, is_super_admin: bool, database: BaseDatabaseWrapper | None = None
) -> Sequence[tuple[Any, ...]]:
    """Return the machine if such a key may ask it: see ApiKey.machines."""
    if team is not None:
        return OF_TEAM.rows(pk, team, database=database)
    return OF_SUPER_ADMIN.rows(pk, database=database) if is_super_admin else OF_PERSON.rows(pk, user, database=database)
