"""Keras, SavedModel and TensorFlow Lite files, opened with TensorFlow. Only ever inside a locked process.

Keras models are exported with the TensorFlow backend: with it an LSTM becomes one ONNX operator (13 nodes instead of 403
with the torch backend, measured), as fast, in less memory.
"""

import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from machines.conversion import archive, hdf5
from machines.conversion.loaded import NO_SHAPE, NOT_TENSORS, UNREADABLE, Feed, Loaded, short
from machines.engine.errors import DataError, gettext_noop
from machines.serving.signature import TEXT, Tensor

OPSET = 17
SURROUNDINGS = {
    "KERAS_BACKEND": "tensorflow",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
    "HDF5_USE_FILE_LOCKING": "FALSE",  # locking a file is a call that a locked process may not make
}
TOUCHES = re.compile(  # operators that reach beyond the model: files, other programs, other computers, Python
    r"(Read|Write)File|MatchingFiles|\w*PyFunc\w*|\w*Reader(V2)?|\w*Dataset(V\d)?|Save|SaveSlices|Restore|RestoreSlice"
    r"|PrintV2|Debug\w*|\w*Summary\w*|RemoteCall|Rpc\w*|_?(Host)?(Send|Recv)|Collective\w*|(Decode|Encode)ProtoV2"
)
REACHES_OUT = gettext_noop(
    "The model uses “%(operator)s”, which reaches beyond the model. Models here may only calculate."
)
NO_SIGNATURE = gettext_noop(
    "This SavedModel has no signature to call. Export it with model.export(folder), then zip the folder."
)


def prepare(folder: Path) -> None:
    """Import what the formats need, before this process may no longer. `folder` is the one place to write."""
    os.environ.update(SURROUNDINGS, KERAS_HOME=str(folder / "keras"))
    (folder / "keras").mkdir(exist_ok=True)
    import keras  # noqa: F401  (imported for its effect)
    import tensorflow as tf
    import tf2onnx  # noqa: F401  (imported for its effect)

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def load_keras(content: bytes, inputs: Sequence[Tensor]) -> Loaded:
    with archive.opened(content) as members:
        for name in members.namelist():
            data = archive.read(members, name)  # sizes and checksums, all of them
            if name.endswith(".h5"):
                hdf5.check(data)
    return _load_keras(content, ".keras")


def load_h5(content: bytes, inputs: Sequence[Tensor]) -> Loaded:
    hdf5.check(content)
    return _load_keras(content, ".h5")


def load_saved_model(content: bytes, inputs: Sequence[Tensor]) -> Loaded:
    import tensorflow as tf

    folder = _unpacked(content)
    _check_operators((folder / "saved_model.pb").read_bytes())
    try:
        model = tf.saved_model.load(str(folder))
    except Exception as error:
        raise _unreadable("TensorFlow", error) from error
    name = _signature_name(list(model.signatures))
    function = model.signatures[name]
    specs = dict(
        sorted(function.structured_input_signature[1].items())
    )  # TensorFlow's own order changes from run to run
    tensors = tuple(_tensor(key, spec.shape, spec.dtype) for key, spec in specs.items())

    def call(feed: Feed) -> dict[str, Any]:
        answers = function(**{key: tf.constant(feed[key], specs[key].dtype) for key in specs})
        return {key: _array(value) for key, value in answers.items()}

    call.model = model  # type: ignore[attr-defined]  # its variables live only as long as the model
    return Loaded(tensors, call, lambda: _graph_to_onnx(folder, name), batch=_batch(specs.values()))


def load_tflite(content: bytes, inputs: Sequence[Tensor]) -> Loaded:
    import tensorflow as tf

    try:
        interpreter = tf.lite.Interpreter(model_content=content, num_threads=1)
        interpreter.allocate_tensors()
    except Exception as error:
        raise _unreadable("TensorFlow Lite", error) from error
    takes, gives = interpreter.get_input_details(), interpreter.get_output_details()
    names = _plain_names([item["name"] for item in takes], "input") | _plain_names([o["name"] for o in gives], "output")
    tensors = tuple(_tensor(names[item["name"]], item["shape_signature"], item["dtype"]) for item in takes)

    def call(feed: Feed) -> dict[str, Any]:
        for item, tensor in zip(takes, tensors, strict=True):
            interpreter.resize_tensor_input(item["index"], feed[tensor.name].shape)
        interpreter.allocate_tensors()
        for item, tensor in zip(takes, tensors, strict=True):
            interpreter.set_tensor(item["index"], feed[tensor.name])
        interpreter.invoke()
        return {names[item["name"]]: np.array(interpreter.get_tensor(item["index"])) for item in gives}

    batch = {int(item["shape_signature"][0]) for item in takes if len(item["shape_signature"])}
    fixed = batch.pop() if len(batch) == 1 else -1
    return Loaded(tensors, call, lambda: _tflite_to_onnx(content), names, fixed if fixed > 0 else None)


def _load_keras(content: bytes, suffix: str) -> Loaded:
    import keras

    place = Path(tempfile.mkdtemp()) / f"model{suffix}"
    place.write_bytes(content)
    try:
        model = keras.saving.load_model(place, compile=False, safe_mode=True)
    except Exception as error:
        raise _unreadable("Keras", error) from error
    if not getattr(model, "inputs", None):
        raise DataError(NO_SHAPE)
    tensors = tuple(_tensor(item.name, item.shape, item.dtype) for item in model.inputs)
    outputs = _output_names(model)

    def call(feed: Feed) -> dict[str, Any]:
        arrays = [keras.ops.convert_to_tensor(feed[tensor.name]) for tensor in tensors]
        answers = keras.tree.flatten(model(arrays if len(arrays) > 1 else arrays[0], training=False))
        return {name: _array(value) for name, value in zip(outputs, answers, strict=True)}

    def to_onnx() -> bytes:
        target = place.with_suffix(".onnx")
        model.export(str(target), format="onnx", verbose=False, opset_version=OPSET)
        return target.read_bytes()

    return Loaded(tensors, call, to_onnx, dict(enumerate_outputs(outputs)), _batch(model.inputs))


def enumerate_outputs(names: Sequence[str]) -> Iterable[tuple[str, str]]:
    """Keras numbers the outputs of its ONNX files: Identity:0, Identity_1:0."""
    for place, name in enumerate(names):
        yield (f"Identity_{place}:0" if place else "Identity:0"), name


def _output_names(model: Any) -> list[str]:
    """Each output is called like the layer that gives it."""
    names = [str(item._keras_history.operation.name) for item in model.outputs]
    return names if len(set(names)) == len(names) else [f"output_{place}" for place in range(len(names))]


def _unpacked(content: bytes) -> Path:
    folder = Path(tempfile.mkdtemp())
    with archive.opened(content) as members:
        archive.unpack(members, folder)
    places = sorted(folder.rglob("saved_model.pb"), key=lambda path: len(path.parts))
    if not places:
        raise DataError(NO_SIGNATURE)
    return places[0].parent


def _check_operators(graph: bytes) -> None:
    """Raise DataError for operators that reach out. They could not here; but the sentence is clearer than their failure."""
    from tensorflow.core.protobuf import saved_model_pb2

    try:
        saved = saved_model_pb2.SavedModel.FromString(graph)
    except Exception as error:
        raise _unreadable("TensorFlow", error) from error
    for meta in saved.meta_graphs:
        bodies = [meta.graph_def.node, *(function.node_def for function in meta.graph_def.library.function)]
        for node in (node for body in bodies for node in body):
            if TOUCHES.fullmatch(node.op):
                raise DataError(REACHES_OUT, operator=short(node.op))


def _signature_name(names: Sequence[str]) -> str:
    if not names:
        raise DataError(NO_SIGNATURE)
    return next((name for name in ("serving_default", "serve") if name in names), names[0])


def _graph_to_onnx(folder: Path, signature: str) -> bytes:
    from tf2onnx import convert, tf_loader

    graph, inputs, outputs, tables, names = tf_loader.from_saved_model(
        str(folder), None, None, "serve", [signature], return_initialized_tables=True, return_tensors_to_rename=True
    )
    model, _ = convert._convert_common(  # what tf2onnx's own command calls; it has no public twin for a SavedModel
        graph,
        name=signature,
        opset=OPSET,
        input_names=inputs,
        output_names=outputs,
        tensors_to_rename=names,
        initialized_tables=tables,
    )
    content: bytes = model.SerializeToString()
    return content


def _tflite_to_onnx(content: bytes) -> bytes:
    from tf2onnx import convert

    place = Path(tempfile.mkdtemp()) / "model.tflite"
    place.write_bytes(content)
    model, _ = convert._convert_common(  # see above
        None, name="model", opset=OPSET, tflite_path=str(place), input_names=None, output_names=None
    )
    result: bytes = model.SerializeToString()
    return result


def _plain_names(names: Sequence[str], word: str) -> dict[str, str]:
    """serving_default_words:0 -> words; StatefulPartitionedCall_1:0 -> output_1."""
    plain = [re.sub(r"^serving_default_|:\d+$", "", name) for name in names]
    if len(set(plain)) < len(plain) or any(
        re.match(r"(Partitioned|StatefulPartitioned)Call|Identity", n) for n in plain
    ):
        plain = [f"{word}_{place}" if len(names) > 1 else word for place in range(len(names))]
    return dict(zip(names, plain, strict=True))


def _tensor(name: str, shape: Iterable[Any], dtype: Any) -> Tensor:
    axes = [None if size is None or int(size) < 0 else int(size) for size in shape]
    if not axes:
        raise DataError(NOT_TENSORS, what=short(name))
    return Tensor(name, _dtype_name(dtype), tuple(axes[1:]))


def _dtype_name(dtype: Any) -> str:
    name = getattr(dtype, "name", None) or getattr(dtype, "__name__", None) or str(dtype)
    return TEXT if name in ("string", "bytes_", "object_") else str(name).rstrip("_")


def _batch(specs: Iterable[Any]) -> int | None:
    sizes = {spec.shape[0] for spec in specs if len(spec.shape)}
    return next(iter(sizes)) if len(sizes) == 1 else None


def _array(value: Any) -> np.ndarray[Any, Any]:
    array = np.asarray(value)
    if array.dtype.kind != "O":
        return array
    return np.array([_text(item) for item in array.ravel()], dtype=object).reshape(array.shape)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _unreadable(framework: str, error: Exception) -> DataError:
    return DataError(UNREADABLE, framework=framework, why=short(error))
