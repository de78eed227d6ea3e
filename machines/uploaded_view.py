"""What pages show of an uploaded model: its versions, what was found when one was checked, how a program asks it."""

import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from machines.forms.uploaded import DATA_ONLY, FRAMEWORKS, model_limit_mb
from machines.presenters import span_text
from machines.safety_report import Report, made
from machines.services.checking import CANCELLED, STAYS
from machines.services.texts import sentence
from machines.serving.locked import lock
from machines.serving.signature import TEXT, Signature, Tensor
from machines.work_view import WorkView
from models import Machine, ModelVersion, Work
from models.access import Action
from models.machine import MachineQuerySet
from models.model_version import VersionState
from models.work import WorkKind

HASH_SHOWN = 8  # of 64 characters
EXAMPLE_VALUES = 24  # a longer row is made by a line of Python
TAGS = {VersionState.CHECKING: "is-training", VersionState.READY: "is-good", VersionState.REFUSED: "is-bad"}


@dataclass(frozen=True)
class VersionView:
    """One version of a model."""

    version: ModelVersion
    machine: Machine

    @property
    def is_used(self) -> bool:
        """Whether it is the one that answers."""
        return self.version.pk == self.machine.uploaded_version_id

    @property
    def state(self) -> str:
        if self.is_used:
            return _("answers")
        return {"checking": _("checking"), "ready": _("ready"), "refused": _("refused")}[self.version.state]

    @property
    def tag(self) -> str:
        return "is-ready" if self.is_used else TAGS[VersionState(self.version.state)]

    @property
    def is_ready(self) -> bool:
        return self.version.state == VersionState.READY

    @property
    def is_checking(self) -> bool:
        return self.version.state == VersionState.CHECKING

    @property
    def is_refused(self) -> bool:
        return self.version.state == VersionState.REFUSED

    @property
    def is_cancelled(self) -> bool:
        return self.is_refused and self.version.notice.get("template") == CANCELLED

    @property
    def why(self) -> str:
        """Why it was refused, and what to do."""
        return sentence(self.version.notice) if self.version.notice else _("Its check did not come to an end.")

    @property
    def made(self) -> str:
        return made(self.version)

    @property
    def who(self) -> str:
        return self.version.uploaded_by.get_full_name() if self.version.uploaded_by else ""

    @property
    def short_hash(self) -> str:
        return self.version.sha256[:HASH_SHOWN]

    @cached_property
    def signature(self) -> Signature:
        return Signature.from_json(self.version.signature or {"inputs": [], "outputs": []})

    @property
    def tensors(self) -> list[tuple[str, str, str, str]]:
        """What goes in and comes out as programs see it: direction, name, type, shape."""
        inputs = [(_("in"), tensor) for tensor in self.signature.inputs]
        outputs = [(_("out"), tensor) for tensor in self.signature.outputs]
        batch = self.signature.batch
        return [(word, tensor.name, tensor.dtype, _shape(tensor, batch)) for word, tensor in inputs + outputs]

    @property
    def example(self) -> str:
        """What a program sends for one row, quoted for a shell: names come from the file, which may be hostile."""
        return shlex.quote(_long_row(self.signature) if self.is_long else example_body(self.signature))

    @property
    def is_long(self) -> bool:
        """Whether a row is too long to be shown, so that a line of Python has to make the example."""
        return any((tensor.width or 1) > EXAMPLE_VALUES for tensor in self.signature.inputs)

    @property
    def columns(self) -> list["ColumnView"]:
        """What goes in and comes out as people see it."""
        described = self.version.description
        pairs = [(_("Input"), item) for item in described.get("inputs", [])]
        return [
            ColumnView(word, item) for word, item in pairs + [(_("Output"), o) for o in described.get("outputs", [])]
        ]

    @property
    def report(self) -> Report:
        return Report(self.version)


@dataclass(frozen=True)
class ColumnView:
    """One described input or output."""

    use: str
    item: Mapping[str, Any]

    @property
    def holds(self) -> str:
        labels = self.item.get("labels") or self.item.get("classes")
        if labels:
            return ngettext("%(n)s choice", "%(n)s choices", len(labels)) % {"n": len(labels)}
        kinds = {"LABEL": _("text"), "LANGUAGE": _("text")}
        return kinds.get(self.item.get("type", ""), _("number"))

    @property
    def span(self) -> str:
        return span_text("FLOAT", self.item.get("low"), self.item.get("high"))


@dataclass(frozen=True)
class ModelPage:
    """What the page of one model tells of it."""

    machine: Machine

    @cached_property
    def newest(self) -> VersionView:
        """The version that was uploaded last, whatever became of it."""
        version = self.machine.versions.light().select_related("uploaded_by").first()
        assert version is not None, "an uploaded model is made with its first version, and one that answers stays"
        if version.state == VersionState.READY and self.machine.uploaded_version_id is None:
            self.machine.refresh_from_db(fields=["uploaded_version", "machine_status"])  # its check has just ended
        return VersionView(version, self.machine)

    @cached_property
    def used(self) -> VersionView | None:
        """The version that answers."""
        if self.newest.is_used or self.machine.uploaded_version_id is None:
            return self.newest if self.newest.is_used else None
        versions = self.machine.versions.light().select_related("uploaded_by")
        return VersionView(versions.filter(pk=self.machine.uploaded_version_id)[0], self.machine)

    @cached_property
    def work(self) -> Work | None:
        """The newest check."""
        return Work.objects.filter(WorkKind.CHECKING.q, machine=self.machine).order_by("-pk").first()

    @property
    def is_offered(self) -> bool:
        """Whether the newest version passed its check, but another one was chosen while it was checked."""
        newest = self.newest
        return newest.is_ready and not newest.is_used and bool(self.work and self.work.parameters.get(STAYS))

    @property
    def check(self) -> WorkView:
        return WorkView(self.work)

    @property
    def has_form(self) -> bool:
        return bool(self.used and self.used.version.description.get("has_form"))

    @property
    def asks_for_words(self) -> bool:
        """Whether its inputs have the names that we gave them."""
        return self.has_form and bool(self.used) and not self.used.version.is_described  # type: ignore[union-attr]  # bool


@dataclass(frozen=True)
class ModelRow:
    """One model of the list."""

    machine: Machine
    may: frozenset[Action]
    newest: VersionView | None
    used: VersionView | None

    @staticmethod
    def with_newest(machines: MachineQuerySet) -> MachineQuerySet:
        """Annotate each with `newest`, the number in the database of its newest version."""
        return machines.annotate(newest=Subquery(ModelVersion.objects.filter(machine=OuterRef("pk")).values("pk")[:1]))

    @classmethod
    def of(cls, machines: Iterable[tuple[Machine, frozenset[Action]]]) -> "list[ModelRow]":
        """Return the rows for machines from `with_newest`; one query."""
        pairs = list(machines)
        keys = [(machine.newest, machine.uploaded_version_id) for machine, _may in pairs]  # type: ignore[attr-defined]
        found = (
            ModelVersion.objects.light().select_related("uploaded_by").in_bulk({key for both in keys for key in both})
        )
        return [
            cls(machine, may, *(VersionView(found[key], machine) if key in found else None for key in both))
            for (machine, may), both in zip(pairs, keys, strict=True)
        ]

    @property
    def has_form(self) -> bool:
        return bool(self.used and self.used.version.description.get("has_form"))

    @property
    def made(self) -> str:
        """What answers, else what was uploaded last."""
        view = self.used or self.newest
        return view.made if view else ""

    @property
    def version(self) -> int:
        """The number of the version that answers, else of the newest."""
        number = self.machine.model_version or (self.newest.version.number if self.newest else 0)
        return int(number)


@dataclass(frozen=True)
class Taken:
    """Which files this server takes."""

    is_whole: bool  # it can lock a process, so files that hold code may be opened

    @property
    def extensions(self) -> tuple[str, ...]:
        return tuple(FRAMEWORKS) if self.is_whole else DATA_ONLY

    @property
    def limit_mb(self) -> int:
        return model_limit_mb()


def taken_here() -> Taken:
    return Taken(lock.protection().is_whole)


def example_body(signature: Signature) -> str:
    """Return what a program sends for one row, as JSON."""
    return _body({tensor.name: _example(tensor) for tensor in signature.inputs})


def _long_row(signature: Signature) -> str:
    """Return a line of Python that prints `example_body` of a model with long rows."""
    body = _body({tensor.name: _repeated(tensor) for tensor in signature.inputs})
    return f"import json; print(json.dumps({body}))"


def _body(parts: Mapping[str, str]) -> str:
    if len(parts) == 1:
        return f'{{"input_data": {next(iter(parts.values()))}}}'
    inner = ", ".join(f"{json.dumps(name, ensure_ascii=False)}: {part}" for name, part in parts.items())
    return f'{{"input_data": {{{inner}}}}}'


def _example(tensor: Tensor) -> str:
    """Return one row of a tensor as JSON."""
    row = _value(tensor)
    for size in reversed(tensor.shape):
        row = [row] * (size or 1)
    return json.dumps([row])


def _repeated(tensor: Tensor) -> str:
    """Return one row of a tensor as Python writes it in short: `[[1] * 28] * 28`."""
    row = repr(_value(tensor))
    for size in reversed(tensor.shape):
        row = f"[{row}] * {size}" if size and size > 1 else f"[{row}]"
    return f"[{row}]"


def _value(tensor: Tensor) -> Any:
    return "text" if tensor.dtype == TEXT else True if tensor.dtype == "bool" else 1


def _shape(tensor: Tensor, batch: int | None) -> str:
    rows = str(batch) if batch else _("rows")
    return " × ".join([rows, *(str(size) if size else _("any") for size in tensor.shape)])
