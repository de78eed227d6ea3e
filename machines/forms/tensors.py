"""Rows sent as JSON for the bare tensors of an uploaded model: strict, and without a step for each single number."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from machines.forms.rows import MOST_ROWS, RowsError, TooManyRowsError
from machines.serving.signature import TEXT, Signature, Tensor

FIELD = "input_data"
TEXT_LENGTH = 10_000  # characters
MOST_SHOWN = 8  # sizes of a shape in a message
KINDS: Mapping[str, frozenset[type]] = {
    "f": frozenset({int, float}),
    "i": frozenset({int}),
    "u": frozenset({int}),
    "b": frozenset({bool}),
    TEXT: frozenset({str}),
}

Feed = Mapping[str, NDArray[Any]]


def read_tensors(signature: Signature, sent: Any) -> tuple[Feed, bool]:
    """Read {"input_data": ...} as input name -> [rows, ...], and tell whether it was one bare row.

    One row, a list of rows, an object with either for each named input, or a list of such objects, one per row. Raises
    RowsError, naming the input, what it expects and what it found; TooManyRowsError.
    """
    data = sent.get(FIELD) if isinstance(sent, Mapping) else None
    if data is None:
        example = f'{{"{FIELD}": [1.5, 2.5]}}'
        raise _error("", _("Send an object with the input of the model, such as %(example)s.") % {"example": example})
    read = [_array(tensor, values) for tensor, values in _by_input(signature, data)]
    feed = {tensor.name: array for (tensor, (array, _is_row)) in zip(signature.inputs, read, strict=True)}
    counts = {name: len(array) for name, array in feed.items()}
    if len(set(counts.values())) > 1 or len({is_row for _array, is_row in read}) > 1:
        told = ", ".join(f"“{name}” {count}" for name, count in counts.items())
        raise _error("", _("Send the same number of rows for each input. These came: %(told)s.") % {"told": told})
    return feed, read[0][1]


def _by_input(signature: Signature, data: Any) -> list[tuple[Tensor, Any]]:
    """Tell what was sent for each input."""
    if isinstance(data, list) and data and all(isinstance(row, dict) for row in data):
        _check_count(len(data))
        _check_names(signature, set().union(*data))
        for number, row in enumerate(data):
            _check_names(signature, row, f"[{number}]")
        return [(tensor, [row[tensor.name] for row in data]) for tensor in signature.inputs]
    if isinstance(data, dict):
        _check_names(signature, data)
        return [(tensor, data[tensor.name]) for tensor in signature.inputs]
    if len(signature.inputs) > 1:
        words = _("This model has several inputs. Send an object with a list for each of %(names)s.")
        raise _error("", words % {"names": _names(signature)})
    return [(signature.inputs[0], data)]


def _check_names(signature: Signature, sent: Any, place: str = "") -> None:
    wanted = {tensor.name for tensor in signature.inputs}
    if wanted != set(sent):
        name = min(wanted ^ set(sent))
        template = _("“%(name)s” is missing.") if name in wanted else _("The model has no input “%(name)s”.")
        takes = _("It takes %(names)s.") % {"names": _names(signature)}
        raise _error(f"{place}.{name[:40]}", f"{template % {'name': name[:40]}} {takes}")


def _names(signature: Signature) -> str:
    return ", ".join(f"“{tensor.name}”" for tensor in signature.inputs)


def _check_count(rows: int) -> None:
    if rows > MOST_ROWS:
        words = _("%(sent)s rows are too many. Send at most %(most)s at once.")
        raise TooManyRowsError(words % {"sent": rows, "most": MOST_ROWS})


def _array(tensor: Tensor, sent: Any) -> tuple[NDArray[Any], bool]:
    """Return what was sent for one input, [rows, *shape], and whether it was one row."""
    depth = _depth(sent)
    is_row = depth == len(tensor.shape) and depth > 0
    rows = [sent] if is_row else sent
    if not is_row and depth != len(tensor.shape) + 1:
        raise _wrong(tensor, _written(sent))
    if not rows:
        raise _wrong(tensor, _("no rows"))
    _check_count(len(rows))
    _check_values(tensor, rows)
    array = _as_array(tensor, rows)
    if any(want is not None and want != found for want, found in zip(tensor.shape, array.shape[1:], strict=True)):
        raise _wrong(tensor, _shown(array.shape[1:]))
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise _wrong(tensor, _("a number that is not finite, or too large for %(type)s") % {"type": tensor.dtype})
    return array, is_row


def _depth(value: Any) -> int:
    """Return how many lists stand in one another, as far as their first items tell."""
    depth = 0
    while isinstance(value, list):
        depth, value = depth + 1, value[0] if value else None
    return depth


def _check_values(tensor: Tensor, rows: Sequence[Any]) -> None:
    """Refuse what is no number where numbers are wanted: Python and numpy would take true and "1" for one."""
    values: Any = rows
    try:
        for _axis in tensor.shape:
            values = chain.from_iterable(values)
        kinds = set(map(type, values))
    except TypeError:  # a number where a list should be
        raise _wrong(tensor, _("lists of different depth")) from None
    wrong = kinds - KINDS[tensor.dtype if tensor.dtype == TEXT else np.dtype(tensor.dtype).kind]
    if wrong:
        raise _wrong(tensor, WORDS[min(wrong, key=lambda kind: kind.__name__)]())


def _as_array(tensor: Tensor, rows: Sequence[Any]) -> NDArray[Any]:
    try:
        if tensor.dtype != TEXT:
            with np.errstate(over="ignore"):  # what is too large becomes infinite, and is told
                return np.array(rows, dtype=tensor.dtype)
        array = np.array(rows, dtype=object)
    except OverflowError:
        raise _wrong(tensor, _("a number too large for %(type)s") % {"type": tensor.dtype}) from None
    except ValueError:
        raise _wrong(tensor, _odd_row(rows)) from None
    if max(map(len, array.ravel()), default=0) > TEXT_LENGTH:
        raise _wrong(tensor, _("a text longer than %(most)s characters") % {"most": TEXT_LENGTH})
    return array


def _odd_row(rows: Sequence[Any]) -> str:
    """Say which row differs from the first."""
    first = _lengths(rows[0])
    for number, row in enumerate(rows, 1):
        if (found := _lengths(row)) != first:
            words = _("%(found)s in row %(number)s")
            return words % {"found": _shown(found), "number": number}
    return _("rows whose lists differ in length")


def _lengths(row: Any) -> tuple[int, ...]:
    lengths = []
    while isinstance(row, list):
        lengths.append(len(row))
        row = row[0] if row else None
    return tuple(lengths)


def _wrong(tensor: Tensor, found: str) -> RowsError:
    words = _("“%(name)s” takes %(type)s of shape %(shape)s for each row; found: %(found)s.")
    kind = _("text") if tensor.dtype == TEXT else tensor.dtype
    about = {"name": tensor.name, "type": kind, "shape": _shown(tensor.shape), "found": found}
    return _error(f".{tensor.name}", words % about)


def _error(place: str, sentence: str) -> RowsError:
    return RowsError(sentence, {f"{FIELD}{place}": [sentence]})


def _shown(shape: Sequence[int | None]) -> str:
    return "[" + ", ".join(_("any") if size is None else str(size) for size in shape) + "]"


def _written(sent: Any) -> str:
    """Say in a few words what was sent instead."""
    if not isinstance(sent, list):
        return WORDS[type(sent)]()
    lengths = _lengths(sent)
    if len(lengths) > MOST_SHOWN:
        return _("lists in one another, %(depth)s deep") % {"depth": len(lengths)}
    return _("lists of shape %(shape)s") % {"shape": _shown(lengths)}


WORDS = {
    bool: lambda: _("true or false"),
    dict: lambda: _("an object"),
    float: lambda: _("a number with a decimal point"),
    int: lambda: _("a whole number"),
    list: lambda: _("more lists in one another"),
    str: lambda: _("text"),
    type(None): lambda: _("null"),
}


def answer_of(outputs: Mapping[str, NDArray[Any]], is_row: bool) -> dict[str, Any]:
    """Return the outputs as they are written: what is no finite number becomes null, with a sentence that says so."""
    warnings = [words for name, array in outputs.items() if (words := _not_finite(name, array))]
    shown = {name: _writable(array, is_row) for name, array in outputs.items()}
    prediction = _of_rows(shown, is_row) if len(shown) > 1 else next(iter(shown.values()))
    return {"prediction": prediction} | ({"warnings": warnings} if warnings else {})


def _not_finite(name: str, array: NDArray[Any]) -> str:
    count = int(array.size - np.isfinite(array).sum()) if array.dtype.kind == "f" else 0
    words = _("“%(name)s” holds values that are no numbers (%(count)s); they are given as null.")
    return words % {"name": name, "count": count} if count else ""


def _writable(array: NDArray[Any], is_row: bool) -> Any:
    """Return an array, or lists, that orjson writes; of one row its values, as a list even if it is a single one."""
    values = array[0] if is_row and array.ndim > 1 else array
    if values.dtype.kind in "OU":
        return values.tolist()
    return np.ascontiguousarray(values, dtype=np.float32 if values.dtype == np.float16 else None)


def _of_rows(shown: Mapping[str, Any], is_row: bool) -> Any:
    """Of several outputs: an object by their names, for each row."""
    if is_row:
        return dict(shown)
    return [dict(zip(shown, row, strict=True)) for row in zip(*shown.values(), strict=True)]
