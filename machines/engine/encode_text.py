"""Labels and sentences: str columns become 0/1 marks. Each encoder writes its own ONNX nodes."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from machines.engine.graph import ML, Graph

MOST_LABELS = 60  # own marks per label column; rarer labels share one
MOST_TOKENS = 300  # own marks per column of sentences
RARE = 2  # a label seen less often has no mark of its own
OTHER = -1
SAMPLE = 20_000  # rows that words are counted in
MOST_WRITTEN = 20_000  # ways of writing words that are looked at
TO_LOWER = str.maketrans(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"
)  # as StringNormalizer in locale "C"
PUNCTUATION = ".,;:!?\"'()[]"
ENDINGS = ("", ".", ",", ";", ":", "!", "?", ")")
STRIP = re.compile(f"^[{re.escape(PUNCTUATION)}]+|[{re.escape(PUNCTUATION)}]+$")


class LabelEncoder:
    """One mark per frequent label, one for all rare ones, one for missing, for many columns at once.

    A mark exists only if training had rows for it: a label never seen sets the mark of the rare ones, or none.
    """

    def __init__(self, most: int = MOST_LABELS) -> None:
        self.most = most

    def fit(self, x: NDArray[Any]) -> "LabelEncoder":
        """Learn from x [rows, columns] of str; "" is missing."""
        self.codes_: dict[str, int] = {}
        self.width_ = x.shape[1]
        columns: list[int] = []
        codes: list[int] = []
        for j in range(x.shape[1]):
            counts = Counter(x[:, j])
            common = [label for label, count in counts.most_common(self.most) if count >= RARE]
            marks = list(range(len(common))) if len(common) > 1 or len(counts) > len(common) else []
            self.codes_ |= {f"{j}:{common[code]}": code for code in marks}
            if marks and len(counts) > len(common):
                marks.append(OTHER)
            columns += [j] * len(marks)
            codes += marks
        self.columns_, self.marks_ = np.array(columns, np.int64), np.array(codes, np.int64)
        return self

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


class SentenceEncoder:
    """A bag of words for one column: one mark per frequent word, one for an empty cell."""

    def __init__(self, most: int = MOST_TOKENS) -> None:
        self.most = most

    def fit(self, x: NDArray[Any]) -> "SentenceEncoder":
        """Learn from x [rows] of str."""
        sample = x[:: max(1, len(x) // SAMPLE)]
        written: Counter[str] = Counter()
        for text in sample:
            written.update(dict.fromkeys(_words(text), 1))  # in order, so that ties end alike in every process
        counts: Counter[str] = Counter()
        for word, count in written.items():
            counts[_stem(word)] += count
        least = max(3, len(sample) // 500)
        kept = [w for w, n in counts.most_common(self.most) if least <= n < len(sample) and w]
        self.index_ = {word: i for i, word in enumerate(kept)}
        usual = {word + ending for word in kept for ending in ENDINGS}
        seen = {word for word, _ in written.most_common(MOST_WRITTEN) if _stem(word) in self.index_}
        self.written_ = {word: self.index_[_stem(word)] for word in sorted(seen | usual) if _stem(word) in self.index_}
        self.flagged_ = bool(0 < np.count_nonzero(x == "") < len(x))
        return self

    def transform(self, x: NDArray[Any]) -> NDArray[np.uint8]:
        """Return marks [rows, words (+ 1)]."""
        marks = np.zeros((len(x), len(self.index_) + self.flagged_), np.uint8)
        places = [[self.written_.get(word, -1) for word in _words(text)] for text in x]
        rows = np.repeat(np.arange(len(x)), [len(place) for place in places])
        at = np.array([p for place in places for p in place], np.int64)
        marks[rows[at >= 0], at[at >= 0]] = 1
        if self.flagged_:
            marks[x == "", -1] = 1
        return marks

    def write(self, g: Graph, x: str) -> str | None:
        """Write the same as `transform` for x [N, 1]."""
        parts = [self._write_words(g, x)] if self.index_ else []
        if self.flagged_:
            parts.append(g.cast(g.add("Equal", x, g.constant(np.array([""], dtype=object))), np.float32))
        return g.concat(parts, 1) if parts else None

    def _write_words(self, g: Graph, x: str) -> str:
        never_empty = g.add("StringConcat", x, g.constant(np.array([" ."], dtype=object)))
        lower = g.add("StringNormalizer", g.reshape(never_empty, -1), case_change_action="LOWER", locale="C")
        words, _ = g.add_many("StringSplit", [lower], 2)
        counts = g.add(
            "TfIdfVectorizer", words, mode="TF", min_gram_length=1, max_gram_length=1, max_skip_count=0,
            ngram_counts=[0], pool_strings=list(self.written_), ngram_indexes=list(self.written_.values()),
        )  # fmt: skip
        return g.add("Min", counts, g.floats(1.0))


def _words(text: str) -> list[str]:
    return [word for word in text.translate(TO_LOWER).split(" ") if word]


def _stem(word: str) -> str:
    return STRIP.sub("", word)


def order(x: NDArray[Any], most: int) -> Sequence[tuple[str, int]]:
    """The labels of a column by falling frequency, with their counts; missing ones left out."""
    counts = Counter(x[x != ""])
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]
