"""The three optimizers a person may choose, for networks whose parameters all begin with the fold.

torch.optim would do the same, but creating one imports torch's compiler: a second that every training would pay.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from machines.engine.parameters import Optimizer

MEMORY = 0.95  # of adam for squares, as RealMLP has it (Holzmueller et al. 2024, arXiv 2407.04491)
LONGEST = 1.0  # gradients of one fold longer than this are shortened


class Descent:
    """Adam (Kingma and Ba 2015; decoupled decay of Loshchilov and Hutter 2019), SGD with momentum, or RMSprop."""

    def __init__(self, kind: Optimizer, parameters: Sequence[Tensor], decays: Sequence[float], rate: float) -> None:
        self.kind, self.parameters, self.rate = kind, parameters, rate
        self.decays = decays
        self.first = [torch.zeros_like(p) for p in parameters]  # moving mean of gradients
        self.second = [torch.zeros_like(p) for p in parameters]  # moving mean of their squares
        self.steps = 0

    @torch.no_grad()
    def step(self) -> None:
        """Move every parameter against its gradient, then forget the gradients."""
        self.steps += 1
        shorter = self._shorter()
        for i, parameter in enumerate(self.parameters):
            if parameter.grad is None:
                continue
            gradient = parameter.grad * shorter.view(-1, *[1] * (parameter.ndim - 1))
            if self.decays[i]:
                parameter.mul_(1 - self.rate * self.decays[i])
            self._move(parameter, gradient, self.first[i], self.second[i])
            parameter.grad = None

    def _move(self, parameter: Tensor, gradient: Tensor, first: Tensor, second: Tensor) -> None:
        if self.kind == "sgd":
            first.mul_(0.9).add_(gradient)
            parameter.sub_(gradient.add_(first, alpha=0.9), alpha=self.rate)
        elif self.kind == "rmsprop":
            second.lerp_(gradient.square(), 0.01)
            parameter.addcdiv_(gradient, second.sqrt().add_(1e-8), value=-self.rate)
        else:
            first.lerp_(gradient, 0.1)
            second.mul_(MEMORY).addcmul_(gradient, gradient, value=1 - MEMORY)
            root = second.sqrt().div_((1 - MEMORY**self.steps) ** 0.5).add_(1e-8)
            parameter.addcdiv_(first, root, value=-self.rate / (1 - 0.9**self.steps))

    def _shorter(self) -> Tensor:
        """Per fold the factor that keeps its gradient within LONGEST: [F]"""
        squares = [p.grad.flatten(1).square().sum(1) for p in self.parameters if p.grad is not None]
        length = torch.stack(squares).sum(0).sqrt()
        return (LONGEST / (length + 1e-9)).clamp(max=1.0)
