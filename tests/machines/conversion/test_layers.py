"""Each type of layer answers as PyTorch's does; what does not fit is said with layer, tensor and shapes."""

import json
import re
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import torch
from safetensors.torch import save
from torch import nn

from machines.conversion.layer_types import BUILDERS
from machines.conversion.layers import build
from machines.conversion.weights import read_safetensors
from machines.engine.errors import DataError

DOCS = (Path(__file__).parents[3] / "docs" / "layers.md").read_text(encoding="utf-8")


def answer(content, **feed):
    return ort.InferenceSession(content, providers=["CPUExecutionProvider"]).run(None, feed)[0]


def compare(module, layer, *shape, wanted=None):
    """Build one layer from its weights and compare it with PyTorch's, at two batch sizes."""
    torch.manual_seed(1)
    net = nn.Module()
    net.add_module("l", module)
    weights = read_safetensors(save(net.state_dict()))
    dtype = "int64" if isinstance(module, nn.Embedding) else "float32"
    content = build(
        {"inputs": [{"name": "x", "shape": list(shape), "dtype": dtype}], "layers": [{"name": "l", **layer}]}, weights
    )
    module.eval()
    for rows in (3, 7):
        x = torch.randint(0, 5, (rows, *shape)) if dtype == "int64" else torch.randn(rows, *shape)
        with torch.no_grad():
            expected = (wanted or (lambda found: found))(module(x)).numpy()
        np.testing.assert_allclose(answer(content, x=x.numpy()), expected, rtol=1e-5, atol=1e-5)


def used(norm):
    """A normalisation that has learned something."""
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    return norm


def layer_norm():
    norm = nn.LayerNorm([4, 6], eps=1e-3)
    nn.init.normal_(norm.weight)
    return norm


CASES = [
    (nn.Linear(6, 3), {"type": "Linear"}, (6,)),
    (nn.Linear(6, 3, bias=False), {"type": "Linear"}, (4, 6)),
    (
        nn.Conv1d(4, 6, 3, stride=2, padding=1, dilation=2, groups=2),
        {"type": "Conv1d", "stride": 2, "padding": 1, "dilation": 2, "groups": 2},
        (4, 20),
    ),
    (nn.Conv2d(2, 3, (3, 5), stride=(1, 2), bias=False), {"type": "Conv2d", "stride": [1, 2]}, (2, 9, 11)),
    (nn.MaxPool1d(3, 2, 1), {"type": "MaxPool1d", "kernel_size": 3, "stride": 2, "padding": 1}, (2, 10)),
    (nn.MaxPool2d(2), {"type": "MaxPool2d", "kernel_size": 2}, (2, 9, 8)),
    (nn.AvgPool1d(3, 2, 1), {"type": "AvgPool1d", "kernel_size": 3, "stride": 2, "padding": 1}, (2, 10)),
    (nn.AvgPool2d((2, 3)), {"type": "AvgPool2d", "kernel_size": [2, 3]}, (2, 9, 8)),
    (nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), {"type": "GlobalAvgPool"}, (3, 5, 6)),
    (used(nn.BatchNorm1d(5, eps=1e-3)), {"type": "BatchNorm1d", "eps": 1e-3}, (5,)),
    (used(nn.BatchNorm1d(5)), {"type": "BatchNorm1d"}, (5, 4)),
    (nn.BatchNorm1d(5, affine=False), {"type": "BatchNorm1d"}, (5,)),
    (used(nn.BatchNorm2d(2)), {"type": "BatchNorm2d"}, (2, 4, 4)),
    (layer_norm(), {"type": "LayerNorm", "eps": 1e-3}, (4, 6)),
    (nn.Embedding(5, 3), {"type": "Embedding"}, (4,)),
    (nn.ReLU(), {"type": "ReLU"}, (6,)),
    (nn.LeakyReLU(0.2), {"type": "LeakyReLU", "negative_slope": 0.2}, (6,)),
    (nn.ELU(0.7), {"type": "ELU", "alpha": 0.7}, (6,)),
    (nn.GELU(), {"type": "GELU"}, (6,)),
    (nn.GELU("tanh"), {"type": "GELU", "approximate": "tanh"}, (6,)),
    (nn.SiLU(), {"type": "SiLU"}, (6,)),
    (nn.Tanh(), {"type": "Tanh"}, (6,)),
    (nn.Sigmoid(), {"type": "Sigmoid"}, (6,)),
    (nn.Softmax(-1), {"type": "Softmax"}, (6,)),
    (nn.Softmax(1), {"type": "Softmax", "dim": 1}, (4, 6)),
    (nn.LogSoftmax(-1), {"type": "LogSoftmax"}, (6,)),
    (nn.Dropout(0.3), {"type": "Dropout", "p": 0.3}, (6,)),
    (nn.Flatten(), {"type": "Flatten"}, (2, 3, 4)),
]


@pytest.mark.parametrize(
    ("module", "layer", "shape"), CASES, ids=lambda value: getattr(value, "__class__", type).__name__
)
def test_layers_are_those_of_pytorch(module, layer, shape):
    compare(module, layer, *shape)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("gives", ["all", "last"])
def test_recurrent_layers(kind, both, bias, gives):
    module = getattr(nn, kind)(4, 6, num_layers=2, batch_first=True, bidirectional=both, bias=bias)
    compare(
        module,
        {"type": kind, "gives": gives},
        9,
        4,
        wanted=lambda found: found[0] if gives == "all" else found[0][:, -1],
    )


def test_any_length():
    module = nn.LSTM(4, 6, batch_first=True)
    weights = {f"l.{name}": value.numpy() for name, value in module.state_dict().items()}
    content = build({"inputs": [{"name": "x", "shape": [None, 4]}], "layers": [{"type": "LSTM", "name": "l"}]}, weights)
    assert [answer(content, x=np.zeros((2, steps, 4), np.float32)).shape for steps in (3, 8)] == [(2, 3, 6), (2, 8, 6)]


def test_branches_and_several_outputs():
    weights = {"a.weight": np.eye(3, dtype=np.float32), "b.weight": np.ones((2, 3), np.float32)}
    layers = [
        {"type": "Linear", "name": "a"},
        {"type": "Add", "name": "sum", "from": ["a", "x"]},
        {"type": "Concat", "name": "both", "from": ["sum", "x"]},
        {"type": "Linear", "name": "b", "from": "sum"},
    ]
    content = build({"inputs": [{"name": "x", "shape": [3]}], "layers": layers, "outputs": ["both", "b"]}, weights)
    x = np.array([[1, 2, 3]], np.float32)
    session = ort.InferenceSession(content, providers=["CPUExecutionProvider"])
    assert [item.name for item in session.get_outputs()] == ["both", "b"]
    assert [found.tolist() for found in session.run(None, {"x": x})] == [[[2, 4, 6, 1, 2, 3]], [[12, 12]]]


LINEAR = {"0.weight": np.zeros((2, 4), np.float32), "0.bias": np.zeros(2, np.float32)}


def said(layers, weights=LINEAR, shape=(4,), **more):
    with pytest.raises(DataError) as error:
        build({"inputs": [{"name": "x", "shape": list(shape)}], "layers": layers, **more}, weights)
    return str(error.value)


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ([{"type": "Linear", "name": "1"}], "Layer 1 “1” (Linear) needs the tensor “1.weight”"),
        ([{"type": "Linear", "name": "0"}] * 2, "takes rows of the shape (4), but (2) comes in"),
        ([{"type": "Conv2d", "name": "0"}], "“0.weight” has the shape (2, 4), expected (any, any, any, any)"),
        ([{"type": "ReLU"}], "“0.weight”, which no layer uses"),
        ([{"type": "Nonsense"}], "there is no such type. We know Add, AvgPool1d"),
        ([{"type": "Linear", "name": "0", "bias": True}], "has no option “bias”"),
        ([{"type": "MaxPool1d", "kernel_size": 0}], "takes rows of the shape (any, any)"),
        ([{"type": "Flatten", "from": "y"}], "neither an input nor a layer before it is called that"),
        ([{"type": "Add"}], "“from” cannot be x"),
        ([{"name": "0"}], "layer 1 has no “type”"),
        ([], "“layers” is no list"),
        ("Linear", "“layers” is no list"),
    ],
)
def test_what_does_not_fit_is_said(layers, words):
    assert words in said(layers)


def test_other_mistakes():
    assert "it is no object" in said_of(["Linear"])
    assert "described wrongly" in said_of({"inputs": [{"name": "x", "shape": ["4"]}], "layers": [{"type": "ReLU"}]})
    assert "described wrongly" in said_of({"layers": [{"type": "ReLU"}]})
    assert "“kernel_size” cannot be -1" in said([{"type": "MaxPool1d", "kernel_size": -1}], {}, (2, 8))
    assert "at least (9)" in said([{"type": "MaxPool1d", "kernel_size": 9}], {}, (2, 8))
    assert "no layer called “z”" in said([{"type": "Linear", "name": "0"}], outputs=["z"])


def said_of(specification):
    with pytest.raises(DataError) as error:
        build(specification, {})
    return str(error.value)


def test_the_guide_names_every_type_and_its_examples_work():
    table = DOCS[DOCS.index("| type |") : DOCS.index("An LSTM or GRU")]
    cells = [line.split("|")[1] for line in table.splitlines()[2:] if line.startswith("|")]
    assert {name for cell in cells for name in re.findall(r"`(\w+)`", cell)} == set(BUILDERS)
    sizes = {"0.weight": (16, 8), "2.weight": (1, 16), "embedding.weight": (20, 4), "out.weight": (2, 23)}
    for example in re.findall(r"```json\n(.*?)```", DOCS, re.DOTALL):
        specification = json.loads(example)
        names = [f"{layer['name']}.weight" for layer in specification["layers"] if "name" in layer]
        assert build(specification, {name: np.zeros(sizes[name], np.float32) for name in names if name in sizes})
