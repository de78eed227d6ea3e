"""The types of layers, each with PyTorch's names, defaults and arrangement of weights. docs/layers.md lists them."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from machines.conversion.layers import WRONG_OPTION, Graph, Layer, Shape, words
from machines.engine.errors import DataError

Built: TypeAlias = tuple[str, Shape]  # the value it gives, and the shape of that without the rows
MOST_RECURRENT = 16  # layers on top of each other in one LSTM or GRU


def linear(graph: Graph, layer: Layer, source: str) -> Built:
    shape = graph.shapes[source]
    weight = graph.tensor(layer, "weight", (None, None))
    layer.wants(shape, words((*shape[:-1], weight.shape[1])), bool(shape) and shape[-1] == weight.shape[1])
    result = graph.add("MatMul", [source, graph.constant(weight.T)])
    if graph.has(layer, "bias"):
        result = graph.add("Add", [result, graph.constant(graph.tensor(layer, "bias", (weight.shape[0],)))])
    return result, (*shape[:-1], weight.shape[0])


def convolution(axes: int) -> "Builder":
    def build(graph: Graph, layer: Layer, source: str) -> Built:
        shape = graph.shapes[source]
        weight = graph.tensor(layer, "weight", (None,) * (axes + 2))
        groups = layer.whole("groups", 1)
        fits = len(shape) == axes + 1 and shape[0] == weight.shape[1] * groups
        layer.wants(shape, words((weight.shape[1] * groups, *[None] * axes)), fits)
        stride, padding = layer.wholes("stride", 1, axes), layer.wholes("padding", 0, axes, least=0)
        dilation, kernel = layer.wholes("dilation", 1, axes), list(weight.shape[2:])
        inputs = [source, graph.constant(weight)]
        if graph.has(layer, "bias"):
            inputs.append(graph.constant(graph.tensor(layer, "bias", (weight.shape[0],))))
        result = graph.add(
            "Conv", inputs, kernel_shape=kernel, strides=stride, pads=padding * 2, dilations=dilation, group=groups
        )
        spans = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
        return result, (weight.shape[0], *_slid(layer, shape[1:], spans, stride, padding))

    return build


def pool(operator: str, axes: int) -> "Builder":
    def build(graph: Graph, layer: Layer, source: str) -> Built:
        shape = graph.shapes[source]
        layer.wants(shape, words((None,) * (axes + 1)), len(shape) == axes + 1)
        kernel = layer.wholes("kernel_size", None, axes)
        stride = layer.wholes("stride", kernel, axes)
        padding = layer.wholes("padding", 0, axes, least=0)
        more = {"count_include_pad": 1} if operator == "AveragePool" else {}
        result = graph.add(operator, [source], kernel_shape=kernel, strides=stride, pads=padding * 2, **more)
        return result, (shape[0], *_slid(layer, shape[1:], kernel, stride, padding))

    return build


def global_average(graph: Graph, layer: Layer, source: str) -> Built:
    shape = graph.shapes[source]
    layer.wants(shape, words((None, None)), len(shape) >= 2)
    axes = graph.constant(np.arange(2, len(shape) + 1, dtype=np.int64))
    return graph.add("ReduceMean", [source, axes], keepdims=0), shape[:1]


def batch_norm(axes: int) -> "Builder":
    def build(graph: Graph, layer: Layer, source: str) -> Built:
        shape = graph.shapes[source]
        size = graph.tensor(layer, "running_mean", (None,)).shape[0]
        allowed = (1, 2) if axes == 1 else (3,)
        layer.wants(shape, words((size, *[None] * axes)), len(shape) in allowed and shape[0] == size)
        parts = []
        for part in ("weight", "bias"):
            default = np.full(size, float(part == "weight"), np.float32)  # affine=False has neither
            parts.append(graph.tensor(layer, part, (size,)) if graph.has(layer, part) else default)
        parts += [graph.tensor(layer, part, (size,)) for part in ("running_mean", "running_var")]
        names = [graph.constant(part) for part in parts]
        return graph.add("BatchNormalization", [source, *names], epsilon=layer.number("eps", 1e-5)), shape

    return build


def layer_norm(graph: Graph, layer: Layer, source: str) -> Built:
    shape = graph.shapes[source]
    weight = graph.tensor(layer, "weight")
    axes = len(weight.shape)
    layer.wants(shape, words((*shape[: len(shape) - axes], *weight.shape)), shape[len(shape) - axes :] == weight.shape)
    inputs = [source, graph.constant(weight)]
    if graph.has(layer, "bias"):
        inputs.append(graph.constant(graph.tensor(layer, "bias", weight.shape)))
    return graph.add("LayerNormalization", inputs, axis=-axes, epsilon=layer.number("eps", 1e-5)), shape


def embedding(graph: Graph, layer: Layer, source: str) -> Built:
    weight = graph.tensor(layer, "weight", (None, None))
    return graph.add("Gather", [graph.constant(weight), source]), (*graph.shapes[source], weight.shape[1])


def recurrent(operator: str, gates: tuple[int, ...]) -> "Builder":
    """PyTorch stacks the gates in another order than ONNX: `gates` is ONNX's order in PyTorch's places."""

    def build(graph: Graph, layer: Layer, source: str) -> Built:
        shape = graph.shapes[source]
        ways = [""] + (["_reverse"] if graph.has(layer, "weight_ih_l0_reverse") else [])
        hidden = graph.tensor(layer, "weight_hh_l0", (None, None)).shape[1]
        depth = next(
            n for n in range(MOST_RECURRENT + 1) if not graph.has(layer, f"weight_ih_l{n}") or n == MOST_RECURRENT
        )
        last = layer.choice("gives", "all", ("all", "last")) == "last"
        width = graph.tensor(layer, "weight_ih_l0", (len(gates) * hidden, None)).shape[1]
        layer.wants(shape, words((None, width)), len(shape) == 2 and shape[1] == width)
        value = graph.add("Transpose", [source], perm=[1, 0, 2])  # ONNX has the steps first
        for number in range(depth):
            value = one(graph, layer, value, f"_l{number}", ways, hidden, width)
            width = hidden * len(ways)
        if last:
            step = graph.constant(np.array(-1, np.int64))
            return graph.add("Gather", [value, step], axis=0), (width,)
        return graph.add("Transpose", [value], perm=[1, 0, 2]), (shape[0], width)

    def one(graph: Graph, layer: Layer, value: str, number: str, ways: list[str], hidden: int, width: int) -> str:
        rows = len(gates) * hidden
        stacked: list[NDArray[Any]] = []
        for part, size in (("weight_ih", width), ("weight_hh", hidden)):
            tensors = [graph.tensor(layer, f"{part}{number}{way}", (rows, size)) for way in ways]
            stacked.append(np.stack([_ordered(tensor, gates) for tensor in tensors]))
        if graph.has(layer, f"bias_ih{number}"):
            pairs = [[graph.tensor(layer, f"bias_{p}{number}{way}", (rows,)) for p in ("ih", "hh")] for way in ways]
            stacked.append(np.stack([np.concatenate([_ordered(b, gates) for b in pair]) for pair in pairs]))
        more = {"linear_before_reset": 1} if operator == "GRU" else {}
        direction = "bidirectional" if len(ways) == 2 else "forward"
        names = [graph.constant(array) for array in stacked]
        result = graph.add(operator, [value, *names], hidden_size=hidden, direction=direction, **more)
        both = graph.add("Transpose", [result], perm=[0, 2, 1, 3])  # [steps, rows, directions, hidden]
        return graph.add("Reshape", [both, graph.constant(np.array([0, 0, -1], np.int64))])

    return build


def elementwise(operator: str, **defaults: float) -> "Builder":
    def build(graph: Graph, layer: Layer, source: str) -> Built:
        options: dict[str, Any] = {onnx: layer.number(torch, default) for (torch, onnx), default in _named(defaults)}
        return graph.add(operator, [source], **options), graph.shapes[source]

    return build


def gelu(graph: Graph, layer: Layer, source: str) -> Built:
    kind = layer.choice("approximate", "none", ("none", "tanh"))
    return graph.add("Gelu", [source], approximate=kind), graph.shapes[source]


def silu(graph: Graph, layer: Layer, source: str) -> Built:
    return graph.add("Mul", [source, graph.add("Sigmoid", [source])]), graph.shapes[source]


def softmax(operator: str) -> "Builder":
    def build(graph: Graph, layer: Layer, source: str) -> Built:
        shape = graph.shapes[source]
        dim = layer.whole("dim", -1, least=-1)
        if dim == 0 or dim > len(shape):
            raise DataError(WRONG_OPTION, layer=str(layer), option="dim", value=str(dim))
        return graph.add(operator, [source], axis=dim), shape

    return build


def dropout(graph: Graph, layer: Layer, source: str) -> Built:
    layer.number("p", 0.5)  # PyTorch's; nothing is dropped in an answer
    return graph.add("Identity", [source]), graph.shapes[source]


def flatten(graph: Graph, layer: Layer, source: str) -> Built:
    shape = graph.shapes[source]
    layer.wants(shape, "fixed sizes", None not in shape)
    size = int(np.prod([axis or 1 for axis in shape], dtype=np.int64))
    return graph.add("Flatten", [source], axis=1), (size,)


def concat(graph: Graph, layer: Layer, *sources: str) -> Built:
    shapes = [graph.shapes[source] for source in sources]
    dim = layer.whole("dim", 1)
    first = shapes[0]
    for shape in shapes:
        fits = len(shape) == len(first) >= dim and _without(shape, dim) == _without(first, dim)
        layer.wants(shape, words(first), fits)
    sizes = [shape[dim - 1] for shape in shapes]
    total = None if None in sizes else sum(size for size in sizes if size is not None)
    return graph.add("Concat", list(sources), axis=dim), (*first[: dim - 1], total, *first[dim:])


def add(graph: Graph, layer: Layer, *sources: str) -> Built:
    first = graph.shapes[sources[0]]
    value = sources[0]
    for source in sources[1:]:
        layer.wants(graph.shapes[source], words(first), graph.shapes[source] == first)
        value = graph.add("Add", [value, source])
    return value, first


def _slid(layer: Layer, sizes: Shape, kernel: list[int], stride: list[int], padding: list[int]) -> Shape:
    """Sizes after a window slid over them: floor((n + 2p - k) / s) + 1."""
    found = tuple(
        None if n is None else (n + 2 * p - k) // s + 1
        for n, k, s, p in zip(sizes, kernel, stride, padding, strict=True)
    )
    layer.wants(sizes, f"at least {words(tuple(kernel))}", all(size is None or size > 0 for size in found))
    return found


def _ordered(tensor: NDArray[Any], gates: tuple[int, ...]) -> NDArray[Any]:
    parts = np.split(tensor, len(gates))
    return np.concatenate([parts[place] for place in gates])


def _named(defaults: dict[str, float]) -> list[tuple[tuple[str, str], float]]:
    """PyTorch calls ONNX's alpha otherwise in every layer: negative_slope_alpha -> (negative_slope, alpha)."""
    return [((name.rpartition("_")[0], name.rpartition("_")[2]), default) for name, default in defaults.items()]


def _without(shape: Shape, dim: int) -> Shape:
    return (*shape[: dim - 1], *shape[dim:])


Builder: TypeAlias = Callable[..., Built]
SEVERAL = {"Concat", "Add"}  # take more than one value
BUILDERS: dict[str, Builder] = {
    "Linear": linear,
    "Conv1d": convolution(1),
    "Conv2d": convolution(2),
    "MaxPool1d": pool("MaxPool", 1),
    "MaxPool2d": pool("MaxPool", 2),
    "AvgPool1d": pool("AveragePool", 1),
    "AvgPool2d": pool("AveragePool", 2),
    "GlobalAvgPool": global_average,
    "BatchNorm1d": batch_norm(1),
    "BatchNorm2d": batch_norm(2),
    "LayerNorm": layer_norm,
    "Embedding": embedding,
    "LSTM": recurrent("LSTM", (0, 3, 1, 2)),
    "GRU": recurrent("GRU", (1, 0, 2)),
    "ReLU": elementwise("Relu"),
    "LeakyReLU": elementwise("LeakyRelu", negative_slope_alpha=0.01),
    "ELU": elementwise("Elu", alpha_alpha=1.0),
    "GELU": gelu,
    "SiLU": silu,
    "Tanh": elementwise("Tanh"),
    "Sigmoid": elementwise("Sigmoid"),
    "Softmax": softmax("Softmax"),
    "LogSoftmax": softmax("LogSoftmax"),
    "Dropout": dropout,
    "Flatten": flatten,
    "Concat": concat,
    "Add": add,
}
