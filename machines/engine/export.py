"""The one file a machine is: encoders, models, blend, calibration and intervals as a single ONNX graph."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper

from machines.engine.blend import LEAST_CHANCE
from machines.engine.candidates import Candidate
from machines.engine.encode import EncodedNames, TableEncoder
from machines.engine.graph import Graph
from machines.engine.prepare import Target
from machines.engine.schema import Column

METADATA_KEY = "easyautoml"


@dataclass(frozen=True)
class Blend:
    """What one output is answered from."""

    target: Target
    parts: tuple[tuple[Candidate, float], ...]  # weights add up to 1
    power: float = 1.0  # of chances, see blend.temperature
    scale: float = 1.0  # of spreads, see blend.conformal_scale
    scale_empty: float = 1.0  # the same where nothing is known
    spread: Candidate | None = None  # whose spreads
    spread_at: int = 0  # which pair of its spreads


def output_names(column: Column, classes: Sequence[str]) -> list[str]:
    """The graph's outputs for an output column: `y` and `y:<class>`, or `y`, `y:low`, `y:high`."""
    suffixes = classes or ("low", "high")
    return [column.name, *(f"{column.name}:{suffix}" for suffix in suffixes)]


def build_model(inputs: tuple[Column, ...], encoder: TableEncoder, blends: Sequence[Blend]) -> onnx.ModelProto:
    """Return the whole machine as an ONNX model without metadata."""
    names = [name for blend in blends for name in output_names(blend.target.column, blend.target.classes)]
    g = Graph([*names, *(column.name for column in inputs)])
    encoded = encoder.write(g)
    assert encoded is not None, "inputs without features are refused before training"
    used = {id(c): c for blend in blends for c in (*(c for c, _ in blend.parts), blend.spread) if c}
    tensors = {key: candidate.write(g, encoded) for key, candidate in used.items()}
    infos = []
    for i, blend in enumerate(blends):
        parts = [(tensors[id(c)][i], weight) for c, weight in blend.parts]
        mixed = g.total([g.add("Mul", t, g.floats(w)) if w != 1 else t for t, w in parts])
        if blend.target.classes:
            infos += _write_labels(g, mixed, blend, encoded.outside)
        else:
            assert blend.spread is not None
            infos += _write_number(g, mixed, tensors[id(blend.spread)][-1], blend, encoded)
    return g.model([_info(column) for column in inputs], infos, {})


def serialize(model: onnx.ModelProto, metadata: str) -> bytes:
    """Return the file's bytes with the metadata inside."""
    helper.set_model_props(model, {METADATA_KEY: metadata})
    return bytes(model.SerializeToString())


def _info(column: Column) -> onnx.ValueInfoProto:
    kind = TensorProto.DOUBLE if column.type.is_numeric else TensorProto.STRING
    return helper.make_tensor_value_info(column.name, kind, ["N", 1])


def _write_labels(g: Graph, mixed: str, blend: Blend, outside: str | None) -> list[onnx.ValueInfoProto]:
    """Label and chances of every class, [N, 1] each."""
    column, classes = blend.target.column, blend.target.classes
    logs = g.add("Log", g.add("Max", mixed, g.floats(LEAST_CHANCE)))
    chances = g.add("Softmax", g.add("Mul", logs, g.floats(blend.power)), axis=-1)
    if outside:
        chances = _towards_usual(g, chances, blend.target, g.cast(outside, np.float32))
    names = output_names(column, classes)
    best = g.add("ArgMax", chances, axis=1, keepdims=1)
    g.add("Gather", g.constant(np.array(classes, dtype=object)), best, output=names[0], axis=0)
    g.split(chances, [1] * len(classes), axis=1, to=names[1:])
    kinds = [TensorProto.STRING] + [TensorProto.FLOAT] * len(classes)
    return [helper.make_tensor_value_info(n, k, ["N", 1]) for n, k in zip(names, kinds, strict=True)]


def _towards_usual(g: Graph, chances: str, target: Target, outside: str) -> str:
    """Mix the chances with the usual shares of the classes, as much as the row lies outside."""
    usual = g.floats(*(count / sum(target.counts) for count in target.counts))
    mixed = g.add("Add", chances, g.add("Mul", outside, usual))
    return g.add("Div", mixed, g.add("Add", outside, g.floats(1.0)))


def _write_number(g: Graph, mixed: str, spreads: str, blend: Blend, encoded: EncodedNames) -> list[onnx.ValueInfoProto]:
    """Number, low and high in the output's own unit, float64 [N, 1] each."""
    target, at = blend.target, 2 * blend.spread_at
    name, low, high = output_names(target.column, ())
    mean, std = g.constant(np.array([target.mean])), g.constant(np.array([target.std]))
    reach = g.constant(np.array([target.std * blend.scale]))
    if encoded.emptiness:
        more = g.constant(np.array([target.std * (blend.scale_empty - blend.scale)]))
        reach = g.add("Add", reach, g.add("Mul", encoded.emptiness, more))
    g.add("Add", g.add("Mul", g.cast(mixed, np.float64), std), mean, output=name)
    pairs = g.cast(g.add("Gather", spreads, g.ints(at, at + 1), axis=1), np.float64)
    reaches = g.add("Mul", g.add("Max", pairs, g.constant(np.array([1e-6]))), reach)
    if encoded.outside:
        reaches = g.add("Add", reaches, g.add("Mul", encoded.outside, std))
    down, up = g.split(reaches, (1, 1), axis=1)
    g.add("Sub", name, down, output=low)
    g.add("Add", name, up, output=high)
    return [helper.make_tensor_value_info(n, TensorProto.DOUBLE, ["N", 1]) for n in (name, low, high)]
