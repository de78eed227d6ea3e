"""Work over REST: how far it is, and its end."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from machines.api.calls import Call, key_of, work_for
from machines.engine.errors import DataError
from machines.services.works import work_cancel, work_finish_early
from machines.work_words import ENDED, NOT_EARLY, attempt_of, message_of
from models import Work
from models.access import Action
from models.work import WorkKind, WorkState

STATUSES = {
    WorkState.WAITING: "waiting",
    WorkState.PROCESSING: "running",
    WorkState.FINISHED: "finished",
    WorkState.ERROR: "failed",
    WorkState.CANCELLED: "cancelled",
}


class WorkDetail(Call):
    def get(self, request: Request, work_pk: int) -> Response:
        return Response(_work(work_for(request, work_pk, Action.SEE)))


class WorkCancel(Call):
    def post(self, request: Request, work_pk: int) -> Response:
        work = work_for(request, work_pk, Action.EDIT)
        return _answer(request, work_pk, work_cancel(work=work, user=key_of(request).user))


class WorkFinish(Call):
    def post(self, request: Request, work_pk: int) -> Response:
        work = work_for(request, work_pk, Action.EDIT)
        if work.kind is not WorkKind.TRAINING:
            raise DataError(NOT_EARLY)
        return _answer(request, work_pk, work_finish_early(work=work))


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
