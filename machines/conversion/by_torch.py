"""TorchScript and torch.export files, opened with PyTorch. Only ever inside a locked process."""

import re
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any, cast

import numpy as np

from machines.conversion import archive, pickles
from machines.conversion.formats import PICKLED
from machines.conversion.loaded import NO_SHAPE, NOT_TENSORS, UNREADABLE, Feed, Loaded, short
from machines.conversion.torch_inputs import find_inputs
from machines.engine.errors import DataError, gettext_noop
from machines.serving.signature import Tensor

OPSET = 17
TOUCHES = re.compile(rb"\b(?:torch|ops\.aten)\.(save|from_file|load)\(")  # how TorchScript writes calls that open files
REACHES_OUT = gettext_noop("The model calls “%(operator)s”, which opens files. Models here may only calculate.")


def prepare() -> None:
    """Import what the formats need, before this process may no longer."""
    import torch
    import torch.export
    import torch.onnx

    torch.set_num_threads(1)


def load_torchscript(content: bytes, inputs: Sequence[Tensor]) -> Loaded:
    import torch

    with archive.opened(content) as members:
        archive.verify(members)
        _check_code(members)
        traced = next((name for name in members.namelist() if name.endswith("/traced_inputs.pkl")), None)
        example = archive.read(members, traced) if traced else b""
    try:
        load: Any = torch.jit.load  # untyped
        model = load(BytesIO(content), map_location="cpu").eval()
    except Exception as error:
        raise DataError(UNREADABLE, framework="PyTorch", why=short(error)) from error
    call_tensors = _caller(model)
    tensors = tuple(inputs) or find_inputs(model, _argument_names(model), call_tensors, example)

    def call(feed: Feed) -> dict[str, Any]:
        return call_tensors([torch.from_numpy(np.ascontiguousarray(feed[tensor.name])) for tensor in tensors])

    def to_onnx() -> bytes:
        return _script_to_onnx(model, tensors, call)

    return Loaded(tensors, call, to_onnx)


def load_pt2(content: bytes, inputs: Sequence[Tensor]) -> Loaded:
    import torch

    check_pt2(content)
    try:
        program = torch.export.load(BytesIO(content))
        tensors, batch = _program_inputs(program)
        module = program.module()
    except DataError:
        raise
    except Exception as error:
        raise DataError(UNREADABLE, framework="PyTorch", why=short(error)) from error
    call_tensors = _caller(module)

    def call(feed: Feed) -> dict[str, Any]:
        return call_tensors([torch.from_numpy(np.ascontiguousarray(feed[tensor.name])) for tensor in tensors])

    def to_onnx() -> bytes:
        target = BytesIO()
        made: Any = torch.onnx.export(program, dynamo=True, verbose=False)
        made.save(target)
        return target.getvalue()

    return Loaded(tensors, call, to_onnx, batch=batch)


def check_pt2(content: bytes) -> None:
    """Raise DataError for pickles that need more than tensors do: `torch.export.load` would run them."""
    with archive.opened(content) as members:
        for name in members.namelist():
            data = archive.read(members, name)
            if data.startswith(b"PK"):
                with archive.opened(data) as inner:
                    _check_pickles(inner)
            elif data.startswith(b"\x80") and name.endswith((".pt", ".pkl")):
                _refuse_needy(data)


def _check_pickles(members: Any) -> None:
    for name in members.namelist():
        data = archive.read(members, name)
        if name.endswith(".pkl"):
            _refuse_needy(data)


def _refuse_needy(data: bytes) -> None:
    if pickles.needs(data):
        raise DataError(PICKLED)


def _check_code(members: Any) -> None:
    for name in members.namelist():
        if "/code/" in name and (found := TOUCHES.search(archive.read(members, name))):
            raise DataError(REACHES_OUT, operator=found[1].decode())


def _argument_names(model: Any) -> list[str]:
    """Names of the tensors that `forward` takes. Raises DataError for anything else without a default."""
    arguments = model.forward.schema.arguments[1:]
    for argument in arguments:
        if str(argument.type) not in ("Tensor", "Optional[Tensor]") and not argument.has_default_value():
            raise DataError(NOT_TENSORS, what=short(f"{argument.name}: {argument.type}"))
    names = [argument.name for argument in arguments if not argument.has_default_value()]
    if not names:
        raise DataError(NO_SHAPE)
    return names


def _caller(model: Any) -> Callable[[Sequence[Any]], dict[str, Any]]:
    import torch

    def call_tensors(tensors: Sequence[Any]) -> dict[str, Any]:
        with torch.inference_mode():
            answers = model(*tensors)
        return {name: value.detach().numpy() for name, value in _flat(answers)}

    return call_tensors


def _flat(answers: Any) -> list[tuple[str, Any]]:
    """Outputs with names: `output`, or `output_0`, `output_1`, ... Raises DataError for what is no tensor."""
    import torch

    if isinstance(answers, torch.Tensor):
        return [("output", answers)]
    values = list(answers.values()) if isinstance(answers, dict) else answers
    if not isinstance(values, list | tuple) or not all(isinstance(value, torch.Tensor) for value in values):
        raise DataError(NOT_TENSORS, what=type(answers).__name__)
    names = list(map(str, answers)) if isinstance(answers, dict) else [f"output_{i}" for i in range(len(values))]
    return list(zip(names, values, strict=True))


def _script_to_onnx(model: Any, tensors: Sequence[Tensor], call: Any) -> bytes:
    import torch

    from machines.conversion.trial import random_rows

    feed = {tensor.name: random_rows(tensor, 3, 0, most=2) for tensor in tensors}
    outputs = list(call(feed))
    axes = {tensor.name: {0: "rows", **_free_axes(tensor)} for tensor in tensors} | {
        name: {0: "rows"} for name in outputs
    }
    target, export = BytesIO(), cast(Any, torch.onnx.export)  # its types do not know that it writes to buffers
    export(
        model,
        tuple(torch.from_numpy(array) for array in feed.values()),
        target,
        dynamo=False,  # the new exporter takes no TorchScript
        opset_version=OPSET,
        input_names=[tensor.name for tensor in tensors],
        output_names=outputs,
        dynamic_axes=axes,
    )
    return target.getvalue()


def _free_axes(tensor: Tensor) -> dict[int, str]:
    return {place: f"{tensor.name}_{place}" for place, size in enumerate(tensor.shape, start=1) if size is None}


def _program_inputs(program: Any) -> tuple[tuple[Tensor, ...], int | None]:
    """What an exported program takes, and how many rows if that is fixed."""
    import torch

    metas = {node.name: node.meta.get("val") for node in program.graph.nodes if node.op == "placeholder"}
    tensors, batches = [], set()
    for name in program.graph_signature.user_inputs:
        value = metas.get(name)
        if not isinstance(value, torch.Tensor) or not value.ndim:
            raise DataError(NOT_TENSORS, what=short(str(name)))
        sizes = [size if isinstance(size, int) else None for size in value.shape]
        batches.add(sizes[0])
        tensors.append(Tensor(str(name), str(value.dtype).removeprefix("torch."), tuple(sizes[1:])))
    if not tensors:
        raise DataError(NO_SHAPE)
    return tuple(tensors), batches.pop() if len(batches) == 1 else None
