"""Rows sent as JSON: read strictly, because a program should not have its values guessed.

Numbers are JSON numbers or text with a decimal point, moments are ISO 8601, null or "" says "I don't know".
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from itertools import islice
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

import numpy as np
import orjson
from django.utils.translation import gettext as _

from machines.engine.columns.json_cells import read_json_cell, spread
from machines.engine.schema import DataType, Schema, Table
from machines.forms.prediction import LABEL_LENGTH, TEXT_LENGTH
from machines.forms.told import told_problems
from machines.forms.unusual import Usual, usual_of
from machines.serving.predictor import Predictor
from machines.serving.uploaded import UploadedPredictor

MOST_ROWS = 10_000
MOST_ERRORS = 20  # named at once
MOST_NAMES = 20
SHOWN = 40  # characters of a value in a message

Reader: TypeAlias = tuple[Callable[[Any], float | str], float | str]  # of a value, and what stands for none

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?")
_MOMENT = re.compile(rf"{_DATE.pattern}(?:[T ]{_TIME.pattern}(?:Z|[+-][0-9]{{2}}:[0-9]{{2}})?)?")


class RowsError(ValueError):
    """Rows that cannot be used. `fields` says where: `rows[2].Glucose` -> sentences."""

    def __init__(self, message: str, fields: Mapping[str, list[str]]) -> None:
        self.fields = fields
        super().__init__(message)


class TooManyRowsError(ValueError):
    """More rows than are answered in one call."""


@dataclass(frozen=True)
class Rows:
    """What was sent as the arrays that the model takes, and what is unusual about it, in sentences."""

    table: Table
    warnings: list[str] = field(default_factory=list)


class RowReader:
    """Reads rows for one machine. What its description says is worked out once: then a row takes microseconds."""

    def __init__(self, description: Mapping[str, Any]) -> None:
        schema, items = Schema.from_json(description["columns"]), description["inputs"]
        labels = {item["name"]: item.get("labels", []) for item in items}
        self.known = {column.name for column in schema.columns}
        self.parents = {column.name for column in schema.columns if column.type is DataType.JSON}
        self.inputs = {column.name: _reader(column.type, labels.get(column.name, [])) for column in schema.inputs}
        self.numbers = [column.name for column in schema.inputs if column.type.is_numeric]
        self.texts = [column.name for column in schema.inputs if not column.type.is_numeric]
        zeros = {column.name for column in schema.inputs if column.zero_is_missing}
        usual = (usual_of(item, is_zero_missing=item["name"] in zeros) for item in items)
        self.usual: list[Usual] = [known for known in usual if known]
        self.told = [item for item in items if item.get("is_told")]  # by the owner of an uploaded model
        self.needs_look = any(item["type"] != "FLOAT" or item["whole"] for item in self.told)

    def read(self, sent: Any) -> Rows:
        """Read {"rows": [{column: value}]}.

        Raises RowsError, naming row, column, value and what is expected; TooManyRowsError.
        """
        rows = [self._flat(row) for row in _rows_of(sent)] if self.parents else _rows_of(sent)
        unused = _check_names(rows, self.inputs, self.known)
        errors: dict[str, list[str]] = {}
        cells = {name: _cells(name, read, rows, errors) for name, read in self.inputs.items()}
        if errors:
            raise _error(errors)
        numbers = np.array([cells[name] for name in self.numbers], np.float64)  # [numbers, rows]
        table = dict(zip(self.numbers, numbers, strict=True))
        table |= {name: np.array(cells[name], object) for name in self.texts}
        if self.told and (self.needs_look or np.isnan(numbers).any()):
            self._check_told(rows, table)
        return Rows(table, [*unused, *(words for usual in self.usual for words in usual.unusual(cells[usual.name]))])

    def _flat(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the row with the inputs that are within its JSON, which is a value or its text, in place of that."""
        flat = dict(row)
        for name in self.parents & row.keys():
            value = read_json_cell(row[name]) if isinstance(row[name], str) else row[name]
            if isinstance(value, dict | list):
                del flat[name]
                flat = {key: cell for key, cell in spread(name, value).items() if key in self.inputs} | flat
        return flat

    def _check_told(self, rows: Sequence[Mapping[str, Any]], table: Table) -> None:
        errors: dict[str, list[str]] = {}
        for item in self.told:
            _refuse_told(item, rows, table[item["name"]], errors)
        if errors:
            raise _error(errors)


_READERS: "WeakKeyDictionary[Predictor | UploadedPredictor, RowReader]" = WeakKeyDictionary()


def reader_of(predictor: Predictor | UploadedPredictor) -> RowReader:
    """Return what reads rows for this loaded model, for as long as it is loaded."""
    reader = _READERS.get(predictor)
    if reader is None:
        reader = _READERS[predictor] = RowReader(predictor.metadata)
    return reader


def read_rows(description: Mapping[str, Any], sent: Any) -> Rows:
    """Read {"rows": [{column: value}]} for the machine that describes itself so, see RowReader."""
    return RowReader(description).read(sent)


def _rows_of(sent: Any) -> list[dict[str, Any]]:
    rows = sent.get("rows") if isinstance(sent, Mapping) else None
    if not isinstance(rows, list):
        example = '{"rows": [{"column": 1.5}]}'
        raise _error({"rows": [_("Send an object with a list of rows, such as %(example)s.") % {"example": example}]})
    if len(rows) > MOST_ROWS:
        words = {"sent": len(rows), "most": MOST_ROWS}
        raise TooManyRowsError(_("%(sent)s rows are too many. Send at most %(most)s at once.") % words)
    wrong = [number for number, row in enumerate(rows) if not isinstance(row, dict)]
    if wrong:
        sentence = _("Write each row as an object: column name, then value.")
        raise _error({f"rows[{number}]": [sentence] for number in wrong[:MOST_ERRORS]})
    return rows


def _check_names(rows: Sequence[Mapping[str, Any]], inputs: Mapping[str, Reader], known: set[str]) -> list[str]:
    """Refuse columns that the machine never had; return a sentence on those that it has and does not ask for."""
    used = set().union(*rows)
    if unknown := used - known:
        asked = ", ".join(f"“{name}”" for name in [*inputs][:MOST_NAMES]) + (", …" if len(inputs) > MOST_NAMES else "")
        template = _("The machine has no column “%(name)s”. It asks for %(asked)s.")
        places = ((number, name) for number, row in enumerate(rows) for name in row if name in unknown)
        named = islice(places, MOST_ERRORS)  # there may be millions
        raise _error({f"rows[{n}].{name}": [template % {"name": _short(name), "asked": asked}] for n, name in named})
    unused = sorted(used - inputs.keys())
    return [_("“%(name)s” is not asked for and was not used.") % {"name": name} for name in unused]


def _error(errors: Mapping[str, list[str]]) -> RowsError:
    """Say the first of them, and where the others are; no more than MOST_ERRORS come here."""
    place, sentences = next(iter(errors.items()))
    message, row = sentences[0], re.match(r"rows\[([0-9]+)\]", place)
    if row:
        message = _("Row %(number)s: %(why)s") % {"number": int(row[1]) + 1, "why": message}
    if len(errors) > 1:
        message = _("%(first)s More of them stand in “fields”.") % {"first": message}
    return RowsError(message, errors)


def _cells(
    name: str, reader: Reader, rows: Sequence[Mapping[str, Any]], errors: dict[str, list[str]]
) -> list[float | str]:
    """Return one column; what cannot be read is added to `errors`."""
    read, nothing = reader
    cells: list[float | str] = []
    for number, row in enumerate(rows):
        value = row.get(name)
        if value is None or value == "":
            cells.append(nothing)
            continue
        try:
            cells.append(read(value))
        except ValueError as error:
            if len(errors) < MOST_ERRORS:
                errors[f"rows[{number}].{name}"] = [_refusal(name, value, error)]
    return cells


def _refusal(name: str, value: Any, error: Exception) -> str:
    return _("“%(name)s” is %(value)s. %(wanted)s") % {"name": name, "value": _written(value), "wanted": error}


def _written(value: Any) -> str:
    if isinstance(value, str):
        return f"“{_short(value)}”"
    try:
        return _short(orjson.dumps(value).decode())
    except orjson.JSONEncodeError:  # lists in lists, deeper than it writes although it reads them
        return "…"


def _short(text: str) -> str:
    return text if len(text) <= SHOWN + 2 else f"{text[:SHOWN]}…"


def _reader(type: DataType, labels: Sequence[str]) -> Reader:
    if type is DataType.LABEL:
        return _LabelReader(labels), ""
    readers = {DataType.FLOAT: _number, DataType.DATE: _date, DataType.TIME: _time, DataType.DATETIME: _moment}
    return (readers[type], math.nan) if type in readers else (_text, "")


def _number(value: Any) -> float:
    if type(value) is float and math.isfinite(value):
        return value
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):  # 1e999
        raise ValueError(_("Send a number such as 30.5."))
    return float(value)


def _matched(pattern: re.Pattern[str], value: Any, wanted: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value.strip()):
        raise ValueError(wanted)
    return value.strip()


def _date(value: Any) -> float:
    wanted = _("Send a date such as 2026-02-28.")
    try:
        day = date.fromisoformat(_matched(_DATE, value, wanted))
    except ValueError:
        raise ValueError(wanted) from None
    return datetime.combine(day, time(), UTC).timestamp()


def _time(value: Any) -> float:
    wanted = _("Send a time such as 14:30 or 14:30:05.")
    try:
        clock = time.fromisoformat(_matched(_TIME, value, wanted))
    except ValueError:
        raise ValueError(wanted) from None
    return clock.hour * 3600 + clock.minute * 60 + clock.second + clock.microsecond / 1e6


def _moment(value: Any) -> float:
    wanted = _("Send a date and time such as 2026-02-28T14:30:05Z.")
    try:
        moment = datetime.fromisoformat(_matched(_MOMENT, value, wanted))
    except ValueError:
        raise ValueError(wanted) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > TEXT_LENGTH:
        raise ValueError(_("Send text of at most %(most)s characters.") % {"most": TEXT_LENGTH})
    return value


class _LabelReader:
    """Labels are text; a number is taken as the label that is written like it, 1 as “1” or “1.0”."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = set(labels)

    def __call__(self, value: Any) -> str:
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return self._spelled(value)
        if not isinstance(value, str) or len(value) > LABEL_LENGTH:
            raise ValueError(_("Send text of at most %(most)s characters.") % {"most": LABEL_LENGTH})
        return value

    def _spelled(self, value: float) -> str:
        plain = str(int(value)) if value == int(value) else repr(value)
        return next((text for text in (plain, f"{value:.1f}", f"{value:.2f}") if text in self.labels), plain)


def _refuse_told(
    item: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], values: Any, errors: dict[str, list[str]]
) -> None:
    """Add an error for each value that an uploaded model needs and does not have, or cannot take."""
    name = item["name"]
    for number, wanted in islice(told_problems(item, values), MOST_ERRORS):
        if len(errors) < MOST_ERRORS:
            value = rows[number].get(name)
            errors.setdefault(f"rows[{number}].{name}", [_refusal(name, value, ValueError(wanted))])
