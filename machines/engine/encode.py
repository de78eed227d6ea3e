"""The whole table: typed columns in, numbers and marks out, for training and (as ONNX nodes) for answering."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from machines.engine.encode_codes import CodeEncoder
from machines.engine.encode_numbers import Doubles, Floats, MomentEncoder, NumberEncoder
from machines.engine.encode_text import LabelEncoder
from machines.engine.encode_words import SentenceEncoder
from machines.engine.folds import Folds
from machines.engine.gaps import Gaps
from machines.engine.graph import Graph
from machines.engine.outside import Outside
from machines.engine.prepare import Target
from machines.engine.schema import Column, DataType, Table

MOST_MARKS = 4000  # of all label columns together
MOST_NAME = 1e15  # beyond, not every whole number is a float64


@dataclass(frozen=True)
class Encoded:
    """What the models see."""

    numbers: Floats  # [rows, numbers], about -3..3
    marks: NDArray[np.uint8]  # [rows, marks], 0 or 1
    codes: Floats  # [folds, rows, codes] as each fold sees them, or [1, rows, codes]: see encode_codes
    further: int = 0  # the last marks, of labels that are less frequent: see LabelEncoder

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def width(self) -> int:
        """Numbers and marks."""
        return int(self.numbers.shape[1] + self.marks.shape[1])

    @property
    def has_codes(self) -> bool:
        return bool(self.codes.shape[2])

    def take(self, rows: NDArray[np.int64]) -> "Encoded":
        return replace(self, numbers=self.numbers[rows], marks=self.marks[rows], codes=self.codes[:, rows])

    def below(self, other: "Encoded") -> "Encoded":
        """These rows, and those of the other below them."""
        numbers, marks = np.concatenate([self.numbers, other.numbers]), np.concatenate([self.marks, other.marks])
        return replace(self, numbers=numbers, marks=marks, codes=np.concatenate([self.codes, other.codes], 1))

    def flat(self) -> Floats:
        """[rows, numbers + marks]"""
        return np.concatenate([self.numbers, self.marks.astype(np.float32)], 1)

    def table(self, fold: int = 0) -> Floats:
        """[rows, numbers + marks + codes], as this fold sees them"""
        return np.concatenate([self.flat(), self.codes[fold]], 1)


@dataclass(frozen=True)
class EncodedNames:
    """The tensors of the same in the graph; None where there are no such features."""

    numbers: str | None
    marks: str | None
    flat: str
    table: str  # with codes
    outside: str | None  # how far beyond what was seen, see outside.py
    emptiness: str | None  # [N, 1], see Gaps.emptiness

    @classmethod
    def plain(cls, encoded: Encoded) -> "EncodedNames":
        """What stands for encoded rows in a graph that begins with them: the fields' own names."""
        numbers = "numbers" if encoded.numbers.shape[1] else None
        marks = "marks" if encoded.marks.shape[1] else None
        return cls(numbers, marks, "flat", "table", outside=None, emptiness=None)


class TableEncoder:
    """All encoders of a table. `fit`, then `transform` rows or `write` the same into a graph.

    `naming` are columns of numbers that are labels as well, see naming.
    """

    def __init__(self, columns: tuple[Column, ...], naming: tuple[Column, ...] = ()) -> None:
        self.numeric = tuple(c for c in columns if c.type.is_numeric)
        self.naming = naming
        self.labels = tuple(c for c in columns if c.type is DataType.LABEL)
        self.sentences = tuple(c for c in columns if c.type is DataType.LANGUAGE)
        self.moments = MomentEncoder(self.numeric)
        self.number = NumberEncoder([c.zero_is_missing for c in self.numeric])
        self.outside = Outside()
        self.gaps = Gaps()
        self.code = CodeEncoder()
        self.label = LabelEncoder(most=max(4, min(60, MOST_MARKS // max(1, len(self.labels) + len(naming)))))
        self.sentence = [SentenceEncoder(most=max(20, min(500, 2000 // len(self.sentences)))) for _ in self.sentences]

    def fit(self, table: Table, tick: Callable[[], object] = bool) -> "TableEncoder":
        """Learn from the inputs of the rows to train on, never from an output. `tick` is called every now and then."""
        numbers = self._numeric(table)
        self.number.fit(self.moments.transform(numbers))
        self.outside.fit(numbers, self.number.missing(numbers))
        tick()
        self.label.fit(self._labels(table))
        tick()
        for encoder, column in zip(self.sentence, self.sentences, strict=True):
            encoder.fit(table[column.name])
            tick()
        return self

    def fit_codes(self, table: Table, encoded: Encoded, targets: Sequence[Target], folds: Folds) -> Encoded:
        """Learn what labels meant for the outputs, and return the rows with them, see CodeEncoder."""
        return replace(encoded, codes=self.code.fit_transform(self._labels(table), targets, folds))

    def with_codes(self, table: Table, encoded: Encoded) -> Encoded:
        """The same rows with the codes of rows that were not learned from."""
        return replace(encoded, codes=self.code.transform(self._labels(table))[None])

    def transform(self, table: Table, tick: Callable[[], object] = bool) -> Encoded:
        """Encode rows, without codes. `tick` is called every now and then."""
        numbers, flags = self.number.transform(self.moments.transform(self._numeric(table)))
        tick()
        label, further = np.split(self.label.transform(self._labels(table)), [self.label.few], 1)
        parts = [(numbers, flags.astype(np.uint8)), (None, label)]
        for encoder, column in zip(self.sentence, self.sentences, strict=True):
            tick()
            parts.append(encoder.transform(table[column.name]))
        numbers = np.concatenate([own for own, _ in parts if own is not None], 1)
        marks = np.concatenate([*(own for _, own in parts), further], 1)
        return Encoded(numbers, marks, np.zeros((1, len(numbers), 0), np.float32), self.label.further_)

    def is_usual(self, table: Table) -> NDArray[np.bool_]:
        """Return whether a row is as full as most are, and within what was seen: these are answered without a doubt."""
        numbers = self._numeric(table)
        beyond = self.outside.distance(numbers, self.number.missing(numbers))[:, 0]
        usual: NDArray[np.bool_] = (self.emptiness(table) == 0) & (beyond == 0)
        return usual

    def emptiness(self, table: Table) -> Doubles:
        """How much emptier than usual each row is, see Gaps: 0..1."""
        return self.gaps.emptiness(self._empty(table))

    def fit_gaps(self, table: Table) -> None:
        """Learn what rows lack anyway, from complete ones alone."""
        self.gaps.fit(self._empty(table))

    def _empty(self, table: Table) -> NDArray[np.bool_]:
        """Which cells are empty: [rows, columns]."""
        texts = _stack(table, (*self.labels, *self.sentences)) == ""
        empty: NDArray[np.bool_] = np.concatenate([self.number.missing(self._numeric(table)), texts], 1)
        return empty

    def write(self, g: Graph) -> EncodedNames | None:
        """Write the nodes; the graph's inputs are the columns' names. None if no column says anything."""
        numbers, flags, outside, missing = self._write_numeric(g)
        emptiness = self._write_emptiness(g, missing)
        labels = _joined(g, *(c.name for c in self.labels), self._write_names(g))
        label, code = (labels and encoder.write(g, labels) for encoder in (self.label, self.code))
        words = [e.write(g, c.name) for e, c in zip(self.sentence, self.sentences, strict=True)]
        numbers = _joined(g, numbers, *(own for own, _ in words))
        further = None
        if label and self.label.further_:
            label, further = g.split(label, [self.label.few, self.label.further_], 1)
        marks = _joined(g, flags, label, *(own for _, own in words), further)
        both = [name for name in (numbers, marks) if name]
        if not both:
            return None
        flat = g.concat(both, 1)
        return EncodedNames(numbers, marks, flat, g.concat([flat, code], 1) if code else flat, outside, emptiness)

    def _write_emptiness(self, g: Graph, missing: str | None) -> str | None:
        """Write the same as `emptiness`; None where rows are empty anyway."""
        if self.gaps.usual_ >= 1.0:
            return None
        parts = []
        if missing:
            own = g.add("Gather", missing, g.ints(*range(len(self.numeric))), axis=1)
            parts.append(g.cast(own, np.float64))
        if texts := [c.name for c in (*self.labels, *self.sentences)]:
            nothing = g.constant(np.array([""], dtype=object))
            parts.append(g.cast(g.add("Equal", g.concat(texts, 1), nothing), np.float64))
        return self.gaps.write(g, g.concat(parts, 1))

    def _write_names(self, g: Graph) -> str | None:
        """Write the same texts as `_labels` has of numbers that name things: [N, naming]."""
        if not self.naming:
            return None
        x = g.concat([c.name for c in self.naming], 1)
        near = g.add("Clip", g.add("Floor", x), *(g.constant(np.array(edge)) for edge in (-MOST_NAME, MOST_NAME)))
        is_name = g.add("Equal", x, near)
        whole = g.cast(g.add("Where", is_name, x, g.constant(np.array(0.0))), np.int64)
        nothing = g.constant(np.array([""], dtype=object))
        return g.add("Where", is_name, g.add("Cast", whole, to=TensorProto.STRING), nothing)

    def _write_numeric(self, g: Graph) -> tuple[str | None, str | None, str | None, str | None]:
        """Write values, missing flags, distance outside and all that is missing; None where there is nothing."""
        if not self.numeric:
            return None, None, None, None
        x = self.moments.write(g, g.concat([c.name for c in self.numeric], 1))
        missing = self.number.write_missing(g, x)
        return *self.number.write(g, x, missing), self.outside.write(g, x, missing), missing

    def _labels(self, table: Table) -> NDArray[Any]:
        """Labels, and numbers that name things as text; "" where they do not: [rows, labels + naming]."""
        labels = _stack(table, self.labels)
        names = np.empty((len(labels), len(self.naming)), dtype=object)
        for j, column in enumerate(self.naming):
            x = np.asarray(table[column.name], np.float64)
            is_name = x == np.clip(np.floor(x), -MOST_NAME, MOST_NAME)
            names[:, j] = np.where(is_name, np.where(is_name, x, 0.0).astype(np.int64).astype(str), "")
        return np.concatenate([labels, names], 1)

    def _numeric(self, table: Table) -> NDArray[np.float64]:
        rows = len(next(iter(table.values())))
        if not self.numeric:
            return np.zeros((rows, 0))
        return self.moments.known(np.stack([np.asarray(table[c.name], np.float64) for c in self.numeric], 1))


def _joined(g: Graph, *parts: str | None) -> str | None:
    there = [part for part in parts if part]
    return g.concat(there, 1) if there else None


def _stack(table: Table, columns: tuple[Column, ...]) -> NDArray[Any]:
    rows = len(next(iter(table.values())))
    stacked = np.empty((rows, len(columns)), dtype=object)
    for j, column in enumerate(columns):
        stacked[:, j] = table[column.name]
    return stacked
