"""The short way to a prediction answers as the long one does, to the same people, and leaves it all the rest."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from django.core.cache import cache
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from api import lane as lanes
from api import throttling
from api.lane import Lane
from machines.api import answers
from machines.services import predictions, usage
from machines.services.hosting import ModelFailedError
from models import ApiKey, Machine, Membership, NNModel, User
from models.access import Action, Role
from tests.access.world import make_tenant
from tests.api.conftest import Program, make_key
from tests.factories import make_admin, make_machine, make_version
from tests.machines.houses import houses

ROW = {"size": 41.5, "city": "north", "day": "2022-05-17"}


@dataclass
class Answer:
    status: str
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.content)


class Socket:
    """Of one connection."""


class Server:
    """A web server before the application: `ways` tells which way each request has gone.

    It may read heads itself and ask `quick` first, as config.threads does.
    """

    def __init__(self, is_ours: bool) -> None:
        self.is_ours = is_ours
        site = WSGIHandler()
        self.ways: list[str] = []

        def long_way(environ: Any, start_response: Any) -> Any:
            self.ways[-1] = "long"
            return site(environ, start_response)

        self.lane = Lane(long_way)

    def post(self, secret: str, path: str, body: bytes, **changed: Any) -> Answer:
        self.ways.append("short")
        environ = {
            "REQUEST_METHOD": "POST", "PATH_INFO": path, "QUERY_STRING": "", "SERVER_NAME": "testserver", "SERVER_PORT": "80",
            "REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "testserver", "HTTP_AUTHORIZATION": f"Bearer {secret}",
            "wsgi.url_scheme": "http",
            "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body),
        } | changed  # fmt: skip
        told: list[Any] = []
        if self.is_ours:
            environ["gunicorn.socket"] = socket = Socket()
            call = self.lane.call_of(environ) if environ["CONTENT_LENGTH"] == str(len(body)) else None
            quick = call and self.lane.quick(call, body, environ["REMOTE_ADDR"], socket)
            if quick:
                lines = [*quick[0].decode().split("\r\n")[:-1], f"Content-Length: {len(quick[1])}"]
                return Answer("200 OK", dict(line.split(": ", 1) for line in lines), quick[1])
        chunks = self.lane(environ, lambda *start: told.append(start))
        content = b"".join(chunks)
        getattr(chunks, "close", lambda: None)()
        return Answer(told[0][0], dict(told[0][1]), content)

    def ask(self, program: Program, machine: Machine, *rows: Any, **changed: Any) -> Answer:
        body = orjson.dumps({"rows": list(rows or [ROW])})
        return self.post(program.secret, f"/api/machines/{machine.pk}/predict/", body, **changed)


@pytest.fixture(autouse=True)
def _alone(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No counts of other tests; and, as in Django's own client, a request leaves the connection of the test alone."""
    cache.clear()
    usage.METER.forget()
    monkeypatch.setattr(connection, "close_if_unusable_or_obsolete", lambda: None)
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(params=[True, False], ids=["our web server", "any other"])
def server(request: pytest.FixtureRequest) -> Server:
    return Server(is_ours=request.param)


def warmed(server: Server, program: Program, machine: Machine) -> Program:
    """The first call of a minute goes the long way, which notes the use of the key and tells the headers."""
    assert server.ask(program, machine).status == "200 OK"
    assert server.ways[-1] == "long"
    return program


def test_it_works(server, program, machine):
    long = server.ask(program, machine)
    short = server.ask(program, machine)
    assert server.ways == ["long", "short"]
    assert short == long and short.json["predictions"][0]["risk"] in {"yes", "no"}


def test_it_asks_the_database_twice(server, program, machine):
    warmed(server, program, machine)
    with CaptureQueriesContext(connection) as asked:
        server.ask(program, machine)
    assert len(asked) == 2 and server.ways[-1] == "short"


def test_reasons_are_the_same(server, program, machine):
    warmed(server, program, machine)
    path = f"/api/machines/{machine.pk}/predict/"
    body = orjson.dumps({"rows": [ROW, {}], "reasons": True})
    short = server.post(program.secret, path, body)
    assert server.ways[-1] == "short" and short.json["predictions"][0]["price:reasons"]["parts"]
    assert short == server.post(program.secret, path, body, HTTP_COOKIE="a=b") and server.ways[-1] == "long"


def test_a_warning_reads_the_same(server, program, machine):
    rows = [ROW | {"size": 5000, "day": "2035-01-01", "risk": "yes"}, {"size": -5000}]
    warmed(server, program, machine)
    short = server.ask(program, machine, *rows)
    assert server.ways[-1] == "short"
    assert short == server.ask(program, machine, *rows, HTTP_COOKIE="a=b") and len(short.json["warnings"]) == 4
    assert server.ways[-1] == "long"


def test_an_uploaded_model(server, program, alice):
    machine = make_version(owner=alice).machine
    path, body = f"/api/models/{machine.pk}/predict/", b'{"input_data": [1.0, 2.0, 3.0]}'
    first, second = (server.post(program.secret, path, body) for _ in range(2))
    assert first.status == "200 OK", first.content
    assert server.ways == ["long", "short"] and first == second
    answers._host.cache_clear()


# What goes the long way

UNUSUAL = {
    "another method": {"REQUEST_METHOD": "PUT"},
    "a cookie": {"HTTP_COOKIE": "session=abc"},
    "a query": {"QUERY_STRING": "format=csv"},
    "a key to repeat it": {"HTTP_IDEMPOTENCY_KEY": "abc"},
    "another type": {"CONTENT_TYPE": "text/csv"},
    "no length": {"CONTENT_LENGTH": ""},
    "a strange length": {"CONTENT_LENGTH": "-1"},
    "too short a length": {"CONTENT_LENGTH": "5"},
    "in pieces": {"HTTP_TRANSFER_ENCODING": "chunked"},
    "another host": {"HTTP_HOST": "evil.example.org"},
    "another scheme": {"HTTP_X_FORWARDED_PROTO": "https"},
    "another language": {"HTTP_ACCEPT_LANGUAGE": "ru"},
    "another address": {"PATH_INFO": "/api/machines/1/predict"},
    "no key": {"HTTP_AUTHORIZATION": ""},
    "basic": {"HTTP_AUTHORIZATION": "Basic abc"},
    "an unknown key": {"HTTP_AUTHORIZATION": "Bearer eaml_unknown"},
    "two keys": {"HTTP_AUTHORIZATION": "Bearer a b"},
}


@pytest.mark.parametrize("changed", UNUSUAL.values(), ids=UNUSUAL)
def test_the_unusual_is_answered_as_without_the_short_way(server, program, machine, changed):
    warmed(server, program, machine)
    got = server.ask(program, machine, **changed)
    assert server.ways[-1] == "long"
    server.lane.known.clear()
    assert server.ask(program, machine, **changed) == got


WRONG = {
    "no JSON": b'{"rows": [',
    "nothing": b"",
    "no rows": b'{"row": []}',
    "no object": b'{"rows": [1]}',
    "a wrong value": b'{"rows": [{"size": "forty"}]}',
    "a wrong column": b'{"rows": [{"siez": 1}]}',
    "a strange wish": b'{"rows": [{}], "reasons": "yes"}',
    "many to explain": b'{"rows": [' + b",".join([b"{}"] * 11) + b'], "reasons": true}',
    "no number": b'{"rows": [{"size": NaN}]}',
    "much": b'{"rows": [' + b",".join([b"{}"] * 10_001) + b"]}",
    "very much": b'{"rows": [{"note": "' + b"x" * 70_000 + b'"}]}',
}


@pytest.mark.parametrize("body", WRONG.values(), ids=WRONG)
def test_what_cannot_be_read_is_refused_as_without_the_short_way(server, program, machine, body):
    warmed(server, program, machine)
    path = f"/api/machines/{machine.pk}/predict/"
    got = server.post(program.secret, path, body)
    assert server.ways[-1] == "long" and got.status[0] == "4"
    server.lane.known.clear()
    assert server.post(program.secret, path, body) == got


def test_no_rows_at_all(server, program, machine):
    warmed(server, program, machine)
    assert (
        server.post(program.secret, f"/api/machines/{machine.pk}/predict/", b'{"rows": []}').json["predictions"] == []
    )


def test_a_machine_that_is_not_trained(server, program, machine, alice):
    warmed(server, program, machine)
    assert server.ask(program, make_machine(owner=alice)).status.startswith("409")
    assert server.post(program.secret, "/api/machines/999999/predict/", b"{}").status.startswith("404")
    assert server.post(program.secret, f"/api/machines/{10**18}/predict/", b"{}").status.startswith("404")


def test_an_address_of_models_is_not_one_of_machines(server, program, machine):
    warmed(server, program, machine)
    assert server.post(program.secret, f"/api/models/{machine.pk}/predict/", b'{"input_data": [1]}').status.startswith(
        "404"
    )


def test_what_goes_wrong_here_is_the_long_ways(server, program, machine, monkeypatch):
    warmed(server, program, machine)
    monkeypatch.setattr(lanes.Prepared, "rows", lambda *_: 1 / 0)
    assert server.ask(program, machine).status == "200 OK" and server.ways[-1] == "long"


# Who may ask: at every call


def test_a_revoked_key_stops_at_once(server, program, machine):
    warmed(server, program, machine).key.revoke()
    assert server.ask(program, machine).status.startswith("401")


def test_an_expired_key_stops_at_once(server, program, machine):
    warmed(server, program, machine)
    ApiKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert server.ask(program, machine).status.startswith("401")


def test_a_key_that_ends_within_this_second(server, program, machine, monkeypatch):
    """It is asked for the end of the second: never later than the key ends."""
    warmed(server, program, machine)
    ApiKey.objects.update(expires_at=datetime.fromtimestamp(1_000_000.5, UTC))
    monkeypatch.setattr("api.lane.time.time", lambda: 1_000_000.2)
    assert server.ask(program, machine).status.startswith("401") and server.ways[-1] == "long"
    ApiKey.objects.update(expires_at=datetime.fromtimestamp(1_000_001.5, UTC))
    assert server.ask(program, machine).status == "200 OK" and server.ways[-1] == "short"


def test_a_scope_taken_away(server, program, machine):
    warmed(server, program, machine)
    ApiKey.objects.update(scopes=["read"])
    assert server.ask(program, machine).status.startswith("403")


def test_somebody_deactivated(server, program, machine, alice):
    warmed(server, program, machine)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert server.ask(program, machine).status.startswith("401")


def test_a_member_whose_role_is_lowered_or_who_is_removed(server, shared, team, bob):
    program = warmed(server, make_key(bob), shared)
    assert server.ask(program, shared).status == "200 OK" and server.ways[-1] == "short"
    Membership.objects.filter(user=bob).update(role=Role.VIEWER)
    assert server.ask(program, shared).status.startswith("403")
    team.remove_user_from_team(bob)
    assert server.ask(program, shared).status.startswith("404")


def test_a_machine_taken_out_of_the_team_or_deleted(server, shared, bob, alice):
    program, own = warmed(server, make_key(bob), shared), warmed(server, make_key(alice), shared)
    Machine.objects.update(machine_owner_team=None)
    assert server.ask(program, shared).status.startswith("404")
    assert server.ask(own, shared).status == "200 OK"
    shared.delete()
    assert server.ask(own, shared).status.startswith("404")


def test_a_teams_key_whose_maker_is_no_admin_any_more(server, shared, team, bob):
    Membership.objects.filter(user=bob).update(role=Role.ADMIN)
    program = warmed(server, make_key(bob, team=team), shared)
    assert server.ask(program, shared).status == "200 OK" and server.ways[-1] == "short"
    Membership.objects.filter(user=bob).update(role=Role.EDITOR)
    assert server.ask(program, shared).status.startswith("401")


def test_the_query_says_what_the_queryset_says():
    """Every key of two tenants, and an administrator's, against every machine."""
    tenants = [make_tenant("Red"), make_tenant("Blue")]
    chief = ApiKey(user=make_admin(is_super_admin=True), name="chief", scopes=["predict"])
    chief.make_secret()
    chief.save()
    ApiKey.objects.update(last_used_at=timezone.now())
    now, found = timezone.now(), 0
    usable = set(ApiKey.objects.usable().values_list("pk", flat=True))
    for key in ApiKey.objects.select_related("user"):
        rows = lanes.KEY.rows(now, key.key_hash, now - timedelta(minutes=1))
        assert [row[0] for row in rows] == ([key.pk] if key.pk in usable else [])
        for _pk, user, team, is_super_admin, scopes in rows:
            assert orjson.loads(scopes) == key.scopes and bool(is_super_admin) == key.user.is_super_admin
            for machine in Machine.objects.all():
                key.scopes = ["predict"]
                wanted = list(key.machines(Action.PREDICT).filter(pk=machine.pk).values_list("pk", flat=True))
                assert [row[0] for row in lanes._rows(machine.pk, user, team, is_super_admin)] == wanted
                found += len(wanted)
    assert found > 10 and len(tenants) == 2


# What it costs a key


def test_the_limit_is_exact_on_both_ways(server, program, machine, monkeypatch):
    monkeypatch.setattr(throttling, "seconds_left", lambda: 30)
    monkeypatch.setitem(throttling.CALLS, "predict", 4)
    monkeypatch.setattr("config.limits.time.time", lambda: 1_000_000.0)
    warmed(server, program, machine)
    for body in (b'{"rows": [{"size": "forty"}]}', b"{"):  # each counts once, although it goes both ways
        server.post(program.secret, f"/api/machines/{machine.pk}/predict/", body)
    assert server.ask(program, machine).status == "200 OK" and server.ways[-1] == "short"
    refused = server.ask(program, machine)
    assert refused.status.startswith("429") and refused.headers["Retry-After"] == "30"


def test_use_is_counted_on_both_ways(server, program, machine):
    warmed(server, program, machine)
    server.ask(program, machine, ROW, ROW, ROW)
    server.post(program.secret, f"/api/machines/{machine.pk}/predict/", b'{"rows": [{"siez": 1}]}')
    ((which, counted),) = usage.METER._counted.items()
    assert counted == (2, 4) and (which.machine_id, which.api_key_id) == (machine.pk, program.key.pk)


def test_a_model_that_fails_is_not_asked_twice(server, program, machine, monkeypatch):
    warmed(server, program, machine)
    asked = []

    def fail(*_: Any) -> Any:
        asked.append(1)
        raise ModelFailedError("time")

    monkeypatch.setitem(lanes.ANSWERS, "machines", fail)
    failed = server.ask(program, machine)
    assert server.ways[-1] == "long" and failed.status[0] in "45" and len(asked) == 1


def test_a_newer_model_answers_at_once(server, program, machine):
    warmed(server, program, machine)
    newer = NNModel.objects.create(nn_model=houses().onnx)
    Machine.objects.filter(pk=machine.pk).update(training_nn_model=newer, model_version=machine.model_version + 1)
    assert server.ask(program, machine).status == "200 OK" and server.ways[-1] == "short"
    assert (machine.pk, machine.model_version + 1) in predictions.SESSIONS._entries


def test_what_it_learns_is_bounded(server, program, machine, monkeypatch):
    monkeypatch.setattr(lanes, "MOST_PLACES", 3)
    for number in range(9):
        server.ask(program, machine, REMOTE_ADDR=f"192.0.2.{number}")
    assert len(server.lane.known) <= 3
