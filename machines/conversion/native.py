"""Models that do not become ONNX answer in their own framework, in a locked process each.

A loader as machines.serving.locked.zygote wants it.
"""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from machines.conversion.formats import FRAMEWORK_OF, PYTORCH, TENSORFLOW
from machines.conversion.loaded import Loaded
from machines.serving.signature import Signature, Tensor

NATIVE = frozenset({"keras", "h5", "savedmodel", "tflite", "torchscript", "pt2"})
_warm: set[str] = set()


def can_fork(format_name: str) -> bool:
    """PyTorch can; TensorFlow starts threads when it is imported, and they do not survive a fork."""
    return FRAMEWORK_OF[format_name] == PYTORCH


def warm_up(format_name: str) -> None:
    """Import, and for PyTorch use once, all that `load` and its answers need. Does its work once."""
    if format_name in _warm:
        return
    if FRAMEWORK_OF[format_name] == TENSORFLOW:
        from machines.conversion import by_tensorflow

        by_tensorflow.prepare(Path(tempfile.gettempdir()))
    else:
        _warm_torch(format_name)
    _warm.add(format_name)


def load(
    format_name: str, content: bytes, signature: Signature
) -> Callable[[dict[str, NDArray[Any]]], dict[str, NDArray[Any]]]:
    """Return what answers rows: input name -> [rows, ...] becomes output name -> [rows, ...]. Raises what the file raises."""
    return open_model(format_name, content, signature.inputs).call


def open_model(format_name: str, content: bytes, inputs: Sequence[Tensor]) -> Loaded:
    """Open a file of a format in NATIVE. `inputs` is what is known of them; () where the file has to say."""
    if FRAMEWORK_OF[format_name] == TENSORFLOW:
        from machines.conversion import by_tensorflow as tf

        openers = {
            "keras": tf.load_keras,
            "h5": tf.load_h5,
            "savedmodel": tf.load_saved_model,
            "tflite": tf.load_tflite,
        }
        return openers[format_name](content, inputs)
    from machines.conversion import by_torch

    return (by_torch.load_torchscript if format_name == "torchscript" else by_torch.load_pt2)(content, inputs)


def _warm_torch(format_name: str) -> None:
    """Make, save, open and ask a model: nothing can be imported once a child is locked."""
    from io import BytesIO

    import torch

    from machines.conversion import by_torch

    torch.set_num_threads(1)
    model, example, file = torch.nn.Linear(2, 1), torch.zeros(3, 2), BytesIO()
    if format_name == "torchscript":
        trace: Any = torch.jit.trace  # untyped
        torch.jit.save(trace(model, example), file)
        loaded = by_torch.load_torchscript(file.getvalue(), ())
    else:
        rows = {0: torch.export.Dim("rows")}  # so that what reasons about free sizes is imported too
        torch.export.save(torch.export.export(model, (example,), dynamic_shapes=(rows,)), file)
        loaded = by_torch.load_pt2(file.getvalue(), ())
    loaded.call({loaded.inputs[0].name: example.numpy()})
