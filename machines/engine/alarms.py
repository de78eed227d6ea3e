"""What looks too good, and what is too little: alarms about the figures of a training."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import r2_score
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from machines.engine.errors import Notice, Weight, gettext_noop
from machines.engine.metrics import auc
from machines.engine.prepare import Target
from machines.engine.report import OutputReport
from machines.engine.schema import Column, DataType, Table
from machines.engine.splits import Rows, bins, spread

MOST_LOOKED_AT = 5000  # rows
LEAST_ROWS = 50
LEAST_RARER = 10  # rows of the rarer of two classes: fewer may be told apart by luck
LEAF = 5  # rows
SURE = 0.995
ROUGHLY = 0.9
STRAIGHT = 1 - 1e-6  # correlation
MOST_ERRORS = 0.1  # of those that always answering the most frequent class makes
MOST_NAMED = 5
FEW = 1000
BLIND = ("mean", "class_rates")  # baselines that look at no input

LEAK = gettext_noop(
    "“%(input)s” alone tells “%(output)s” almost exactly. If “%(input)s” is only known afterwards, do not use it."
)
BY_CHANCE = gettext_noop(
    "“%(output)s” is answered no better than by a rule that looks at no input. These columns may not hold the answer, or "
    "the rows may be too few."
)
UNANSWERED = gettext_noop(
    "In the rows measured, these labels of “%(output)s” were never the answer: %(labels)s. They are rare or hard to tell: "
    "look at their chances instead, or add rows that have them."
)
SMALL = gettext_noop(
    "With %(rows)s rows it cannot be told whether the machine is better than a simple rule at “%(output)s”."
)


def leaks(
    table: Table, inputs: Sequence[Column], target: Target, rows: Rows, seconds: float, seed: int
) -> list[Notice]:
    """Name the columns that tell `target` alone: ROC AUC (two classes), accuracy or R2 of 0.995 on unseen rows.

    Each column on its own is one decision tree, fitted on a half of at most 5,000 of the `rows` (which count in the
    table and in `target`) and measured on the other, both ways. Sentences are skipped, as are columns for which
    `seconds` is too short; after five columns there is enough to think about.
    """
    end, longest = time.monotonic() + seconds, 0.0
    rng = np.random.default_rng(seed)
    rows = rng.choice(rows, MOST_LOOKED_AT, replace=False) if len(rows) > MOST_LOOKED_AT else rows
    target = target.take(rows)
    if not _is_enough(target):
        return []
    part = spread(target.values if target.classes else bins(target.values), 2, rng)
    found: list[Notice] = []
    for column in inputs:
        began = time.monotonic()
        if began + 2 * longest >= end or len(found) == MOST_NAMED:
            break
        if column.type is not DataType.LANGUAGE and _tells(table[column.name][rows], target, part):
            found.append(Notice(LEAK, {"input": column.name, "output": target.column.name}, Weight.WARNING))
        longest = max(longest, time.monotonic() - began)
    return found


def doubts(output: OutputReport) -> list[Notice]:
    """Warn where the figures say that the machine is of little use, or leave open whether it is."""
    found = [_doubt(output), _unanswered(output)]
    return [notice for notice in found if notice]


def _doubt(output: OutputReport) -> Notice | None:
    """No better than a rule that looks at no input; or, with under 1,000 rows, perhaps no better than the baseline."""
    gap = output.difference
    if gap is None or gap.high < 0:
        return None
    if _is_blind(output):
        return Notice(BY_CHANCE, {"output": output.name}, Weight.WARNING)
    if output.rows >= FEW or gap.low > 0:
        return None
    return Notice(SMALL, {"rows": output.rows, "output": output.name}, Weight.WARNING)


def _is_blind(output: OutputReport) -> bool:
    """Whether it neither ranks nor answers better than a rule without inputs, which is as good as the baseline shown."""
    rule = next((metrics for name, metrics in output.baselines.items() if name in BLIND), None)
    ranks = output.holdout.get("roc_auc")
    if rule is None or (ranks and ranks.low > 0.5):
        return False
    loss = "rmse" if output.task == "number" else "log_loss"
    return output.baseline_shown in BLIND or output.holdout[loss].value >= rule[loss].value


def _unanswered(output: OutputReport) -> Notice | None:
    answered = map(sum, zip(*output.confusion, strict=True))  # rows per class; none where there are too many to count
    never = [label for label, rows in zip(output.classes, answered, strict=False) if not rows]
    if not never:
        return None
    labels = ", ".join(never[:MOST_NAMED]) + (" …" if len(never) > MOST_NAMED else "")
    return Notice(UNANSWERED, {"output": output.name, "labels": labels}, Weight.WARNING)


def _is_enough(target: Target) -> bool:
    if len(target.values) < LEAST_ROWS or np.ptp(target.values) == 0:
        return False
    return len(target.classes) != 2 or int(np.bincount(target.values, minlength=2).min()) >= LEAST_RARER


def _tells(cells: NDArray[Any], target: Target, part: NDArray[np.int64]) -> bool:
    """Whether the cells tell the target on both halves, each time learned from the other."""
    codes = np.unique(cells, return_inverse=True)[1].astype(np.float32)[:, None]  # order is all a tree looks at
    if codes.max() == 0:
        return False
    if not target.classes and _is_straight(cells, target.values):
        return True
    return all(_is_sure(codes, target, part == half) for half in (0, 1))


def _is_straight(cells: NDArray[Any], values: NDArray[Any]) -> bool:
    """Whether numbers lie on a line: the same in another unit, which a tree cannot tell from a few rows."""
    if cells.dtype.kind != "f" or not np.isfinite(cells).all():
        return False
    middle, half = (cells.max() / 2 + cells.min() / 2, cells.max() / 2 - cells.min() / 2)
    return bool(abs(np.corrcoef((cells - middle) / half, values)[0, 1]) > STRAIGHT)


def _is_sure(codes: NDArray[np.float32], target: Target, known: NDArray[np.bool_]) -> bool:
    if not target.classes:
        return _is_sure_number(codes, target.values, known)
    tree = DecisionTreeClassifier(min_samples_leaf=LEAF).fit(codes[known], target.values[known])
    truth = target.values[~known]
    if len(target.classes) == 2:
        return auc(truth == 1, tree.predict_proba(codes[~known])[:, 1]).value >= SURE
    errors, usual = float((tree.predict(codes[~known]) != truth).mean()), 1 - np.bincount(truth).max() / len(truth)
    return bool(errors <= min(1 - SURE, MOST_ERRORS * usual))


def _is_sure_number(codes: NDArray[np.float32], values: NDArray[Any], known: NDArray[np.bool_]) -> bool:
    """By ranks, whatever the unit; and roughly by value, because ranks of mostly one value tell little of the rest."""
    inverse, counts = np.unique(values, return_inverse=True, return_counts=True)[1:]
    ranks = (np.cumsum(counts) - counts / 2)[inverse]
    inner = np.clip(values, *np.quantile(values, [0.01, 0.99]))  # few far values are learned from nobody
    both = np.stack([ranks, inner if np.ptp(inner) else values], 1).astype(np.float64)
    both = (both - both.mean(0)) / both.std(0)
    tree = DecisionTreeRegressor(min_samples_leaf=LEAF).fit(codes[known], both[known])
    by_rank, by_value = r2_score(both[~known], tree.predict(codes[~known]), multioutput="raw_values")
    return bool(by_rank >= SURE and by_value >= ROUGHLY)
