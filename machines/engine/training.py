"""Teaches a network, all folds side by side, and keeps the weights of its best round."""

import math
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from machines.engine.lesson import Lesson
from machines.engine.network import Network, Pieces
from machines.engine.optimizers import Descent
from machines.engine.parameters import Loss
from machines.engine.plan import Plan, inputs_of
from machines.engine.prepare import Target
from machines.engine.progress import NETWORK, Clock

Floats: TypeAlias = NDArray[np.float32]

ROUND = (10, 150)  # least and most steps between two validations, if an epoch has so many
WARM_UP = 0.1  # of the training, in which the rate rises
PATIENCE = 0.5  # of the rounds planned may pass without a better validation loss
LATE = 0.2  # of the training, behind its plan
LEAST_STEPS = 5  # however late it is
CHUNK = 2048  # rows per forward pass
MOST_PREPARED = 40_000_000  # cells of features that are kept for all rows


class Teacher:
    """Trains one network on one lesson."""

    def __init__(self, plan: Plan, lesson: Lesson, seed: int) -> None:
        self.plan, self.lesson = plan, lesson
        self.network = Network(plan.shape, Pieces(lesson.encoded.numbers, plan.pieces), plan.marks, seed)
        self.random = torch.Generator().manual_seed(seed)
        self.optimizer = _optimizer(self.network, plan)
        self.features = (
            self._features()
            if len(lesson.numbers) * inputs_of(lesson, plan.pieces, plan.marks) < MOST_PREPARED
            else None
        )
        self.kept = [tensor.detach().clone() for tensor in self.network.state()]
        self.best, self.stop = math.inf, 1  # the lowest loss, and after how many rounds

    def teach(self, clock: Clock, until: float, stop: int = 0) -> None:
        """Train as planned, or faster if `until` (share of the time) is nearer; keep the weights of the best round.

        `stop` is the round that was the best before, where no rows are left to tell.
        """
        began, allowed = clock.elapsed(), max(clock.until(until), 1e-3)
        rounds, length = _rounds(self.plan, self.lesson.train.shape[1])
        batches = self._batches()
        stale = 0
        for number in range(stop or rounds):
            clock.say(NETWORK, round=len(clock.curve.training) + 1)
            losses = []
            for step in range(length):
                done = _done((number + step / length) / rounds, (clock.elapsed() - began) / allowed)
                if (not clock.tick() or done >= 1) and number + step >= LEAST_STEPS:
                    break
                self.optimizer.rate = self.plan.rate * _share_of_rate(done)
                losses.append(self._step(next(batches)))
            if not losses:
                break
            if stop:
                continue
            validated = self._validate()
            clock.curve.add(float(np.mean(losses)), validated)
            stale = 0 if self._keep(validated) else stale + 1
            self.stop = number + 1 if stale == 0 else self.stop
            if stale >= _patience(rounds):
                break
        if not stop:
            self._restore()
        self.network.eval()

    def _batches(self) -> Any:
        """Batches of rows [F, B] without end; every row of a fold once before any row again."""
        train = self.lesson.train
        while True:
            order = train.gather(1, torch.rand(train.shape, generator=self.random).argsort(1))
            parts = torch.split(order, self.plan.batch, 1)
            yield from parts if parts[-1].shape[1] > self.plan.batch / 2 or len(parts) == 1 else parts[:-1]

    def _step(self, index: Tensor) -> float:
        self.network.train()
        answers, spreads = self.network(self._rows(index))
        truths = [a[index] for a in self.lesson.answers]
        loss = self._loss(answers, truths).mean((1, 2)).sum()
        if self.plan.shape.numbers:
            loss = loss + self._spread_loss(answers.detach(), spreads, truths)
        loss.backward()  # type: ignore[no-untyped-call]  # torch says no types here
        self.optimizer.step()
        return float(loss.detach()) / self.plan.shape.folds

    def _rows(self, index: Tensor) -> Tensor:
        """index [F, B] -> features [F, B, I]"""
        if self.features is not None:
            return self.features[index]
        return self.network.features(self.lesson.numbers[index], self.lesson.marks[index].float())

    def _features(self) -> Tensor:
        rows = torch.arange(len(self.lesson.numbers))
        lesson, network = self.lesson, self.network
        parts = [network.features(lesson.numbers[i], lesson.marks[i].float()) for i in torch.split(rows, CHUNK)]
        return torch.cat(parts)

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
        """The mean loss over the folds, each on the rows it does not learn from."""
        self.network.eval()
        total = torch.zeros(())
        for part, counts in zip(
            *(torch.split(x, CHUNK, 1) for x in (self.lesson.validate, self.lesson.counts)), strict=True
        ):
            answers, _ = self.network(self._rows(part))
            total += (self._ensemble_loss(answers, [a[part] for a in self.lesson.answers]) * counts).sum()
        loss = float(total / self.lesson.counts.sum())
        return loss if math.isfinite(loss) else math.inf

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
    def _keep(self, loss: float) -> bool:
        """Remember the weights if they are the best so far, and return whether they are."""
        if loss > self.best - 1e-5:
            return False
        self.best = loss
        for kept, now in zip(self.kept, self.network.state(), strict=True):
            kept.copy_(now)
        return True

    @torch.no_grad()
    def _restore(self) -> None:
        for kept, now in zip(self.kept, self.network.state(), strict=True):
            now.copy_(kept)

    @torch.no_grad()
    def out_of_fold(self) -> tuple[list[Floats], Floats | None]:
        """Answers for validating rows and probes by the fold that never saw them: per output [rows, width], spreads; else NaN."""
        shape, rows = self.plan.shape, len(self.lesson.encoded)
        means = [np.full((rows, width), np.nan, np.float32) for width in shape.outputs]
        spreads = np.full((rows, 2 * len(shape.numbers)), np.nan, np.float32)
        for index in torch.split(torch.cat([self.lesson.validate, self.lesson.probes], 1), CHUNK, 1):
            answers, spread = self.network(self._rows(index))
            spreads[index.numpy()] = spread.mean(1).numpy()
            for i, part in enumerate(torch.split(answers, list(shape.outputs), -1)):
                means[i][index.numpy()] = (part if i in shape.numbers else part.softmax(-1)).mean(1).numpy()
        return means, spreads if shape.numbers else None


def share_until(plan: Plan, rows: int, stop: int) -> float:
    """How much of a training was done, if round `stop` was its best."""
    rounds, _ = _rounds(plan, rows)
    return min(1.0, (stop + _patience(rounds)) / rounds)


def _rounds(plan: Plan, rows: int) -> tuple[int, int]:
    """How many rounds a training has, and how many steps each of them."""
    steps = -(-rows // plan.batch)
    length = int(np.clip(steps, *ROUND))
    return max(1, round(plan.epochs * steps / length)), length


def _patience(rounds: int) -> float:
    return max(8, PATIENCE * rounds)


def loss_for(target: Target, wish: Loss) -> Loss:
    """The loss used for an output: the wish where it suits, else cross-entropy for labels, squares for numbers."""
    if target.classes:
        return "binary_crossentropy" if target.task == "binary" else "categorical_crossentropy"
    return "mae" if wish == "mae" else "mse"


def _done(planned: float, late: float) -> float:
    """How much of the training is over: what was planned, unless time runs away, so that the same seed gives the same machine."""
    return late if late > planned + LATE else planned


def _share_of_rate(done: float) -> float:
    """The rate rises in a line, then falls in half a wave to nothing (Loshchilov and Hutter 2017, arXiv 1608.03983)."""
    return min(1.0, done / WARM_UP + 0.01) * 0.5 * (1 + math.cos(math.pi * done))


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
