"""What the site believes of a check's answer: the process that gave it has opened a stranger's file.

Every value is measured before it is kept, because pages are made of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from machines.conversion.formats import FRAMEWORK_OF
from machines.conversion.loaded import MOST_VALUES
from machines.conversion.onnx_check import MOST_AXES, MOST_NAME, MOST_TENSORS
from machines.engine.errors import DataError, Notice, gettext_noop
from machines.serving.locked.wire import DTYPES
from machines.serving.signature import TEXT, Signature, Tensor

SERVED = ("converted", "native")
NUMBERS = ("seconds", "peak_mb", "opset", "parameters", "onnx_bytes")
MOST_NUMBER = 2**53
MOST_WORDS = 2_000  # characters
MOST_OPERATORS = 1_000
MOST_NOTICES = 20

ODD = gettext_noop("The check of this file ended with an answer that makes no sense, so the file is refused.")


@dataclass(frozen=True)
class Answer:
    format: str
    served: str
    signature: Signature
    report: dict[str, Any]


def read(answer: Mapping[str, Any]) -> Answer:
    """Return what a check answered, or raise DataError if that is anything else than a check may answer."""
    try:
        format_, served = answer["format"], answer["served"]
        _must(format_ in FRAMEWORK_OF and served in SERVED)
        return Answer(format_, served, _signature(answer["signature"]), _report(answer["report"]))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:  # DataError is a ValueError
        raise DataError(ODD) from error


def _signature(data: Any) -> Signature:
    signature = Signature.from_json(data)
    for tensors in (signature.inputs, signature.outputs):
        _must(0 < len(tensors) <= MOST_TENSORS and len({tensor.name for tensor in tensors}) == len(tensors))
        for tensor in tensors:
            _check_tensor(tensor)
    _must(all((tensor.width or 0) <= MOST_VALUES for tensor in signature.inputs))
    _must(signature.batch is None or _is_count(signature.batch, 1))
    return signature


def _check_tensor(tensor: Tensor) -> None:
    _must(isinstance(tensor.name, str) and 0 < len(tensor.name) <= MOST_NAME)
    _must(tensor.dtype == TEXT or tensor.dtype in DTYPES)
    _must(len(tensor.shape) <= MOST_AXES and all(size is None or _is_count(size, 0) for size in tensor.shape))


def _report(data: Mapping[str, Any]) -> dict[str, Any]:
    notices = [Notice.from_json(notice) for notice in data["notices"][:MOST_NOTICES]]
    operators = dict(data["operators"])
    _must(len(operators) <= MOST_OPERATORS and all(_is_count(count, 0) for count in operators.values()))
    return {
        **{name: _number(data[name]) for name in NUMBERS},
        "onnx_sha256": _words(data["onnx_sha256"]),
        "operators": {_words(name)[:MOST_NAME]: count for name, count in operators.items()},
        "parity": _parity(data["parity"]),
        "why_native": data["why_native"] and Notice.from_json(data["why_native"]).to_json(),
        "varies": data["varies"] is True,
        "is_locked": data["is_locked"] is True,
        "scanner": [_words(note) for note in data["scanner"][:MOST_NOTICES]],
        "notices": [notice.to_json() for notice in notices],
    }


def _parity(data: Any) -> dict[str, Any] | None:
    """None too where the two do not compare: their difference is then no number."""
    if data is None or data["worst"] is None:
        return None
    batches = data["batches"]
    _must(len(batches) <= MOST_NOTICES and all(_is_count(rows, 1) for rows in batches))
    return {"batches": list(batches), "worst": _number(data["worst"])}


def _number(value: Any) -> float | int | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    _must(value is None or (is_number and isfinite(value) and 0 <= value <= MOST_NUMBER))
    return value  # type: ignore[no-any-return]  # looked at just now


def _words(value: Any) -> str:
    _must(isinstance(value, str))
    return str(value)[:MOST_WORDS]


def _is_count(value: Any, least: int) -> bool:
    return type(value) is int and least <= value <= MOST_VALUES


def _must(is_so: object) -> None:
    if not is_so:
        raise ValueError
