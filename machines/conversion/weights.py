"""Weights without a model: safetensors, read here by hand, and state_dicts, read by PyTorch without running their pickle."""

from collections.abc import Mapping
from io import BytesIO
from math import prod
from typing import Any, TypeAlias

import numpy as np
import orjson
from numpy.typing import NDArray

from machines.conversion import archive, pickles
from machines.conversion.formats import PICKLED
from machines.conversion.loaded import UNREADABLE, short
from machines.engine.errors import DataError, gettext_noop

Weights: TypeAlias = Mapping[str, NDArray[Any]]

MOST_HEADER = 10 * 2**20
MOST_TENSORS = 20_000
DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U8": "u1",
    "BOOL": "?",
}
BAD_HEADER = gettext_noop("The header of this safetensors file is damaged at “%(part)s”. Save the weights again.")
NEEDS_CODE = gettext_noop(
    "This file holds more than tensors: opening it would run %(names)s. Save the weights alone: "
    "torch.save(model.state_dict(), 'model.pt')."
)
NO_DICT = gettext_noop("This file holds no state_dict. Save it with torch.save(model.state_dict(), 'model.pt').")


def read_safetensors(content: bytes) -> Weights:
    """Return the tensors by name; bfloat16 as float32. Raises DataError.

    The format: 8 bytes length, JSON {name: {dtype, shape, data_offsets}}, then the data without gaps or overlaps.
    """
    length = int.from_bytes(content[:8], "little")
    if not 2 <= length <= min(MOST_HEADER, len(content) - 8):
        raise DataError(BAD_HEADER, part="length")
    header, data = content[8 : 8 + length], memoryview(content)[8 + length :]
    try:
        entries = orjson.loads(header)
    except orjson.JSONDecodeError as error:
        raise DataError(BAD_HEADER, part="JSON") from error
    if not isinstance(entries, dict) or len(entries) > MOST_TENSORS:
        raise DataError(BAD_HEADER, part="JSON")
    entries.pop("__metadata__", None)
    weights, ends = {}, [0]
    for name, entry in sorted(entries.items(), key=lambda item: _begin(*item)):
        weights[name], end = _read_tensor(name, entry, data, ends[-1])
        ends.append(end)
    if ends[-1] != len(data):
        raise DataError(BAD_HEADER, part="data_offsets")
    return weights


def read_state_dict(content: bytes) -> Weights:
    """Return the tensors by name. Needs PyTorch, so only inside a locked process. Raises DataError."""
    import torch

    _check_pickle(content)
    try:
        found = torch.load(BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:
        raise DataError(UNREADABLE, framework="PyTorch", why=short(error)) from error
    if isinstance(found, dict) and isinstance(found.get("state_dict"), dict):
        found = found["state_dict"]  # as training scripts save it
    if not isinstance(found, dict) or not found or not all(isinstance(v, torch.Tensor) for v in found.values()):
        raise DataError(NO_DICT)
    return {str(name): _array(value) for name, value in found.items()}


def _check_pickle(content: bytes) -> None:
    """Raise DataError unless the pickle imports tensors alone."""
    with archive.opened(content) as members:
        archive.verify(members)
        found = [name for name in members.namelist() if name.endswith(("/data.pkl", ".pkl"))]
        needs = [need for name in found for need in pickles.needs(archive.read(members, name))]
    if any(need.startswith("torch.nn.modules.") or need.startswith("__main__.") for need in needs):
        raise DataError(PICKLED)
    if needs:
        raise DataError(NEEDS_CODE, names=", ".join(needs[:5]))


def _array(tensor: Any) -> NDArray[Any]:
    import torch

    tensor = tensor.detach().contiguous()
    array: NDArray[Any] = (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()
    return array


def _begin(name: str, entry: Any) -> int:
    try:
        return int(entry["data_offsets"][0])
    except (KeyError, TypeError, IndexError, ValueError) as error:
        raise DataError(BAD_HEADER, part=short(name)) from error


def _read_tensor(name: str, entry: Any, data: memoryview, begin: int) -> tuple[NDArray[Any], int]:
    shape, offsets = entry.get("shape"), entry["data_offsets"]
    dtype = "<u2" if entry.get("dtype") == "BF16" else DTYPES.get(str(entry.get("dtype")))
    is_shape = isinstance(shape, list) and len(shape) <= 8 and all(type(size) is int and size >= 0 for size in shape)
    if not is_shape or dtype is None or len(offsets) != 2 or offsets[0] != begin:
        raise DataError(BAD_HEADER, part=short(name))
    end = begin + prod(shape) * np.dtype(dtype).itemsize
    if offsets[1] != end or end > len(data):
        raise DataError(BAD_HEADER, part=short(name))
    array = np.frombuffer(data[begin:end], dtype).reshape(shape)
    if entry["dtype"] == "BF16":
        array = (array.astype(np.uint32) << 16).view(np.float32)
    return array, end
