"""The one file a machine is: encoders, models, blend, calibration and intervals as a single ONNX graph."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import onnx
from onnx import TensorProto, helper

from machines.engine.blend import LEAST_CHANCE, LEAST_REACH, Blend
from machines.engine.encode import EncodedNames, TableEncoder
from machines.engine.graph import Graph
from machines.engine.prepare import Target
from machines.engine.schema import Column

METADATA_KEY = "easyautoml"
Tensors: TypeAlias = Mapping[int, Mapping[int, str]]  # by candidate, then by output


@dataclass(frozen=True)
class Answer:
    """Where one output comes from: a blend, and for rows emptier than usual what has learned from incomplete rows."""

    usual: Blend
    doubt: Blend | None


def output_names(column: Column, classes: Sequence[str]) -> list[str]:
    """The graph's outputs for an output column: `y` and `y:<class>`, or `y`, `y:low`, `y:high`."""
    suffixes = classes or ("low", "high")
    return [column.name, *(f"{column.name}:{suffix}" for suffix in suffixes)]


def build_model(inputs: tuple[Column, ...], encoder: TableEncoder, answers: Sequence[Answer]) -> onnx.ModelProto:
    """Return the whole machine as an ONNX model without metadata."""
    targets = [answer.usual.target for answer in answers]
    names = [name for target in targets for name in output_names(target.column, target.classes)]
    g = Graph([*names, *(column.name for column in inputs)])
    encoded = encoder.write(g)
    assert encoded is not None, "inputs without features are refused before training"
    blends = [blend for answer in answers for blend in (answer.usual, answer.doubt) if blend]
    used = {id(c): c for blend in blends for c in (*(c for c, _ in blend.parts), blend.spread) if c}
    tensors = {key: candidate.tensors(g, encoded) for key, candidate in used.items()}
    infos = []
    for answer in answers:
        write = _write_labels if answer.usual.target.classes else _write_number
        infos += write(g, answer, tensors, encoded)
    return g.model([_info(column) for column in inputs], infos, {})


def serialize(model: onnx.ModelProto, metadata: str) -> bytes:
    """Return the file's bytes with the metadata inside."""
    helper.set_model_props(model, {METADATA_KEY: metadata})
    return bytes(model.SerializeToString())


def _info(column: Column) -> onnx.ValueInfoProto:
    kind = TensorProto.DOUBLE if column.type.is_numeric else TensorProto.STRING
    return helper.make_tensor_value_info(column.name, kind, ["N", 1])


def _write_labels(g: Graph, answer: Answer, tensors: Tensors, encoded: EncodedNames) -> list[onnx.ValueInfoProto]:
    """Label and chances of every class, [N, 1] each."""
    column, classes = answer.usual.target.column, answer.usual.target.classes
    chances = _chosen(g, encoded, answer, lambda blend: _chances(g, _mixed(g, blend, tensors), blend.power))
    if encoded.outside:
        chances = _towards_usual(g, chances, answer.usual.target, g.cast(encoded.outside, np.float32))
    names = output_names(column, classes)
    best = g.add("ArgMax", chances, axis=1, keepdims=1)
    g.add("Gather", g.constant(np.array(classes, dtype=object)), best, output=names[0], axis=0)
    g.split(chances, [1] * len(classes), axis=1, to=names[1:])
    kinds = [TensorProto.STRING] + [TensorProto.FLOAT] * len(classes)
    return [helper.make_tensor_value_info(n, k, ["N", 1]) for n, k in zip(names, kinds, strict=True)]


def _mixed(g: Graph, blend: Blend, tensors: Tensors) -> str:
    parts = [(tensors[id(c)][blend.output], weight) for c, weight in blend.parts]
    return g.total([g.add("Mul", t, g.floats(w)) if w != 1 else t for t, w in parts])


def _chosen(g: Graph, encoded: EncodedNames, answer: Answer, write: Callable[[Blend], str]) -> str:
    """What the usual blend says, or for rows emptier than usual the other one."""
    usual = write(answer.usual)
    if answer.doubt is None or encoded.emptiness is None:
        return usual
    is_empty = g.add("Greater", encoded.emptiness, g.constant(np.zeros(1)))
    return g.add("Where", is_empty, write(answer.doubt), usual)


def _chances(g: Graph, mixed: str, power: float) -> str:
    logs = g.add("Log", g.add("Max", mixed, g.floats(LEAST_CHANCE)))
    return g.add("Softmax", g.add("Mul", logs, g.floats(power)), axis=-1)


def _towards_usual(g: Graph, chances: str, target: Target, outside: str) -> str:
    """Mix the chances with the usual shares of the classes, as much as the row lies outside."""
    usual = g.floats(*(count / sum(target.counts) for count in target.counts))
    mixed = g.add("Add", chances, g.add("Mul", outside, usual))
    return g.add("Div", mixed, g.add("Add", outside, g.floats(1.0)))


def _write_number(g: Graph, answer: Answer, tensors: Tensors, encoded: EncodedNames) -> list[onnx.ValueInfoProto]:
    """Number, low and high in the output's own unit, float64 [N, 1] each."""
    target = answer.usual.target
    name, low, high = output_names(target.column, ())
    mean, std = g.constant(np.array([target.mean])), g.constant(np.array([target.std]))
    standard = g.cast(_chosen(g, encoded, answer, lambda blend: _mixed(g, blend, tensors)), np.float64)
    g.add("Add", g.add("Mul", standard, std), mean, output=name)
    reaches = _chosen(g, encoded, answer, lambda blend: _reaches(g, blend, tensors, encoded.emptiness))
    if encoded.outside:
        reaches = g.add("Add", reaches, g.add("Mul", encoded.outside, std))
    down, up = g.split(reaches, (1, 1), axis=1)
    g.add("Sub", name, down, output=low)
    g.add("Add", name, up, output=high)
    return [helper.make_tensor_value_info(n, TensorProto.DOUBLE, ["N", 1]) for n in (name, low, high)]


def _reaches(g: Graph, blend: Blend, tensors: Tensors, emptiness: str | None) -> str:
    """How far the interval reaches down and up, in the output's own unit: float64 [N, 2]."""
    assert blend.spread is not None
    at, std = 2 * blend.spread_at, blend.target.std
    pairs = g.cast(g.add("Gather", tensors[id(blend.spread)][-1], g.ints(at, at + 1), axis=1), np.float64)
    scale = g.constant(np.array([std * blend.scale]))
    if emptiness and blend.scale_empty != blend.scale:
        more = g.constant(np.array([std * (blend.scale_empty - blend.scale)]))
        scale = g.add("Add", scale, g.add("Mul", emptiness, more))
    return g.add("Mul", g.add("Max", pairs, g.constant(np.array([LEAST_REACH]))), scale)
