"""Finds what a TorchScript module takes: the file holds the names of its inputs, but often no shape.

A traced module keeps the shapes that it was traced with. A scripted one with one input tells by its first weights, and
by which sizes it runs on. What remains open is asked of the person.
"""

import pickletools
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from machines.conversion.loaded import NO_SHAPE
from machines.engine.errors import DataError
from machines.serving.signature import Tensor

ROWS = 3
LENGTHS = (5, 9)  # of a sequence; two that both work mean "any"
SIDES = (*range(4, 65), 96, 128, 192, 224, 256, 299)  # of a picture
SPANS = (*range(4, 129), 256, 512, 1000, 1024)  # of a signal
ENOUGH_FREE = 12  # so many sizes work: any does
STORAGES = {"LongStorage": "int64", "IntStorage": "int32", "DoubleStorage": "float64", "BoolStorage": "bool"}
RECURRENT = ("LSTM", "GRU", "RNN")

Candidate = tuple[list[int | None], str]
Try = Callable[[Sequence[Any]], dict[str, Any]]


def find_inputs(model: Any, names: Sequence[str], call: Try, traced_pickle: bytes) -> tuple[Tensor, ...]:
    """Return the inputs of a module whose `forward` takes tensors called `names`. Raises DataError if they stay unknown."""
    if traced := _traced(traced_pickle, names):
        return traced
    if len(names) == 1:
        for shape, dtype in _candidates(model, call):
            if _works(call, [size or LENGTHS[0] for size in shape], dtype):
                return (Tensor(names[0], dtype, tuple(shape)),)
    raise DataError(NO_SHAPE)


def _traced(pickle: bytes, names: Sequence[str]) -> tuple[Tensor, ...] | None:
    """The shapes of the example that a module was traced with. Its pickle is only read, not run: storage, offset, sizes."""
    found: list[tuple[str, list[int]]] = []
    memo: dict[int, str] = {}
    last, storage, sizes, is_inside = "", "", list[int](), False
    with suppress(Exception):  # not every module keeps them, and pickletools raises whatever it runs into
        for opcode, argument, _place in pickletools.genops(pickle):
            name, value = opcode.name, argument or 0
            if name in ("BINPUT", "LONG_BINPUT"):
                memo[int(value)] = last
                continue
            last = str(value) if name == "GLOBAL" else memo.get(value, "") if name.endswith("BINGET") else ""
            storage = last if last.endswith("Storage") else storage
            if name == "BINPERSID":
                sizes, is_inside = [], True
            elif name.startswith("BININT") and is_inside:
                sizes.append(int(value))
            elif name == "TUPLE" and is_inside:
                found.append((storage, sizes[1:]))
                is_inside = False
    if len(found) < len(names) or not all(sizes for _, sizes in found[: len(names)]):
        return None
    return tuple(
        Tensor(name, STORAGES.get(kind.removeprefix("torch "), "float32"), tuple(sizes[1:]))
        for name, (kind, sizes) in zip(names, found, strict=False)
    )


def _candidates(model: Any, call: Try) -> Iterator[Candidate]:
    """Shapes that the first weights suggest, likeliest first."""
    for kind, weight in _first_weights(model):
        shape = list(weight.shape)
        if kind == "Embedding":
            yield [], "int64"
            yield [None], "int64"
        elif kind in RECURRENT:
            yield [None, shape[1]], "float32"
        elif len(shape) == 2:
            yield [shape[1]], "float32"
            yield [None, shape[1]], "float32"
            yield [None], "int64"
        elif len(shape) == 3:
            yield from _sized(call, shape[1], 1, SPANS)
        elif len(shape) == 4:
            yield from _sized(call, shape[1], 2, SIDES)
        elif len(shape) == 1:
            yield [shape[0]], "float32"


def _sized(call: Try, channels: int, axes: int, sizes: Sequence[int]) -> Iterator[Candidate]:
    """Shapes of signals or pictures: of the first size that works, or of any if many do."""
    working = [size for size in sizes if _works(call, [channels, *[size] * axes], "float32")]
    if len(working) >= ENOUGH_FREE:
        yield [channels, *[None] * axes], "float32"
    elif working:
        yield [channels, *[working[0]] * axes], "float32"


def _first_weights(model: Any) -> list[tuple[str, Any]]:
    """The first layer's kind and weight; of a file without layers' names the first parameter."""
    for _name, module in model.named_modules():
        own = [value for _, value in module.named_parameters(recurse=False)]
        if own:
            kind = str(getattr(module, "original_name", ""))
            return [(kind, own[0])]
    return [("", value) for value in list(model.parameters())[:1]]


def _works(call: Try, shape: Sequence[int], dtype: str) -> bool:
    import torch

    try:
        answers = call([torch.zeros((ROWS, *shape), dtype=getattr(torch, dtype))])
    except Exception:  # that is the answer: it does not run on this shape
        return False
    return all(value.ndim and value.shape[0] == ROWS for value in answers.values())
