"""Which format an uploaded file is, by what is in it. Reads magic numbers and names alone, so it may run anywhere."""

from pathlib import PurePath

from machines.engine.errors import DataError, Notice, gettext_noop

TENSORFLOW, PYTORCH, ONNX = "tensorflow", "pytorch", "onnx"
FRAMEWORK_OF = {
    "keras": TENSORFLOW,
    "h5": TENSORFLOW,
    "savedmodel": TENSORFLOW,
    "tflite": TENSORFLOW,
    "torchscript": PYTORCH,
    "pt2": PYTORCH,
    "state_dict": PYTORCH,
    "safetensors": PYTORCH,
    "onnx": ONNX,
}
DATA_ONLY = frozenset({"safetensors", "onnx"})  # nothing in them can run: they are taken even where nothing is locked
SUFFIXES = {  # the usual one first
    "keras": (".keras",),
    "h5": (".h5", ".hdf5"),
    "savedmodel": (".zip",),
    "tflite": (".tflite",),
    "torchscript": (".pt", ".pth", ".ts", ".torchscript"),
    "pt2": (".pt2", ".pt"),
    "state_dict": (".pt", ".pth", ".bin", ".ckpt"),
    "safetensors": (".safetensors",),
    "onnx": (".onnx",),
}
KNOWN_SUFFIXES = frozenset(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)
HEAD, TAIL = 4096, 2**20  # bytes that `first_sight` wants to see; the names in a zip stand at its end
ZIP, HDF5, PICKLE, GZIP, TAR = b"PK\x03\x04", b"\x89HDF\r\n\x1a\n", b"\x80", b"\x1f\x8b", b"ustar"
_LEGACY_TORCH = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # torch.save before 1.6
_ONNX_STARTS = {0x08, 0x12, 0x3A}  # protobuf tags of ir_version, producer_name, graph

EMPTY = gettext_noop("This file is empty.")
UNKNOWN = gettext_noop(
    "This is no model that we know. We take .keras, .h5, a zipped SavedModel, .tflite, TorchScript, .pt2, a state_dict, "
    ".safetensors and .onnx."
)
PACKED = gettext_noop("This file is packed. Unpack it and upload what is inside.")
PICKLED = gettext_noop(
    "This is a pickled Python object. Opening it would run code of its maker, so we do not take it. Export the model "
    "instead, in one line: torch.jit.script(model).save('model.pt'), or torch.export.save(torch.export.export(model, "
    "(example,)), 'model.pt2'), or safetensors.torch.save_file(model.state_dict(), 'model.safetensors')."
)
DAMAGED_PICKLE = gettext_noop(
    "The list of tensors in this file is damaged. Save the weights again and upload the new file."
)
LEGACY = gettext_noop(
    "This file was saved in the old way of PyTorch, which can hold code. Save it again with PyTorch 1.6 or later: "
    "torch.save(model.state_dict(), 'model.pt')."
)
OTHER_FRAMEWORK = gettext_noop("This file is of the kind %(format)s. Choose the framework %(framework)s for it.")
OTHER_NAME = gettext_noop(
    "“%(file)s” is not what its name says: it is of the kind %(format)s. Let its name end in %(end)s."
)
NO_LOCK = gettext_noop(
    "This server cannot lock away files that may hold code, so it takes .onnx and .safetensors only. Export the model to ONNX."
)
LAYERS_MISSING = gettext_noop(
    "This file holds weights alone. Say which layers they belong to in the field for layers, or upload TorchScript or .pt2."
)
NAMES = {
    "keras": "Keras (.keras)",
    "h5": "Keras (.h5)",
    "savedmodel": "TensorFlow SavedModel",
    "tflite": "TensorFlow Lite",
    "torchscript": "TorchScript",
    "pt2": "torch.export (.pt2)",
    "state_dict": "PyTorch state_dict",
    "safetensors": "safetensors",
    "onnx": "ONNX",
}
FRAMEWORK_NAMES = {TENSORFLOW: "TensorFlow", PYTORCH: "PyTorch", ONNX: "ONNX"}


def first_sight(
    *,
    head: bytes,
    tail: bytes,
    file_name: str,
    framework: str,
    size: int,
    has_layers: bool = False,
    is_locked: bool = True,
) -> Notice | None:
    """Return why a file can be refused at once, or None: the check says the rest.

    `head` and `tail` are its first HEAD and last TAIL bytes (or more). Nothing is parsed here.
    """
    try:
        format_ = sniff(head, tail, size)
        agree(format_, file_name, framework)
        _check_needs(format_, has_layers, is_locked)
    except DataError as error:
        return error.notice
    return None


def sniff(head: bytes, tail: bytes, size: int) -> str:
    """Return the format by magic numbers. Raises DataError for what is never taken.

    A PyTorch zip without code counts as a state_dict; whether it is one shows when its pickle is read.
    """
    if not size:
        raise DataError(EMPTY)
    if head.startswith(ZIP):
        return _sniff_zip(tail)
    if head.startswith(HDF5):
        return "h5"
    if head[4:8] == b"TFL3":
        return "tflite"
    _refuse_known(head)
    if len(head) > 8 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= size - 8:
        return "safetensors"
    if head[0] in _ONNX_STARTS:
        return "onnx"
    raise DataError(UNKNOWN)


def agree(format_: str, file_name: str, framework: str) -> None:
    """Raise DataError unless name and framework say the same as the content. A name without a known ending says nothing."""
    end = PurePath(file_name).suffix.lower()
    if end in KNOWN_SUFFIXES and end not in SUFFIXES[format_]:  # first: a framework nobody chose comes from the name
        name = PurePath(file_name).name[:100]
        raise DataError(OTHER_NAME, file=name, format=NAMES[format_], end=SUFFIXES[format_][0])
    wanted = FRAMEWORK_OF[format_]
    if framework != wanted:
        raise DataError(OTHER_FRAMEWORK, format=NAMES[format_], framework=FRAMEWORK_NAMES[wanted])


def _check_needs(format_: str, has_layers: bool, is_locked: bool) -> None:
    if not is_locked and format_ not in DATA_ONLY:
        raise DataError(NO_LOCK)
    if format_ == "safetensors" and not has_layers:
        raise DataError(LAYERS_MISSING)


def _sniff_zip(tail: bytes) -> str:
    """The names of the members stand at the end of a zip."""
    if b"saved_model.pb" in tail:
        return "savedmodel"
    if b"model.weights.h5" in tail and b"config.json" in tail:
        return "keras"
    if b"/archive_format" in tail or b"/models/model.json" in tail:
        return "pt2"
    if b"/data.pkl" in tail:
        return "torchscript" if b"/constants.pkl" in tail else "state_dict"
    raise DataError(UNKNOWN)


def _refuse_known(head: bytes) -> None:
    if head.startswith(_LEGACY_TORCH):
        raise DataError(LEGACY)
    if head.startswith(PICKLE):
        raise DataError(PICKLED)
    if head[257:262] == TAR:
        raise DataError(LEGACY)
    if head.startswith((GZIP, b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ")):
        raise DataError(PACKED)
