"""How much less is known of a row than of those that were learned from."""

import numpy as np
from numpy.typing import NDArray

from machines.engine.encode_numbers import Doubles
from machines.engine.graph import Graph

USUAL = 0.95  # of the rows learned from have no more empty cells than what counts as usual
ALIKE = 10  # so many of them that lack the very same cells are a habit of the table: what these cells mean was learned
MOST_HABITS, MOST_CELLS = 64, 16_000  # that a row is compared with, some microseconds


class Gaps:
    """Tells rows that are emptier than usual, but for those that lack what others lacked.

    A form that is left half empty says nothing by that. Of a table whose hours without a measurement are those without
    visitors, the others tell.
    """

    def __init__(self) -> None:
        self.usual_ = 0.0  # share of empty cells that most rows have anyway
        self.habits_ = np.zeros((0, 0), bool)  # [habits, cells]

    def fit(self, empty: NDArray[np.bool_]) -> "Gaps":
        """Learn from which cells are empty, of the rows to train on: [rows, cells]."""
        share = empty.mean(1)
        self.usual_ = float(np.quantile(share, USUAL))
        habits, counts = np.unique(empty[share > self.usual_], axis=0, return_counts=True)
        often = np.argsort(-counts, kind="stable")[: min(MOST_HABITS, MOST_CELLS // empty.shape[1])]
        self.habits_ = habits[often[counts[often] >= ALIKE]]
        return self

    def emptiness(self, empty: NDArray[np.bool_]) -> Doubles:
        """How much emptier than usual each row is: 0 as usual, 1 nothing is known. [rows]"""
        above: Doubles = np.clip((empty.mean(1) - self.usual_) / max(1.0 - self.usual_, 1e-9), 0.0, 1.0)
        if not len(self.habits_):
            return above
        weights, all_of_it = self._likeness()
        return np.where((empty @ weights - all_of_it).max(1) < 0, above, 0.0)

    def write(self, g: Graph, empty: str) -> str:
        """Write the same for 0 or 1 of each cell, float64 [N, cells]: [N, 1]."""
        share = g.add("ReduceMean", empty, g.ints(1), keepdims=1)
        more = g.add("Sub", share, g.constant(np.array([self.usual_])))
        scaled = g.add("Div", more, g.constant(np.array([1.0 - self.usual_])))
        above = g.add("Clip", scaled, g.constant(np.array(0.0)), g.constant(np.array(1.0)))
        if not len(self.habits_):
            return above
        weights, all_of_it = self._likeness()
        likeness = g.add("Sub", g.add("MatMul", empty, g.constant(weights)), g.constant(all_of_it))
        is_none = g.add("Greater", g.constant(np.array(-0.5)), g.add("ReduceMax", likeness, g.ints(1), keepdims=1))
        return g.add("Where", is_none, above, g.constant(np.array(0.0)))

    def _likeness(self) -> tuple[Doubles, Doubles]:
        """Weights [cells, habits] that add up to a habit's total [habits] for its own cells, and to less for any others."""
        weights: Doubles = 2.0 * self.habits_.T - 1.0
        return weights, self.habits_.sum(1).astype(np.float64)
