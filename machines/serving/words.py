"""What an owner says about the inputs and outputs of an uploaded model, read strictly: a program should not be guessed at.

An input: {"name", "type": "number" | "choice" | "text", "description", "unit", "low", "high", "fill", "offset", "scale",
"labels", "encoding": "index" | "one_hot"}. An output: {"name", "kind", "description", "unit", "labels", "low", "high",
"offset", "scale"}. A name alone stands for a number.

The model is given (value - offset) / scale, and a number it answers means number * scale + offset: mean and standard
deviation, or lowest value and span. `fill` is given to the model for a value that is not known; without it the value must
be given.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from machines.engine.errors import DataError, gettext_noop

MOST_NAME, MOST_WORDS, MOST_LABELS, MOST_LABEL = 200, 500, 1000, 200

NO_OBJECT = gettext_noop("Describe each input and output as an object with a name, such as %(example)s.")
NO_NAME = gettext_noop("Input or output number %(number)s has no name.")
NO_TEXT = gettext_noop("“%(name)s”: “%(key)s” must be text of at most %(most)s characters.")
NO_NUMBER = gettext_noop("“%(name)s”: “%(key)s” must be a number.")
NO_SCALE = gettext_noop("“%(name)s”: the scale cannot be 0.")
NO_LIST = gettext_noop("“%(name)s”: give its labels as a list of different texts, in the order of the model's numbers.")
FEW_LABELS = gettext_noop("“%(name)s” needs at least two labels.")
BAD_RANGE = gettext_noop("“%(name)s”: the lowest value lies above the highest.")
BAD_FILL = gettext_noop("“%(name)s”: the value for “unknown” must be one of its labels.")
BAD_CHOICE = gettext_noop("“%(name)s”: “%(value)s” is not known here. Choose one of: %(known)s.")
UNKNOWN_KEY = gettext_noop("“%(name)s”: “%(value)s” is not known here. Known are: %(known)s.")
EXAMPLE = '{"name": "Glucose", "unit": "mg/dl", "low": 0, "high": 300}'


class Kind(StrEnum):
    """What the numbers of an output mean."""

    NUMBER = "number"
    CHANCE = "chance"  # one number, the chance of the second label
    LOGIT = "logit"  # the same before the sigmoid
    CHANCES = "chances"  # one number for each label
    LOGITS = "logits"  # the same before the softmax
    INDEX = "index"  # the number of a label, from 0
    TEXT = "text"

    @property
    def has_labels(self) -> bool:
        return self not in {Kind.NUMBER, Kind.TEXT}


@dataclass(frozen=True)
class InputWords:
    name: str
    type: str = "number"
    description: str = ""
    unit: str = ""
    low: float | None = None
    high: float | None = None
    fill: float | str | None = None
    offset: float = 0.0
    scale: float = 1.0
    labels: tuple[str, ...] = ()
    encoding: str = "index"

    @property
    def width(self) -> int:
        """Values of a tensor that it fills."""
        return len(self.labels) if self.type == "choice" and self.encoding == "one_hot" else 1

    @classmethod
    def read(cls, data: Any, number: int) -> "InputWords":
        """Raises DataError."""
        read = _Reader(data, number, {*cls.__dataclass_fields__})
        type = read.choice("type", ("number", "choice", "text"), "number")
        words = cls(
            name=read.name,
            type=type,
            description=read.text("description", MOST_WORDS),
            unit=read.text("unit", MOST_NAME),
            low=read.number("low"),
            high=read.number("high"),
            fill=read.number("fill") if type == "number" else read.text("fill", MOST_LABEL) or None,
            offset=read.number("offset") or 0.0,
            scale=read.scale(),
            labels=read.labels() if type == "choice" else (),
            encoding=read.choice("encoding", ("index", "one_hot"), "index"),
        )
        _check_range(words)
        if type == "choice" and words.fill is not None and words.fill not in words.labels:
            raise DataError(BAD_FILL, name=words.name)
        return words

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"labels": list(self.labels)}


@dataclass(frozen=True)
class OutputWords:
    name: str
    kind: Kind = Kind.NUMBER
    description: str = ""
    unit: str = ""
    labels: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    offset: float = 0.0
    scale: float = 1.0

    @property
    def width(self) -> int:
        return len(self.labels) if self.kind in {Kind.CHANCES, Kind.LOGITS} else 1

    @classmethod
    def read(cls, data: Any, number: int) -> "OutputWords":
        """Raises DataError."""
        read = _Reader(data, number, {*cls.__dataclass_fields__})
        kind = Kind(read.choice("kind", tuple(Kind), Kind.NUMBER))
        words = cls(
            name=read.name,
            kind=kind,
            description=read.text("description", MOST_WORDS),
            unit=read.text("unit", MOST_NAME),
            labels=read.labels(2 if kind in {Kind.CHANCE, Kind.LOGIT} else None) if kind.has_labels else (),
            low=read.number("low"),
            high=read.number("high"),
            offset=read.number("offset") or 0.0,
            scale=read.scale(),
        )
        _check_range(words)
        return words

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"kind": str(self.kind), "labels": list(self.labels)}


def _check_range(words: InputWords | OutputWords) -> None:
    if words.low is not None and words.high is not None and words.low > words.high:
        raise DataError(BAD_RANGE, name=words.name)


class _Reader:
    """One object that somebody sent: every value of the right kind, nothing unknown. Raises DataError."""

    def __init__(self, data: Any, number: int, known: set[str]) -> None:
        data = {"name": data} if isinstance(data, str) else data
        if not isinstance(data, Mapping):
            raise DataError(NO_OBJECT, example=EXAMPLE)
        self.data = data
        self.name = "" if data.get("name") is None else self.text("name", MOST_NAME, str(number))
        if not self.name:
            raise DataError(NO_NAME, number=number)
        for key in data:
            if key not in known:
                raise DataError(UNKNOWN_KEY, name=self.name, value=str(key)[:MOST_NAME], known=", ".join(sorted(known)))

    def text(self, key: str, most: int, name: str = "") -> str:
        value = self.data.get(key)
        value = "" if value is None else value
        if not is_text(value, most):
            raise DataError(NO_TEXT, name=name or self.name, key=key, most=most)
        return str(value).strip()

    def number(self, key: str) -> float | None:
        value = self.data.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
            raise DataError(NO_NUMBER, name=self.name, key=key)
        return float(value)

    def scale(self) -> float:
        scale = self.number("scale")
        if scale == 0:
            raise DataError(NO_SCALE, name=self.name)
        return 1.0 if scale is None else scale

    def choice(self, key: str, known: tuple[str, ...], usual: str) -> str:
        value = self.data.get(key) or usual
        if value not in known:
            raise DataError(BAD_CHOICE, name=self.name, value=str(value)[:MOST_NAME], known=", ".join(known))
        return str(value)

    def labels(self, exactly: int | None = None) -> tuple[str, ...]:
        """Texts, or whole numbers, which are taken as texts."""
        sent = self.data.get("labels") or []
        if not isinstance(sent, list | tuple):
            raise DataError(NO_LIST, name=self.name)
        labels = [str(item) if isinstance(item, int) else item for item in sent]
        is_clean = all(is_text(label, MOST_LABEL) and label.strip() for label in labels)
        if not is_clean or len(set(labels)) < len(labels) or len(labels) > MOST_LABELS:
            raise DataError(NO_LIST, name=self.name)
        if len(labels) < 2 or (exactly and len(labels) != exactly):
            raise DataError(FEW_LABELS, name=self.name)
        return tuple(labels)


def is_text(value: Any, most: int) -> bool:
    """Whether this is text that a database keeps: no NUL, no half of a character."""
    if not isinstance(value, str) or len(value) > most or "\0" in value:
        return False
    return not any("\ud800" <= letter <= "\udfff" for letter in value)


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number of hundreds of digits
        return False
