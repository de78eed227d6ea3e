"""Labels become 0/1 marks, and write their own ONNX nodes. For sentences see encode_words."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from machines.engine.graph import ML, Graph

MOST_LABELS = 60  # own marks per label column
RARE = 2  # a label seen less often has no mark of its own
MOST_FURTHER, FURTHER_CELLS = 400, 3_000_000  # further marks of all columns together, and cells of them: some 100 MB
OFTEN = 5  # rows of a label that has a further mark
OTHER = -1


class LabelEncoder:
    """One mark per frequent label, one for all rare ones, one for missing, for many columns at once.

    A mark exists only if training had rows for it: a label never seen sets the mark of the rare ones, or none. Where columns
    have more labels than `most`, those of them that are seen OFTEN have `further_` marks, which come last: not every model
    shall see these.
    """

    def __init__(self, most: int = MOST_LABELS) -> None:
        self.most = most

    def fit(self, x: NDArray[Any]) -> "LabelEncoder":
        """Learn from x [rows, columns] of str; "" is missing."""
        self.codes_: dict[str, int] = {}
        self.width_ = x.shape[1]
        columns: list[int] = []
        codes: list[int] = []
        counted = [Counter(x[:, j]) for j in range(x.shape[1])]
        further = self._further(counted, len(x))
        for j, counts in enumerate(counted):
            common = [label for label, count in counts.most_common(self.most) if count >= RARE]
            known = len(common) + len(further[j])
            marks = list(range(len(common))) if len(common) > 1 or len(counts) > known else []
            self.codes_ |= {f"{j}:{common[code]}": code for code in marks}
            if marks and len(counts) > known:
                marks.append(OTHER)
            columns += [j] * len(marks)
            codes += marks
        for j, labels in enumerate(further):
            self.codes_ |= {f"{j}:{label}": self.most + place for place, label in enumerate(labels)}
            columns += [j] * len(labels)
            codes += range(self.most, self.most + len(labels))
        self.columns_, self.marks_ = np.array(columns, np.int64), np.array(codes, np.int64)
        self.further_ = sum(map(len, further))
        return self

    @property
    def few(self) -> int:
        """How many marks there are before the further ones."""
        return len(self.marks_) - self.further_

    def _further(self, counted: Sequence[Counter[str]], rows: int) -> list[list[str]]:
        """Of each column the labels with further marks: the most frequent ones of all columns together."""
        found = [
            (-count, j, place, label)
            for j, counts in enumerate(counted)
            for place, (label, count) in enumerate(counts.most_common()[self.most :])
            if count >= OFTEN
        ]
        kept = sorted(found)[: min(MOST_FURTHER, FURTHER_CELLS // max(1, rows))]
        return [[label for _, own, _, label in kept if own == j] for j in range(len(counted))]

    def transform(self, x: NDArray[Any]) -> NDArray[np.uint8]:
        """Return marks [rows, marks]."""
        marks = np.zeros((len(x), len(self.marks_)), np.uint8)
        for j in np.unique(self.columns_):
            mine = np.flatnonzero(self.columns_ == j)
            at = dict(zip(self.marks_[mine].tolist(), mine.tolist(), strict=True))
            place = {label: at.get(self.codes_.get(f"{j}:{label}", OTHER), -1) for label in set(x[:, j])}
            found = np.array([place[label] for label in x[:, j]], np.int64)
            there = np.flatnonzero(found >= 0)
            marks[there, found[there]] = 1
        return marks

    def write(self, g: Graph, x: str) -> str | None:
        """Write the same as `transform` for x [N, columns]: one look-up for all columns, told apart by a prefix."""
        if not len(self.marks_):
            return None
        width = int(self.columns_.max()) + 1
        prefixes = np.array([[f"{j}:" for j in range(width)]], dtype=object)
        first = x if width == self.width_ else g.add("Slice", x, g.ints(0), g.ints(width), g.ints(1))
        keys, values = list(self.codes_), list(self.codes_.values())
        named = g.add("StringConcat", g.constant(prefixes), first)
        ids = g.add("LabelEncoder", named, domain=ML, keys_strings=keys, values_int64s=values, default_int64=OTHER)
        spread = g.add("Gather", ids, g.constant(self.columns_), axis=1)
        return g.cast(g.add("Equal", spread, g.constant(self.marks_)), np.float32)


def order(x: NDArray[Any], most: int) -> Sequence[tuple[str, int]]:
    """The labels of a column by falling frequency, with their counts; missing ones left out."""
    counts = Counter(x[x != ""])
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]
