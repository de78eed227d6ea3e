"""What an uploaded model's tensors mean: the description that its form, its answers and its rows are made from.

It has the keys that a trained machine's file has (machines.engine.describe): columns, inputs, outputs. Further:
"has_form" (else only the REST call that takes bare tensors answers), "words" (what the owner said, machines.serving.words),
"feeds" (how columns fill tensors: {"tensor", "dtype", "shape", "parts": [words of an input with "at" and "width"]}) and
"reads" (how outputs become answers: words of an output with "tensor", "at" and "width").
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from machines.engine.errors import DataError, gettext_noop
from machines.engine.schema import Column, DataType, Role, Schema
from machines.serving.guesses import Sample as Sample
from machines.serving.guesses import guess_outputs, numbered, seen_in
from machines.serving.signature import TEXT, Signature, Tensor
from machines.serving.words import MOST_NAME, InputWords, Kind, OutputWords, is_text

VERSION = 1
MOST_VALUES = 200  # of a row in a form; pictures and long sequences have more
MOST_CLASSES = 1000

NOT_A_LIST = gettext_noop("Describe the inputs as a list, such as %(example)s.")
EXAMPLE = '["Glucose", "BMI"]'
ONLY_TENSORS = gettext_noop("This model takes more values than a form can ask for, so its inputs have no names.")
TOO_FEW = gettext_noop(
    "The model takes %(wanted)s values; those described are %(found)s. “%(name)s” is the last of them."
)
TOO_MANY = gettext_noop("The model takes %(wanted)s values; “%(name)s” would be one too many.")
OUT_FEW = gettext_noop("The model answers %(wanted)s values; those described are %(found)s. “%(name)s” is the last.")
OUT_MANY = gettext_noop("The model answers %(wanted)s values; “%(name)s” would be one too many.")
ACROSS = gettext_noop("“%(name)s” would fill the end of one tensor and the start of the next. Change the order.")
WRONG_TYPE = gettext_noop("“%(name)s”: the model takes text here, or numbers where text is described.")
TWICE = gettext_noop("“%(name)s” stands there twice. Give each input and output a name of its own.")

TYPES = {"number": DataType.FLOAT, "choice": DataType.LABEL, "text": DataType.LANGUAGE}

Words: TypeAlias = InputWords | OutputWords
W = TypeVar("W", InputWords, OutputWords)


def from_columns(signature: Signature, described: Any, last: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the description for {"inputs": [...], "outputs": [...]}, or a list of inputs, as `words` reads them.

    Inputs fill the tensors one after the other, outputs likewise. Outputs may be left out: then they are proposed, as
    `propose` does with `last`. Raises DataError naming the input and the problem.
    """
    ins, outs = read_columns(described)
    if not has_form(signature):
        raise DataError(ONLY_TENSORS)
    return _build(signature, ins, outs or guess_outputs(signature, last or {}, [], {}, {words.name for words in ins}))


def read_columns(described: Any) -> tuple[list[InputWords], list[OutputWords]]:
    """Read what somebody said before it is known of which model. Raises DataError."""
    sent = {"inputs": described} if isinstance(described, list) else described
    if not isinstance(sent, Mapping) or not isinstance(sent.get("inputs"), list):
        raise DataError(NOT_A_LIST, example=EXAMPLE)
    outputs = sent.get("outputs") or []
    if not isinstance(outputs, list):
        raise DataError(NOT_A_LIST, example=EXAMPLE)
    ins = [InputWords.read(item, number) for number, item in enumerate(sent["inputs"], 1)]
    return ins, [OutputWords.read(item, number) for number, item in enumerate(outputs, 1)]


def is_of_tensors(described: Any) -> bool:
    """Whether this tells shapes, [{"name", "shape", "dtype"}], for a file that holds none, and not what columns mean."""
    items = described if isinstance(described, list) else []
    return any(isinstance(item, Mapping) and ("shape" in item or "dtype" in item) for item in items)


def check(description: Mapping[str, Any], signature: Signature) -> None:
    """Raise DataError, naming input and problem, where a description does not fit a model."""
    if description["has_form"]:
        from_columns(signature, description["words"])


def fits(description: Mapping[str, Any], signature: Signature) -> bool:
    """Whether what was said of another version holds for this one."""
    try:
        check(description, signature)
    except (DataError, KeyError):
        return False
    return bool(description["has_form"]) == has_form(signature)


def propose(
    signature: Signature, sample: Sample | None = None, last: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return a sensible description of a model of which nobody has said anything yet.

    `sample` holds rows such as the model takes, in its order, perhaps with the answers behind: names, types, labels and
    ranges come from there. `last` is the last operator before each output, where that is known.
    """
    if not has_form(signature):
        return _wordless()
    ins, rest = _propose_inputs(signature, sample or {}, last or {})
    outs = guess_outputs(signature, last or {}, list(rest), rest, {words.name for words in ins})
    return _build(signature, ins, outs)


def has_form(signature: Signature) -> bool:
    """Whether a person can be asked for a row of it, and an answer be shown."""
    taken, given = [t.width for t in signature.inputs], [t.width for t in signature.outputs]
    if None in taken or None in given:
        return False
    return 1 <= sum(w or 0 for w in taken) <= MOST_VALUES and 1 <= sum(w or 0 for w in given) <= MOST_CLASSES


def _wordless() -> dict[str, Any]:
    empty: dict[str, Any] = {name: [] for name in ("columns", "inputs", "outputs", "feeds", "reads")}
    return {"version": VERSION, "is_uploaded": True, "has_form": False, "words": {"inputs": [], "outputs": []}} | empty


def _build(signature: Signature, ins: list[InputWords], outs: list[OutputWords]) -> dict[str, Any]:
    _check_names([*ins, *outs])
    feeds = _placed(signature.inputs, ins, (TOO_FEW, TOO_MANY))
    reads = _placed(signature.outputs, outs, (OUT_FEW, OUT_MANY))
    for tensor, words, _at in feeds:
        if (tensor.dtype == TEXT) != (words.type == "text"):
            raise DataError(WRONG_TYPE, name=words.name)
    for tensor, said, _at in reads:
        if (tensor.dtype == TEXT) != (said.kind is Kind.TEXT):
            raise DataError(WRONG_TYPE, name=said.name)
    whole = {words.name for tensor, words, _ in feeds if tensor.dtype.startswith(("int", "uint"))}
    return _wordless() | {
        "has_form": True,
        "words": {"inputs": [words.to_json() for words in ins], "outputs": [words.to_json() for words in outs]},
        "columns": Schema((*map(_input_column, ins), *map(_output_column, outs))).to_json(),
        "inputs": [_input(words, words.name in whole and words.scale == 1 and not words.offset) for words in ins],
        "outputs": [_output(words) for words in outs],
        "feeds": [_feed(tensor, feeds) for tensor in signature.inputs],
        "reads": [words.to_json() | {"tensor": t.name, "at": at, "width": words.width} for t, words, at in reads],
    }


def _check_names(words: Iterable[Words]) -> None:
    seen: set[str] = set()
    for word in words:
        key = word.name.casefold()
        if key in seen:
            raise DataError(TWICE, name=word.name)
        seen.add(key)


def _placed(tensors: Sequence[Tensor], words: Sequence[W], sentences: tuple[str, str]) -> list[tuple[Tensor, W, int]]:
    """Give each word its tensor and the place in a row of it. Raises DataError."""
    too_few, too_many = sentences
    wanted = sum(tensor.width or 0 for tensor in tensors)
    left = [(tensor, at) for tensor in tensors for at in range(tensor.width or 0)]
    placed: list[tuple[Tensor, W, int]] = []
    start = 0
    for word in words:
        places = left[start : start + word.width]
        if len(places) < word.width:
            raise DataError(too_many, wanted=wanted, name=word.name)
        if places[0][0] is not places[-1][0]:
            raise DataError(ACROSS, name=word.name)
        placed.append((places[0][0], word, places[0][1]))
        start += word.width
    if start < len(left):
        raise DataError(too_few, wanted=wanted, found=start, name=words[-1].name if words else "")
    return placed


def _feed(tensor: Tensor, feeds: Iterable[tuple[Tensor, InputWords, int]]) -> dict[str, Any]:
    parts = [words.to_json() | {"at": at, "width": words.width} for of, words, at in feeds if of is tensor]
    return {"tensor": tensor.name, "dtype": tensor.dtype, "shape": list(tensor.shape), "parts": parts}


def _input_column(words: InputWords) -> Column:
    return Column(words.name, TYPES[words.type], description=words.description, unit=words.unit)


def _output_column(words: OutputWords) -> Column:
    type = DataType.FLOAT if words.kind is Kind.NUMBER else DataType.LABEL
    return Column(words.name, type, Role.OUTPUT, description=words.description, unit=words.unit)


def _input(words: InputWords, whole: bool) -> dict[str, Any]:
    """As machines.engine.describe tells it; `is_told`: range and labels are the owner's words, not what training saw."""
    about = {"name": words.name, "type": str(TYPES[words.type]), "unit": words.unit, "description": words.description}
    span = {"low": words.low, "median": None, "high": words.high, "whole": whole} if words.type == "number" else {}
    labels = {"labels": list(words.labels)} if words.type == "choice" else {}
    return about | span | labels | {"missing": 0.0, "importance": None, "is_told": True, "required": words.fill is None}


def _output(words: OutputWords) -> dict[str, Any]:
    """Without rates, mean and interval, which nobody has measured."""
    is_number = words.kind is Kind.NUMBER
    classes = [] if words.kind is Kind.INDEX else list(words.labels)
    about = {"name": words.name, "task": "regression" if is_number else "classification", "classes": classes}
    told: dict[str, Any] = {"low": words.low, "high": words.high, "mean": None, "rates": [], "interval": False}
    return about | {"unit": words.unit, "description": words.description} | told


def _propose_inputs(signature: Signature, sample: Sample, last: Mapping[str, str]) -> tuple[list[InputWords], Sample]:
    """One column for each value, or the sample's columns where they fill the tensors; and what the sample has beyond."""
    names = [name for name in sample if is_text(name, MOST_NAME)]
    total = sum(tensor.width or 0 for tensor in signature.inputs)
    told: list[list[InputWords]] = [
        _until([seen_in(name, sample[name], way) for name in names], total) for way in ("index", "one_hot")
    ]
    answers = len(guess_outputs(signature, last, [], {}, set()))
    for words in sorted(
        told, key=lambda words: len(names) - len(words) != answers
    ):  # best with just the answers behind
        if words and _is_allowed(signature, words):
            return words, {name: sample[name] for name in names[len(words) :]}
    return numbered(signature), {}


def _until(words: list[InputWords], total: int) -> list[InputWords]:
    """Return as many as fill so many values; [] where none do."""
    filled = 0
    for count, word in enumerate(words, 1):
        filled += word.width
        if filled == total:
            return words[:count]
    return []


def _is_allowed(signature: Signature, words: list[InputWords]) -> bool:
    try:
        _build(signature, words, guess_outputs(signature, {}, [], {}, {word.name for word in words}))
    except DataError:
        return False
    return True
