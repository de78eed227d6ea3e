"""Sentences of any language: words and pairs of words become marks, and what they are about a few numbers.

A word is a run of letters and digits. Chinese, Japanese, Thai and their like have no spaces, so that each of their signs is
a word, and pairs of signs are most of their words; each emoji, "!" and "?" is one, too. ONNX lowers A to Z only: other
letters are lowered by a list of the ways in which each word may be written.

The numbers are latent semantic analysis (Deerwester et al. 1990): the leading singular vectors of the words of each text,
rare ones weighing more (tf-idf), of length one. They let words say something that are too rare for marks of their own.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto
from scipy.sparse import csr_matrix
from sklearn.utils.extmath import randomized_svd

from machines.engine.graph import CONTRIB, ML, Graph

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

MOST_WORDS, MOST_PAIRS = 2000, 1000  # that the numbers are made of
MOST_NUMBERS = 24
FARTHEST = 5.0  # spreads
SAMPLE = 20_000  # texts that words are counted in
ALWAYS = 0.9  # words that go together so often need no mark as a pair
# Trees ask which of two values is larger, so the file must give the same to the last bit. Sums of multiples of such steps
# are exact in 32 bits, in whichever order they are added up.
FINE, COARSE, LOGS = 2.0**12, 2.0**6, 2.0**10
FEW, RARELY = 3, 2000  # a word is known if at least so many texts have it, and one in so many

# Ranges that RE2, in the file, and Python's re read alike, whatever Unicode they know.
SIGNS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30fa\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
SIGNS += "\U00020000-\U0003fffd!?\u2600-\u27bf\U0001f000-\U0001faff"
LETTERS = (
    "0-9A-Za-z\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02af\u0300-\u037d\u0386\u0388-\u0588\u0591-\u05bd"
)
LETTERS += "\u05c1-\u05ea\u0610-\u061a\u0620-\u0669\u066e-\u06d3\u06d5-\u0963\u0966-\u0dff\u0f00-\u0fff\u10a0-\u135a"
LETTERS += "\u1369-\u166c\u1680-\u177f\u1800-\u1fff\u2c00-\u2dff\u31a0-\u31bf\ua000-\ud7ff\ufb00-\ufdff\ufe70-\ufefc"
WORD = f"[{SIGNS}]|[{LETTERS}]+"
_WORD = re.compile(WORD)
_TO_LOWER = str.maketrans(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"
)  # as StringNormalizer in locale "C"


@dataclass(frozen=True)
class _Read:
    """Texts as numbers of words: 0 for words that are not known."""

    rows: Ints  # [words] which text
    ids: Ints  # [words]
    counts: Ints  # [texts] words

    @classmethod
    def of(cls, texts: Sequence[list[str]], known: dict[str, int]) -> "_Read":
        counts = np.array([len(words) for words in texts], np.int64)
        found = map(known.get, chain.from_iterable(texts), repeat(0))
        ids = np.fromiter(found, np.int64, int(counts.sum()))
        return cls(np.repeat(np.arange(len(texts)), counts), ids, counts)

    def pairs(self, size: int) -> tuple[Ints, Ints]:
        """Rows and keys, first * size + second, of neighbours that are both known."""
        here = (self.ids[:-1] > 0) & (self.ids[1:] > 0) & (self.rows[:-1] == self.rows[1:])
        return self.rows[:-1][here], (self.ids[:-1] * size + self.ids[1:])[here]


class SentenceEncoder:
    """One column of sentences: marks for the `most` frequent words and pairs and for an empty cell, numbers for all."""

    def __init__(self, most: int = 500) -> None:
        self.most = most

    def fit(self, x: NDArray[Any]) -> "SentenceEncoder":
        """Learn from x [rows] of str; "" is missing."""
        self.flagged_ = bool(0 < np.count_nonzero(x == "") < len(x))
        sample = [_words(text) for text in x[:: max(1, len(x) // SAMPLE)] if text]
        frequent = self._learn_words(sample)
        self.size_ = len(frequent)
        surplus = self._learn_pairs(_Read.of(sample, self.known_), frequent)
        self._place(np.concatenate([frequent[1:], surplus]))
        self._learn_numbers(_Read.of(sample, self.known_))
        return self

    def transform(self, x: NDArray[Any]) -> tuple[Floats, NDArray[np.uint8]]:
        """Return numbers [rows, numbers] and marks [rows, marks (+ 1)]."""
        read = _Read.of([_words(text) for text in x], self.known_)
        terms = self._terms(read)
        marks = terms[:, : self.marks_].astype(np.uint8).toarray()
        if self.flagged_:
            marks = np.concatenate([marks, (x == "").astype(np.uint8)[:, None]], 1)
        return self._numbers(terms, read.counts), marks

    def write(self, g: Graph, x: str) -> tuple[str | None, str | None]:
        """Write the same for x [N, 1]: numbers and marks; None where there are none."""
        marks: list[str] = []
        numbers = None
        if self.width_:
            terms, counts = self._write_words(g, x)
            if self.marks_:
                marks = [g.add("Slice", terms, g.ints(0), g.ints(self.marks_), g.ints(1))]
            numbers = self._write_numbers(g, terms, counts) if self.weights_ is not None else None
        if self.flagged_:
            marks.append(g.cast(g.add("Equal", x, g.constant(np.array([""], dtype=object))), np.float32))
        return numbers, g.concat(marks, 1) if marks else None

    def _learn_words(self, sample: Sequence[list[str]]) -> Ints:
        """Choose words by the number of texts that have them, and return that number [words + 1]."""
        stems: dict[str, int] = {}
        stem_of = {word: _stem(word) for word in dict.fromkeys(chain.from_iterable(sample))}
        known = {word: stems.setdefault(stem, len(stems) + 1) for word, stem in stem_of.items()}
        read = _Read.of(sample, known)
        frequency = _texts_with(read.rows, read.ids, len(stems) + 1)
        usable = (frequency >= max(FEW, len(sample) // RARELY)) & (frequency < len(sample))
        best = [i for i in np.argsort(-frequency, kind="stable") if i and usable[i]][:MOST_WORDS]
        place = {old: new for new, old in enumerate(best, 1)}
        kept = {word: place[i] for word, i in known.items() if i in place}
        self.known_ = {form: i for word, i in kept.items() for form in _forms(word)} | kept
        return np.array([len(sample), *frequency[best]], np.int64)

    def _learn_pairs(self, read: _Read, frequent: Ints) -> NDArray[np.float64]:
        """Choose neighbours, and return in how many more texts each pair is than it would be by chance [pairs]."""
        size = len(frequent)
        rows, keys = read.pairs(size)
        different, at = np.unique(keys, return_inverse=True)
        frequency = _texts_with(rows, at, len(different))
        first, second = frequent[different // size], frequent[different % size]
        surplus = frequency - first * second / max(1, len(read.ids))
        usable = (frequency >= max(FEW, frequent[0] // RARELY)) & (frequency < ALWAYS * np.maximum(first, second))
        best = [i for i in np.argsort(-surplus, kind="stable") if usable[i] and surplus[i] > 0][:MOST_PAIRS]
        self.pairs_ = different[best]
        return surplus[best]

    def _place(self, weights: NDArray[np.float64]) -> None:
        """Deal places to words and pairs by their weights [words + pairs]: the first ones are marks."""
        self.width_ = len(weights)
        self.marks_ = min(self.most, self.width_)
        self.places_ = np.empty(self.width_, np.int64)
        self.places_[np.argsort(-weights, kind="stable")] = np.arange(self.width_)
        self.pair_order_ = np.argsort(self.pairs_)

    def _learn_numbers(self, read: _Read) -> None:
        """Find what texts are about, see above, and how long they are."""
        self.weights_: Floats | None = None
        terms, rows = self._terms(read), len(read.counts)
        width = min(MOST_NUMBERS, rows // 50, self.width_ // 4)
        if width < 2:
            return
        rarity = np.log((1 + rows) / (1 + np.bincount(terms.indices, minlength=self.width_))) + 1
        lengths = np.sqrt(np.maximum(terms @ rarity**2, 1e-9))
        weighted = csr_matrix(terms.multiply(rarity).multiply(1 / lengths[:, None]))
        axes = randomized_svd(weighted, width, n_iter=4, random_state=0)[2].T
        weights = np.concatenate([axes * rarity[:, None] * FINE, rarity[:, None] ** 2 * COARSE], 1)
        self.weights_ = (np.rint(weights) / ([FINE] * width + [COARSE])).astype(np.float32)
        self.center_, self.scale_ = np.zeros(width + 1, np.float32), np.ones(width + 1, np.float32)
        numbers = self._numbers(terms, read.counts)
        self.center_, self.scale_ = numbers.mean(0), 1 / np.maximum(numbers.std(0), 1e-3)

    def _terms(self, read: _Read) -> csr_matrix:
        """Which text has which words and pairs: 0 or 1 [texts, words and pairs]."""
        rows, keys = read.pairs(self.size_)
        pairs = self.pairs_[self.pair_order_]
        at = np.searchsorted(pairs, keys)
        found = np.isin(keys, pairs)
        known = read.ids > 0
        rows = np.concatenate([read.rows[known], rows[found]])
        pair_places = self.places_[self.size_ - 1 + self.pair_order_]
        places = np.concatenate([self.places_[read.ids[known] - 1], pair_places[at[found]]])
        terms = csr_matrix((np.ones(len(rows), np.float32), (rows, places)), (len(read.counts), self.width_))
        terms.data[:] = 1.0  # occurrences of the same word were added up
        return terms

    def _numbers(self, terms: csr_matrix, counts: Ints) -> Floats:
        if self.weights_ is None:
            return np.zeros((len(counts), 0), np.float32)
        both = terms @ self.weights_
        about = both[:, :-1] / np.sqrt(np.maximum(both[:, -1:], 1.0))
        length = np.rint(np.log(counts.astype(np.float32) + 1)[:, None] * LOGS) / LOGS
        numbers = (np.concatenate([about, length], 1) - self.center_) * self.scale_
        clipped: Floats = np.clip(numbers, -FARTHEST, FARTHEST).astype(np.float32)
        return clipped

    def _write_words(self, g: Graph, x: str) -> tuple[str, str]:
        """Write the known words and pairs of each text, 0 or 1 [N, words and pairs], and how many words it has [N, 1]."""
        lower = g.add("StringNormalizer", g.reshape(x, -1), case_change_action="LOWER", locale="C")
        words = g.add("Tokenizer", lower, domain=CONTRIB, mark=0, pad_value="", mincharnum=1, tokenexp=WORD)
        g.tell(words, TensorProto.STRING, axes=2)
        keys, values = list(self.known_), list(self.known_.values())
        ids = g.add("LabelEncoder", words, domain=ML, keys_strings=keys, values_int64s=values, default_int64=0)
        pairs = [int(word) for key in self.pairs_ for word in divmod(key, self.size_)]
        found = g.add(
            "TfIdfVectorizer", ids, mode="TF", min_gram_length=1, max_gram_length=2, max_skip_count=0,
            ngram_counts=[0, self.size_ - 1], pool_int64s=[*range(1, self.size_), *pairs],
            ngram_indexes=self.places_.tolist(),
        )  # fmt: skip
        is_none = g.add("Equal", words, g.constant(np.array([""], dtype=object)))
        counts = g.add("ReduceSum", g.add("Where", is_none, g.floats(0.0), g.floats(1.0)), g.ints(1), keepdims=1)
        return g.add("Min", found, g.floats(1.0)), counts

    def _write_numbers(self, g: Graph, terms: str, counts: str) -> str:
        assert self.weights_ is not None
        both = g.add("MatMul", terms, g.constant(self.weights_))
        about, rarity = g.split(both, [self.weights_.shape[1] - 1, 1], 1)
        about = g.add("Div", about, g.add("Sqrt", g.add("Max", rarity, g.floats(1.0))))
        length = g.add("Log", g.add("Add", counts, g.floats(1.0)))
        length = g.add("Div", g.add("Round", g.add("Mul", length, g.floats(LOGS))), g.floats(LOGS))
        centered = g.add("Sub", g.concat([about, length], 1), g.constant(self.center_))
        reach = [g.constant(np.array(edge, np.float32)) for edge in (-FARTHEST, FARTHEST)]
        return g.add("Clip", g.add("Mul", centered, g.constant(self.scale_)), *reach)


def _texts_with(rows: Ints, ids: Ints, size: int) -> Ints:
    """In how many texts each of `size` ids occurs."""
    return np.bincount(np.unique(rows * size + ids) % size, minlength=size) if len(ids) else np.zeros(size, np.int64)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.translate(_TO_LOWER))


def _stem(word: str) -> str:
    """A word without case, and in one of the ways to write its accents. Turkish has two letters i: they count as one."""
    return normalize("NFC", word.casefold()).replace("i\u0307", "i").replace("ı", "i")


def _forms(word: str) -> list[str]:
    """How else a word may be written, once A to Z are lowered."""
    if word.isascii():
        return [word]
    cases = (word, word.lower(), word.upper(), word.capitalize())
    forms = (form.translate(_TO_LOWER) for case in cases for form in (normalize("NFC", case), normalize("NFD", case)))
    return [form for form in dict.fromkeys(forms) if _WORD.fullmatch(form)]
