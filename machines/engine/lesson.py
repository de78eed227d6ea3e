"""The rows that are learned from, as tensors: which of them teach a fold, and which it answers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from machines.engine import folds
from machines.engine.encode import Encoded
from machines.engine.prepare import Target


@dataclass
class Lesson:
    """The rows as tensors, and for each fold which rows train and which validate."""

    encoded: Encoded
    targets: tuple[Target, ...]
    folds: NDArray[np.int64]  # [rows], see splits.deal; PROBE - f: fold f answers it, nobody learns from it

    def whole(self) -> "Lesson":
        """The same with all rows to learn from, where one part of them was measured."""
        return Lesson(self.encoded, self.targets, folds.whole(self.folds))

    def __post_init__(self) -> None:
        self.numbers = torch.from_numpy(np.ascontiguousarray(self.encoded.numbers))
        self.marks = torch.from_numpy(np.ascontiguousarray(self.encoded.marks))
        self.answers = [torch.from_numpy(np.ascontiguousarray(t.values)) for t in self.targets]
        count = folds.count(self.folds)
        validate = [np.flatnonzero(self.folds == f) for f in range(count)]
        train = [folds.learned_from(self.folds, f) for f in range(count)]
        self.train = _stack(train, min(map(len, train)))
        probes = [np.flatnonzero(self.folds == folds.PROBE - f) for f in range(count)]
        probes = [rows if len(rows) else validate[f][:1] for f, rows in enumerate(probes)]
        self.probes = _stack(probes, max(map(len, probes)))
        self.validate = _stack(validate, max(map(len, validate)))  # short folds repeat their first rows
        self.measured = np.flatnonzero(self.folds >= 0)
        counts = torch.tensor([len(rows) for rows in validate])
        self.counts = (torch.arange(self.validate.shape[1]) < counts.unsqueeze(1)).float()  # not the repeated ones


def _stack(parts: list[NDArray[Any]], length: int) -> Tensor:
    return torch.from_numpy(np.stack([np.resize(part, length) for part in parts]))
