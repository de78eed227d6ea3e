"""The network: a small ensemble in one, read top to bottom.

TabM-mini (Gorishniy et al. 2024, arXiv 2410.24210): K members share all weights but a vector that multiplies the input
and the last layer. Numbers enter through piecewise-linear embeddings (Gorishniy et al. 2022, arXiv 2203.05556).
F such networks, one per fold, lie in the same tensors and train side by side: one step serves all folds.

Shapes: F folds, K members, B rows, N numbers, T pieces (+1 for the straight line), D features per number, M marks.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from machines.engine.graph import Graph

Floats: TypeAlias = NDArray[np.float32]
FAR = 1e9


@dataclass(frozen=True)
class Shape:
    """The sizes of a network."""

    folds: int
    members: int
    widths: tuple[int, ...]  # of the hidden layers
    embedding: int  # D
    dropout: float
    outputs: tuple[int, ...]  # numbers per output: 1 for a number, classes for labels
    numbers: tuple[int, ...]  # which outputs are numbers


class Pieces:
    """Where the pieces of each number begin and end, learned from quantiles."""

    def __init__(self, numbers: Floats, most: int) -> None:
        n = numbers.shape[1]
        self.low = np.zeros((n, most + 1), np.float32)
        self.high = np.ones((n, most + 1), np.float32)
        self.left = np.full((n, most + 1), FAR, np.float32)
        self.inverse = np.ones((n, most + 1), np.float32)
        self.left[:, -1], self.low[:, -1], self.high[:, -1] = 0.0, -FAR, FAR  # the straight line
        for j in range(n if most else 0):
            edges = np.unique(np.quantile(numbers[:, j], np.linspace(0, 1, most + 1)).astype(np.float32))
            self.left[j, : len(edges) - 1] = edges[:-1]
            self.inverse[j, : len(edges) - 1] = 1 / np.maximum(np.diff(edges), 1e-6)


class Network(nn.Module):
    """F x K members. Answers are logits of classes, or standardised numbers with two positive spreads (down, up)."""

    left: Tensor
    inverse: Tensor
    low: Tensor
    high: Tensor

    def __init__(self, shape: Shape, pieces: Pieces, marks: int, seed: int) -> None:
        super().__init__()
        self.shape = shape
        random = torch.Generator().manual_seed(seed)
        folds, members, d = shape.folds, shape.members, shape.embedding
        n, t = pieces.left.shape
        for name in ("left", "inverse", "low", "high"):
            self.register_buffer(name, torch.from_numpy(getattr(pieces, name)))
        self.embed = _uniform((folds, n, t, d), 1.0, random)  # straight line as usual, pieces start at zero
        with torch.no_grad():
            self.embed[:, :, :-1] = 0.0
        self.embed_bias = _uniform((folds, n, d), 1.0, random)
        inputs = n * d + marks
        signs = torch.randint(0, 2, (folds, members, inputs), generator=random)
        self.signs = nn.Parameter(signs * 2.0 - 1.0)
        sizes = (inputs, *shape.widths)
        fans = list(pairwise(sizes))
        self.weights = nn.ParameterList(_uniform((folds, i, o), i**-0.5, random) for i, o in fans)
        self.biases = nn.ParameterList(_uniform((folds, 1, o), i**-0.5, random) for i, o in fans)
        last = sizes[-1]
        self.head = _uniform((folds, members, last, sum(shape.outputs)), last**-0.5, random)
        self.head_bias = _uniform((folds, members, 1, sum(shape.outputs)), last**-0.5, random)
        self.spread = _uniform((folds, members, last, 2 * len(shape.numbers)), 0.01, random)
        self.spread_bias = nn.Parameter(torch.zeros(folds, members, 1, 2 * len(shape.numbers)))

    def features(self, numbers: Tensor, marks: Tensor) -> Tensor:
        """numbers [F, B, N], marks [F, B, M] -> [F, B, N * D + M]"""
        t = (numbers.unsqueeze(-1) - self.left) * self.inverse  # [F, B, N, T]
        t = torch.minimum(torch.maximum(t, self.low), self.high)
        x = torch.einsum("fbnt,fntd->fbnd", t, self.embed) + self.embed_bias.unsqueeze(1)
        return torch.cat([x.flatten(2), marks], -1)

    def trunk(self, x: Tensor) -> Tensor:
        """[F, B, inputs] -> [F, K, B, last width]"""
        x = (x.unsqueeze(1) * self.signs.unsqueeze(2)).flatten(1, 2)  # [F, K * B, inputs]
        for weight, bias in zip(self.weights, self.biases, strict=True):
            x = functional.relu(torch.baddbmm(bias, x, weight))
            x = functional.dropout(x, self.shape.dropout, self.training)
        folds, rows, width = x.shape
        return x.view(folds, self.shape.members, rows // self.shape.members, width)

    def forward(self, numbers: Tensor, marks: Tensor) -> tuple[Tensor, Tensor]:
        """Return answers [F, K, B, outputs] and spreads [F, K, B, 2 * numbers]; spreads do not pull at the trunk."""
        x = self.trunk(self.features(numbers, marks))
        spread = x.detach() @ self.spread + self.spread_bias
        return x @ self.head + self.head_bias, functional.softplus(spread)

    def write(self, g: Graph, numbers: str | None, marks: str | None) -> tuple[list[str], str | None]:
        """Write the mean over folds and members: one tensor per output [N, width], and spreads [N, 2 * numbers]."""
        x = self._write_trunk(g, self._write_features(g, numbers, marks))
        answers = g.add("Add", g.add("MatMul", x, _array(g, self.head)), _array(g, self.head_bias))
        parts = g.split(answers, self.shape.outputs, axis=3) if len(self.shape.outputs) > 1 else [answers]
        means = []
        for i, part in enumerate(parts):
            chance = part if i in self.shape.numbers else g.add("Softmax", part, axis=-1)
            means.append(g.add("ReduceMean", chance, g.ints(0, 1), keepdims=0))
        if not self.shape.numbers:
            return means, None
        spread = g.add("Add", g.add("MatMul", x, _array(g, self.spread)), _array(g, self.spread_bias))
        return means, g.add("ReduceMean", g.add("Softplus", spread), g.ints(0, 1), keepdims=0)

    def _write_features(self, g: Graph, numbers: str | None, marks: str | None) -> str:
        """-> [F, K, N, inputs], already multiplied by the members' signs"""
        n, d, folds = self.left.shape[0], self.shape.embedding, self.shape.folds
        signs = self.signs.unsqueeze(2)
        parts = []
        if numbers:
            t = g.add("Sub", g.add("Unsqueeze", numbers, g.ints(2)), _array(g, self.left))
            t = g.add("Mul", t, _array(g, self.inverse))
            t = g.add("Min", g.add("Max", t, _array(g, self.low)), _array(g, self.high))
            embed = self.embed.permute(1, 2, 0, 3).reshape(n, -1, folds * d)
            x = g.add("MatMul", g.add("Transpose", t, perm=[1, 0, 2]), _array(g, embed))  # [n, N, F * D]
            x = g.add("Add", x, _array(g, self.embed_bias.permute(1, 0, 2).reshape(n, 1, folds * d)))
            x = g.add("Transpose", g.reshape(x, n, -1, folds, d), perm=[2, 1, 0, 3])  # [F, N, n, D]
            parts.append(g.add("Mul", g.reshape(x, folds, 1, -1, n * d), _array(g, signs[..., : n * d])))
        if marks:
            parts.append(g.add("Mul", marks, _array(g, signs[..., n * d :])))
        return g.concat(parts, 3)

    def _write_trunk(self, g: Graph, x: str) -> str:
        x = g.reshape(x, self.shape.folds, -1, self.signs.shape[-1])
        for weight, bias in zip(self.weights, self.biases, strict=True):
            x = g.add("Relu", g.add("Add", g.add("MatMul", x, _array(g, weight)), _array(g, bias)))
        return g.reshape(x, self.shape.folds, self.shape.members, -1, self.weights[-1].shape[-1])


def _uniform(shape: tuple[int, ...], reach: float, random: torch.Generator) -> nn.Parameter:
    return nn.Parameter((torch.rand(shape, generator=random) * 2 - 1) * reach)


def _array(g: Graph, tensor: Tensor) -> str:
    return g.constant(np.ascontiguousarray(tensor.detach().numpy()))
