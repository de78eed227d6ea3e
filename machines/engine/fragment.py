"""A fitted candidate as an ONNX protobuf: the nodes it writes, and beside them its answers for rows it had not seen.

No pickle: whoever reads such a file runs nothing but protobuf's parser.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import orjson
from numpy.typing import NDArray
from onnx import numpy_helper

from machines.engine.candidates import Candidate
from machines.engine.encode import EncodedNames
from machines.engine.graph import Graph
from machines.engine.lesson import Lesson
from machines.engine.linear import Floats

ANSWERS, SPREADS = "answers ", "spreads"
ABOUT = ("network", "micros", "seconds", "stop")  # what else is known of a candidate


def pack(candidate: Candidate, lesson: Lesson, state: Mapping[str, NDArray[Any]]) -> onnx.GraphProto:
    """Write the candidate into a graph of its own; `state` are further arrays to keep, by name.

    Answers are kept of those rows only that have one.
    """
    g = Graph()
    tensors = candidate.write(g, EncodedNames.plain(lesson.encoded))
    rows = lesson.folds != -1
    arrays = dict(state) | {f"{ANSWERS}{i}": answers[rows] for i, answers in candidate.answers.items()}
    if candidate.spreads is not None:
        arrays[SPREADS] = candidate.spreads[rows]
    constants = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    outputs = [onnx.ValueInfoProto(name=tensor, doc_string=str(i)) for i, tensor in tensors.items()]
    about = {name: getattr(candidate, name) for name in ABOUT}
    return onnx.GraphProto(
        name=candidate.name,
        node=g.nodes,
        initializer=[*g.constants, *constants],
        output=outputs,
        metadata_props=[onnx.StringStringEntryProto(key=k, value=orjson.dumps(v).decode()) for k, v in about.items()],
    )


def unpack(fragment: onnx.GraphProto, lesson: Lesson) -> Candidate:
    """The candidate that `pack` was given; it writes the same nodes with fresh names."""

    def write(g: Graph, names: EncodedNames) -> dict[int, str]:
        here = {place: name for place, name in vars(names).items() if name}
        became = g.paste(fragment, here)
        return {int(output.doc_string): became[output.name] for output in fragment.output}

    arrays = {tensor.name: tensor for tensor in fragment.initializer}
    answers = {
        int(name.removeprefix(ANSWERS)): _every_row(tensor, lesson)
        for name, tensor in arrays.items()
        if name.startswith(ANSWERS)
    }
    spreads = _every_row(arrays[SPREADS], lesson) if SPREADS in arrays else None
    about = {entry.key: orjson.loads(entry.value) for entry in fragment.metadata_props}
    return Candidate(fragment.name, answers, write, spreads, **about)


def array_of(fragment: onnx.GraphProto, name: str) -> NDArray[Any]:
    """One of the arrays kept beside the candidate."""
    return numpy_helper.to_array(next(tensor for tensor in fragment.initializer if tensor.name == name))


def _every_row(tensor: onnx.TensorProto, lesson: Lesson) -> Floats:
    """Put answers back to their rows; the others are NaN."""
    kept = numpy_helper.to_array(tensor)
    rows = np.full((len(lesson.folds), kept.shape[1]), np.nan, np.float32)
    rows[lesson.folds != -1] = kept
    return rows
