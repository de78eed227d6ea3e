"""A model that was opened in its own framework: what it takes, how it answers, how it becomes ONNX."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from numpy.typing import NDArray

from machines.engine.errors import DataError, gettext_noop
from machines.serving.signature import TEXT, Tensor

Feed: TypeAlias = Mapping[str, NDArray[Any]]  # tensor name -> [rows, ...]
Call: TypeAlias = Callable[[Feed], dict[str, NDArray[Any]]]

UNREADABLE = gettext_noop("%(framework)s cannot open this file: %(why)s")
NO_SHAPE = gettext_noop(
    "The file does not say what the model takes. Describe its inputs: a name, a shape without the rows and a type for "
    'each, for example [{"name": "x", "shape": [8], "dtype": "float32"}].'
)
BAD_INPUTS = gettext_noop(
    "The inputs are described wrongly at “%(part)s”. Each needs a name, a shape without the rows (whole numbers, null for "
    "any length) and a type: float32, float64, int32, int64, bool or str."
)
NOT_TENSORS = gettext_noop(
    "The model takes or gives something else than tensors: %(what)s. Wrap it so that it takes tensors only."
)
DTYPES = {"float32", "float64", "float16", "int8", "int16", "int32", "int64", "uint8", "bool", TEXT}
MOST_VALUES = 20_000_000  # in a row
WORDS = 240
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Loaded:
    """`call` and the ONNX bytes of `to_onnx` may raise anything: the caller finds words for it."""

    inputs: tuple[Tensor, ...]
    call: Call
    to_onnx: Callable[[], bytes]
    names: Mapping[str, str] = field(default_factory=dict)  # in the ONNX file -> as people know it
    batch: int | None = None


def short(error: BaseException | str) -> str:
    """What a library said, as one short line that can be shown: no control characters, no paths of this computer."""
    text = " ".join(COLOURS.sub("", str(error)).split()) or type(error).__name__
    return "".join(letter for letter in text if letter.isprintable())[:WORDS]


def tensors_of(inputs: Any) -> tuple[Tensor, ...]:
    """Return the inputs as the uploader described them: [{"name", "shape", "dtype"}]. Raises DataError."""
    if not isinstance(inputs, list) or not inputs or len(inputs) > 64:
        raise DataError(BAD_INPUTS, part=short(str(inputs))[:80])
    tensors = tuple(_tensor_of(item) for item in inputs)
    if len({tensor.name for tensor in tensors}) < len(tensors):
        raise DataError(BAD_INPUTS, part=tensors[0].name)
    return tensors


def _tensor_of(item: Any) -> Tensor:
    if not isinstance(item, dict):
        raise DataError(BAD_INPUTS, part=short(str(item))[:80])
    name, shape, dtype = item.get("name"), item.get("shape", []), item.get("dtype", "float32")
    is_named = isinstance(name, str) and 0 < len(name) <= 200
    if not is_named or not isinstance(shape, list) or dtype not in DTYPES or not all(map(_is_size, shape)):
        raise DataError(BAD_INPUTS, part=short(str(item))[:80])
    tensor = Tensor(str(name), dtype, tuple(shape))
    if len(shape) > 7 or (tensor.width or 0) > MOST_VALUES:
        raise DataError(BAD_INPUTS, part=tensor.name)
    return tensor


def _is_size(size: Any) -> bool:
    return size is None or (isinstance(size, int) and not isinstance(size, bool) and 1 <= size <= MOST_VALUES)
