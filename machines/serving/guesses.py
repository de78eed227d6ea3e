"""What can be said of an uploaded model's inputs and outputs before anybody has said anything."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from machines.engine.errors import DataError
from machines.serving.signature import TEXT, Signature
from machines.serving.words import MOST_NAME, InputWords, Kind, OutputWords, is_text

Sample: TypeAlias = Mapping[str, Sequence[str]]  # header -> cells of the same rows
LAST = {"Sigmoid": Kind.CHANCE, "Softmax": Kind.CHANCES}  # what the last step of a graph tells of its output


def seen_in(name: str, cells: Sequence[str], encoding: str) -> InputWords:
    """What the cells of a sample tell of a column."""
    known = [cell.strip() for cell in cells if cell.strip()]
    numbers = _numbers(known)
    if numbers is not None:
        return InputWords(name, low=min(numbers, default=None), high=max(numbers, default=None))
    labels = tuple(sorted(set(known)))
    try:
        return InputWords.read({"name": name, "type": "choice", "labels": labels, "encoding": encoding}, 1)
    except DataError:  # a single label, or long texts
        return InputWords(name)


def _numbers(cells: Sequence[str]) -> list[float] | None:
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        return None


def numbered(signature: Signature) -> list[InputWords]:
    """One input for each value, called x1, x2 ... or as its tensor."""
    is_only = len(signature.inputs) == 1
    names: list[tuple[str, str]] = []
    for number, tensor in enumerate(signature.inputs, 1):
        stem, width = "x" if is_only else _clean(tensor.name, f"x{number}_"), tensor.width or 0
        kind = "text" if tensor.dtype == TEXT else "number"
        names += [(stem if width == 1 and not is_only else f"{stem}{at}", kind) for at in range(1, width + 1)]
    called = _unique([name for name, _ in names], set())
    return [InputWords(name, kind) for name, (_, kind) in zip(called, names, strict=True)]


def _clean(name: str, otherwise: str) -> str:
    return name if re.fullmatch(r"[A-Za-z][A-Za-z0-9 _-]{0,40}", name) else otherwise


def guess_outputs(
    signature: Signature, last: Mapping[str, str], names: list[str], sample: Sample, taken: set[str]
) -> list[OutputWords]:
    """Say what each output is by the operator that makes it, `last`, and by the columns `names` of a sample.

    No output is called as one of `taken`.
    """
    outs: list[Callable[[str], OutputWords]] = []
    for tensor in signature.outputs:
        kind, width = LAST.get(last.get(tensor.name, ""), Kind.NUMBER), tensor.width or 0
        if tensor.dtype == TEXT:
            outs += [_maker(Kind.TEXT, 0)] * width
        elif kind is Kind.CHANCES and width > 1:
            outs.append(_maker(kind, width))
        else:
            outs += [_maker(kind if kind is Kind.CHANCE and width == 1 else Kind.NUMBER, 2)] * width
    usual = ["y"] if len(outs) == 1 else [f"y{number}" for number in range(1, len(outs) + 1)]
    if len(names) == len(outs) and all(is_text(name, MOST_NAME) and name.strip() for name in names):
        usual = names
    found = [make(name) for make, name in zip(outs, _unique(usual, taken), strict=True)]
    return [_with_labels(words, sample.get(words.name, ())) for words in found]


def _maker(kind: Kind, count: int) -> Callable[[str], OutputWords]:
    labels = tuple(str(number) for number in range(count)) if kind.has_labels else ()
    return lambda name: OutputWords(name, kind, labels=labels)


def _with_labels(words: OutputWords, cells: Sequence[str]) -> OutputWords:
    """The sample's own labels, where they are as many."""
    found = sorted({cell.strip() for cell in cells if cell.strip()})
    if not words.labels or len(found) != len(words.labels) or not all(is_text(label, MOST_NAME) for label in found):
        return words
    return OutputWords(words.name, words.kind, labels=tuple(found))


def _unique(names: Sequence[str], taken: set[str]) -> list[str]:
    seen, unique = {name.casefold() for name in taken}, []
    for name in names:
        while name.casefold() in seen:
            name = f"{name}_"
        seen.add(name.casefold())
        unique.append(name)
    return unique
