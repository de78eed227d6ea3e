"""A small pen for ONNX graphs: every part of a machine writes its own nodes with it.

Only standard operators (ai.onnx 20, ai.onnx.ml 5), and where there is text ONNX Runtime's own Tokenizer, which every one of
its builds has: the standard knows no characters. So bare ONNX Runtime runs the file.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

IR_VERSION = 10
ML, CONTRIB = "ai.onnx.ml", "com.microsoft"
VERSIONS = {"": 20, ML: 5, CONTRIB: 1}


class Graph:
    """Collects nodes and constants. Inner names start with `prefix`, which no name in `taken` starts with."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.prefix = "@"
        while any(name.startswith(self.prefix) for name in taken):
            self.prefix += "@"
        self.domains = {"", ML}
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.told: list[onnx.ValueInfoProto] = []
        self._count = 0
        self._known: dict[tuple[Any, ...], str] = {}
        self._written: dict[int, dict[int, str]] = {}

    def once(self, model: int, write: Callable[[], dict[int, str]]) -> dict[int, str]:
        """The tensors of a model, which is written the first time that somebody asks."""
        if model not in self._written:
            self._written[model] = write()
        return self._written[model]

    def add(self, op: str, *inputs: str, output: str | None = None, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output and return the output's name (`output`, or a fresh one)."""
        output = output or self._fresh(op)
        self.domains.add(domain)
        self.nodes.append(helper.make_node(op, list(inputs), [output], domain=domain, **attributes))
        return output

    def add_many(self, op: str, inputs: Sequence[str], outputs: int) -> list[str]:
        """Add a node with several outputs and return their names."""
        names = [self._fresh(op) for _ in range(outputs)]
        self.nodes.append(helper.make_node(op, list(inputs), names))
        return names

    def tell(self, source: str, kind: int, axes: int) -> str:
        """Say which tensor type `source` has: for operators that the standard, and so onnx's checker, does not know."""
        self.told.append(helper.make_tensor_value_info(source, kind, [None] * axes))
        return source

    def split(self, source: str, sizes: Sequence[int], axis: int, to: Sequence[str] | None = None) -> list[str]:
        """Cut `source` along `axis` into parts of `sizes`."""
        inputs = [source, self.ints(*sizes)]
        outputs = list(to) if to else [self._fresh("Split") for _ in sizes]
        self.nodes.append(helper.make_node("Split", inputs, outputs, axis=axis))
        return outputs

    def constant(self, array: NDArray[Any]) -> str:
        """Store an array (strings as an object array) and return its name; equal small arrays are stored once."""
        key = (str(array.dtype), array.shape, array.tobytes() if array.dtype != object else tuple(array.ravel()))
        if key not in self._known:
            self._known[key] = self._fresh("constant")
            self.constants.append(numpy_helper.from_array(array, self._known[key]))
        return self._known[key]

    def ints(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def floats(self, *values: float) -> str:
        return self.constant(np.array(values, np.float32))

    def cast(self, source: str, dtype: type[np.generic]) -> str:
        return self.add("Cast", source, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def reshape(self, source: str, *shape: int) -> str:
        return self.add("Reshape", source, self.ints(*shape))

    def concat(self, sources: Sequence[str], axis: int) -> str:
        return sources[0] if len(sources) == 1 else self.add("Concat", *sources, axis=axis)

    def total(self, sources: Sequence[str]) -> str:
        """Add up tensors of equal shape."""
        return sources[0] if len(sources) == 1 else self.add("Sum", *sources)

    def paste(self, fragment: onnx.GraphProto, names: Mapping[str, str]) -> dict[str, str]:
        """Write the nodes of another graph, whose inputs have these names here; return what all its names became."""
        became, constants = dict(names), {constant.name: constant for constant in fragment.initializer}
        for node in fragment.node:
            for name in node.input:
                if name not in became:
                    became[name] = self.constant(numpy_helper.to_array(constants[name]))
            became |= {name: self._fresh(node.op_type) for name in node.output}
            copy = onnx.NodeProto()
            copy.CopyFrom(node)
            copy.input[:] = [became[name] for name in node.input]
            copy.output[:] = [became[name] for name in node.output]
            self.nodes.append(copy)
        return became

    def model(
        self, inputs: list[onnx.ValueInfoProto], outputs: list[onnx.ValueInfoProto], metadata: Mapping[str, str]
    ) -> onnx.ModelProto:
        """Return the finished model."""
        graph = helper.make_graph(self.nodes, "machine", inputs, outputs, self.constants, value_info=self.told)
        versions = [helper.make_opsetid(domain, VERSIONS[domain]) for domain in sorted(self.domains)]
        model = helper.make_model(graph, opset_imports=versions, ir_version=IR_VERSION, producer_name="EasyAutoML")
        helper.set_model_props(model, dict(metadata))
        return model

    def _fresh(self, what: str) -> str:
        self._count += 1
        return f"{self.prefix}{self._count}.{what}"
