"""Answers: synchronous, in the web process, through ONNX Runtime alone."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from machines.engine.schema import DataType, Schema, Table
from machines.serving.predictor import Answer, Predictor
from machines.serving.sessions import Cache
from models import EncDecConfiguration, Machine, NNModel

SESSIONS = Cache()


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


def prediction_make(*, machine: Machine, values: Mapping[str, float | str | None]) -> list[Answer]:
    """Answer one row: column name -> number (seconds for moments) or text; None or absent for "I don't know"."""
    return predictor_of(machine).predict(row_table(Schema.from_json(description_of(machine)["columns"]), values))


def predictions_make(*, machine: Machine, table: Table) -> list[Answer]:
    """Answer many rows of typed columns; a column that is absent counts as missing. Raises NotTrainedError."""
    return predictor_of(machine).predict(table)


def predictor_of(machine: Machine) -> Predictor:
    """Return the machine's loaded model, from the cache if it is there. Raises NotTrainedError."""
    model_id = machine.training_nn_model_id
    if model_id is None:
        raise NotTrainedError(machine.machine_name)
    return SESSIONS.get(session_key(machine), lambda: _model_bytes(model_id))


def session_key(machine: Machine) -> tuple[int, int]:
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
