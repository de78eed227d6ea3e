"""An uploaded model behind the same words as a trained one: columns in, answers out."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from numpy.typing import NDArray

from machines.engine.schema import Schema, Table
from machines.serving.predictor import Answer

Call: TypeAlias = Callable[[Mapping[str, NDArray[Any]]], Mapping[str, NDArray[Any]]]


class UploadedPredictor:
    """Has `metadata`, `schema` and `predict` as machines.serving.predictor.Predictor has them."""

    def __init__(self, description: Mapping[str, Any], call: Call) -> None:
        self.metadata = dict(description)
        self.schema = Schema.from_json(self.metadata["columns"])
        self.call = call

    def predict(self, table: Table) -> list[Answer]:
        raise NotImplementedError
