"""Reads an ONNX file as data and says whether it may be run: nothing in it is executed here.

A converted model is as hostile as the file it came from, so the site asks this again, outside the locked process.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from math import prod
from typing import Any

from machines.engine.errors import DataError, gettext_noop
from machines.serving.signature import TEXT, Signature, Tensor

MOST_BYTES = 512 * 2**20
MOST_NODES = 20_000
MOST_MESSAGES = 400_000
MOST_NAME = 200
MOST_TENSORS = 64  # inputs, and outputs
MOST_AXES = 8
MOST_OPSET = 26  # what the installed ONNX Runtime knows
DOMAINS = {"": "", "ai.onnx": "", "ai.onnx.ml": "ai.onnx.ml", "com.microsoft": "com.microsoft"}
OF_RUNTIME = {("com.microsoft", "Tokenizer")}  # ONNX Runtime's own, which our machines read sentences with
WITHOUT = {"ImageDecoder"}  # decodes pictures by libraries of its own

DAMAGED = gettext_noop("This is no ONNX file, or it is damaged. Export the model again.")
TOO_LARGE = gettext_noop("The ONNX file is larger than a model may be (%(most)s MB).")
TOO_MANY = gettext_noop("The model has more than %(most)s %(things)s.")
OUTSIDE = gettext_noop("The model keeps “%(tensor)s” in another file. Save it as one file, with its weights inside.")
OPERATOR = gettext_noop(
    "The model uses the operator “%(operator)s”, which is not in the ONNX standard. We run standard ones only."
)
FUNCTIONS = gettext_noop("The model defines functions of its own. Export it with its functions inlined (onnx.inliner).")
TRAINING = gettext_noop("The model holds how it is trained. Export it for inference.")
SPARSE = gettext_noop("The model has sparse weights. Export it with dense ones.")
BAD_TENSOR = gettext_noop("The tensor “%(tensor)s” does not hold what its shape and type say. Export the model again.")
BAD_INPUT = gettext_noop(
    "“%(name)s” is no tensor whose first axis is the rows. Export the model with rows as the first axis."
)
MAPS = gettext_noop("“%(name)s” is a list or map, not a tensor. With skl2onnx, export with the option zipmap=False.")
NOTHING = gettext_noop("The model has no %(what)s.")
LONG_NAME = gettext_noop("A name in the model is longer than %(most)s characters.")
OLD = gettext_noop("The model needs version %(version)s of the ONNX operators; we run versions 7 to %(most)s.")

_DTYPES = {1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 8: TEXT, 9: "bool"}
_DTYPES |= {10: "float16", 11: "float64", 12: "uint32", 13: "uint64"}
_BYTES = {1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 12: 4, 13: 8, 14: 8, 15: 16, 16: 2}
_FIELDS = {1: "float_data", 7: "int64_data", 8: "string_data", 11: "double_data", 12: "uint64_data", 13: "uint64_data"}


@dataclass(frozen=True)
class Checked:
    """What the file says. The outputs' shapes may be unknown (rank and all): only a run shows them."""

    signature: Signature
    opset: int
    operators: dict[str, int]  # name -> how often, most used first
    parameters: int


def check_onnx(content: bytes) -> Checked:
    """Return what the file says, or raise DataError with the reason why it is not run."""
    model = parse(content)
    nodes, parameters = Counter[str](), 0
    for message in _messages(model):
        kind = message.DESCRIPTOR.name
        if kind == "NodeProto":
            nodes[_operator(message)] += 1
            if nodes.total() > MOST_NODES:
                raise DataError(TOO_MANY, most=MOST_NODES, things="operators")
        elif kind == "TensorProto":
            parameters += _check_tensor(message)
        elif kind == "SparseTensorProto":
            raise DataError(SPARSE)
    return Checked(_signature(model.graph), _opset(model), dict(nodes.most_common()), parameters)


def parse(content: bytes) -> Any:
    """Return the ModelProto. Raises DataError for what is no such thing."""
    import onnx

    if len(content) > MOST_BYTES:
        raise DataError(TOO_LARGE, most=MOST_BYTES // 2**20)
    try:
        model = onnx.ModelProto.FromString(content)
    except Exception as error:  # protobuf's DecodeError has moved between versions
        raise DataError(DAMAGED) from error
    if not model.graph.node or not model.opset_import:
        raise DataError(DAMAGED)
    if model.functions:
        raise DataError(FUNCTIONS)
    if model.training_info:
        raise DataError(TRAINING)
    return model


def _messages(root: Any) -> Iterator[Any]:
    """Every message in the file, wherever it hides: attributes, branches of If, bodies of Loop."""
    waiting, seen = [root], 0
    while waiting:
        message = waiting.pop()
        seen += 1
        if seen > MOST_MESSAGES:
            raise DataError(TOO_MANY, most=MOST_MESSAGES, things="parts")
        yield message
        for field, value in message.ListFields():
            if field.message_type is None:
                _check_name(field.name, value)
            elif field.is_repeated:
                waiting.extend(value)
            else:
                waiting.append(value)


def _check_name(field: str, value: Any) -> None:
    if (field in ("name", "op_type", "domain") and len(value) > MOST_NAME) or (
        field in ("input", "output") and any(len(name) > MOST_NAME for name in value)
    ):
        raise DataError(LONG_NAME, most=MOST_NAME)


@cache
def allowed_operators() -> frozenset[tuple[str, str]]:
    """The standard's operators and those of OF_RUNTIME, by domain and name."""
    import onnx

    schemas = onnx.defs.get_all_schemas()
    standard = {(s.domain, s.name) for s in schemas if s.domain in DOMAINS.values() and s.name not in WITHOUT}
    return frozenset(standard | OF_RUNTIME)


def _operator(node: Any) -> str:
    domain = DOMAINS.get(node.domain)
    if domain is None or (domain, node.op_type) not in allowed_operators():
        raise DataError(OPERATOR, operator=f"{node.domain}.{node.op_type}".lstrip(".")[:MOST_NAME])
    return str(node.op_type)


def _check_tensor(tensor: Any) -> int:
    """Return how many values a tensor has: as many as it says, and none of them elsewhere."""
    if tensor.external_data or tensor.data_location:
        raise DataError(OUTSIDE, tensor=tensor.name[:MOST_NAME])
    count: int = prod(tensor.dims)
    if any(size < 0 for size in tensor.dims) or tensor.HasField("segment") or not _holds(tensor, count):
        raise DataError(BAD_TENSOR, tensor=tensor.name[:MOST_NAME])
    return count


def _holds(tensor: Any, count: int) -> bool:
    if tensor.raw_data:
        size = _BYTES.get(tensor.data_type)
        return (size is None and len(tensor.raw_data) <= count) or (
            size is not None and len(tensor.raw_data) == count * size
        )
    values = getattr(tensor, _FIELDS.get(tensor.data_type, "int32_data"))
    most = 2 * count if tensor.data_type in (14, 15) else count  # complex numbers are two
    return tensor.data_type in (14, 15) or len(values) in (most, -(-count // 2), -(-count // 4))


def _opset(model: Any) -> int:
    found = [item.version for item in model.opset_import if DOMAINS.get(item.domain) == ""]
    version = max(found, default=0)
    if len(found) != 1 or not 7 <= version <= MOST_OPSET:
        raise DataError(OLD, version=version, most=MOST_OPSET)
    return int(version)


def _signature(graph: Any) -> Signature:
    weights = {tensor.name for tensor in graph.initializer}
    inputs = [item for item in graph.input if item.name not in weights]
    for what, items in (("inputs", inputs), ("outputs", graph.output)):
        if not items:
            raise DataError(NOTHING, what=what)
        if len(items) > MOST_TENSORS:
            raise DataError(TOO_MANY, most=MOST_TENSORS, things=what)
    for item in inputs:
        if _dtype(item) and not item.type.tensor_type.shape.dim:
            raise DataError(BAD_INPUT, name=item.name)
    fixed = {size for item in inputs if (size := _axes(item)[0]) is not None}
    if len(fixed) > 1:
        raise DataError(BAD_INPUT, name=inputs[0].name)
    batch = fixed.pop() if fixed else None
    return Signature(tuple(map(_tensor, inputs)), tuple(map(_tensor, graph.output)), batch)


def _tensor(item: Any) -> Tensor:
    return Tensor(item.name, _dtype(item), tuple(_axes(item)[1:]))


def _dtype(item: Any) -> str:
    if item.type.WhichOneof("value") != "tensor_type":
        raise DataError(MAPS, name=item.name)
    dtype = _DTYPES.get(item.type.tensor_type.elem_type)
    if dtype is None:
        raise DataError(BAD_INPUT, name=item.name)
    return dtype


def _axes(item: Any) -> list[int | None]:
    """The sizes of all axes, rows first; None where a size is free. An output may leave its shape open."""
    _dtype(item)
    shape = item.type.tensor_type.shape
    axes = [axis.dim_value if axis.HasField("dim_value") and axis.dim_value > 0 else None for axis in shape.dim]
    if len(axes) > MOST_AXES:
        raise DataError(BAD_INPUT, name=item.name)
    return axes or [None]
