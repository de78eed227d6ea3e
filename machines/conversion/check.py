"""What is done to an uploaded file, in order: opened, tried, converted, compared, reported. Runs inside the lock."""

import hashlib
import logging
import resource
import traceback
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from machines.conversion import layers, native, notes, onnx_check, trial, weights
from machines.conversion.formats import LAYERS_MISSING
from machines.conversion.loaded import Feed, Loaded, short, tensors_of
from machines.conversion.onnx_check import Checked
from machines.conversion.rename import rename
from machines.conversion.trial import TOLERANCE, Trial
from machines.engine.errors import DataError, Notice, Weight, gettext_noop
from machines.serving.signature import Signature, Tensor

NOT_CONVERTED = gettext_noop("It cannot be converted to ONNX: %(why)s")
DIFFERS = gettext_noop("Its ONNX form answers differently, by up to %(worst)s.")
VARIES = gettext_noop("The same row gets different answers from this model.")
NOT_FINITE = gettext_noop("For some random rows the model answers with numbers that are not finite.")
ONE_BATCH = gettext_noop("The model takes %(rows)s rows at a time; we cut and fill up to that.")
TOO_LITTLE_MEMORY = gettext_noop("Checking this model needs more memory than a model may take.")
UNFORESEEN = gettext_noop("This file could not be checked: %(why)s")
CONVERTED, NATIVE = "converted", "native"


@dataclass(frozen=True)
class Upload:
    """The file and what came with it."""

    content: bytes
    format: str
    layers: Any = None
    inputs: tuple[Tensor, ...] = ()


@dataclass
class Outcome:
    """What the check found: the ONNX file (none where the model answers natively) and the words about it."""

    signature: Signature
    onnx: bytes | None
    checked: Checked | None
    worst: float | None = None
    batches: list[int] = field(default_factory=list)
    varies: bool = False
    why_native: Notice | None = None
    notices: list[Notice] = field(default_factory=list)


def check(upload: Upload) -> Outcome:
    """Return how the model can be served. Raises DataError for a file that cannot be."""
    logging.disable(logging.ERROR)  # frameworks talk; what counts is raised
    warnings.simplefilter("ignore")
    try:
        if upload.format == "onnx":
            return _plain_onnx(upload.content)
        if upload.format in ("state_dict", "safetensors"):
            return _plain_onnx(_from_layers(upload))
        return _from_framework(upload)
    except MemoryError as error:
        raise DataError(TOO_LITTLE_MEMORY) from error
    except DataError:
        raise
    except Exception as error:  # a file that nobody foresaw is the fault of the file; the traceback goes to the log
        traceback.print_exc()
        raise DataError(UNFORESEEN, why=short(error)) from error


def request_inputs(data: Any) -> tuple[Tensor, ...]:
    """The optional description of inputs in a request."""
    return tensors_of(data) if data else ()


def report(upload: Upload, outcome: Outcome, *, began: float, is_locked: bool) -> dict[str, Any]:
    """What the owner is shown; machines.conversion.__main__ says what each line means."""
    parity = {"batches": outcome.batches, "worst": outcome.worst} if outcome.worst is not None else None
    return {
        "seconds": round(monotonic() - began, 2),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "opset": outcome.checked.opset if outcome.checked else None,
        "operators": outcome.checked.operators if outcome.checked else {},
        "parameters": outcome.checked.parameters if outcome.checked else None,
        "onnx_sha256": hashlib.sha256(outcome.onnx).hexdigest() if outcome.onnx else "",
        "onnx_bytes": len(outcome.onnx or b""),
        "parity": parity,
        "why_native": outcome.why_native.to_json() if outcome.why_native else None,
        "varies": outcome.varies,
        "scanner": [notes.note(upload.format, upload.content)],
        "notices": [notice.to_json() for notice in outcome.notices],
        "is_locked": is_locked,
    }


def _from_layers(upload: Upload) -> bytes:
    found = (weights.read_safetensors if upload.format == "safetensors" else weights.read_state_dict)(upload.content)
    if upload.layers is None:
        raise DataError(LAYERS_MISSING)
    return layers.build(upload.layers, found)


def _plain_onnx(content: bytes) -> Outcome:
    checked = onnx_check.check_onnx(content)
    tried = trial.run(_onnx_call(content), checked.signature.inputs, checked.signature.batch)
    return Outcome(
        tried.signature, content, checked, batches=tried.batches, varies=tried.varies, notices=_notices(tried)
    )


def _from_framework(upload: Upload) -> Outcome:
    model = native.open_model(upload.format, upload.content, upload.inputs)
    tried = trial.run(model.call, model.inputs, model.batch)
    outcome = Outcome(tried.signature, None, None, batches=tried.batches, varies=tried.varies, notices=_notices(tried))
    if tried.varies:
        outcome.why_native = Notice(VARIES)  # nothing to compare an ONNX form with
        return outcome
    try:
        _convert(model, tried, outcome)
    except MemoryError:
        raise
    except DataError as error:
        outcome.why_native = error.notice
    except Exception as error:  # whatever a converter raises: the model still answers natively
        outcome.why_native = Notice(NOT_CONVERTED, {"why": short(error)})
    return outcome


def _convert(model: Loaded, tried: Trial, outcome: Outcome) -> None:
    """Fill in the ONNX form, if it answers as the model does."""
    content, checked = _named(model.to_onnx(), model.names, tried.signature)
    call = _onnx_call(content)
    batch = tried.signature.batch or checked.signature.batch
    if batch and not tried.signature.batch:
        tried = trial.run(model.call, model.inputs, batch)
    outcome.worst = trial.worst(call, tried)
    if not outcome.worst <= TOLERANCE:
        outcome.why_native = Notice(DIFFERS, {"worst": f"{outcome.worst:.2g}"})
        return
    outcome.onnx, outcome.checked, outcome.signature, outcome.batches = content, checked, tried.signature, tried.batches
    outcome.notices = _notices(tried)


def _named(content: bytes, names: Mapping[str, str], signature: Signature) -> tuple[bytes, Checked]:
    """Give inputs and outputs the names of the signature: by `names`, or else by their order."""
    model = onnx_check.parse(content)
    known = {tensor.name for tensor in (*signature.inputs, *signature.outputs)}
    new = {old: name for old, name in names.items() if name in known}
    for items, tensors in ((model.graph.input, signature.inputs), (model.graph.output, signature.outputs)):
        if len(items) == len(tensors):
            new |= {
                i.name: t.name for i, t in zip(items, tensors, strict=True) if i.name not in new | dict.fromkeys(known)
            }
    rename(model, new)
    content = model.SerializeToString()
    return content, onnx_check.check_onnx(content)


def _onnx_call(content: bytes) -> Callable[[Feed], dict[str, NDArray[Any]]]:
    import onnxruntime as ort

    from machines.serving.predictor import session_options

    try:
        session = ort.InferenceSession(content, session_options(), providers=["CPUExecutionProvider"])
    except Exception as error:
        raise DataError(trial.DOES_NOT_RUN, why=short(error)) from error
    names = [output.name for output in session.get_outputs()]

    def call(feed: Feed) -> dict[str, NDArray[Any]]:
        return {name: np.asarray(value) for name, value in zip(names, session.run(names, dict(feed)), strict=True)}

    return call


def _notices(tried: Trial) -> list[Notice]:
    found = []
    if tried.varies:
        found.append(Notice(VARIES, {}, Weight.WARNING))
    if tried.has_nan:
        found.append(Notice(NOT_FINITE, {}, Weight.WARNING))
    if tried.signature.batch:
        found.append(Notice(ONE_BATCH, {"rows": tried.signature.batch}))
    return found
