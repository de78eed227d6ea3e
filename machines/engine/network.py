"""The networks: F of them, one per fold, side by side in the same tensors, so that one step of training serves all folds.

Numbers enter as they are and through piecewise-linear encodings (Gorishniy et al. 2022, arXiv 2203.05556); labels as marks.
With batch normalisation (Ioffe and Szegedy 2015) it is a plain network, quick to train; with K members it is a
parameter-efficient ensemble, TabM-mini (Gorishniy et al. 2024, arXiv 2410.24210): the members share all weights but a vector
of signs on the input and the last layer.

Shapes: F folds, K members, B rows, N numbers, T pieces, M marks; inputs I = N + N * T + M.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from machines.engine.encode import Encoded
from machines.engine.graph import Graph

Floats: TypeAlias = NDArray[np.float32]
TINY = 1e-5  # added to variances
PRODUCTS_PER_MICRO = 8_000.0  # of a row's answer, in a microsecond
MOST_SHARED = 8  # times as many factors of dropout are drawn as a step takes
FEW = 2  # columns of a matrix
MEMORY = 0.1  # of the moving averages that batch normalisation keeps


@dataclass(frozen=True)
class Shape:
    """The sizes of a network."""

    folds: int
    members: int
    widths: tuple[int, ...]  # of the hidden layers
    dropout: float
    outputs: tuple[int, ...]  # numbers per output: 1 for a number, classes for labels
    numbers: tuple[int, ...]  # which outputs are numbers
    is_normed: bool  # batch normalisation and SiLU; else neither, and ReLU


class Pieces:
    """Where the pieces of each number begin, and one over their lengths; learned from quantiles. [N, T] each."""

    def __init__(self, numbers: Floats, most: int) -> None:
        edges = [_edges(column, most) for column in numbers.T] if most else []
        count = max((len(e) - 1 for e in edges), default=0)
        self.left = np.zeros((numbers.shape[1], count), np.float32)
        self.inverse = np.zeros((numbers.shape[1], count), np.float32)  # 0: no such piece
        for j, e in enumerate(edges):
            if len(e) > 2:  # one piece is the straight line that is there anyway
                self.left[j, : len(e) - 1] = e[:-1]
                self.inverse[j, : len(e) - 1] = 1 / np.diff(e)


class Network(nn.Module):
    """F x K members. Answers are logits of classes, or standardised numbers with two positive spreads (down, up)."""

    left: Tensor
    inverse: Tensor

    def __init__(self, shape: Shape, pieces: Pieces, marks: int, seed: int) -> None:
        super().__init__()
        self.shape, self.marks = shape, marks
        random = torch.Generator().manual_seed(seed)
        folds, members = shape.folds, shape.members
        self.register_buffer("left", torch.from_numpy(pieces.left))
        self.register_buffer("inverse", torch.from_numpy(pieces.inverse))
        inputs = pieces.left.size + len(pieces.left) + marks
        signs = torch.randint(0, 2, (folds, members, inputs), generator=random)
        self.signs = nn.Parameter(signs * 2.0 - 1.0) if members > 1 else None
        sizes = (inputs, *shape.widths)
        fans = list(pairwise(sizes))
        self.weights = nn.ParameterList(_uniform((folds, i, o), i**-0.5, random) for i, o in fans)
        self.biases = nn.ParameterList(nn.Parameter(torch.zeros(folds, 1, o)) for _, o in fans)
        norms = fans if shape.is_normed else []
        self.gains = nn.ParameterList(nn.Parameter(torch.ones(folds, 1, o)) for _, o in norms)
        self.means = [torch.zeros(folds * o) for _, o in norms]
        self.variances = [torch.ones(folds * o) for _, o in norms]
        last = sizes[-1]
        self.head = _uniform((folds, members, last, sum(shape.outputs)), last**-0.5, random)
        self.head_bias = nn.Parameter(torch.zeros(folds, members, 1, sum(shape.outputs)))
        self.spread = _uniform((folds, members, last, 2 * len(shape.numbers)), 0.01, random)
        self.spread_bias = nn.Parameter(torch.zeros(folds, members, 1, 2 * len(shape.numbers)))
        self.factors = torch.zeros(0)  # of dropout

    def state(self) -> list[Tensor]:
        """All that training changes; each begins with the folds, or folds times width."""
        return [*self.parameters(), *self.means, *self.variances]

    @property
    def micros(self) -> float:
        """Microseconds that a row takes, about."""
        trunk: int = self.shape.members * sum(weight.numel() for weight in self.weights)
        return (trunk + int(self.head.numel())) / PRODUCTS_PER_MICRO

    def features(self, numbers: Tensor, marks: Tensor) -> Tensor:
        """numbers [..., N], marks [..., M or more] -> [..., I]; needs no training, so it is done once for all rows."""
        ramps = ((numbers.unsqueeze(-1) - self.left) * self.inverse).clamp_(0.0, 1.0)
        return torch.cat([numbers, ramps.flatten(-2), marks[..., : self.marks]], -1)

    def trunk(self, x: Tensor) -> Tensor:
        """[F, B, I] -> [F, K, B, last width]"""
        rows = x.shape[1]
        if self.signs is not None:
            x = (x.unsqueeze(1) * self.signs.unsqueeze(2)).flatten(1, 2)  # [F, K * B, I]
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            if self.shape.is_normed:
                x = functional.silu(self._normed(torch.bmm(x, weight), i) + bias)
            else:
                x = functional.relu(torch.baddbmm(bias, x, weight))
            if self.training and self.shape.dropout:
                x = x * self._kept(x)
        return x.view(self.shape.folds, self.shape.members, rows, x.shape[-1])

    def _kept(self, x: Tensor) -> Tensor:
        """Factors that drop some of these numbers (Srivastava et al. 2014), from a random place of a long row of such.

        Drawing a new one for each takes longer than all products of a small network.
        """
        share, count = self.shape.dropout, x.numel()
        if len(self.factors) < MOST_SHARED * count:
            self.factors = (torch.rand(MOST_SHARED * count) >= share) / (1 - share)
        begin = int(torch.randint(len(self.factors) - count + 1, ()))
        return self.factors[begin : begin + count].view(x.shape)

    def _normed(self, x: Tensor, layer: int) -> Tensor:
        """[F, R, width] -> the same with mean 0 and variance 1 over a fold's rows, times the gains."""
        folds, rows, width = x.shape
        flat = x.transpose(0, 1).reshape(rows, folds * width)
        flat = functional.batch_norm(
            flat,
            self.means[layer],
            self.variances[layer],
            self.gains[layer].flatten(),
            None,
            self.training,
            MEMORY,
            TINY,
        )
        return flat.view(rows, folds, width).transpose(0, 1).contiguous()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return answers [F, K, B, outputs] and spreads [F, K, B, 2 * numbers]; spreads do not pull at the trunk."""
        x = self.trunk(x)
        spread = _times(x.detach(), self.spread) + self.spread_bias
        return _times(x, self.head) + self.head_bias, functional.softplus(spread)

    @torch.no_grad()
    def predict(self, encoded: Encoded) -> dict[int, Floats]:
        """The mean over folds and members for encoded rows: output number -> chances or standardised numbers [rows, width]."""
        x = self.features(torch.from_numpy(encoded.numbers), torch.from_numpy(encoded.marks).float())
        answers, _spreads = self(x.expand(self.shape.folds, -1, -1))
        parts = enumerate(torch.split(answers, list(self.shape.outputs), -1))
        return {i: (p if i in self.shape.numbers else p.softmax(-1)).mean((0, 1)).numpy() for i, p in parts}

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
        """-> [N, I]"""
        parts = [numbers] if numbers else []
        if numbers and self.left.shape[1]:
            moved = g.add("Sub", g.add("Unsqueeze", numbers, g.ints(2)), _array(g, self.left))
            ramps = g.add(
                "Clip",
                g.add("Mul", moved, _array(g, self.inverse)),
                *(g.constant(np.array(edge, np.float32)) for edge in (0.0, 1.0)),
            )
            parts.append(g.reshape(ramps, -1, self.left.numel()))
        if marks and self.marks:
            parts.append(g.add("Slice", marks, g.ints(0), g.ints(self.marks), g.ints(1)))
        return g.concat(parts, 1)

    def _write_trunk(self, g: Graph, x: str) -> str:
        """[N, I] -> [F, K, N, last width]; batch normalisation is folded into weights and biases."""
        folds, members = self.shape.folds, self.shape.members
        if self.signs is not None:
            x = g.add("Mul", x, _array(g, self.signs.unsqueeze(2)))
            x = g.reshape(x, folds, -1, self.signs.shape[-1])
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            if self.shape.is_normed:
                mean, variance = (every[i].view(folds, 1, -1) for every in (self.means, self.variances))
                gain = self.gains[i] / (variance + TINY).sqrt()
                weight, bias = weight * gain, bias - mean * gain
            x = g.add("Add", g.add("MatMul", x, _array(g, weight)), _array(g, bias))
            x = g.add("Mul", x, g.add("Sigmoid", x)) if self.shape.is_normed else g.add("Relu", x)
        return g.reshape(x, folds, members, -1, self.weights[-1].shape[-1])


def _edges(column: Floats, most: int) -> Floats:
    """Where pieces begin and end: of about equally many rows, and where rows are alike, of as many different values."""
    edges = np.unique(np.quantile(column, np.linspace(0, 1, most + 1)).astype(np.float32))
    spare = most + 1 - len(edges)
    if spare:
        values = np.quantile(np.unique(column), np.linspace(0, 1, spare + 2)[1:-1]).astype(np.float32)
        edges = np.union1d(edges, values)
    found: Floats = edges
    return found


def _times(x: Tensor, matrix: Tensor) -> Tensor:
    """[..., B, I] @ [..., I, O]; for the few columns of a last layer, products and sums are quicker than the library's."""
    if not 0 < matrix.shape[-1] <= FEW:
        return x @ matrix
    return torch.stack([(x * column.unsqueeze(-2)).sum(-1) for column in matrix.unbind(-1)], -1)


def _uniform(shape: tuple[int, ...], reach: float, random: torch.Generator) -> nn.Parameter:
    return nn.Parameter((torch.rand(shape, generator=random) * 2 - 1) * reach)


def _array(g: Graph, tensor: Tensor) -> str:
    return g.constant(np.ascontiguousarray(tensor.detach().numpy()))
