"""What would be found, and what falsely, if a label were answered from another chance on: ROC and PR curves."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from machines.engine.digits import short_shares

Doubles: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]

MOST_CLASSES = 8
MOST_STEPS = 200


def operating(truth: Ints, chances: Doubles, classes: Sequence[str]) -> list[dict[str, Any]]:
    """For the rarer of two classes, or each of up to 8 against the rest: how many rows have at least some chance of it.

    `at` are falling chances, rounded; `found` counts the rows of this label with at least that chance, `false` the others.
    Rows of the same chance are counted together, and the last chance is that of all rows. Labels that no row measured has, or
    all have, are left out.
    """
    shown = [1] if len(classes) == 2 else range(len(classes)) if len(classes) <= MOST_CLASSES else []
    parted = [k for k in shown if 0 < np.count_nonzero(truth == k) < len(truth)]
    return [{"label": classes[k], **_steps(truth == k, chances[:, k])} for k in parted]


def _steps(positive: Bools, chance: Doubles) -> dict[str, Any]:
    chance = short_shares(chance)
    order = np.argsort(-chance, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(chance[order]) != 0, True))
    found = np.cumsum(positive[order], dtype=np.int64)[ends]
    false = ends + 1 - found
    told = _told(found, false)
    steps = {"at": chance[order][ends][told], "found": found[told], "false": false[told]}
    return {"rows": len(chance), "positives": int(found[-1])} | {name: part.tolist() for name, part in steps.items()}


def _told(found: Ints, false: Ints) -> Ints:
    """Which steps are told: all, or as many as are allowed, as far apart as both curves together are long."""
    if len(found) <= MOST_STEPS:
        return np.arange(len(found))
    curves = [found / found[-1], false / false[-1], found / (found + false)]
    way = np.append(0.0, np.cumsum(sum(np.abs(np.diff(curve)) for curve in curves)))
    return np.unique(np.searchsorted(way, np.linspace(0.0, way[-1], MOST_STEPS)))
