"""An uploaded model behind the same words as a trained one: columns in, answers out.

What the model answers is hostile data: it is measured against what the owner said it means, and never believed beyond that.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from machines.engine.errors import Notice, Weight, gettext_noop
from machines.engine.schema import Schema, Table
from machines.serving.feeding import Feed
from machines.serving.predictor import Answer, Predictor
from machines.serving.words import Kind

Call: TypeAlias = Callable[[Mapping[str, NDArray[Any]]], Mapping[str, NDArray[Any]]]

ROWS = 1024  # of one call: each has its own deadline
LONGEST = 200  # characters of a text that a model answers
TOLERANCE = 0.01  # by which a chance may leave 0..1, or chances miss a sum of 1, by rounding

FAILED = {  # what a person is told when the locked runner has no answer, by the reason it gives
    "deadline": gettext_noop("The model took too long to answer and was stopped."),
    "memory": gettext_noop("The model needed more memory than it may use and was stopped."),
    "crash": gettext_noop("The model stopped without an answer."),
    "busy": gettext_noop("The model is busy with other questions. Try again in a moment."),
    "input": gettext_noop("The model did not take these values. Look at what its inputs expect."),
    "output": gettext_noop("The model answered something else than its file promised, so the answer is not shown."),
    "load": gettext_noop("The model could not be loaded. Upload its file again."),
    "lock": gettext_noop("This server cannot lock models of this format up, so it does not run them."),
    "gone": gettext_noop("This model was replaced or deleted just now. Open it again."),
}
UNUSABLE = gettext_noop("The model gave no usable answer for “%(name)s” (rows: %(rows)s).")
SUM = gettext_noop("The chances that the model tells for “%(name)s” do not add up to 100 %% (rows: %(rows)s).")


class UploadedPredictor:
    """Has `metadata`, `schema` and `predict` as machines.serving.predictor.Predictor has them."""

    def __init__(self, description: Mapping[str, Any], call: Call) -> None:
        self.metadata = dict(description)
        self.schema = Schema.from_json(self.metadata["columns"])
        self.call = call
        self._feeds = [Feed(feed) for feed in self.metadata["feeds"]]
        self._reads = [_Read(read) for read in self.metadata["reads"]]

    def predict(self, table: Table) -> list[Answer]:
        """Answer every row of typed columns [rows].

        A number is NaN, a label "" where a value that the model needs is missing or the model gave nothing usable.
        Raises what `call` raises.
        """
        rows = len(next(iter(table.values()), ()))
        if rows == 0:
            return self._read({}, 0)
        fed = [feed.fill(table, rows) for feed in self._feeds]
        masks = [mask for _, mask in fed if mask is not None]
        if not masks:
            values = {feed.tensor: array for feed, (array, _) in zip(self._feeds, fed, strict=True)}
            return self._read(self._called(values, rows), rows)
        complete = np.logical_and.reduce(masks)
        values = {feed.tensor: array[complete] for feed, (array, _) in zip(self._feeds, fed, strict=True)}
        left = int(complete.sum())
        return [_spread(answer, complete) for answer in self._read(self._called(values, left), left)]

    def needed(self, table: Table, rows: int) -> dict[str, NDArray[np.bool_]]:
        """Per column without which there is no answer: the rows [rows] where its value is missing or not known."""
        return {name: lacks for feed in self._feeds for name, lacks in feed.needed(table, rows)}

    def _called(self, values: Mapping[str, NDArray[Any]], rows: int) -> Mapping[str, NDArray[Any]]:
        if rows <= ROWS:
            return self.call(values) if rows else {}
        parts = [self.call({n: a[start : start + ROWS] for n, a in values.items()}) for start in range(0, rows, ROWS)]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _read(self, raw: Mapping[str, NDArray[Any]], rows: int) -> list[Answer]:
        if not rows:
            return [read.nothing() for read in self._reads]
        return [read.answer(raw[read.tensor].reshape(rows, -1)) for read in self._reads]


AnyPredictor: TypeAlias = Predictor | UploadedPredictor


def unusual(answers: Sequence[Answer]) -> list[Notice]:
    """What is to be said about answers: nothing usable, or chances that do not add up to 1."""
    notices = []
    for answer in answers:
        nothing = is_nothing(answer)
        sums = sum(answer.probabilities.values(), np.zeros(len(answer.values))) if answer.probabilities else np.ones(1)
        for template, where in ((UNUSABLE, nothing), (SUM, np.abs(sums - 1) > TOLERANCE)):  # of NaN nothing is said
            if count := int(np.count_nonzero(where)):
                notices.append(Notice(template, {"name": answer.name, "rows": count}, Weight.WARNING))
    return notices


def is_nothing(answer: Answer) -> NDArray[np.bool_]:
    """The rows [rows] to which there is no answer."""
    values: NDArray[Any] = answer.values
    return np.asarray(values == "" if values.dtype == object else np.isnan(values), dtype=bool)


class _Read:
    """How one answer is read from a row of a tensor."""

    def __init__(self, read: Mapping[str, Any]) -> None:
        self.name, self.tensor, self.kind = read["name"], read["tensor"], Kind(read["kind"])
        self.columns = slice(read["at"], read["at"] + read["width"])
        self.offset, self.scale = read["offset"], read["scale"]
        self.classes: list[str] = list(read["labels"])
        self.labels = np.array([*self.classes, ""], dtype=object)  # the last stands for none

    def answer(self, raw: NDArray[Any]) -> Answer:
        values = raw[:, self.columns]
        if self.kind is Kind.TEXT:
            return Answer(self.name, _texts(values[:, 0]))
        numbers = values.astype(np.float64)
        if self.kind is Kind.NUMBER:
            return Answer(self.name, self._number(numbers[:, 0]))
        if self.kind is Kind.INDEX:
            return Answer(self.name, self.labels[self._indexes(numbers[:, 0])])
        return self._chances(_as_chances(self.kind, numbers))

    def nothing(self) -> Answer:
        """Return the answer to no rows at all."""
        width = max(1, self.columns.stop - self.columns.start)
        is_text = self.kind is Kind.TEXT
        return self.answer(np.zeros((0, self.columns.start + width), dtype=object if is_text else np.float64))

    def _indexes(self, numbers: NDArray[np.float64]) -> NDArray[np.intp]:
        known = (numbers >= 0) & (numbers < len(self.labels) - 1) & (numbers == np.floor(numbers))
        return np.where(known, numbers, -1).astype(np.intp)

    def _number(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        meant = raw * self.scale + self.offset
        finite = np.isfinite(meant)
        return meant if finite.all() else np.where(finite, meant, np.nan)

    def _chances(self, chances: NDArray[np.float64]) -> Answer:
        """[rows, labels]. What lies outside 0..1 is no chance, so nothing is told."""
        best = chances.argmax(axis=1) if len(chances) else np.zeros(0, np.intp)
        if not (len(chances) and chances.min() >= 0 and chances.max() <= 1):
            usable = np.logical_and.reduce((chances >= -TOLERANCE) & (chances <= 1 + TOLERANCE), axis=1)
            chances = np.where(usable[:, None], np.clip(chances, 0.0, 1.0), np.nan)
            best = np.where(usable, best, -1)
        probabilities = {label: chances[:, at] for at, label in enumerate(self.classes)}
        return Answer(self.name, self.labels[best], probabilities=probabilities)


def _as_chances(kind: Kind, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """[rows, labels]"""
    if kind is Kind.CHANCES:
        return numbers
    if kind is Kind.LOGITS:
        with np.errstate(all="ignore"):
            powers = np.exp(numbers - numbers.max(axis=1, keepdims=True)) if len(numbers) else numbers
            softmax: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
        return softmax
    if kind is Kind.LOGIT:
        with np.errstate(over="ignore"):
            numbers = 1 / (1 + np.exp(-numbers))
    both = np.empty((len(numbers), 2))
    both[:, 1] = numbers[:, 0]
    np.subtract(1, both[:, 1], out=both[:, 0])
    return both


def _texts(values: NDArray[Any]) -> NDArray[Any]:
    texts = np.empty(len(values), dtype=object)
    texts[:] = [str(value)[:LONGEST].replace("\0", "") for value in values]
    return texts


def _spread(answer: Answer, complete: NDArray[np.bool_]) -> Answer:
    """The answers of the complete rows in their places; nothing in the others."""

    def spread(values: NDArray[Any]) -> NDArray[Any]:
        wide = np.full(len(complete), "" if values.dtype == object else np.nan, dtype=values.dtype)
        wide[complete] = values
        return wide

    chances = {label: spread(values) for label, values in answer.probabilities.items()}
    return Answer(answer.name, spread(answer.values), probabilities=chances)
