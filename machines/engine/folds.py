"""Which rows a fold learns from, and which it answers: a code for each row, see splits.deal.

f >= 0: fold f answers it, all others learn from it. -1: all learn from it. PROBE - f: fold f answers it and nobody learns
from it; such a row is a changed copy of one that fold f answers, made to see what the change does to the answer.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from machines.engine.prepare import Target

Folds: TypeAlias = NDArray[np.int64]
Sheet: TypeAlias = Callable[[int], NDArray[np.float32]]  # fold -> [rows, features] as that fold sees them
PROBE = -2


def count(folds: Folds) -> int:
    return int(max(folds.max(), PROBE - folds.min())) + 1


def whole(folds: Folds) -> Folds:
    """The same where all rows are learned from and only probes are answered, for a last fit of what one part measured."""
    return np.where(folds == 0, -1, folds)


def learned_from(folds: Folds, fold: int) -> NDArray[np.int64]:
    """The rows that this fold learns from."""
    return np.flatnonzero((folds > PROBE) & (folds != fold))


def answered(folds: Folds, fold: int) -> NDArray[np.int64]:
    """The rows that this fold answers, probes included."""
    return np.flatnonzero((folds == fold) | (folds == PROBE - fold))


def with_known_labels(folds: Folds, targets: "Sequence[Target]") -> Folds:
    """Rows whose label no other fold has, as only a later time or another group may, are learned from and not measured."""
    folds = folds.copy()
    for target in targets:
        for fold in range(count(folds)) if target.classes else ():
            own = answered(folds, fold)
            folds[own[~np.isin(target.values[own], target.values[learned_from(folds, fold)])]] = -1
    return folds


def probes_of(folds: Folds) -> Folds:
    """The codes of changed copies of rows with these codes."""
    return np.where(folds >= 0, PROBE - folds, folds)


def once(x: NDArray[np.float32]) -> Sheet:
    """Rows that every fold sees alike."""
    return lambda fold: x
