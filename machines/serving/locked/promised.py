"""What goes to a model and what comes from it, measured against its signature."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from machines.serving.locked import wire
from machines.serving.locked.errors import RunnerError
from machines.serving.signature import TEXT, Signature, Tensor

MOST_LETTERS = 10_000  # of one text in an answer


def fed(signature: Signature, feed: Mapping[str, NDArray[Any]]) -> tuple[dict[str, NDArray[Any]], int]:
    """Return the inputs in the types of `signature`, and how many rows they have. Raises RunnerError("input")."""
    if set(feed) != {tensor.name for tensor in signature.inputs}:
        raise RunnerError("input", f"the model takes {[tensor.name for tensor in signature.inputs]}")
    arrays = {tensor.name: _typed(tensor, np.asarray(feed[tensor.name])) for tensor in signature.inputs}
    counts = {len(array) for array in arrays.values()}
    if len(counts) != 1:
        raise RunnerError("input", f"inputs of {sorted(counts)} rows")
    return arrays, counts.pop()


def _typed(tensor: Tensor, array: NDArray[Any]) -> NDArray[Any]:
    if not _has_shape(tensor, array.shape):
        raise RunnerError("input", f"“{tensor.name}” takes [rows, {tensor.shape}], not {array.shape}")
    if tensor.dtype == TEXT:
        if array.dtype.kind in "OU":
            return array.astype(object, copy=False)
    elif array.dtype.kind in "biuf" and np.can_cast(array.dtype, tensor.dtype, "same_kind"):
        return array.astype(tensor.dtype, copy=False)
    raise RunnerError("input", f"“{tensor.name}” takes {tensor.dtype}, not {array.dtype}")


def answered(signature: Signature, header: wire.Header, body: memoryview, rows: int) -> dict[str, NDArray[Any]]:
    """Return the outputs, if they are what `signature` promises and nothing else. Raises RunnerError("output")."""
    try:
        arrays = wire.tensors(header, body)
    except wire.WireError as error:
        raise RunnerError("output", str(error)) from error
    if set(arrays) != {tensor.name for tensor in signature.outputs}:
        raise RunnerError("output", f"outputs named {[name[:50] for name in list(arrays)[:20]]}")
    for tensor in signature.outputs:
        array = arrays[tensor.name]
        if len(array.shape) < 1 or array.shape[0] != rows or not _has_shape(tensor, array.shape):
            raise RunnerError("output", f"“{tensor.name}” has {array.shape}, not [{rows}, {tensor.shape}]")
        if (TEXT if array.dtype == object else array.dtype.name) != tensor.dtype:
            raise RunnerError("output", f"“{tensor.name}” is {array.dtype}, not {tensor.dtype}")
        if tensor.dtype == TEXT and max(map(len, array.ravel()), default=0) > MOST_LETTERS:
            raise RunnerError("output", f"“{tensor.name}” holds a text of more than {MOST_LETTERS} letters")
    return {tensor.name: arrays[tensor.name] for tensor in signature.outputs}


def _has_shape(tensor: Tensor, shape: tuple[int, ...]) -> bool:
    """`shape` with the rows first."""
    fits = (size in (None, found) for size, found in zip(tensor.shape, shape[1:], strict=False))
    return len(shape) == len(tensor.shape) + 1 and all(fits)


def nothing(tensor: Tensor) -> NDArray[Any]:
    shape = (0, *(size or 0 for size in tensor.shape))
    return np.zeros(shape, dtype=object if tensor.dtype == TEXT else tensor.dtype)
