"""Whether the file answers what its parts answer: the last thing that is checked, in every training.

The rows are encoded by the encoders themselves, candidates answer without a graph (or, after a training that was resumed,
from a graph of their own), and the blend is made by blend.py; the file has to say the same from the raw cells.
"""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto, helper

from machines.engine import measure
from machines.engine.encode import Encoded, EncodedNames
from machines.engine.export import Answer
from machines.engine.graph import Graph
from machines.serving.predictor import Predictor

if TYPE_CHECKING:
    from machines.engine.candidates import Candidate
    from machines.engine.finish import Work

ROWS = 100
TOLERANCE = 1e-5  # of chances; of numbers, in deviations of the output
SHARE = 0.02  # of the rows may turn another way: a float32 beside the threshold of a tree


class ParityError(Exception):
    """The file does not answer what its parts answer: a defect of the engine, never of the data."""


def check_parity(predictor: Predictor, work: "Work", answers: Sequence[Answer]) -> None:
    """Raise ParityError unless file and parts agree on up to ROWS rows that hold what is usual."""
    rows = work.prepared.rows[:: max(1, len(work.prepared.rows) // ROWS)]
    table = work.rows(rows)
    usual = work.encoder.is_usual(table)
    encoded = work.encoder.with_codes(table, work.encoder.transform(table))
    raw = predictor.run(table)
    for answer in answers:
        target, blend = answer.usual.target, answer.usual
        parts = [weight * (c.predict or partial(run, c))(encoded)[blend.output] for c, weight in blend.parts]
        mixed: NDArray[np.float64] = np.sum(parts, axis=0, dtype=np.float64)
        there = measure.answers_of(raw, target)
        here = blend.calibrated(mixed) if target.classes else measure.in_unit(mixed, target)
        scale = 1.0 if target.classes else target.std
        off = np.abs(here - there[:, : here.shape[1]]).max(1)[usual] / scale
        if len(off) and np.mean(off > TOLERANCE) > SHARE:
            raise ParityError(f"{target.column.name}: {np.quantile(off, 1 - SHARE):.2g} off")


def run(candidate: "Candidate", encoded: Encoded) -> dict[int, NDArray[Any]]:
    """What a candidate's own nodes answer for encoded rows: output number -> [rows, width]."""
    feeds = {
        "numbers": encoded.numbers,
        "marks": encoded.marks.astype(np.float32),
        "flat": encoded.flat(),
        "table": encoded.table(),
    }
    g = Graph()
    tensors = candidate.write(g, EncodedNames.plain(encoded))
    read = {name for node in g.nodes for name in node.input} & feeds.keys()
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", None]) for name in sorted(read)]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", None]) for name in tensors.values()]
    session = ort.InferenceSession(g.model(inputs, outputs, {}).SerializeToString(), providers=["CPUExecutionProvider"])
    found = session.run(list(tensors.values()), {name: feeds[name] for name in read})
    return dict(zip(tensors, found, strict=True))
