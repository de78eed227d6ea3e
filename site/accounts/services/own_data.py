"""Everything of a person that the site keeps, for that person: facts as JSON, machines as files. Never a secret."""

import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path, PurePath
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import BinaryField, Q, QuerySet
from django.db.models.functions import Length, Substr
from django.utils.text import slugify

from accounts.browsers import browser_of
from accounts.services.security import second_factor_of, sessions_of
from machines import storage
from models import (
    ApiKey,
    AuditEntry,
    ConsultingRequest,
    Credit,
    CreditIXIOO,
    DataLinesOperation,
    Debit,
    DebitIXIOO,
    Graph,
    GraphLink,
    Invite,
    Machine,
    Membership,
    ModelVersion,
    NNModel,
    Operation,
    PublicLink,
    Team,
    User,
    Work,
)
from models.audit import AuditAction

Entry = tuple[str, Iterable[bytes] | Path]  # a name in the archive, and what is in it or where that lies

AT_ONCE = 500  # rows in memory
SLICE = 2**24  # bytes of a model in memory
PROFILE = ("email", "first_name", "last_name", "user_profile", "date_joined", "last_login")
MONEY = ("user_balance", "user_ixioo_balance", "coupon_balance", "coupons_activated_date")
COLUMN = (
    "position",
    "name",
    "type",
    "role",
    "description",
    "unit",
    "range_low",
    "range_high",
    "zero_is_missing",
)
VERSION = (
    "number",
    "created_at",
    "framework",
    "format",
    "file_name",
    "size_bytes",
    "sha256",
    "layers",
    "state",
    "notice",
    "served",
    "signature",
    "description",
    "report",
)
# Named one by one, because the other columns are secrets
INVITE = ("team", "role", "email", "domain", "max_uses", "uses", "expires_at", "revoked_at", "note", "created_at")
KEY = ("team", "name", "start", "scopes", "expires_at", "revoked_at", "last_used_at", "last_used_ip", "created_at")
LINK = (
    "machine",
    "name",
    "questions",
    "allowed_sites",
    "max_uses",
    "uses",
    "expires_at",
    "revoked_at",
    "last_used_at",
    "created_at",
)

GRAPH_LINK = ("machine", "graph", "allowed_sites", "uses", "expires_at", "revoked_at", "last_used_at", "created_at")


def entries_of(user: User) -> Iterator[Entry]:
    """Yield the files of the archive: one folder per own machine, and at last data.json.

    What vanishes while it is read raises FileNotFoundError. No query stays open between two chunks.
    """
    machines: list[dict[str, Any]] = []
    own = Machine.objects.filter(machine_owner_user=user).light()
    for pk in list(own.order_by("pk").values_list("pk", flat=True)):
        machine = own.filter(pk=pk).first()
        if machine is None:  # deleted meanwhile
            continue
        folder = f"machines/{machine.pk}-{slugify(machine.machine_name)[:60] or 'machine'}"
        yield from _machine_entries(machine, folder)
        machines.append(_machine_facts(machine, folder))
    yield "data.json", _as_json(_sections(user, machines))


def _machine_entries(machine: Machine, folder: str) -> Iterator[Entry]:
    yield f"{folder}/columns.json", [_dumped(list(machine.columns.order_by("position").values(*COLUMN)))]
    for name, place in _places(machine):
        yield f"{folder}/{name}", place
    models = NNModel.objects.filter(pk=machine.training_nn_model_id or 0)
    size = models.values_list(Length("nn_model"), flat=True).first()
    if size:
        yield f"{folder}/model.onnx", _slices(models, "nn_model", size)
    for version in machine.versions.light().order_by("number"):
        yield from _version_entries(version, f"{folder}/version-{version.number}")


def _version_entries(version: ModelVersion, folder: str) -> Iterator[Entry]:
    """Yield the file of an uploaded model as it came, and what its check found."""
    name = PurePath(slugify(PurePath(version.file_name).stem)[:60] or "model")
    ending = slugify(PurePath(version.file_name).suffix)[:20]
    rows = ModelVersion.objects.filter(pk=version.pk)
    content = storage.absolute(version.file_path) if version.file_path else _slices(rows, "file", version.size_bytes)
    yield f"{folder}/{name}.{ending or 'model'}", content
    yield f"{folder}/report.json", [_dumped({field: getattr(version, field) for field in VERSION})]


def _slices(models: "QuerySet[Any]", field: str, size: int) -> Iterator[bytes]:
    """Yield the bytes of this column of one row; a new training may delete it meanwhile."""
    for start in range(1, size + 1, SLICE):
        part = models.values_list(Substr(field, start, SLICE, output_field=BinaryField()), flat=True).first()
        if part is None:
            raise FileNotFoundError
        yield bytes(part)


def _places(machine: Machine) -> Iterator[tuple[str, Path]]:
    """Yield the names of a machine's files in the archive, and where they lie."""
    if machine.source_path:
        ending = slugify(PurePath(machine.source_name).suffix)[:10]
        yield f"original.{ending or 'data'}", storage.absolute(machine.source_path)
    parts = DataLinesOperation.objects.for_machine(machine).exclude(path="").values_list("path", flat=True)
    for number, path in enumerate(parts, start=1):
        yield f"rows-{number}.parquet", storage.absolute(path)


def _machine_facts(machine: Machine, folder: str) -> dict[str, Any]:
    return {
        "id": machine.pk,
        "name": machine.machine_name,
        "description": machine.machine_description,
        "made_at": machine.timestamp,
        "status": machine.machine_status,
        "level": machine.machine_level,
        "rows": machine.rows_count,
        "file_name": machine.source_name,
        "team": machine.machine_owner_team_id,
        "folder": folder,
    }


def _sections(user: User, machines: list[dict[str, Any]]) -> dict[str, Mapping[str, Any] | Iterable[Any]]:
    """Return the parts of data.json; what may be long is read row by row."""
    return {
        "profile": {name: getattr(user, name) for name in PROFILE},
        "formats": vars(user.formats),
        "second_factor": vars(second_factor_of(user)),
        "money": {name: getattr(user, name) for name in MONEY},
        "machines": machines,
        "teams_owned": _rows(Team.objects.filter(admin_user=user), "id", "name", "created_at"),
        "memberships": _rows(Membership.objects.filter(user=user), "team", "team__name", "role", "joined_at"),
        "invitations": _rows(Invite.objects.filter(invited_by=user), *INVITE),
        "api_keys": _rows(ApiKey.objects.filter(user=user), *KEY),
        "public_links": _rows(PublicLink.objects.filter(created_by=user), *LINK),
        "graphs": _plain(Graph.objects.filter(Q(user=user) | Q(machine__machine_owner_user=user)), "user"),
        "graph_links": _rows(GraphLink.objects.filter(created_by=user), *GRAPH_LINK),
        "sessions": (_session(row) for row in sessions_of(user)),
        "log": _plain(AuditEntry.objects.filter(actor=user).exclude(action=AuditAction.DENIED)),
        "consulting_requests": _plain(ConsultingRequest.objects.filter(Q(user=user) | Q(consultant_user=user)), "file"),
        "operations": _plain(Operation.objects.visible_to(user).filter(Q(operation_user=user) | Q(machine_owner=user))),
        "credits": _plain(Credit.objects.filter(user=user)),
        "debits": _plain(Debit.objects.filter(user=user)),
        "token_credits": _plain(CreditIXIOO.objects.filter(user=user)),
        "token_debits": _plain(DebitIXIOO.objects.filter(user=user)),
        "works": _plain(Work.objects.filter(user=user), "folder", "delivery"),
    }


def _plain(rows: "QuerySet[Any]", *but: str) -> Iterator[dict[str, Any]]:
    """Yield all columns of these rows, but not those."""
    fields = rows.model._meta.concrete_fields
    return _rows(rows, *[field.attname for field in fields if field.name not in but])


def _rows(rows: "QuerySet[Any]", *names: str) -> Iterator[dict[str, Any]]:
    """Yield these columns of the rows. Each page is a query of its own, so that the worker can write in between."""
    rows = page = rows.order_by("pk")
    while found := list(page.values_list("pk", *names)[:AT_ONCE]):
        yield from (dict(zip(names, values, strict=True)) for _pk, *values in found)
        page = rows.filter(pk__gt=found[-1][0])


def _session(row: Any) -> dict[str, Any]:
    return {
        "browser": browser_of(row.user_agent),
        "ip": row.ip,
        "since": row.created_at,
        "last_seen": row.last_seen_at,
    }


def _as_json(sections: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield an object with these parts, a list row by row."""
    for number, (name, content) in enumerate(sections.items()):
        yield b"%s\n%s: " % (b"," if number else b"{", json.dumps(name).encode())
        yield from _listed(content) if not isinstance(content, dict) else [_dumped(content)]
    yield b"\n}\n"


def _listed(rows: Iterable[Any]) -> Iterator[bytes]:
    yield b"["
    for number, row in enumerate(rows):
        yield (b",\n  " if number else b"\n  ") + _dumped(row)
    yield b"]"


def _dumped(value: Any) -> bytes:
    return json.dumps(value, cls=_Encoder, ensure_ascii=False).encode()


class _Encoder(DjangoJSONEncoder):
    """Bytes, such as those of a file that came with a request, are left out; a sum reads 0.00000000, not 0E-8."""

    def default(self, o: Any) -> Any:
        if isinstance(o, Decimal):
            return f"{o:f}"
        return None if isinstance(o, bytes | memoryview) else super().default(o)
