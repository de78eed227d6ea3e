"""Runs a model on random rows: what it takes, whether two runs agree, and how far its ONNX twin is from it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from machines.conversion.loaded import MOST_VALUES, Call, Feed, short
from machines.engine.errors import DataError, gettext_noop
from machines.serving.signature import TEXT, Signature, Tensor

BATCHES = (3, 7)  # two sizes, neither 1: a graph that froze its batch shows
FREE_SIZES = (5, 8, 16, 28, 32, 64)  # tried for an axis of any length
FEWEST_WORDS = (10, 2, 1)  # whole numbers below it, tried in turn: an embedding has at least one row
TOLERANCE = 1e-5
MOST_LETTERS = 200  # of a text the model answers

DOES_NOT_RUN = gettext_noop("The model does not run on rows of the shape that it asks for: %(why)s")
NOT_ROWS = gettext_noop("The output “%(name)s” has no answer per row: for %(rows)s rows its shape is %(shape)s.")
TOO_WIDE = gettext_noop("The output “%(name)s” is too large: more than %(most)s values a row.")
LONG_TEXT = gettext_noop("The output “%(name)s” gives texts of more than %(most)s letters. Labels are shorter.")
NOT_NUMBERS = gettext_noop("The output “%(name)s” gives neither numbers nor labels, but %(kind)s.")
INPUT_TOO_WIDE = gettext_noop("The input “%(name)s” takes more than %(most)s values a row.")
TOO_SLOW = gettext_noop("The model takes longer than %(seconds)s seconds for %(rows)s rows.")
MOST_OUTPUTS = 1_000_000  # values a row
MOST_SECONDS = 10.0  # as long as the runner waits for an answer


@dataclass(frozen=True)
class Trial:
    """Feeds that the model takes, with what it answered to each."""

    signature: Signature
    feeds: tuple[Feed, ...]
    answers: tuple[Feed, ...]
    varies: bool  # the same rows, another answer
    has_nan: bool

    @property
    def batches(self) -> list[int]:
        return [_rows(feed) for feed in self.feeds]


def run(call: Call, inputs: Sequence[Tensor], batch: int | None = None) -> Trial:
    """Run `call` on random rows of BATCHES, or of the one batch size it takes. Raises DataError if it takes none."""
    for tensor in inputs:
        if (tensor.width or 0) > MOST_VALUES:
            raise DataError(INPUT_TOO_WIDE, name=tensor.name, most=MOST_VALUES)
    why = ""
    for sizes in [(batch,)] if batch else [BATCHES, (1,), (2,)]:
        for make in _makers(inputs):
            feeds = tuple(make(rows, seed) for seed, rows in enumerate(sizes))
            try:
                answers = tuple(call(feed) for feed in feeds)
            except MemoryError:
                raise
            except Exception as error:  # whatever the framework raises; the first says most
                why = why or short(error)
                continue
            return _judge(call, inputs, feeds, answers, sizes[0] if len(sizes) == 1 else None)
    raise DataError(DOES_NOT_RUN, why=why)


def worst(call: Call, trial: Trial) -> float:
    """Return how far `call` is from the trial's answers: the difference, relative where a value is above 1.

    Infinite where shapes or what is not a number differ, or a text does. Raises whatever `call` raises.
    """
    found = 0.0
    for feed, expected in zip(trial.feeds, trial.answers, strict=True):
        answers = call(feed)
        if set(answers) != set(expected):
            return float("inf")
        found = max([found, *(difference(expected[name], answers[name]) for name in expected)])
    return found


def difference(expected: NDArray[Any], found: NDArray[Any]) -> float:
    """The largest |a - b| / max(1, |a|) of two arrays; infinite where they do not compare."""
    if expected.shape != found.shape:
        return float("inf")
    if expected.dtype.kind in "OUS":
        return 0.0 if (expected.astype(str) == found.astype(str)).all() else float("inf")
    a, b = expected.astype(np.float64), found.astype(np.float64)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(invalid="ignore"):
        off = np.where(same, 0.0, np.abs(a - b) / np.maximum(1.0, np.abs(a)))
    return float(np.nan_to_num(off, nan=np.inf).max(initial=0.0))


def _makers(inputs: Sequence[Tensor]) -> Iterator[Any]:
    """Ways to make rows: by the size of free axes, then by how many different whole numbers."""
    free = FREE_SIZES if any(None in tensor.shape for tensor in inputs) else FREE_SIZES[:1]
    words = FEWEST_WORDS if any(tensor.dtype.startswith(("int", "uint")) for tensor in inputs) else FEWEST_WORDS[:1]
    for size, most in product(free, words):
        yield lambda rows, seed, size=size, most=most: {
            tensor.name: random_rows(tensor, rows, seed, size=size, most=most) for tensor in inputs
        }


def random_rows(tensor: Tensor, rows: int, seed: int, *, size: int = 5, most: int = 10) -> NDArray[Any]:
    """[rows, ...] of the tensor's type: normal numbers, whole numbers below `most`, short texts."""
    generator = np.random.default_rng([seed, *tensor.name.encode()])
    shape = (rows, *(axis or size for axis in tensor.shape))
    if tensor.dtype == TEXT:
        return generator.choice(np.array(["a", "b", "c"], dtype=object), shape)
    if tensor.dtype == "bool":
        return generator.random(shape) < 0.5
    if tensor.dtype.startswith("float"):
        return generator.standard_normal(shape).astype(tensor.dtype)
    return generator.integers(0, most, shape).astype(tensor.dtype)


def _judge(
    call: Call, inputs: Sequence[Tensor], feeds: tuple[Feed, ...], answers: tuple[Feed, ...], batch: int | None
) -> Trial:
    began = monotonic()
    again = call(feeds[0])
    if monotonic() - began > MOST_SECONDS:
        raise DataError(TOO_SLOW, seconds=int(MOST_SECONDS), rows=_rows(feeds[0]))
    outputs = tuple(_output(name, [answer[name] for answer in answers], feeds) for name in answers[0])
    varies = any(difference(answers[0][name], again[name]) > TOLERANCE for name in again)
    has_nan = any(array.dtype.kind == "f" and not np.isfinite(array).all() for a in answers for array in a.values())
    return Trial(Signature(tuple(inputs), outputs, batch), feeds, answers, varies, has_nan)


def _output(name: str, arrays: Sequence[NDArray[Any]], feeds: Sequence[Feed]) -> Tensor:
    for array, feed in zip(arrays, feeds, strict=True):
        if array.ndim < 1 or array.shape[0] != _rows(feed):
            raise DataError(NOT_ROWS, name=name, rows=_rows(feed), shape=str(array.shape))
        if array.size > MOST_OUTPUTS * _rows(feed):
            raise DataError(TOO_WIDE, name=name, most=MOST_OUTPUTS)
    shapes = {array.shape[1:] for array in arrays}
    return Tensor(name, _dtype(name, arrays[0]), tuple(arrays[0].shape[1:] if len(shapes) == 1 else _free(shapes)))


def _free(shapes: set[tuple[int, ...]]) -> tuple[int | None, ...]:
    axes = list(zip(*shapes, strict=False))
    return tuple(sizes[0] if len(set(sizes)) == 1 else None for sizes in axes)


def _dtype(name: str, array: NDArray[Any]) -> str:
    if array.dtype.kind in "OUS":
        if any(len(str(text)) > MOST_LETTERS for text in array.ravel()):
            raise DataError(LONG_TEXT, name=name, most=MOST_LETTERS)
        return TEXT
    if array.dtype.kind not in "fiub":
        raise DataError(NOT_NUMBERS, name=name, kind=str(array.dtype))
    return str(array.dtype)


def _rows(feed: Feed) -> int:
    return len(next(iter(feed.values())))
