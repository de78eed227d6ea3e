"""Teaches a network, all folds side by side, until nothing improves or time is over; keeps each fold's best weights."""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from machines.engine.encode import Encoded
from machines.engine.network import Network, Pieces, Shape
from machines.engine.optimizers import Descent
from machines.engine.parameters import Loss, Parameters
from machines.engine.prepare import Target
from machines.engine.progress import NETWORK, Clock

Floats: TypeAlias = NDArray[np.float32]

ROUND = 150  # most steps between two validations
PATIENCE = 16  # rounds without a better validation loss
SPEED = 2e10  # floating-point operations per second of one core, for plans; a step's overhead is in STEP
STEP = 2.5e-3  # seconds
ROUNDS_WANTED = 25
CHUNK = 2048  # rows per forward pass


@dataclass(frozen=True)
class Plan:
    """How to train one network."""

    shape: Shape
    pieces: int
    batch: int
    rate: float
    decay: float
    parameters: Parameters


@dataclass
class Lesson:
    """The rows as tensors, and for each fold which rows train and which validate."""

    encoded: Encoded
    targets: tuple[Target, ...]
    folds: NDArray[np.int64]  # [rows], -1: validates nowhere
    emptiness: NDArray[np.float64]  # [rows], see TableEncoder.emptiness

    def __post_init__(self) -> None:
        self.numbers = torch.from_numpy(np.ascontiguousarray(self.encoded.numbers))
        self.marks = torch.from_numpy(np.ascontiguousarray(self.encoded.marks))
        self.answers = [torch.from_numpy(np.ascontiguousarray(t.values)) for t in self.targets]
        count = int(self.folds.max()) + 1
        validate = [np.flatnonzero(self.folds == f) for f in range(count)]
        train = [np.flatnonzero(self.folds != f) for f in range(count)]
        self.train = _stack(train, min(map(len, train)))
        self.validate = _stack(validate, max(map(len, validate)))  # short folds repeat their first row

    def rows(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """index [F, B] -> numbers [F, B, N], marks [F, B, M]"""
        return self.numbers[index], self.marks[index].float()


class Teacher:
    """Trains one network on one lesson."""

    def __init__(self, plan: Plan, lesson: Lesson, seed: int) -> None:
        self.plan, self.lesson = plan, lesson
        pieces = Pieces(lesson.encoded.numbers, plan.pieces)
        self.network = Network(plan.shape, pieces, lesson.marks.shape[1], seed)
        self.random = torch.Generator().manual_seed(seed)
        self.optimizer = _optimizer(self.network, plan)
        self.best = torch.full((plan.shape.folds,), math.inf)
        self.kept = [p.detach().clone() for p in self.network.parameters()]
        self.stale = 0
        self.epochs = 0.0

    def teach(self, clock: Clock, until: float) -> None:
        """Train until `until` (share of the time) or "finish now", or while it helps; restore the best weights."""
        most = self.plan.parameters.epochs or math.inf
        while self.stale < PATIENCE and self.epochs < most and clock.until(until) > 0:
            clock.say(NETWORK, round=len(clock.curve.training) + 1)
            loss = self._round(clock, until)
            if loss is None:
                break
            clock.curve.add(loss, self._validate())
        if not clock.curve.validation or not torch.isfinite(self.best).all():
            self._validate()
        with torch.no_grad():
            for parameter, kept in zip(self.network.parameters(), self.kept, strict=True):
                parameter.copy_(kept)

    def _round(self, clock: Clock, until: float) -> float | None:
        """One pass through the rows, or ROUND steps of it; the mean loss, None if time was over before one step."""
        self.network.train()
        train = self.lesson.train
        order = torch.rand(train.shape, generator=self.random).argsort(1)
        batches = torch.split(order, self.plan.batch, 1)[:ROUND]
        losses = []
        for batch in batches:
            if not clock.tick() or clock.until(until) <= 0:
                break
            losses.append(self._step(train.gather(1, batch)))
        self.epochs += len(losses) * self.plan.batch / train.shape[1]
        return float(np.mean(losses)) if losses else None

    def _step(self, index: Tensor) -> float:
        answers, spreads = self.network(*self.lesson.rows(index))
        truths = [a[index] for a in self.lesson.answers]
        loss = self._loss(answers, truths).mean((1, 2)).sum()
        if self.plan.shape.numbers:
            loss = loss + self._spread_loss(answers.detach(), spreads, truths)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return float(loss.detach()) / self.plan.shape.folds

    def _loss(self, answers: Tensor, truths: list[Tensor]) -> Tensor:
        """answers [F, K, B, outputs] -> loss of every member and row [F, K, B]"""
        parts = torch.split(answers, list(self.plan.shape.outputs), -1)
        kinds = [loss_for(t, self.plan.parameters.loss) for t in self.lesson.targets]
        losses = [_member_loss(p, t, kind) for p, t, kind in zip(parts, truths, kinds, strict=True)]
        return torch.stack(losses).sum(0)

    def _spread_loss(self, answers: Tensor, spreads: Tensor, truths: list[Tensor]) -> Tensor:
        """Pinball loss at 5 % and 95 % of what the answer misses."""
        parts = torch.split(answers, list(self.plan.shape.outputs), -1)
        total = torch.zeros(())
        for j, i in enumerate(self.plan.shape.numbers):
            miss = truths[i].unsqueeze(1) - parts[i].squeeze(-1)
            down, up = spreads[..., 2 * j], spreads[..., 2 * j + 1]
            total = total + _pinball(miss + down, 0.05).mean() + _pinball(miss - up, 0.95).mean()
        return total * self.plan.shape.folds

    @torch.no_grad()
    def _validate(self) -> float:
        """Measure every fold on its own rows, keep the weights of folds that improved, return the mean loss."""
        self.network.eval()
        index = self.lesson.validate
        losses = torch.zeros(len(index))
        for part in torch.split(index, CHUNK, 1):
            answers, _ = self.network(*self.lesson.rows(part))
            losses += self._ensemble_loss(answers, [a[part] for a in self.lesson.answers]).sum(1)
        losses = torch.nan_to_num(losses / index.shape[1], nan=math.inf)
        better = losses < self.best - 1e-5
        self.stale = 0 if better.any() else self.stale + 1
        self.best = torch.where(better, losses, self.best)
        for parameter, kept in zip(self.network.parameters(), self.kept, strict=True):
            kept[better] = parameter[better]
        return float(self.best.mean()) if not torch.isfinite(losses).all() else float(losses.mean())

    def _ensemble_loss(self, answers: Tensor, truths: list[Tensor]) -> Tensor:
        """The loss of the members' mean answer, per row [F, B]."""
        total = torch.zeros(answers.shape[0], answers.shape[2])
        for part, truth, target in zip(
            torch.split(answers, list(self.plan.shape.outputs), -1), truths, self.lesson.targets, strict=True
        ):
            if target.classes:
                chance = part.softmax(-1).mean(1).gather(-1, truth.unsqueeze(-1)).squeeze(-1)
                total -= chance.clamp_min(1e-7).log()
            elif loss_for(target, self.plan.parameters.loss) == "mae":
                total += (part.mean(1).squeeze(-1) - truth).abs()
            else:
                total += (part.mean(1).squeeze(-1) - truth).square()
        return total

    @torch.no_grad()
    def out_of_fold(self) -> tuple[list[Floats], Floats | None]:
        """Answers for validating rows by the fold that never saw them: per output [rows, width], spreads; else NaN."""
        self.network.eval()
        shape, rows = self.plan.shape, len(self.lesson.encoded)
        means = [np.full((rows, width), np.nan, np.float32) for width in shape.outputs]
        spreads = np.full((rows, 2 * len(shape.numbers)), np.nan, np.float32)
        for index in torch.split(self.lesson.validate, CHUNK, 1):
            answers, spread = self.network(*self.lesson.rows(index))
            spreads[index.numpy()] = spread.mean(1).numpy()
            for i, part in enumerate(torch.split(answers, list(shape.outputs), -1)):
                means[i][index.numpy()] = (part if i in shape.numbers else part.softmax(-1)).mean(1).numpy()
        return means, spreads if shape.numbers else None


def loss_for(target: Target, wish: Loss) -> Loss:
    """The loss used for an output: the wish where it suits, else cross-entropy for labels, squares for numbers."""
    if target.classes:
        return "binary_crossentropy" if target.task == "binary" else "categorical_crossentropy"
    return "mae" if wish == "mae" else "mse"


def make_plan(lesson: Lesson, parameters: Parameters, seconds: float, variant: int = 0) -> Plan:
    """Choose sizes so that about ROUNDS_WANTED rounds fit into `seconds`. Each `variant` is another kind of network."""
    rows, n = lesson.numbers.shape
    folds = lesson.train.shape[0]
    wide, deep, pieces, rate = [(96, 2, 16, 1.0), (128, 3, 24, 0.6), (192, 2, 32, 0.5), (64, 1, 12, 1.5)][variant % 4]
    widths = parameters.shape or (wide,) * deep
    embedding = max(1, min(8, 768 // max(1, n)))
    pieces = min(pieces, max(4, rows // 30)) if n <= 256 else 0
    outputs = tuple(t.width for t in lesson.targets)
    numbers = tuple(i for i, t in enumerate(lesson.targets) if not t.classes)
    batch = parameters.batch_size or int(min(512, max(32, 2 ** round(math.log2(max(2, rows / 10))))))
    members = 8
    while members > 1 and ROUNDS_WANTED * _round_seconds(lesson, members, widths, embedding, outputs, batch) > seconds:
        members //= 2
    shape = Shape(folds, members, widths, embedding, parameters.dropout, outputs, numbers)
    return Plan(shape, pieces, batch, parameters.rate * (1.0 if parameters.learning_rate else rate), 1e-3, parameters)


def _round_seconds(
    lesson: Lesson, members: int, widths: tuple[int, ...], d: int, outputs: tuple[int, ...], batch: int
) -> float:
    sizes = (lesson.numbers.shape[1] * d + lesson.marks.shape[1], *widths, sum(outputs))
    weights = sum(a * b for a, b in pairwise(sizes))
    steps = min(ROUND, lesson.train.shape[1] / batch)
    return steps * (STEP + 6.0 * weights * members * batch * lesson.train.shape[0] / SPEED)


def _stack(parts: list[NDArray[Any]], length: int) -> Tensor:
    return torch.from_numpy(np.stack([np.resize(part, length) for part in parts]))


def _optimizer(network: Network, plan: Plan) -> Descent:
    """Only the matrices between layers decay."""
    matrices = {id(p) for p in network.weights}
    parameters = list(network.parameters())
    decays = [plan.decay if id(p) in matrices else 0.0 for p in parameters]
    return Descent(plan.parameters.optimizer, parameters, decays, plan.rate)


def _member_loss(part: Tensor, truth: Tensor, kind: Loss) -> Tensor:
    """part [F, K, B, width], truth [F, B] -> [F, K, B]"""
    truth = truth.unsqueeze(1).expand(part.shape[:3])
    if kind == "mae":
        return (part.squeeze(-1) - truth).abs()
    if kind == "mse":
        return (part.squeeze(-1) - truth).square()
    return -part.log_softmax(-1).gather(-1, truth.unsqueeze(-1)).squeeze(-1)


def _pinball(miss: Tensor, quantile: float) -> Tensor:
    return torch.maximum(quantile * miss, (quantile - 1) * miss)
