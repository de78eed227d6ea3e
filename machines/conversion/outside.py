"""The second look at a converted model, outside the lock: by a process that parses it as data, and whose memory is limited.

A small file can unfold to gigabytes when it is parsed, which would take the worker down.
The request: {"path"}. The answer: {"opset", "operators", "parameters", "onnx_sha256", "onnx_bytes", "last": output -> the
operator that makes it}; or an error with a sentence.
"""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from machines.conversion.onnx_check import MOST_BYTES, check_onnx, parse
from machines.engine.errors import DataError, gettext_noop
from machines.engine.job import Parent, serve

NO_ONNX = gettext_noop("What the conversion of this file made is no ONNX model, so it is refused.")
ONLY_FORM = {"Identity", "Cast", "Reshape", "Squeeze", "Unsqueeze"}  # an answer is seen through these


def look(request: dict[str, Any], parent: Parent | None = None) -> Mapping[str, Any]:
    """Return what is seen in the file. Raises DataError."""
    path = Path(request["path"])
    if not path.is_file() or not 0 < path.stat().st_size <= MOST_BYTES:
        raise DataError(NO_ONNX)
    content = path.read_bytes()
    checked = check_onnx(content)
    return {
        "opset": checked.opset,
        "operators": checked.operators,
        "parameters": checked.parameters,
        "onnx_sha256": sha256(content).hexdigest(),
        "onnx_bytes": len(content),
        "last": _last_operators(content),
    }


def _last_operators(content: bytes) -> dict[str, str]:
    graph = parse(content).graph
    made = {name: node for node in graph.node for name in node.output}
    last = {}
    for output in graph.output:
        node, steps = made.get(output.name), 0
        while node and node.op_type in ONLY_FORM and node.input and steps < 9:
            node, steps = made.get(node.input[0]), steps + 1
        last[output.name] = node.op_type if node else ""
    return last


if __name__ == "__main__":
    serve(look)
