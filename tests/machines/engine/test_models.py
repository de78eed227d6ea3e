"""Every model must answer the same from Python and from the file."""

import numpy as np
import onnxruntime as ort
import pytest
import torch
from onnx import TensorProto, helper

from machines.engine.graph import Graph
from machines.engine.network import Network, Pieces, Shape
from machines.engine.optimizers import Descent
from machines.engine.prepare import Target
from machines.engine.schema import Column, DataType
from machines.engine.simple import Boosting, Forest, Linear


def run(g, output, inputs, width):
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", a.shape[1]]) for name, a in inputs.items()]
    model = g.model(infos, [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["N", width])], {})
    return ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, inputs)[0]


@pytest.fixture
def rows():
    return np.random.default_rng(0).normal(size=(240, 6)).astype(np.float32)


def target_of(x, classes):
    score = x[:, 0] + x[:, 1] ** 2
    if classes == 1:
        return Target(Column("y", DataType.FLOAT), score)
    codes = np.searchsorted(np.quantile(score, np.linspace(0, 1, classes + 1)[1:-1]), score)
    return Target(Column("y", DataType.LABEL), codes, tuple("abcde"[:classes]))


@pytest.mark.parametrize("classes", [1, 2, 4])
@pytest.mark.parametrize("make", [Linear, lambda: Forest(0), lambda: Boosting(0)], ids=["linear", "forest", "boosting"])
def test_simple_models(rows, make, classes):
    model, target = make(), target_of(rows, classes)
    steps = min(3, model.steps)
    for _ in range(steps):
        model.grow(rows, target)
    g = Graph()
    there = run(g, model.write(g, "x", steps), {"x": rows}, classes)
    assert np.abs(model.predict(rows) - there).max() < 1e-4


@pytest.mark.parametrize("numbers, marks", [(4, 3), (4, 0), (0, 3)])
def test_network(numbers, marks):
    rng = np.random.default_rng(0)
    x, m = rng.normal(size=(50, numbers)).astype(np.float32), rng.integers(0, 2, (50, marks)).astype(np.float32)
    network = Network(Shape(3, 4, (16, 8), 5, 0.1, (1, 3), (0,)), Pieces(x, 6), marks, 0).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn(parameter.shape) * 0.1)
        answers, spreads = network(torch.from_numpy(x).expand(3, -1, -1), torch.from_numpy(m).expand(3, -1, -1))
    g = Graph()
    inputs = {name: a for name, a in (("x", x), ("m", m)) if a.shape[1]}
    means, spread = network.write(g, "x" if numbers else None, "m" if marks else None)
    here = torch.cat(
        [answers[..., :1].mean((0, 1)), answers[..., 1:].softmax(-1).mean((0, 1)), spreads.mean((0, 1))], -1
    )
    there = run(g, g.concat([*means, spread], 1), inputs, 6)
    assert np.abs(here.numpy() - there).max() < 1e-4


@pytest.mark.parametrize("kind", ["adam", "sgd", "rmsprop"])
def test_optimizers_agree_with_torch(kind):
    mine = torch.ones(2, 3, requires_grad=True)
    theirs = torch.ones(2, 3, requires_grad=True)
    reference = {
        "adam": lambda: torch.optim.Adam([theirs], lr=0.01),
        "sgd": lambda: torch.optim.SGD([theirs], lr=0.01, momentum=0.9, nesterov=True),
        "rmsprop": lambda: torch.optim.RMSprop([theirs], lr=0.01),
    }[kind]()
    descent = Descent(kind, [mine], [0.0], 0.01)
    scale = torch.tensor([0.1, 0.2, 0.3])
    for _ in range(20):
        (mine.square() * scale).sum().backward()
        descent.step()
        reference.zero_grad()
        (theirs.square() * scale).sum().backward()
        reference.step()
    assert torch.allclose(mine, theirs, atol=1e-4)
