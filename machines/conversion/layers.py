"""Weights and a list of layers become an ONNX model, with numpy alone. docs/layers.md describes the list.

{"inputs": [{"name": "x", "shape": [8], "dtype": "float32"}],
 "layers": [{"type": "Linear", "name": "0"}, {"type": "ReLU"}, {"type": "Linear", "name": "2"}]}

A layer's `name` is what its tensors begin with in the file ("0.weight"). It takes what the layer before it gives, or what
`from` names: an input, a layer, or a list of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from machines.conversion.loaded import MOST_VALUES, tensors_of
from machines.conversion.weights import Weights
from machines.engine.errors import DataError, gettext_noop
from machines.serving.signature import Tensor

OPSET = 20
MOST_LAYERS = 1000
ROWS = "rows"
Shape = tuple[int | None, ...]  # without the rows

BAD_SPECIFICATION = gettext_noop(
    'The list of layers cannot be read: %(why)s. It looks like {"inputs": [{"name": "x", "shape": [8]}], "layers": '
    '[{"type": "Linear", "name": "0"}]}.'
)
UNKNOWN_TYPE = gettext_noop("%(layer)s: there is no such type. We know %(types)s.")
UNKNOWN_SOURCE = gettext_noop("%(layer)s takes “%(name)s”, but neither an input nor a layer before it is called that.")
MISSING = gettext_noop("%(layer)s needs the tensor “%(tensor)s”, which the file does not hold.")
WRONG_SHAPE = gettext_noop("%(layer)s: “%(tensor)s” has the shape %(found)s, expected %(expected)s.")
WRONG_INPUT = gettext_noop("%(layer)s takes rows of the shape %(expected)s, but %(found)s comes in.")
WRONG_OPTION = gettext_noop("%(layer)s: “%(option)s” cannot be %(value)s.")
UNKNOWN_OPTION = gettext_noop("%(layer)s has no option “%(option)s”.")
UNUSED = gettext_noop("The file holds “%(tensor)s”, which no layer uses. Is a layer missing from the list?")
NO_OUTPUT = gettext_noop("There is no layer called “%(name)s” to give as an output.")


@dataclass
class Layer:
    """One line of the list, with what is asked of it while it is built."""

    place: int
    kind: str
    name: str
    sources: list[str]
    options: dict[str, Any]
    asked: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        return (
            f"Layer {self.place + 1} “{self.name}” ({self.kind})"
            if self.name
            else f"Layer {self.place + 1} ({self.kind})"
        )

    def number(self, option: str, default: float) -> float:
        value = self._take(option, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not -1e9 < value < 1e9:
            raise DataError(WRONG_OPTION, layer=str(self), option=option, value=str(value)[:40])
        return value

    def whole(self, option: str, default: int | None, *, least: int = 1) -> int:
        value = self._take(option, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 2**20:
            raise DataError(WRONG_OPTION, layer=str(self), option=option, value=str(value)[:40])
        return value

    def wholes(self, option: str, default: Any, count: int, *, least: int = 1) -> list[int]:
        """One number for all axes, or one each."""
        value = self._take(option, default)
        values = value if isinstance(value, list) else [value] * count
        if len(values) != count or not all(type(item) is int and least <= item < 2**20 for item in values):
            raise DataError(WRONG_OPTION, layer=str(self), option=option, value=str(value)[:40])
        return values

    def truth(self, option: str, default: bool) -> bool:
        value = self._take(option, default)
        if not isinstance(value, bool):
            raise DataError(WRONG_OPTION, layer=str(self), option=option, value=str(value)[:40])
        return value

    def choice(self, option: str, default: str, choices: tuple[str, ...]) -> str:
        value = self._take(option, default)
        if value not in choices:
            raise DataError(WRONG_OPTION, layer=str(self), option=option, value=str(value)[:40])
        return str(value)

    def wants(self, shape: Shape, expected: str, fits: bool) -> None:
        if not fits:
            raise DataError(WRONG_INPUT, layer=str(self), expected=expected, found=words(shape))

    def _take(self, option: str, default: Any) -> Any:
        self.asked.add(option)
        return self.options.get(option, default)


@dataclass
class Graph:
    """The ONNX graph while it grows: values by name, with their shapes."""

    weights: Weights
    shapes: dict[str, Shape]
    nodes: list[Any] = field(default_factory=list)
    constants: dict[str, NDArray[Any]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def add(self, operator: str, inputs: list[str], outputs: int = 1, **attributes: Any) -> str:
        """Add a node and return the name of its first output."""
        from onnx import helper

        names = [f"v{len(self.nodes)}_{place}" for place in range(outputs)]
        self.nodes.append(helper.make_node(operator, inputs, names, **attributes))
        return names[0]

    def constant(self, array: NDArray[Any]) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = np.array(array, order="C")  # ascontiguousarray would give a single number an axis
        return name

    def tensor(self, layer: Layer, part: str, shape: tuple[int | None, ...] | None = None) -> NDArray[Any]:
        """Return a layer's tensor as float32, its shape checked; None in `shape` is any size."""
        name = f"{layer.name}.{part}" if layer.name else part
        if name not in self.weights:
            raise DataError(MISSING, layer=str(layer), tensor=name)
        found = self.weights[name]
        if shape is not None and not _fits(found.shape, shape):
            raise DataError(WRONG_SHAPE, layer=str(layer), tensor=name, found=words(found.shape), expected=words(shape))
        self.used.add(name)
        return found.astype(np.float32)

    def has(self, layer: Layer, part: str) -> bool:
        return (f"{layer.name}.{part}" if layer.name else part) in self.weights


def build(specification: Any, weights: Weights) -> bytes:
    """Return the ONNX file. Raises DataError that names the layer and the tensor, with the shapes expected and found."""
    inputs, layers, wanted = _parse(specification)
    graph = Graph(weights, {tensor.name: tensor.shape for tensor in inputs})
    values = {tensor.name: tensor.name for tensor in inputs}  # what `from` may name -> value in the graph
    last = inputs[0].name if len(inputs) == 1 else ""
    for layer in layers:
        last = _add(graph, layer, values, last)
    outputs = {name: values.get(name, "") for name in wanted} if wanted else {"output": last}
    if missing := [name for name, value in outputs.items() if not value]:
        raise DataError(NO_OUTPUT, name=missing[0])
    unused = [name for name in weights if name not in graph.used and not name.endswith("num_batches_tracked")]
    if unused:
        raise DataError(UNUSED, tensor=unused[0])
    return _finish(graph, inputs, outputs)


def words(shape: Shape) -> str:
    return "(" + ", ".join("any" if size is None else str(size) for size in shape) + ")"


def _parse(specification: Any) -> tuple[tuple[Tensor, ...], list[Layer], list[str]]:
    if not isinstance(specification, dict):
        raise DataError(BAD_SPECIFICATION, why="it is no object")
    items = specification.get("layers")
    if not isinstance(items, list) or not 1 <= len(items) <= MOST_LAYERS:
        raise DataError(BAD_SPECIFICATION, why="“layers” is no list, or empty, or too long")
    wanted = specification.get("outputs", [])
    if not isinstance(wanted, list) or not all(isinstance(name, str) for name in wanted) or len(wanted) > 64:
        raise DataError(BAD_SPECIFICATION, why="“outputs” is no list of names")
    return tensors_of(specification.get("inputs")), [_layer(i, item) for i, item in enumerate(items)], wanted


def _layer(place: int, item: Any) -> Layer:
    if not isinstance(item, dict) or not isinstance(item.get("type"), str):
        raise DataError(BAD_SPECIFICATION, why=f"layer {place + 1} has no “type”")
    source, name = item.get("from", []), item.get("name", "")
    sources = [source] if isinstance(source, str) else source
    if not isinstance(name, str) or not isinstance(sources, list) or not all(isinstance(s, str) for s in sources):
        raise DataError(BAD_SPECIFICATION, why=f"“name” or “from” of layer {place + 1} is no text")
    options = {key: value for key, value in item.items() if key not in ("type", "name", "from")}
    return Layer(place, item["type"][:40], name[:200], sources, options)


def _add(graph: Graph, layer: Layer, values: dict[str, str], last: str) -> str:
    """Add one layer and return the name of the value it gives."""
    from machines.conversion.layer_types import BUILDERS, SEVERAL

    builder = BUILDERS.get(layer.kind)
    if builder is None:
        raise DataError(UNKNOWN_TYPE, layer=str(layer), types=", ".join(sorted(BUILDERS)))
    sources = layer.sources or [last]
    for name in sources:
        if name not in values and name != last:
            raise DataError(UNKNOWN_SOURCE, layer=str(layer), name=name[:80])
    taken = [values.get(name, name) for name in sources]
    if not taken[0] or (len(taken) > 1) != (layer.kind in SEVERAL):
        raise DataError(WRONG_OPTION, layer=str(layer), option="from", value=", ".join(sources)[:80] or "empty")
    result, shape = builder(graph, layer, *taken)
    if unknown := [option for option in layer.options if option not in layer.asked]:
        raise DataError(UNKNOWN_OPTION, layer=str(layer), option=str(unknown[0])[:40])
    if prod(size or 1 for size in shape) > MOST_VALUES:
        raise DataError(WRONG_INPUT, layer=str(layer), expected=f"at most {MOST_VALUES} values", found=words(shape))
    graph.shapes[result] = shape
    if layer.name:
        values[layer.name] = result
    return result


def _finish(graph: Graph, inputs: tuple[Tensor, ...], outputs: Mapping[str, str]) -> bytes:
    import onnx
    from onnx import helper, numpy_helper

    def info(name: str, dtype: str, shape: Shape) -> Any:
        axes = [ROWS, *(f"{name}_{i}" if size is None else size for i, size in enumerate(shape))]
        return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), axes)

    nodes = [*graph.nodes, *(helper.make_node("Identity", [value], [name]) for name, value in outputs.items())]
    taken = {tensor.name for tensor in inputs}
    if taken & (set(outputs) | set(graph.constants) | {name for node in graph.nodes for name in node.output}):
        raise DataError(BAD_SPECIFICATION, why="an input is called like an output")
    body = helper.make_graph(
        nodes,
        "layers",
        [info(tensor.name, tensor.dtype, tensor.shape) for tensor in inputs],
        [info(name, "float32", graph.shapes[value]) for name, value in outputs.items()],
        [numpy_helper.from_array(array, name) for name, array in graph.constants.items()],
    )
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


def _fits(found: tuple[int, ...], expected: tuple[int | None, ...]) -> bool:
    return len(found) == len(expected) and all(b is None or a == b for a, b in zip(found, expected, strict=True))
