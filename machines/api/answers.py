"""What the two predict calls answer, for their views and for the short way to them (api.lane)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from machines.engine.schema import Table
from machines.forms.rows import RowsError, TooManyRowsError, reader_of
from machines.forms.tensors import answer_of, read_tensors
from machines.services import usage
from machines.services.hosting import Host, host_of
from machines.services.predictions import predictor_of, reasons_of
from machines.services.texts import sentence
from machines.serving.predictor import Answer
from machines.serving.reasons import Reasons
from machines.serving.uploaded import AnyPredictor, UploadedPredictor, unusual
from models import Machine, ModelVersion

MOST_EXPLAINED = 10  # rows of one call: each takes as long as some hundred others


class Asked(NamedTuple):
    """As much of a machine as it takes to ask it, under the names of its columns."""

    pk: int
    machine_is_uploaded_model: bool
    model_version: int
    training_nn_model_id: int | None
    uploaded_version_id: int | None
    enc_dec_configuration_id: int | None


class Caller(NamedTuple):
    """Who asks: use is counted by key; what a model remembers of one person it must not tell another."""

    key_pk: int
    user_pk: int

    @property
    def name(self) -> str:
        return f"user {self.user_pk}"


def machine_answer(machine: Machine | Asked, sent: Any, caller: Caller) -> dict[str, Any]:
    """Answer {"rows": [...]} by columns, with "reasons": true with the reasons of each answer.

    Raises RowsError, TooManyRowsError, NotTrainedError, ModelFailedError.
    """
    predictor = predictor_of(machine, caller.name)
    rows = reader_of(predictor).read(sent)
    is_explained = _wants_reasons(sent)
    answers = predictor.predict(rows.table)
    predictions = _predictions(answers)
    if is_explained:
        _explain(predictions, predictor, rows.table)
    usage.note(caller.key_pk, machine.pk, len(sent["rows"]))
    return {"predictions": predictions, "warnings": [*rows.warnings, *_doubts(predictor, answers)]}


def _wants_reasons(sent: Mapping[str, Any]) -> bool:
    wanted = sent.get("reasons", False)
    if not isinstance(wanted, bool):
        words = _("Send true or false for “reasons”.")
        raise RowsError(words, {"reasons": [words]})
    if wanted and len(sent["rows"]) > MOST_EXPLAINED:
        words = _(
            "%(sent)s rows are too many to give reasons for. Send at most %(most)s at once, or ask without reasons."
        )
        raise TooManyRowsError(words % {"sent": len(sent["rows"]), "most": MOST_EXPLAINED})
    return wanted


def _explain(predictions: Iterable[dict[str, Any]], predictor: AnyPredictor, table: Table) -> None:
    """Add the reasons to each row's answers: output -> what moved it, None where there is nothing to compare with."""
    names = [output["name"] for output in predictor.metadata["outputs"]]
    for number, prediction in enumerate(predictions):
        row = {name: cells[number : number + 1] for name, cells in table.items()}
        found = {reasons.output: _told(reasons) for reasons in reasons_of(predictor, row)}
        prediction |= {f"{name}:reasons": found.get(name) for name in names}


def _told(reasons: Reasons) -> dict[str, Any]:
    return {"usual": reasons.usual, "parts": reasons.parts, "others": reasons.others}


def _doubts(predictor: AnyPredictor, answers: Sequence[Answer]) -> list[str]:
    """What an uploaded model says that cannot be; our own machines say nothing of the kind."""
    return [sentence(notice) for notice in unusual(answers)] if isinstance(predictor, UploadedPredictor) else []


def version_answer(host: Host, machine_pk: int, sent: Any, caller: Caller) -> dict[str, Any]:
    """Answer {"input_data": ...} by bare tensors. Raises RowsError, TooManyRowsError, ModelFailedError."""
    feed, is_row = read_tensors(host.hosted.signature, sent)
    outputs = host.call(feed, caller.name)
    usage.note(caller.key_pk, machine_pk, len(next(iter(feed.values()))))
    return answer_of(outputs, is_row)


def _model_answer(machine: Asked, sent: Any, caller: Caller) -> dict[str, Any]:
    return version_answer(_host(machine.pk, machine.uploaded_version_id), machine.pk, sent, caller)


@lru_cache(maxsize=1000)
def _host(machine_pk: int, version_pk: int | None) -> Host:
    version = ModelVersion.objects.light().ready().filter(machine=machine_pk, pk=version_pk or 0).first()
    if version is None:
        raise LookupError(version_pk)
    return host_of(version)


# By the kind in the address. What they cannot answer raises something: the short way then leaves it to the views.
ANSWERS: Mapping[str, Callable[[Asked, Any, Caller], dict[str, Any]]] = {
    "machines": machine_answer,
    "models": _model_answer,
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
