"""Changed copies of rows, which nobody learns from: what a change does to the answer of models that never saw the row.

Two kinds: every number moved a little (noise), and the cells of one column dealt anew among the rows (permutation, Breiman
2001, "Random forests"). A model's importance measured on rows that it has learned would praise what it only remembers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from machines.engine.schema import Column, Table

NOISE = 0.125  # of the span between the 5 % and 95 % quantile, either way, evenly distributed
MOST_NOISY = 1_000
MOST_CELLS = 4_000_000  # of all that is permuted
MOST_COLUMNS = 300  # beyond which a column's share says little
PER_COLUMN = (30, 300)  # least and most rows of one column


@dataclass(frozen=True)
class Probes:
    """The changed rows one below the other, and which rows they were."""

    table: Table
    origin: NDArray[np.int64]  # [probes], row numbers among those the probes were made of
    noisy: slice
    permuted: Mapping[str, slice]  # by column; empty where there are too many columns

    def __len__(self) -> int:
        return len(self.origin)


def make_probes(
    table: Table, columns: Sequence[Column], measured: NDArray[np.int64], rng: np.random.Generator
) -> Probes:
    """Make probes of some of the `measured` rows of the table."""
    noisy = measured[:MOST_NOISY]
    spans = {c.name: span(table[c.name]) for c in columns if c.type.is_numeric}
    parts: list[Table] = [moved(taken(table, noisy), columns, spans, rng)]
    origins, permuted, at = [noisy], {}, len(noisy)
    each = min(len(measured), PER_COLUMN[1], MOST_CELLS // len(columns) ** 2)
    for column in columns if each >= min(PER_COLUMN[0], len(measured)) and len(columns) <= MOST_COLUMNS else ():
        rows = rng.choice(measured, each, replace=False)
        changed = taken(table, rows)
        changed[column.name] = table[column.name][rng.permutation(measured)[:each]]
        parts.append(changed)
        origins.append(rows)
        permuted[column.name] = slice(at, at := at + each)
    every = {c.name: np.concatenate([part[c.name] for part in parts]) for c in columns}
    return Probes(every, np.concatenate(origins), slice(0, len(noisy)), permuted)


def moved(
    table: Table, columns: Sequence[Column], spans: Mapping[str, float], rng: np.random.Generator
) -> dict[str, NDArray[Any]]:
    """The table with every number and moment moved at random by up to an eighth of its span."""
    rows = len(next(iter(table.values())))
    return dict(table) | {name: table[name] + NOISE * width * rng.uniform(-1, 1, rows) for name, width in spans.items()}


def span(values: NDArray[Any]) -> float:
    """How far the 5 % and the 95 % quantile of what is known are apart."""
    known = values[np.isfinite(values)]
    return float(np.subtract(*np.quantile(known, [0.95, 0.05]))) if len(known) else 0.0


def taken(table: Table, rows: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    return {name: values[rows] for name, values in table.items()}
