"""Trained machines over REST: look, ask, train, download."""

from collections.abc import Mapping
from typing import Any

from django.http import FileResponse
from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from machines.api.answers import machine_answer
from machines.api.calls import Call, caller_of, key_of, machine_for, machines_of
from machines.api.idempotency import idempotent
from machines.engine.errors import DataError, gettext_noop
from machines.engine.splits import Split
from machines.forms.data import LevelForm
from machines.forms.rows import RowsError
from machines.forms.splits import SplitForm
from machines.services.machines import machine_download
from machines.services.predictions import NotTrainedError
from machines.services.splits import split_columns, split_of
from machines.services.texts import sentence
from machines.services.training import seconds_by_level, training_start
from machines.views.machines import file_response
from models import Column, Machine
from models.access import Action

NO_OBJECT = gettext_noop("Send an object, such as %(example)s.")


class MachineList(Call):
    def get(self, request: Request) -> Response:
        machines = machines_of(request, Action.SEE).light().order_by("-pk")
        page = self.paginate_queryset(machines)
        return self.get_paginated_response([_summary(machine) for machine in page or ()])


class MachineDetail(Call):
    def get(self, request: Request, pk: int) -> Response:
        return Response(_details(machine_for(request, pk, Action.SEE)))


class Predict(Call):
    throttle_scope = "predict"

    def post(self, request: Request, pk: int) -> Response:
        machine = machine_for(request, pk, Action.PREDICT)
        return Response(machine_answer(machine, request.data, caller_of(request)))


class Download(Call):
    def get(self, request: Request, pk: int) -> FileResponse:
        machine = machine_for(request, pk, Action.DOWNLOAD)
        file = machine_download(machine=machine, user=key_of(request).user)
        if file is None:
            raise NotTrainedError(machine.machine_name)
        return file_response(machine, file)


class Train(Call):
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        machine = machine_for(request, pk, Action.EDIT)
        level, split = _level(request.data, machine), _split(request.data, machine)
        work = training_start(machine=machine, user=key_of(request).user, level=level, split=split)
        return Response({"work": str(work.pk)}, status=status.HTTP_202_ACCEPTED)


def _level(sent: Any, machine: Machine) -> int:
    """Return the level of a training, which is the machine's own if none is sent."""
    if not isinstance(sent, Mapping):
        raise DataError(NO_OBJECT, example='{"level": 1}')
    level = sent.get("level", machine.machine_level)
    form = LevelForm({"level": level})
    if isinstance(level, bool) or not form.is_valid():
        words = _("Choose a level from 1 to 5.")
        raise RowsError(words, {"level": [words]})
    return int(form.cleaned_data["level"])


def _split(sent: Any, machine: Machine) -> Split | None:
    """Return how rows belong together; None if nothing is said about it."""
    if "split" not in sent:
        return None
    told = sent["split"]
    if not isinstance(told, Mapping):
        words = _("Send an object, such as %(example)s.") % {"example": '{"kind": "group", "column": "patient"}'}
        raise RowsError(words, {"split": [words]})
    data = {"split-kind": told.get("kind"), "split-group": told.get("column"), "split-time": told.get("column")}
    form = SplitForm(data, columns=split_columns(machine), split=split_of(machine))
    if not form.is_valid():
        name, errors = next(iter(form.errors.items()))
        sentences = [str(error) for error in errors]
        raise RowsError(sentences[0], {"split.kind" if name == "kind" else "split.column": sentences})
    return form.split


def _summary(machine: Machine) -> dict[str, Any]:
    return {
        "id": machine.pk,
        "name": machine.machine_name,
        "status": machine.machine_status,
        "level": machine.machine_level,
        "rows": machine.rows_count,
        "team": machine.machine_owner_team_id,
        "created_at": machine.timestamp,
        "trained_at": machine.training_date_time_machine_model,
    }


def _details(machine: Machine) -> dict[str, Any]:
    outputs = machine.training_report.get("outputs", [])
    return _summary(machine) | {
        "description": machine.machine_description,
        "seconds_at_most": {str(level): seconds for level, seconds in seconds_by_level(machine).items()},
        "columns": [_column(column) for column in machine.columns.all()],
        "holdout": {output["name"]: output["holdout"] for output in outputs},
        "baseline": {output["name"]: output["baseline"] for output in outputs},
    }


def _column(column: Column) -> dict[str, Any]:
    """Return a column as it is used; the reason is that of the proposal, as long as its type stands."""
    profile = column.profile
    reason = profile.get("reason") if profile.get("type") == column.type else None
    return {
        "name": column.name,
        "type": column.type,
        "role": column.role,
        "reason": sentence(reason) if reason else "",
        "missing": profile.get("missing", 0),
        "unique": profile.get("distinct", 0),
        "unit": column.unit,
        "description": column.description,
    }
