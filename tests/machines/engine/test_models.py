"""Every model must answer the same from Python and from the file."""

import numpy as np
import onnxruntime as ort
import pytest
import torch
from onnx import TensorProto, helper

from machines.engine import network as network_module
from machines.engine.encode import Encoded
from machines.engine.folds import PROBE, once
from machines.engine.graph import Graph
from machines.engine.linear import ENDLESS, Linear
from machines.engine.network import Network, Pieces, Shape
from machines.engine.optimizers import MEMORY, Descent
from machines.engine.prepare import Target
from machines.engine.schema import Column, DataType


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
def test_linear(rows, classes):
    model, target = Linear(), target_of(rows, classes)
    answers = model.fit(once(rows), target, np.arange(240) % 3, lambda: True)
    g = Graph()
    there = run(g, model.write(g, "x"), {"x": rows}, classes)
    assert np.abs(model.predict(rows) - there).max() < 1e-5
    assert answers.shape == (240, classes) and not np.isnan(answers).any()


def test_nobody_learns_from_a_probe(rows):
    target = target_of(rows, 1)
    folds = np.arange(240) % 3
    folds[:60] = PROBE - folds[:60]
    twisted = Target(target.column, np.where(folds < 0, 1000.0, target.values).astype(np.float32))
    plain, strange = (Linear().fit(once(rows), t, folds, lambda: True) for t in (target, twisted))
    assert (plain == strange).all() and not np.isnan(plain).any()


def test_a_class_that_a_fold_has_not_met(rows):
    target = target_of(rows, 4)
    folds = np.where(target.values == 3, 0, 1 + np.arange(240) % 2)
    answers = Linear().fit(once(rows), target, folds, lambda: True)
    assert answers[folds == 0, 3].max() < 1e-6 and np.allclose(answers.sum(1), 1, atol=1e-5)


@pytest.mark.parametrize("is_normed", [True, False], ids=["normed", "members"])
@pytest.mark.parametrize("numbers, marks, seen", [(4, 3, 3), (4, 0, 0), (0, 3, 3), (4, 3, 2), (4, 3, 0)])
@pytest.mark.parametrize("pieces", [0, 6])
def test_network(numbers, marks, seen, pieces, is_normed):
    """It may see the first marks alone."""
    rng = np.random.default_rng(0)
    x, m = rng.normal(size=(50, numbers)).astype(np.float32), rng.integers(0, 2, (50, marks)).astype(np.uint8)
    shape = Shape(3, 1 if is_normed else 4, (16, 8), 0.1, (1, 3), (0,), is_normed)
    network = Network(shape, Pieces(x, pieces), seen, 0)
    features = network.features(torch.from_numpy(x), torch.from_numpy(m).float()).expand(3, -1, -1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn(parameter.shape) * 0.1)
        for _ in range(3):
            network.train()(features)  # so that the moving averages are not what they began as
        _answers, spreads = network.eval()(features)
    g = Graph()
    inputs = {name: a.astype(np.float32) for name, a in (("x", x), ("m", m)) if a.shape[1]}
    means, spread = network.write(g, "x" if numbers else None, "m" if marks else None)
    here = network.predict(Encoded(x, m, np.zeros((1, 50, 0), np.float32)))
    there = run(g, g.concat([*means, spread], 1), inputs, 6)
    assert np.abs(np.hstack([here[0], here[1], spreads.mean((0, 1)).numpy()]) - there).max() < 1e-5


def test_folds_do_not_meet():
    """What one fold is shown changes nothing for another, batch normalisation included."""
    x = torch.randn(2, 20, 5, generator=torch.Generator().manual_seed(0))
    network = Network(Shape(2, 1, (8,), 0.0, (1,), (0,), True), Pieces(np.zeros((4, 5), np.float32), 0), 0, 0).train()
    before = network(x)[0][0].detach()
    x[1] *= 100
    assert torch.equal(network(x)[0][0].detach(), before)


@pytest.mark.parametrize("kind", ["adam", "sgd", "rmsprop"])
def test_optimizers_agree_with_torch(kind):
    mine = torch.ones(2, 3, requires_grad=True)
    theirs = torch.ones(2, 3, requires_grad=True)
    reference = {
        "adam": lambda: torch.optim.Adam([theirs], lr=0.01, betas=(0.9, MEMORY)),
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


def test_parameters_move_together_as_they_would_alone():
    """Each within its own fold's gradient, with its own decay, and one that nothing pulls at only by that."""
    sizes, decays = ((2, 3), (2, 4, 5), (2, 2)), (0.1, 0.0, 0.5)
    random = torch.Generator().manual_seed(0)
    start = [torch.randn(size, generator=random) for size in sizes]
    mine, theirs = ([torch.nn.Parameter(each.clone()) for each in start] for _ in range(2))
    groups = [{"params": [p], "weight_decay": decay} for p, decay in zip(theirs, decays, strict=True)]
    reference = torch.optim.AdamW(groups, lr=0.01, betas=(0.9, MEMORY))
    descent = Descent("adam", mine, decays, 0.01)
    for _ in range(20):
        for moved in (mine, theirs):
            pull = moved[0].square().sum((1,)) * 0.02 + moved[1].square().sum((1, 2)) * 0.02
            (pull * torch.tensor([1.0, 100.0])).sum().backward()  # one fold within the longest, one far beyond
        descent.step()
        theirs[2].grad = torch.zeros_like(theirs[2])
        both = torch.cat([p.grad.flatten(1) for p in theirs], 1).square().sum(1).sqrt().clamp(min=1.0)
        for p in theirs:
            p.grad /= both.view(-1, *[1] * (p.ndim - 1))
        reference.step()
        reference.zero_grad()
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(mine, theirs, strict=True))


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_dropout_drops_its_share_and_keeps_the_mean(share):
    network = Network(Shape(2, 1, (64,), share, (1,), (0,), True), Pieces(np.zeros((4, 5), np.float32), 0), 0, 0)
    torch.manual_seed(0)
    factors = [network._kept(torch.zeros(2, 100, 64)) for _ in range(5)]
    for each in factors:
        assert abs(float((each == 0).float().mean()) - share) < 0.02 and abs(float(each.mean()) - 1) < 0.03
    assert not torch.equal(factors[0], factors[1]) and not torch.equal(factors[0][0], factors[0][1])
    x = torch.randn(2, 20, 5)
    assert torch.equal(network.eval()(x)[0], network(x)[0]) and not torch.equal(network.train()(x)[0], network(x)[0])


@pytest.mark.parametrize("columns", [0, 1, 2, 3])
def test_products_with_few_columns(columns):
    x, matrix = torch.randn(2, 3, 7, 5), torch.randn(2, 3, 5, columns)
    assert torch.allclose(network_module._times(x, matrix), x @ matrix, atol=1e-5)


def test_pieces_of_a_number_that_is_mostly_zero():
    column = np.zeros((1000, 1), np.float32)
    column[:50, 0] = np.linspace(1, 3, 50)
    assert (Pieces(column, 16).inverse > 0).sum() > 10  # by rows alone there would be two


@pytest.mark.parametrize("classes", [1, 2, 4])
def test_what_is_usual(rows, classes):
    """An endless penalty leaves nothing but the mean, or how often each class occurs."""
    model, target = Linear(penalties=ENDLESS), target_of(rows, classes)
    answers = model.fit(once(rows), target, np.arange(240) % 3, lambda: True)
    shares = np.bincount(target.values) / 240 if classes > 1 else target.values.mean()
    assert np.abs(model.predict(rows) - shares).max() < 1e-3
    assert np.ptp(answers[::3], axis=0).max() < 1e-6 and np.abs(answers - shares).max() < 0.2
