"""What a person may choose about a training, and how much effort each level stands for."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from machines.engine.errors import DataError, gettext_noop

Loss: TypeAlias = Literal["auto", "mse", "mae", "binary_crossentropy", "categorical_crossentropy"]
Optimizer: TypeAlias = Literal["adam", "sgd", "rmsprop"]

LOSSES = ("auto", "mse", "mae", "binary_crossentropy", "categorical_crossentropy")
OPTIMIZERS = ("adam", "sgd", "rmsprop")
LEVELS = (1, 2, 3, 4, 5)
LEVEL_SECONDS: Mapping[int, float] = {1: 5.0, 2: 15.0, 3: 60.0, 4: 300.0, 5: 1200.0}
PROMISED_ROWS = 50_000  # that the seconds of a level are for
MEMORY_MB = 2048  # of a training, where nothing else is said
CELLS_PER_MB = 4_000  # cells of a table, about, that can be learned from in so much memory
LARGEST_LAYER = 4096

BAD_CHOICE = gettext_noop("“%(value)s” is not a choice for %(name)s. Choose one of %(choices)s.")
BAD_RANGE = gettext_noop("%(name)s is %(value)s, but has to lie between %(low)s and %(high)s.")


@dataclass(frozen=True)
class Parameters:
    """Wishes for the network. What is left at its default is chosen from the data."""

    loss: Loss = "auto"  # a loss that does not suit an output is replaced there, with a notice
    optimizer: Optimizer = "adam"
    shape: tuple[int, ...] | None = None  # widths of the hidden layers
    learning_rate: float | None = None
    batch_size: int | None = None
    dropout: float | None = None
    epochs: int | None = None  # most rounds through the rows
    only_network: bool = False  # no linear model and no trees beside the network

    def __post_init__(self) -> None:
        _check_choice("loss", self.loss, LOSSES)
        _check_choice("optimizer", self.optimizer, OPTIMIZERS)
        _check_range("layers", len(self.shape or (1,)), 1, 8)
        for width in self.shape or ():
            _check_range("shape", width, 1, LARGEST_LAYER)
        _check_range("learning_rate", self.learning_rate or 1e-3, 1e-7, 1.0)
        _check_range("batch_size", self.batch_size or 64, 1, 65536)
        _check_range("dropout", self.dropout or 0.0, 0.0, 0.9)
        _check_range("epochs", self.epochs or 1, 1, 100_000)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Parameters":
        known = {name: data[name] for name in cls.__dataclass_fields__ if data.get(name) is not None}
        if "shape" in known:
            known["shape"] = tuple(int(width) for width in known["shape"]) or None
        return cls(**known)


def level_seconds(level: int, rows: int, columns: int, memory_mb: int = MEMORY_MB) -> float:
    """The most seconds that a training of this level takes on a table of this size; it ends early if nothing more is gained.

    A level's own seconds up to PROMISED_ROWS rows, and beyond in proportion to the rows that are learned from: those
    that fit into the memory.
    """
    learned = min(rows, CELLS_PER_MB * memory_mb // max(1, columns))
    return LEVEL_SECONDS[level] * max(1.0, learned / PROMISED_ROWS)


def level_for(seconds: float) -> int:
    """The lowest level that would use these seconds up."""
    return next((level for level in LEVELS if LEVEL_SECONDS[level] >= seconds), LEVELS[-1])


def check_level(level: int) -> None:
    """Raise DataError unless `level` is 1..5."""
    _check_choice("level", level, LEVELS)


def _check_choice(name: str, value: object, choices: tuple[object, ...]) -> None:
    if value not in choices:
        raise DataError(BAD_CHOICE, name=name, value=value, choices=", ".join(map(str, choices)))


def _check_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise DataError(BAD_RANGE, name=name, value=value, low=low, high=high)
