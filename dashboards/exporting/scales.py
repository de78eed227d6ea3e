"""An axis: from what stands in a figure to numbers along the axis, and from these to pixels."""

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

ROOM = 0.05  # of the reach, beside the outermost points


class Kind(StrEnum):
    LINEAR = "linear"
    LOG = "log"
    DATE = "date"
    CATEGORY = "category"


@dataclass(frozen=True)
class Reading:
    """How values become coordinates: a logarithm, milliseconds since 1970, the place of a label."""

    kind: Kind
    places: Mapping[str, int] = field(default_factory=dict)

    def coordinate(self, value: Any) -> float | None:
        """Return None for what cannot stand on this axis."""
        if value is None or isinstance(value, bool):
            return None
        if self.kind is Kind.CATEGORY and str(value) in self.places:
            return float(self.places[str(value)])
        if self.kind is Kind.DATE and isinstance(value, str):
            return _milliseconds(value)
        if not isinstance(value, int | float) or not math.isfinite(value):
            return None
        if self.kind is Kind.LOG:
            return math.log10(value) if value > 0 else None
        return float(value)


def reading(told: Mapping[str, Any], values: Iterable[Any]) -> Reading:
    """Return how an axis of a layout reads these values, as Plotly decides: labels if there is one among them."""
    if told.get("type") in (Kind.LOG, Kind.DATE):
        return Reading(Kind(told["type"]))
    labels = [value for value in values if value is not None]
    if told.get("type") == Kind.CATEGORY or any(isinstance(label, str) for label in labels):
        order = [*told.get("categoryarray", ()), *labels]
        return Reading(Kind.CATEGORY, {label: at for at, label in enumerate(dict.fromkeys(map(str, order)))})
    return Reading(Kind.LINEAR)


@dataclass(frozen=True)
class Scale:
    """Coordinates from `low` to `high` on pixels from `begin` to `end`; an axis that goes up ends at fewer pixels."""

    reading: Reading
    low: float
    high: float
    begin: float
    end: float

    def pixel(self, coordinate: float) -> float:
        return self.begin + (coordinate - self.low) / (self.high - self.low) * (self.end - self.begin)

    def holds(self, coordinate: float) -> bool:
        slack = 1e-9 * abs(self.high - self.low)
        return min(self.low, self.high) - slack <= coordinate <= max(self.low, self.high) + slack


def reach(
    told: Mapping[str, Any], reading: Reading, coordinates: Sequence[float], grounds: set[float]
) -> tuple[float, float]:
    """From where to where an axis goes. Bars stand on the `grounds`, so that there is no room below these."""
    if given := _given(told, reading):
        return given
    low, high = min(coordinates, default=0.0), max(coordinates, default=1.0)
    if told.get("rangemode") == "tozero" and reading.kind is Kind.LINEAR:
        low, high, grounds = min(low, 0.0), max(high, 0.0), grounds | {0.0}
    places = _places(told, reading)
    if places:  # half a place beside the outermost
        low, high = min(low, min(places) - 0.5), max(high, max(places) + 0.5)
    elif low == high:
        low, high = low - (abs(low) / 2 or 1), high + (abs(high) / 2 or 1)
    else:
        room = ROOM * (high - low)
        low, high = low - (0 if low in grounds else room), high + (0 if high in grounds else room)
    return (high, low) if told.get("autorange") == "reversed" else (low, high)


def _places(told: Mapping[str, Any], reading: Reading) -> list[float]:
    """Where labels stand: also those of an axis of whole numbers, each with words of its own."""
    if reading.kind is Kind.CATEGORY:
        return [*map(float, reading.places.values())]
    named = told.get("tickvals") if reading.kind is Kind.LINEAR and "ticktext" in told else None
    return [float(at) for at in named] if named and all(isinstance(at, int) for at in named) else []


def _given(told: Mapping[str, Any], reading: Reading) -> tuple[float, float] | None:
    """The range of the layout; that of a logarithmic axis is one of powers of ten."""
    ends = told.get("range")
    if not ends or len(ends) != 2:
        return None
    plain = Reading(Kind.LINEAR) if reading.kind is not Kind.DATE else reading
    low, high = (plain.coordinate(end) for end in ends)
    return None if low is None or high is None or low == high else (low, high)


def _milliseconds(text: str) -> float | None:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp() * 1000
