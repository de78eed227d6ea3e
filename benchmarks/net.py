"""The network that every server of benchmarks/serving.py answers with: 8 numbers in, 128, 128, one number out."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

SIZES = (8, 128, 128, 1)
ROW = [3.0, 118.5, 72.0, 23.0, 15.5, 32.3, 0.357, 29.0]
NAMES = [f"x{at}" for at in range(1, SIZES[0] + 1)]
LOW, HIGH = 0.0, 200.0  # of every input, as a machine describes them

Weights = list[tuple[NDArray[np.float32], NDArray[np.float32]]]


def make_weights(seed: int = 0) -> Weights:
    """Per layer its matrix [in, out] and its bias [out]."""
    rng = np.random.default_rng(seed)
    return [
        ((rng.normal(size=(into, out)) / into**0.5).astype(np.float32), rng.normal(size=out).astype(np.float32))
        for into, out in pairwise(SIZES)
    ]


def answer(weights: Weights, rows: NDArray[Any]) -> NDArray[Any]:
    """What every server has to answer: [rows, 8] -> [rows, 1]."""
    for at, (matrix, bias) in enumerate(weights):
        rows = rows @ matrix + bias
        rows = np.maximum(rows, 0) if at < len(weights) - 1 else rows
    return rows


def save_weights(path: Path, weights: Weights) -> None:
    """For what makes the network in another environment."""
    np.savez(path, **_named(weights))  # type: ignore[arg-type]  # its stubs take every name for allow_pickle


def bare_onnx(weights: Weights) -> bytes:
    """One float32 tensor x [rows, 8] in, one y [rows, 1] out."""
    given = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", SIZES[0]])]
    return _model(given, _layers(weights, "y"), {"y": TensorProto.FLOAT}, weights)


def machine_onnx(weights: Weights) -> bytes:
    """The same net as a machine of ours: a float64 column per input; the answer with its interval; a description."""
    given = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["rows", 1]) for name in NAMES]
    nodes = [
        helper.make_node("Concat", NAMES, ["columns"], axis=1),
        helper.make_node("Cast", ["columns"], ["x"], to=TensorProto.FLOAT),
        *_layers(weights, "raw"),
        helper.make_node("Cast", ["raw"], ["y"], to=TensorProto.DOUBLE),
        helper.make_node("Sub", ["y", "half"], ["y:low"]),
        helper.make_node("Add", ["y", "half"], ["y:high"]),
    ]
    model = _model(given, nodes, dict.fromkeys(["y", "y:low", "y:high"], TensorProto.DOUBLE), weights, half=1.0)
    proto = onnx.load_from_string(model)
    helper.set_model_props(proto, {"easyautoml": json.dumps(description())})
    return bytes(proto.SerializeToString())


def description() -> dict[str, Any]:
    """What such a machine says about itself."""
    common = {"unit": "", "description": ""}
    column = common | {"type": "FLOAT"}
    about = {"low": LOW, "median": 30.0, "high": HIGH, "whole": False, "missing": 0.0, "importance": 0.1}
    output = {"name": "y", "task": "regression", "classes": [], "mean": 0.0, "std": 1.0, "low": -9.0, "high": 9.0}
    return {
        "version": 1,
        "columns": [column | {"name": name, "role": "input"} for name in NAMES]
        + [column | {"name": "y", "role": "output"}],
        "inputs": [column | {"name": name} | about for name in NAMES],
        "outputs": [common | output],
        "report": {},
    }


def _named(weights: Weights) -> dict[str, NDArray[np.float32]]:
    return {f"{letter}{at}": part for at, pair in enumerate(weights) for letter, part in zip("wb", pair, strict=True)}


def _layers(weights: Weights, last: str) -> list[onnx.NodeProto]:
    nodes, given = [], "x"
    for at in range(len(weights)):
        is_last = at == len(weights) - 1
        nodes.append(helper.make_node("Gemm", [given, f"w{at}", f"b{at}"], [last if is_last else f"h{at}"]))
        if not is_last:
            nodes.append(helper.make_node("Relu", [f"h{at}"], [f"r{at}"]))
        given = f"r{at}"
    return nodes


def _model(given: list[Any], nodes: list[Any], outputs: dict[str, int], weights: Weights, **numbers: float) -> bytes:
    taken = [numpy_helper.from_array(value, name) for name, value in _named(weights).items()]
    taken += [numpy_helper.from_array(np.array(number), name) for name, number in numbers.items()]
    told = [helper.make_tensor_value_info(name, kind, ["rows", 1]) for name, kind in outputs.items()]
    graph = helper.make_graph(nodes, "net", given, told, taken)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())
