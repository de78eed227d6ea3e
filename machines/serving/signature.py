"""What a model takes and gives, tensor by tensor."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import prod
from typing import Any

TEXT = "str"


@dataclass(frozen=True)
class Tensor:
    """One input or output. `shape` without the rows: () is one value a row, (28, 28, 1) a picture; None is any length."""

    name: str
    dtype: str  # a numpy name: float32, float64, int32, int64, bool; or TEXT
    shape: tuple[int | None, ...] = ()

    @property
    def width(self) -> int | None:
        """Values in a row; None where that is not fixed."""
        sizes = [size for size in self.shape if size is not None]
        return prod(sizes) if len(sizes) == len(self.shape) else None


@dataclass(frozen=True)
class Signature:
    """Every tensor has the rows as its first axis; `batch` is their number where the model takes no other."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    batch: int | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Signature":
        return cls(_tensors(data["inputs"]), _tensors(data["outputs"]), data.get("batch"))


def _tensors(data: list[Mapping[str, Any]]) -> tuple[Tensor, ...]:
    return tuple(Tensor(item["name"], item["dtype"], tuple(item["shape"])) for item in data)
