"""What a file is shows in what it holds; a wrong name, framework or kind is said at once, without parsing anything."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from machines.conversion import formats, hdf5
from machines.conversion.formats import first_sight, sniff
from tests.machines.conversion import hostile
from tests.machines.conversion.conftest import ROOT

ONNX_BYTES = b"\x08\x0a\x3a\x00" + bytes(20)
ZIP = hostile.zipped({"m/data.pkl": b"x"})


def see(content, name, framework, **more):
    notice = first_sight(
        head=content[: formats.HEAD],
        tail=content[-formats.TAIL :],
        file_name=name,
        framework=framework,
        size=len(content),
        **more,
    )
    return str(notice) if notice else None


def test_it_works():
    assert see(ONNX_BYTES, "net.onnx", "onnx") is None
    assert see(ZIP, "net.pt", "pytorch") is None
    assert see(hostile.safetensors({}), "net.safetensors", "pytorch", has_layers=True) is None
    assert see(ONNX_BYTES, "net", "onnx", is_locked=False) is None


@pytest.mark.parametrize(
    ("members", "name"),
    [
        ({"saved_model.pb": b""}, "savedmodel"),
        ({"net/saved_model.pb": b"", "net/fingerprint.pb": b""}, "savedmodel"),
        ({"config.json": b"", "model.weights.h5": b"", "metadata.json": b""}, "keras"),
        ({"m/data.pkl": b"", "m/constants.pkl": b""}, "torchscript"),
        ({"m/data.pkl": b"", "m/data/0": b""}, "state_dict"),
        ({"m/archive_format": b"", "m/models/model.json": b""}, "pt2"),
    ],
)
def test_zips_are_told_apart(members, name):
    content = hostile.zipped(members)
    assert sniff(content, content, len(content)) == name


@pytest.mark.parametrize(
    ("content", "name", "framework", "words"),
    [
        (b"", "net.onnx", "onnx", "empty"),
        (b"\x80\x04\x95", "net.pkl", "pytorch", "torch.jit.script(model).save"),
        (hostile.z13_legacy("c"), "net.pt", "pytorch", "old way of PyTorch"),
        (hostile.z13_tar("c"), "net.pt", "pytorch", "old way of PyTorch"),
        (b"\x1f\x8b" + bytes(20), "net.tar.gz", "pytorch", "Unpack it"),
        (b"a,b\n1,2\n", "table.csv", "onnx", "no model that we know"),
        (hostile.zipped({"a.csv": b""}), "a.zip", "tensorflow", "no model that we know"),
        (ONNX_BYTES, "net.onnx", "pytorch", "Choose the framework ONNX"),
        (b"\x89HDF\r\n\x1a\n" + bytes(20), "net.h5", "pytorch", "Choose the framework TensorFlow"),
        (b"\x89HDF\r\n\x1a\n" + bytes(20), "net.pt", "pytorch", "Let its name end in .h5"),
        (ZIP, "net.onnx", "pytorch", "Let its name end in .pt"),
        (hostile.safetensors({}), "net.safetensors", "pytorch", "Say which layers"),
    ],
)
def test_refusals_at_first_sight(content, name, framework, words):
    assert words in see(content, name, framework)


def test_where_nothing_can_be_locked():
    assert "cannot lock" in see(ZIP, "net.pt", "pytorch", is_locked=False)


@pytest.mark.parametrize(
    "module", ["formats", "onnx_check", "loaded", "rename", "trial", "weights", "pickles", "native", "check"]
)
def test_modules_are_light(module):
    """Web processes and workers may import them: no framework comes with it."""
    heavy = "{'torch', 'tensorflow', 'keras', 'h5py', 'onnx'}"
    code = f"import sys, machines.conversion.{module}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_versions_are_not_below_the_floors():
    """Below them lie known ways to run code or read files by opening a model."""
    pinned = dict(re.findall(r"^([\w.-]+)==([\w.+]+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    for name, floor in {"torch": (2, 10), "keras": (3, 15), "onnx": (1, 21)}.items():
        assert tuple(int(part) for part in pinned[name].split(".")[:2]) >= floor
    assert not {"tf-keras", "tf_keras"} & set(pinned)


def test_a_plain_hdf5_file_is_taken():
    hdf5.check(hostile.h5(lambda h5py, file: file.create_dataset("w", data=[1.0, 2.0])))


def test_every_hostile_kind_is_there():
    text = Path(hostile.__file__).read_text(encoding="utf-8")
    numbers = {int(number) for number in re.findall(r"def [a-z](\d+)_", text)}
    assert numbers == set(range(1, 29))
