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
    """Adam (Kingma and Ba 2015; decoupled decay of Loshchilov and Hutter 2019), SGD with momentum, or RMSprop.

    The parameters become views of one tensor [F, all of a fold's], so that a step is a handful of operations and not as many
    for each of them: small networks spend more on calls than on products.
    """

    def __init__(self, kind: Optimizer, parameters: Sequence[Tensor], decays: Sequence[float], rate: float) -> None:
        self.kind, self.parameters, self.rate = kind, parameters, rate
        self.all = torch.cat([p.detach().flatten(1) for p in parameters], 1)
        sizes = [p[0].numel() for p in parameters]
        for parameter, view in zip(parameters, torch.split(self.all, sizes, 1), strict=True):
            parameter.data = view.view(parameter.shape)
        self.decays = torch.cat([torch.full((size,), decay) for size, decay in zip(sizes, decays, strict=True)])
        self.first = torch.zeros_like(self.all)  # moving mean of gradients
        self.second = torch.zeros_like(self.all)  # moving mean of their squares
        self.steps = 0

    @torch.no_grad()
    def step(self) -> None:
        """Move every parameter against its gradient, then forget the gradients."""
        self.steps += 1
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in self.parameters]
        gradient = torch.cat([g.flatten(1) for g in gradients], 1)
        gradient *= (LONGEST / (torch.linalg.vector_norm(gradient, dim=1, keepdim=True) + 1e-9)).clamp(max=1.0)
        self.all.mul_(1 - self.rate * self.decays)
        self._move(gradient)
        for parameter in self.parameters:
            parameter.grad = None

    def _move(self, gradient: Tensor) -> None:
        first, second = self.first, self.second
        if self.kind == "sgd":
            first.mul_(0.9).add_(gradient)
            self.all.sub_(gradient.add_(first, alpha=0.9), alpha=self.rate)
        elif self.kind == "rmsprop":
            second.lerp_(gradient.square(), 0.01)
            self.all.addcdiv_(gradient, second.sqrt().add_(1e-8), value=-self.rate)
        else:
            first.lerp_(gradient, 0.1)
            second.mul_(MEMORY).addcmul_(gradient, gradient, value=1 - MEMORY)
            root = second.sqrt().div_((1 - MEMORY**self.steps) ** 0.5).add_(1e-8)
            self.all.addcdiv_(first, root, value=-self.rate / (1 - 0.9**self.steps))
