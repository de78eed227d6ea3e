"""How far a row lies outside of what was seen, so that the machine can admit that it knows less there.

Networks go on in straight lines beyond the last row they saw, and their spread does not grow with the distance. For each
width of a column's seen range that a value lies beyond it and what is near, an answer's interval grows by one standard
deviation of the output on either side, and chances move as far towards the usual shares as they keep of their own. A rule
of thumb, ours.
"""

import numpy as np
from numpy.typing import NDArray

from machines.engine.encode_numbers import Doubles
from machines.engine.graph import Graph

FARTHEST = 3.0  # more than that says no more
NEAR = 0.1  # of the width: one row of a few dozen lies so little beyond the others, and is no stranger


class Outside:
    """Learns the range of each numeric column and a little more; tells the distance of the farthest one, in widths of it."""

    def fit(self, x: Doubles, missing: NDArray[np.bool_]) -> "Outside":
        """Learn from x [rows, columns], without what is missing."""
        known = np.isfinite(x) & ~missing
        self.low_ = np.where(known, x, np.inf).min(0, initial=np.inf)
        self.high_ = np.where(known, x, -np.inf).max(0, initial=-np.inf)
        self.kept_ = np.flatnonzero(self.high_ > self.low_)  # a constant tells nothing about its scale
        self.width_ = (self.high_ - self.low_)[self.kept_]
        self.low_[self.kept_] -= NEAR * self.width_
        self.high_[self.kept_] += NEAR * self.width_
        return self

    def distance(self, x: Doubles, missing: NDArray[np.bool_]) -> Doubles:
        """Return [rows, 1], 0..FARTHEST; 0 inside and near."""
        kept = np.where(missing, np.nan, x)[:, self.kept_]
        beyond = np.maximum(self.low_[self.kept_] - kept, kept - self.high_[self.kept_]) / self.width_
        beyond = np.where(np.isnan(beyond), 0.0, beyond)
        farthest: Doubles = np.clip(beyond.max(1, initial=0.0), 0.0, FARTHEST)[:, None]
        return farthest

    def write(self, g: Graph, x: str, missing: str) -> str | None:
        """Write the same as `distance`; None where no column has a range."""
        if not len(self.kept_):
            return None
        at = g.constant(self.kept_)
        kept = g.add("Gather", x, at, axis=1)
        below = g.add("Sub", g.constant(self.low_[self.kept_]), kept)
        above = g.add("Sub", kept, g.constant(self.high_[self.kept_]))
        beyond = g.add("Div", g.add("Max", below, above), g.constant(self.width_))
        unknown = g.add("Or", g.add("IsNaN", beyond), g.add("Gather", missing, at, axis=1))
        beyond = g.add("Where", unknown, g.constant(np.zeros(1)), beyond)
        farthest = g.add("ReduceMax", beyond, g.ints(1), keepdims=1)
        return g.add("Clip", farthest, g.constant(np.array(0.0)), g.constant(np.array(FARTHEST)))
