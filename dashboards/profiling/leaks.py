"""Columns that tell the output alone: what is only known once the answer is.

Values of the column are put into at most 200 bins of as many rows each, ten at least (labels: one bin each). Each of five folds is
answered from the others: the mean of its bin (of the output's ranks, so that a long tail does not hide a leak), or its
most frequent label. The score says which share of the errors is gone that one makes without looking at the column.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboards.profiling.associations import ranks
from dashboards.profiling.cells import Cells, Codes
from machines.engine.schema import Role

THRESHOLD = 0.95  # of the errors are gone
FOLDS, BINS, EACH = 5, 200, 10  # at most so many bins, of at least so many rows
MOST_LABELS, MOST_CLASSES = 10_000, 100
LEAST_ROWS = 50


def leaks(inputs: Sequence[Cells], output: Cells) -> list[dict[str, Any]]:
    """Those that tell the output nearly alone, the worst first."""
    scores = [(score_alone(cells, output), cells) for cells in inputs if cells.column.role is Role.INPUT]
    found = [
        {"column": cells.column.name, "output": output.column.name, "score": score}
        for score, cells in scores
        if score is not None and score >= THRESHOLD
    ]
    return sorted(found, key=lambda leak: -leak["score"])


def score_alone(cells: Cells, output: Cells) -> float | None:
    """The share of errors that are gone, from 0 to 1; None where there is too little to say it."""
    there = output.codes >= 0
    answers, bins = output.codes[there], binned(cells)[there]
    if len(answers) < LEAST_ROWS or len(np.unique(answers)) < 2:
        return None
    folds = np.random.default_rng(7).integers(0, FOLDS, len(answers))
    if output.is_number:
        return _of_numbers(bins, ranks(answers), folds)
    return _of_labels(bins, np.minimum(answers, MOST_CLASSES - 1), folds)


def binned(cells: Cells) -> NDArray[np.int64]:
    """The bin of each row; what is missing has one of its own, for a gap can tell, too."""
    codes = cells.codes.astype(np.int64)
    if not cells.is_number:
        return np.minimum(codes, MOST_LABELS - 2) + 1
    known: Codes = cells.known
    most = max(2, min(BINS, len(known) // EACH))
    if cells.distinct <= most:
        return codes + 1
    ends = np.unique(np.quantile(known, np.linspace(0, 1, most + 1)[1:-1], method="nearest"))
    return np.where(codes < 0, 0, np.searchsorted(ends, codes) + 1)


def _of_numbers(bins: NDArray[np.int64], answers: NDArray[np.float64], folds: NDArray[np.int64]) -> float:
    width, at = int(bins.max()) + 1, folds * (int(bins.max()) + 1) + bins
    answers = answers - answers.mean()
    counts = np.bincount(at, minlength=FOLDS * width).reshape(FOLDS, width)
    sums = np.bincount(at, weights=answers, minlength=FOLDS * width).reshape(FOLDS, width)
    others, their_sums = counts.sum(0) - counts, sums.sum(0) - sums
    means = (their_sums.sum(1) / np.maximum(1, others.sum(1)))[:, None]  # for bins that the others have no row of
    told = np.where(others > 0, their_sums / np.maximum(1, others), means)
    left = answers - told.ravel()[at]
    without = answers - means[folds, 0]
    return max(0.0, 1 - float(left @ left) / float(without @ without))


def _of_labels(bins: NDArray[np.int64], answers: Codes, folds: NDArray[np.int64]) -> float | None:
    width, classes = int(bins.max()) + 1, int(answers.max()) + 1
    at = (folds * width + bins) * classes + answers
    counts = np.bincount(at, minlength=FOLDS * width * classes).reshape(FOLDS, width, classes)
    others = counts.sum(0) - counts
    usual = others.sum(1).argmax(1)
    told = np.where(others.sum(2) > 0, others.argmax(2), usual[:, None])
    right = np.take_along_axis(counts, told[:, :, None], 2).sum()
    without = counts.sum(1)[np.arange(FOLDS), usual].sum()
    wrong = len(answers) - int(without)
    return max(0.0, 1 - (len(answers) - int(right)) / wrong) if wrong else None
