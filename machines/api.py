"""Machines and work over REST: look, ask, train, download. What a key may do is a query, as on the pages."""

from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import path
from django.utils.translation import gettext as _
from rest_framework import exceptions, status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from config.formats import Formats, use_formats
from machines.engine.errors import DataError, gettext_noop
from machines.forms.data import LevelForm
from machines.forms.rows import RowsError, read_rows
from machines.services.access import explain
from machines.services.machines import machine_download
from machines.services.predictions import NotTrainedError, predictions_make, predictor_of
from machines.services.texts import sentence
from machines.services.training import training_start
from machines.services.works import work_cancel, work_finish_early
from machines.serving.predictor import Answer
from machines.views.access import note_denial
from machines.views.machines import onnx_response
from machines.work_words import ENDED, NOT_EARLY, attempt_of, message_of
from models import ApiKey, Column, Machine, User, Work
from models.access import Action
from models.api_key import Scope
from models.work import WorkKind, WorkState

FORMATS = Formats(date_format="YMD", date_separator="-", decimal_separator=".")  # of every key, whoever made it
NO_OBJECT = gettext_noop("Send an object, such as %(example)s.")
STATUSES = {
    WorkState.WAITING: "waiting",
    WorkState.PROCESSING: "running",
    WorkState.FINISHED: "finished",
    WorkState.ERROR: "failed",
    WorkState.CANCELLED: "cancelled",
}


class Call(GenericAPIView[Machine]):
    """One address. Sentences in its answers write numbers and dates as its values do."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with use_formats(FORMATS):
            response = super().dispatch(request, *args, **kwargs)
        response["Cache-Control"] = "no-store, private"
        return response


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
        rows = read_rows(predictor_of(machine).metadata, request.data)
        answers = predictions_make(machine=machine, table=rows.table)
        return Response({"predictions": _predictions(answers), "warnings": rows.warnings})


class Download(Call):
    def get(self, request: Request, pk: int) -> HttpResponse:
        machine = machine_for(request, pk, Action.DOWNLOAD)
        content = machine_download(machine=machine, user=_key(request).user)
        if content is None:
            raise NotTrainedError(machine.machine_name)
        return onnx_response(machine, content)


class Train(Call):
    def post(self, request: Request, pk: int) -> Response:
        machine = machine_for(request, pk, Action.EDIT)
        work = training_start(machine=machine, user=_key(request).user, level=_level(request.data, machine))
        return Response({"work": str(work.pk)}, status=status.HTTP_202_ACCEPTED)


class WorkDetail(Call):
    def get(self, request: Request, work_pk: int) -> Response:
        return Response(_work(work_for(request, work_pk, Action.SEE)))


class WorkCancel(Call):
    def post(self, request: Request, work_pk: int) -> Response:
        work = work_for(request, work_pk, Action.EDIT)
        return _answer(request, work_pk, work_cancel(work=work, user=_key(request).user))


class WorkFinish(Call):
    def post(self, request: Request, work_pk: int) -> Response:
        work = work_for(request, work_pk, Action.EDIT)
        if work.kind is not WorkKind.TRAINING:
            raise DataError(NOT_EARLY)
        return _answer(request, work_pk, work_finish_early(work=work))


urlpatterns = [
    path("", MachineList.as_view(), name="machines"),
    path("<int:pk>/", MachineDetail.as_view(), name="machine"),
    path("<int:pk>/predict/", Predict.as_view(), name="machine-predict"),
    path("<int:pk>/download/", Download.as_view(), name="machine-download"),
    path("<int:pk>/train/", Train.as_view(), name="machine-train"),
]
work_urlpatterns = [
    path("<int:work_pk>/", WorkDetail.as_view(), name="work"),
    path("<int:work_pk>/cancel/", WorkCancel.as_view(), name="work-cancel"),
    path("<int:work_pk>/finish/", WorkFinish.as_view(), name="work-finish"),
]


def machines_of(request: Request, action: Action) -> Any:
    """Return the machines with which the key of this call may do this; 403 when its scopes leave it out."""
    return _scoped(request, action).machines(action)


def machine_for(request: Request, pk: int, action: Action) -> Machine:
    """Return the machine if the key may do this with it; else 404, or 403 with the reason if it may see it."""
    found: Machine | None = machines_of(request, action).light().filter(pk=pk).first()
    if found is None:
        _refuse(request, action, pk=pk)
    return found


def work_for(request: Request, pk: int, action: Action) -> Work:
    """Return the work if the key may do this with it; else 404, or 403 with the reason if it may see it."""
    found = _scoped(request, action).works(action).filter(pk=pk).first()
    if found is None:
        _refuse(request, action, Work__pk=pk)
    return found


def _scoped(request: Request, action: Action) -> ApiKey:
    key = _key(request)
    if key.has_scope(action):
        return key
    scope = Scope.of(action)
    words = {"scope": scope.value, "meaning": scope.label}
    raise exceptions.PermissionDenied(
        _("This key is not for this: it takes the scope “%(scope)s” (%(meaning)s).") % words, code="scope"
    )


def _refuse(request: Request, action: Action, **which: int) -> NoReturn:
    """Note the refusal, and say why if the key may see the machine that it is about."""
    key = _key(request)
    seen = key.machines(Action.SEE).light().filter(**which).first()
    note_denial(key.user, action, seen or Machine.objects.light().filter(**which).first(), key=key.start)
    if seen is None or seen.machine_owner_team is None:
        raise Http404
    raise PermissionDenied(explain(team=seen.machine_owner_team, person=key.user, action=action).sentence)


def _key(request: Request) -> ApiKey:
    assert isinstance(request.auth, ApiKey) and isinstance(request.user, User)
    return request.auth


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


def _work(work: Work) -> dict[str, Any]:
    assert work.state and work.kind, "the database refuses work without them"
    left = work.work_duration_estimation_seconds if work.state is WorkState.WAITING else work.seconds_left
    return {
        "id": str(work.pk),
        "kind": work.kind.name.lower(),
        "machine": work.machine_id,
        "status": STATUSES[work.state],
        "progress": work.progress,
        "eta_seconds": None if left is None else float(left),
        "best_score": work.best_score,
        "message": message_of(work) or attempt_of(work),
        "attempts": work.attempts,
    }


def _answer(request: Request, pk: int, is_done: bool) -> Response:
    """Tell what became of a work that was to be ended."""
    if not is_done:
        raise DataError(ENDED)
    return Response(_work(work_for(request, pk, Action.EDIT)))


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


def _predictions(answers: Iterable[Answer]) -> list[dict[str, Any]]:
    """Return one object per row: output -> value, with its interval or the chance of every class."""
    columns: dict[str, list[Any]] = {}
    for answer in answers:
        columns[answer.name] = answer.values.tolist()
        if answer.low is not None and answer.high is not None:
            columns |= {f"{answer.name}:low": answer.low.tolist(), f"{answer.name}:high": answer.high.tolist()}
        elif answer.probabilities:
            columns[f"{answer.name}:probabilities"] = _chances(answer.probabilities)
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _chances(probabilities: Mapping[str, Any]) -> list[dict[str, float]]:
    chances = zip(*(values.tolist() for values in probabilities.values()), strict=True)
    return [dict(zip(probabilities, row, strict=True)) for row in chances]
