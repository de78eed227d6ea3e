"""Labels as numbers, for trees: what the outputs were on average where a column had this label.

Micci-Barreca 2001, "A preprocessing scheme for high-cardinality categorical attributes". A row that is learned from
gets its code from other rows alone, so that no row sees its own answer, unless so many share its label that this hardly counts.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from machines.engine.encode_text import RARE
from machines.engine.folds import PROBE, Folds, count, learned_from
from machines.engine.graph import ML, Graph
from machines.engine.prepare import Target
from machines.engine.tree_nodes import Floats, Ints

MOST_CODES = 50_000  # labels of one column that have codes of their own
MOST_CLASSES = 6  # of an output, the most frequent ones
FEW = 2  # labels of a column whose marks say all
COUNTED = 8  # labels of a column from which their frequency is a code too
PRIOR = 10.0  # rows that the average of all rows counts as
PARTS = 5
FREQUENT = 100  # rows from which a label has one code for all: several that hardly differ would be told apart by the rows' answers
UNKNOWN = 0  # the place of labels that are rare or were never seen


class CodeEncoder:
    """Per label column with more than two labels: one code per number, two classes, or frequent class; its frequency.

    Labels seen once or never have the code of the average row, and frequency 0.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.columns_: list[int] = []  # until it has learned there are no codes

    def fit_transform(self, x: NDArray[Any], targets: Sequence[Target], folds: Folds) -> Floats:
        """Learn from x [rows, columns] of str, and return codes [folds, rows, codes]: each fold's view of all rows.

        A fold sees rows that it does not learn from by the codes of all rows that it does learn from, and these by the
        codes of other fifths of them, where a label is not FREQUENT: no row's own answer is in its code then, and no
        answer that a fold is measured on is ever in what it learns from. Codes shared by all folds would betray it:
        knowing what the others of a label answered on average, with and without a row's fold, tells what it answered.
        """
        answers = np.concatenate([_answers(target) for target in targets], 1)
        teaches = folds > PROBE
        self.columns_ = []
        self.places_: dict[str, int] = {}
        seen = [self._learners(folds, f) for f in range(count(folds))]
        # One part that is measured: rows to come are seen as it is, or a label whose code is near another's might pass for it
        every = seen[0] if len(seen) == 1 else np.where(teaches, 0, -1)
        tables = [np.append(answers[every >= 0].mean(0), 0.0)[None]]
        codes = [[np.zeros((len(x), 0))] for _ in seen]
        kept: list[bool] = []
        for j in range(x.shape[1]):
            counts = Counter(x[teaches, j])
            labels = [label for label, times in counts.most_common(MOST_CODES) if times >= RARE]
            if len(counts) <= FEW or not labels:
                continue
            first = len(self.places_) + 1
            self.places_ |= {f"{j}:{label}": first + i for i, label in enumerate(labels)}
            label = np.maximum(self._find(x[:, j], j) - first + 1, UNKNOWN)
            self.columns_.append(j)
            tables.append(self._learn(label, len(labels), answers, every)[0][1:])
            for parts, own in zip(seen, codes, strict=True):
                own.append(self._learn(label, len(labels), answers, parts)[1])
            kept += [True] * answers.shape[1] + [len(counts) > COUNTED]
        self.table_ = np.concatenate(tables).astype(np.float32)
        self.kept_ = np.flatnonzero(kept)
        return np.stack([np.concatenate(own, 1)[:, self.kept_] for own in codes]).astype(np.float32)

    def _learners(self, folds: Folds, fold: int) -> Ints:
        """For each row the fifth of those that this fold learns from, -1 for the others."""
        parts, rows = np.full(len(folds), -1), learned_from(folds, fold)
        parts[rows] = np.random.default_rng([self.seed, fold]).integers(0, PARTS, len(rows))
        return parts

    def _learn(
        self, label: Ints, labels: int, answers: NDArray[np.float64], parts: Ints
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The codes of each label [1 + labels, codes], and of each row: from other parts, or from all if it is in none or frequent.

        `label` is [rows], 0 for rare labels; nothing is learned from rows whose part is -1.
        """
        known = parts >= 0
        parted = int(parts.max()) + 1
        cell, cells = label[known] * parted + parts[known], (labels + 1) * parted
        counts = np.bincount(cell, minlength=cells).reshape(-1, parted, 1)
        sums = np.stack([np.bincount(cell, column[known], cells) for column in answers.T], 1)
        sums = sums.reshape(labels + 1, parted, -1)
        prior = answers[known].mean(0)
        share = counts.sum(1) / known.sum()  # and not a count: a fold learns from fewer rows than all are
        table = np.hstack([_smooth(sums.sum(1), counts.sum(1), prior), np.log1p(share * len(parts))])
        table[UNKNOWN] = [*prior, 0.0]
        own = table[label]
        others = _smooth(sums.sum(1, keepdims=True) - sums, counts.sum(1, keepdims=True) - counts, prior)
        rare = known & (label != UNKNOWN) & (counts.sum(1)[label, 0] < FREQUENT)
        own[rare, :-1] = others[label[rare], parts[rare]]
        return table, own

    def _find(self, labels: NDArray[Any], column: int) -> Ints:
        known = {label: self.places_.get(f"{column}:{label}", UNKNOWN) for label in set(labels)}
        return np.array([known[label] for label in labels], np.int64)

    def transform(self, x: NDArray[Any]) -> Floats:
        """Codes [rows, codes] of rows that were not learned from."""
        if not self.columns_:
            return np.zeros((len(x), 0), np.float32)
        places = np.zeros((len(x), len(self.columns_)), np.int64)
        for i, j in enumerate(self.columns_):
            places[:, i] = self._find(x[:, j], j)
        return self.table_[places].reshape(len(x), self._wide)[:, self.kept_]

    def write(self, g: Graph, x: str) -> str | None:
        """Write the same as `transform` for x [N, columns]: one look-up for all columns. None without codes."""
        if not self.columns_:
            return None
        chosen = g.add("Gather", x, g.ints(*self.columns_), axis=1)
        prefixes = np.array([[f"{j}:" for j in self.columns_]], dtype=object)
        named = g.add("StringConcat", g.constant(prefixes), chosen)
        keys, values = list(self.places_), list(self.places_.values())
        places = g.add("LabelEncoder", named, domain=ML, keys_strings=keys, values_int64s=values, default_int64=UNKNOWN)
        codes = g.reshape(g.add("Gather", g.constant(self.table_), places, axis=0), -1, self._wide)
        return codes if len(self.kept_) == self._wide else g.add("Gather", codes, g.ints(*self.kept_), axis=1)

    @property
    def _wide(self) -> int:
        return len(self.columns_) * int(self.table_.shape[1])


def _smooth(sums: NDArray[np.float64], counts: Ints, prior: NDArray[np.float64]) -> NDArray[np.float64]:
    smoothed: NDArray[np.float64] = (sums + PRIOR * prior) / (counts + PRIOR)
    return smoothed


def _answers(target: Target) -> NDArray[np.float64]:
    """What is averaged: [rows, 1 to MOST_CLASSES]."""
    if not target.classes:
        return np.asarray(target.values, np.float64)[:, None]
    classes = np.arange(1, 2) if target.width == 2 else np.arange(min(target.width, MOST_CLASSES))
    answers: NDArray[np.float64] = np.equal(target.values[:, None], classes).astype(np.float64)
    return answers
