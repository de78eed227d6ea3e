"""Numbers and moments: float64 columns become a few well-behaved float32 features.

Each encoder learns on numpy arrays and writes its own ONNX nodes, so that training and answering agree.
Scaling happens in float64: seconds since 1970 do not fit into float32.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from machines.engine.graph import Graph
from machines.engine.schema import Column, DataType

Doubles: TypeAlias = NDArray[np.float64]
Floats: TypeAlias = NDArray[np.float32]

LINEAR_REACH = (
    3.0  # spreads around the middle within which scaling is nearly linear; beyond, it grows with the logarithm
)
FARTHEST = 1e6  # spreads
# Steps in 1. Two computers, or two ways to the same value, differ by rounding errors; trees ask which of two values is larger.
GRID = np.float32(2**18)
SAMPLE = 20_000  # rows that quantiles are taken from
DAY, WEEK, YEAR = 86_400.0, 604_800.0, 365.2425 * 86_400.0
MONDAY = 4 * DAY  # 1970-01-05 was a Monday
MOST_DATES_COMPARED = 6
PHASES = {DataType.DATE: ("week", "year"), DataType.DATETIME: ("day", "week", "year"), DataType.TIME: ("day",)}
PERIODS = {"day": (0.0, DAY), "week": (MONDAY, WEEK), "year": (0.0, YEAR)}


class MomentEncoder:
    """Adds what a calendar tells: where in the day, week and year a moment lies, and how far two moments are apart."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self.is_moment = np.array([c.type.is_moment for c in columns], bool)
        moments = [(i, c.type) for i, c in enumerate(columns) if c.type.is_moment]
        phases = [(i, *PERIODS[name]) for i, kind in moments for name in PHASES[kind]]
        self.where = np.array([i for i, _, _ in phases], np.int64)
        self.origin = np.array([origin for _, origin, _ in phases], np.float64)
        self.period = np.array([period for _, _, period in phases], np.float64)
        clocks = [i for i, kind in moments if kind is DataType.TIME][:MOST_DATES_COMPARED]
        dates = [i for i, kind in moments if kind is not DataType.TIME][:MOST_DATES_COMPARED]
        self.pairs = [*combinations(dates, 2), *combinations(clocks, 2)]

    def known(self, x: Doubles) -> Doubles:
        """Return x [rows, columns] without moments that are infinite, for these are none: NaN."""
        return np.where(np.isinf(x) & self.is_moment, np.nan, x) if len(self.where) else x

    def transform(self, x: Doubles) -> Doubles:
        """Append to what is known [rows, columns] in order: phase 0..1, its sine, its cosine, differences in seconds."""
        if not len(self.where):
            return x
        turns = (x[:, self.where] - self.origin) / self.period
        phase = turns - np.floor(turns)
        angle = phase * (2 * np.pi)
        parts = [x, phase, np.sin(angle), np.cos(angle)]
        if self.pairs:
            first, second = np.array(self.pairs).T
            parts.append(x[:, first] - x[:, second])
        return np.concatenate(parts, 1)

    def write(self, g: Graph, x: str) -> str:
        """Write the same as `transform` of what is `known` of the tensor x [N, columns]."""
        if not len(self.where):
            return x
        nothing = g.add("And", g.add("IsInf", x), g.constant(self.is_moment))
        x = g.add("Where", nothing, g.constant(np.array(np.nan)), x)
        moved = g.add("Sub", g.add("Gather", x, g.constant(self.where), axis=1), g.constant(self.origin))
        turns = g.add("Div", moved, g.constant(self.period))
        phase = g.add("Sub", turns, g.add("Floor", turns))
        angle = g.add("Mul", phase, g.constant(np.array([2 * np.pi])))
        parts = [x, phase, g.add("Sin", angle), g.add("Cos", angle)]
        if self.pairs:
            first, second = (g.add("Gather", x, g.ints(*side), axis=1) for side in zip(*self.pairs, strict=True))
            parts.append(g.add("Sub", first, second))
        return g.concat(parts, 1)


class NumberEncoder:
    """Scales numbers to about -3..3 and remembers what was missing. NaN becomes the median.

    Scaled like RealMLP (Holzmueller et al. 2024, arXiv 2407.04491): median and interquartile range, then bent; here by
    arcsinh, which keeps far outliers apart instead of piling them up at the edge.
    """

    def __init__(self, zero_is_missing: Sequence[bool]) -> None:
        self.zero_is_missing = np.array(zero_is_missing, bool)  # for the first columns; derived ones come after

    def fit(self, x: Doubles) -> "NumberEncoder":
        """Learn from x [rows, features]."""
        missing = self.missing(x)
        if not x.shape[1]:
            self.center_ = self.scale_ = np.zeros(0)
            self.kept_ = self.flagged_ = np.zeros(0, np.int64)
            return self
        step = max(1, len(x) // SAMPLE)
        sample = np.where(missing[::step], np.nan, x[::step])
        sample[:, np.isnan(sample).all(0)] = 0.0
        low, quarter, middle, three, high = _quarters(sample)
        spread = np.where(three > quarter, (three - quarter) / 1.349, (high - low) / 2)
        self.center_ = _finite(middle)
        self.scale_ = np.where((spread > 0) & np.isfinite(spread), _finite(spread), 1.0)
        self.kept_ = np.flatnonzero(high > low)
        some = missing[:, : len(self.zero_is_missing)]
        self.flagged_ = np.flatnonzero(some.any(0) & ~some.all(0))
        return self

    def transform(self, x: Doubles) -> tuple[Floats, Floats]:
        """Return values [rows, kept] and missing flags [rows, flagged]."""
        missing = self.missing(x)
        z = (np.where(missing, self.center_, x)[:, self.kept_] - self.center_[self.kept_]) / self.scale_[self.kept_]
        near = (np.clip(z, -FARTHEST, FARTHEST) / LINEAR_REACH).astype(np.float32)
        bent = np.arcsinh(near) * np.float32(LINEAR_REACH)
        return np.rint(bent * GRID) / GRID, missing[:, self.flagged_].astype(np.float32)

    def write(self, g: Graph, x: str, missing: str) -> tuple[str | None, str | None]:
        """Write the same as `transform` for x and missing [N, features]; None where there is nothing."""
        flags = g.cast(g.add("Gather", missing, g.constant(self.flagged_), axis=1), np.float32)
        filled = g.add("Where", missing, g.constant(self.center_), x)
        if len(self.kept_) < len(self.center_):
            filled = g.add("Gather", filled, g.constant(self.kept_), axis=1)
        moved = g.add("Sub", filled, g.constant(self.center_[self.kept_]))
        z = g.add("Div", moved, g.constant(self.scale_[self.kept_]))
        z = g.add("Clip", z, g.constant(np.array(-FARTHEST)), g.constant(np.array(FARTHEST)))
        near = g.cast(g.add("Div", z, g.constant(np.array([LINEAR_REACH]))), np.float32)
        bent = g.add("Mul", g.add("Asinh", near), g.floats(LINEAR_REACH))
        values = g.add("Div", g.add("Round", g.add("Mul", bent, g.floats(float(GRID)))), g.floats(float(GRID)))
        return values if len(self.kept_) else None, flags if len(self.flagged_) else None

    def missing(self, x: Doubles) -> NDArray[np.bool_]:
        """Which cells of x [rows, features] hold nothing."""
        missing = np.isnan(x)
        if self.zero_is_missing.any():
            missing[:, : len(self.zero_is_missing)] |= self.zero_is_missing & (x[:, : len(self.zero_is_missing)] == 0)
        return missing

    def write_missing(self, g: Graph, x: str) -> str:
        """Write the same as `missing`."""
        missing = g.add("IsNaN", x)
        if not self.zero_is_missing.any():
            return missing
        wide = np.zeros(len(self.center_), bool)
        wide[: len(self.zero_is_missing)] = self.zero_is_missing
        zero = g.add("And", g.add("Equal", x, g.constant(np.zeros(1))), g.constant(wide))
        return g.add("Or", missing, zero)


def _quarters(x: Doubles) -> Doubles:
    """Minimum, quartiles and maximum per column of what is not NaN, [5, columns]; far faster than nanquantile."""
    ordered = np.sort(x, 0)  # NaN last
    known = (~np.isnan(ordered)).sum(0)
    at = np.array([[0.0], [0.25], [0.5], [0.75], [1.0]]) * (known - 1)
    return np.take_along_axis(ordered, np.rint(at).astype(np.int64), 0)


def _finite(x: Doubles) -> Doubles:
    return np.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0)
