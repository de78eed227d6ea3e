"""Answers: synchronous. A trained machine answers in this process, through ONNX Runtime; an uploaded model in the locked runner."""

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from copy import copy
from functools import partial
from typing import Any, Protocol

import numpy as np

from machines.engine.errors import DataError, gettext_noop
from machines.engine.schema import DataType, Schema, Table
from machines.services.hosting import Host, host_of
from machines.services.hosting import ModelFailedError as ModelFailedError
from machines.serving.predictor import Answer, Predictor
from machines.serving.reasons import Reasons, reasons
from machines.serving.sessions import Cache
from machines.serving.uploaded import AnyPredictor, UploadedPredictor
from models import EncDecConfiguration, Machine, ModelVersion, NNModel

SESSIONS = Cache()
UPLOADED: OrderedDict[Hashable, tuple[UploadedPredictor, Host]] = OrderedDict()  # small: the models live elsewhere
MOST_UPLOADED = 1000
ONLY_TENSORS = gettext_noop(
    "This model takes more values than a form can ask for. Ask it with bare numbers, as the API guide says for models."
)


class Askable(Protocol):
    """As much of a machine as it takes to ask it: `Machine` has it, and so may something that costs less to read."""

    @property
    def pk(self) -> Any: ...
    @property
    def machine_is_uploaded_model(self) -> bool: ...
    @property
    def model_version(self) -> int: ...
    @property
    def training_nn_model_id(self) -> int | None: ...
    @property
    def uploaded_version_id(self) -> int | None: ...
    @property
    def enc_dec_configuration_id(self) -> int | None: ...


class NotTrainedError(LookupError):
    """The machine has no trained model yet."""


def description_of(machine: Machine) -> dict[str, Any]:
    """Return what the trained file says about itself: columns, inputs with ranges and labels, outputs.

    Raises NotTrainedError.
    """
    configuration: EncDecConfiguration | None = machine.enc_dec_configuration
    if configuration is None or not configuration.enc_dec_config:
        raise NotTrainedError(machine.machine_name)
    return dict(configuration.enc_dec_config)


def prediction_make(*, machine: Machine, values: Mapping[str, float | str | None], caller: str = "") -> list[Answer]:
    """Answer one row: column name -> number (seconds for moments) or text; None or absent for "I don't know".

    `caller` says for whom (see `predictor_of`). Raises NotTrainedError, ModelFailedError.
    """
    table = row_table(Schema.from_json(description_of(machine)["columns"]), values)
    return predictor_of(machine, caller).predict(table)


def reasons_find(*, machine: Machine, values: Mapping[str, float | str | None]) -> list[Reasons]:
    """Explain the answer to one row, as `prediction_make` takes it; see `reasons_of`. Raises NotTrainedError."""
    predictor = predictor_of(machine)
    return reasons_of(predictor, row_table(predictor.schema, values))


def reasons_of(predictor: AnyPredictor, row: Table) -> list[Reasons]:
    """Explain the answer to one row of typed columns [1]; [] for an uploaded model, of which nobody knows what is usual."""
    return reasons(predictor, row) if isinstance(predictor, Predictor) else []


def predictions_make(*, machine: Machine, table: Table, caller: str = "") -> list[Answer]:
    """Answer many rows of typed columns; a column that is absent counts as missing.

    Raises NotTrainedError, ModelFailedError.
    """
    return predictor_of(machine, caller).predict(table)


def predictor_of(machine: Askable, caller: str = "") -> AnyPredictor:
    """Return the machine's loaded model, from the cache if it is there. Raises NotTrainedError.

    An uploaded model that keeps something between calls never answers two callers from one process: `caller` names who
    asks, and for nobody each call has a process of its own.
    """
    if machine.machine_is_uploaded_model:
        return _uploaded(machine, caller)
    model_id = machine.training_nn_model_id
    if model_id is None:
        raise NotTrainedError(str(machine.pk))
    return SESSIONS.get(session_key(machine), lambda: _model_bytes(model_id))


def _uploaded(machine: Askable, caller: str) -> UploadedPredictor:
    key = (machine.pk, machine.uploaded_version_id, machine.enc_dec_configuration_id)  # a new description is a new row
    found = UPLOADED.get(key)
    if found is None:
        found = UPLOADED[key] = _uploaded_read(machine)
        while len(UPLOADED) > MOST_UPLOADED:
            UPLOADED.popitem(last=False)
    predictor, host = found
    if host.keeps_nothing:
        return predictor
    bound = copy(predictor)
    bound.call = partial(host.call, caller=caller)
    return bound


def _uploaded_read(machine: Askable) -> tuple[UploadedPredictor, Host]:
    version = ModelVersion.objects.light().ready().filter(pk=machine.uploaded_version_id or 0).first()
    described = EncDecConfiguration.objects.filter(pk=machine.enc_dec_configuration_id or 0).first()
    if version is None or described is None:  # still being checked, refused, or replaced this very moment
        raise NotTrainedError(str(machine.pk))
    description: dict[str, Any] = described.enc_dec_config or {}
    if not description.get("has_form"):
        raise DataError(ONLY_TENSORS)
    host = host_of(version)
    return UploadedPredictor(description, partial(host.call, caller="")), host


def session_key(machine: Askable) -> tuple[int, int]:
    """Return under what the loaded model of a machine is kept: a new version is another model."""
    return machine.pk, machine.model_version


def row_table(schema: Schema, values: Mapping[str, float | str | None]) -> Table:
    """Return one row as the arrays that the model takes; that 0 may mean missing, the model knows."""
    return {column.name: _cell(column.type, values.get(column.name)) for column in schema.inputs}


def _cell(type: DataType, value: float | str | None) -> np.ndarray[Any, Any]:
    if type.is_numeric:
        return np.array([np.nan if value is None else value], dtype=np.float64)
    return np.array([value or ""], dtype=object)


def _model_bytes(model_id: int) -> bytes:
    model = NNModel.objects.filter(pk=model_id).first()
    if model is None or model.nn_model is None:
        raise NotTrainedError(str(model_id))
    return bytes(model.nn_model)
