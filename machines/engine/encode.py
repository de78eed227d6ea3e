"""The whole table: typed columns in, numbers and marks out, for training and (as ONNX nodes) for answering."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from machines.engine.encode_numbers import Doubles, Floats, MomentEncoder, NumberEncoder
from machines.engine.encode_text import LabelEncoder, SentenceEncoder
from machines.engine.graph import Graph
from machines.engine.outside import Outside
from machines.engine.schema import Column, DataType, Table

MOST_MARKS = 4000  # of all label columns together


@dataclass(frozen=True)
class Encoded:
    """What the models see."""

    numbers: Floats  # [rows, numbers], about -3..3
    marks: NDArray[np.uint8]  # [rows, marks], 0 or 1

    def __len__(self) -> int:
        return len(self.numbers)

    def flat(self) -> Floats:
        """[rows, numbers + marks]"""
        return np.concatenate([self.numbers, self.marks.astype(np.float32)], 1)


@dataclass(frozen=True)
class EncodedNames:
    """The tensors of the same in the graph; None where there are no such features."""

    numbers: str | None
    marks: str | None
    flat: str
    outside: str | None  # how far beyond what was seen, see outside.py
    emptiness: str | None  # [N, 1], see TableEncoder.emptiness


class TableEncoder:
    """All encoders of a table. `fit`, then `transform` rows or `write` the same into a graph."""

    def __init__(self, columns: tuple[Column, ...]) -> None:
        self.numeric = tuple(c for c in columns if c.type.is_numeric)
        self.labels = tuple(c for c in columns if c.type is DataType.LABEL)
        self.sentences = tuple(c for c in columns if c.type is DataType.LANGUAGE)
        self.moments = MomentEncoder(self.numeric)
        self.number = NumberEncoder([c.zero_is_missing for c in self.numeric])
        self.outside = Outside()
        self.usual_ = 0.0  # share of empty cells that most rows have anyway
        self.label = LabelEncoder(most=max(4, min(60, MOST_MARKS // max(1, len(self.labels)))))
        self.sentence = [SentenceEncoder(most=max(20, min(300, 1500 // len(self.sentences)))) for _ in self.sentences]

    def fit(self, table: Table, tick: Callable[[], object] = bool) -> "TableEncoder":
        """Learn from the inputs of the rows to train on, never from an output. `tick` is called every now and then."""
        numbers = self._numeric(table)
        self.number.fit(self.moments.transform(numbers))
        self.outside.fit(numbers, self.number.missing(numbers))
        tick()
        self.label.fit(_stack(table, self.labels))
        tick()
        for encoder, column in zip(self.sentence, self.sentences, strict=True):
            encoder.fit(table[column.name])
            tick()
        return self

    def transform(self, table: Table, tick: Callable[[], object] = bool) -> Encoded:
        """Encode rows. `tick` is called every now and then."""
        numbers, flags = self.number.transform(self.moments.transform(self._numeric(table)))
        tick()
        marks = [flags.astype(np.uint8), self.label.transform(_stack(table, self.labels))]
        for encoder, column in zip(self.sentence, self.sentences, strict=True):
            tick()
            marks.append(encoder.transform(table[column.name]))
        return Encoded(numbers, np.concatenate(marks, 1))

    def empty_share(self, table: Table) -> Doubles:
        """Return the share of empty cells of each row, 0..1."""
        numbers = self._numeric(table)
        texts = _stack(table, (*self.labels, *self.sentences)) == ""
        share: Doubles = np.concatenate([self.number.missing(numbers), texts], 1).mean(1)
        return share

    def emptiness(self, table: Table) -> Doubles:
        """Return how much emptier than usual each row is: 0 as usual, 1 nothing is known."""
        return np.clip((self.empty_share(table) - self.usual_) / max(1.0 - self.usual_, 1e-9), 0.0, 1.0)

    def write(self, g: Graph) -> EncodedNames | None:
        """Write the nodes; the graph's inputs are the columns' names. None if no column says anything."""
        numbers, flags, outside, missing = self._write_numeric(g)
        emptiness = self._write_emptiness(g, missing)
        label = self.label.write(g, g.concat([c.name for c in self.labels], 1)) if self.labels else None
        words = [e.write(g, c.name) for e, c in zip(self.sentence, self.sentences, strict=True)]
        parts = [name for name in (flags, label, *words) if name]
        marks = g.concat(parts, 1) if parts else None
        both = [name for name in (numbers, marks) if name]
        return EncodedNames(numbers, marks, g.concat(both, 1), outside, emptiness) if both else None

    def _write_emptiness(self, g: Graph, missing: str | None) -> str | None:
        """Write the same as `emptiness`; None where rows are empty anyway."""
        if self.usual_ >= 1.0:
            return None
        parts = []
        if missing:
            own = g.add("Gather", missing, g.ints(*range(len(self.numeric))), axis=1)
            parts.append(g.cast(own, np.float64))
        if texts := [c.name for c in (*self.labels, *self.sentences)]:
            nothing = g.constant(np.array([""], dtype=object))
            parts.append(g.cast(g.add("Equal", g.concat(texts, 1), nothing), np.float64))
        share = g.add("ReduceMean", g.concat(parts, 1), g.ints(1), keepdims=1)
        above = g.add("Sub", share, g.constant(np.array([self.usual_])))
        scaled = g.add("Div", above, g.constant(np.array([1.0 - self.usual_])))
        return g.add("Clip", scaled, g.constant(np.array(0.0)), g.constant(np.array(1.0)))

    def _write_numeric(self, g: Graph) -> tuple[str | None, str | None, str | None, str | None]:
        """Write values, missing flags, distance outside and all that is missing; None where there is nothing."""
        if not self.numeric:
            return None, None, None, None
        x = self.moments.write(g, g.concat([c.name for c in self.numeric], 1))
        missing = self.number.write_missing(g, x)
        return *self.number.write(g, x, missing), self.outside.write(g, x, missing), missing

    def _numeric(self, table: Table) -> NDArray[np.float64]:
        rows = len(next(iter(table.values())))
        if not self.numeric:
            return np.zeros((rows, 0))
        return np.stack([np.asarray(table[c.name], np.float64) for c in self.numeric], 1)


def _stack(table: Table, columns: tuple[Column, ...]) -> NDArray[Any]:
    rows = len(next(iter(table.values())))
    stacked = np.empty((rows, len(columns)), dtype=object)
    for j, column in enumerate(columns):
        stacked[:, j] = table[column.name]
    return stacked
