"""Changed copies of rows, which nobody learns from: what a change does to the answer of models that never saw the row.

Two kinds: every number moved a little (noise), and the cells of one column dealt anew among the rows (permutation, Breiman
2001, "Random forests"). A model's importance measured on rows that it has learned would praise what it only remembers.
Of very many columns only the most promising ones are dealt anew one by one, the others all at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from machines.engine.prepare import Target
from machines.engine.schema import Column, DataType, Table

Rows: TypeAlias = NDArray[np.int64]

NOISE = 0.125  # of the span between the 5 % and 95 % quantile, either way, evenly distributed
MOST_NOISY = 1_000
MOST_CELLS = 4_000_000  # of all that is permuted
PER_COLUMN = (30, 300)  # least and most rows of one column
MOST_LOOKED_AT = 1_000  # rows that tell which columns are promising
BINS = 6  # of a column's values
CLASSES = 10  # of an output, the most frequent ones


@dataclass(frozen=True)
class Probes:
    """The changed rows one below the other, and which rows they were."""

    table: Table
    origin: Rows  # [probes], row numbers among those the probes were made of
    noisy: slice
    permuted: Mapping[tuple[str, ...], slice]  # by the columns that are dealt anew together

    def __len__(self) -> int:
        return len(self.origin)


def make_probes(
    table: Table, columns: Sequence[Column], targets: Sequence[Target], measured: Rows, rng: np.random.Generator
) -> Probes:
    """Make probes of some of the `measured` rows of the table; `targets` hold the same rows as the table."""
    noisy = measured[:MOST_NOISY]
    spans = {c.name: span(table[c.name]) for c in columns if c.type.is_numeric}
    parts: list[Table] = [moved(taken(table, noisy), columns, spans, rng)]
    origins, permuted, at = [noisy], dict[tuple[str, ...], slice](), len(noisy)
    groups = _groups(table, columns, targets, measured, rng)
    each = min(len(measured), PER_COLUMN[1], MOST_CELLS // (len(columns) * max(1, len(groups))))
    for names in groups:
        rows, others = rng.choice(measured, each, replace=False), rng.permutation(measured)[:each]
        parts.append(taken(table, rows) | {name: table[name][others] for name in names})
        origins.append(rows)
        permuted[names] = slice(at, at := at + each)
    every = {c.name: np.concatenate([part[c.name] for part in parts]) for c in columns}
    return Probes(every, np.concatenate(origins), slice(0, len(noisy)), permuted)


def _groups(
    table: Table, columns: Sequence[Column], targets: Sequence[Target], measured: Rows, rng: np.random.Generator
) -> list[tuple[str, ...]]:
    """Every column for itself, or as many as there are cells for, and the others together."""
    names = [column.name for column in columns]
    most = MOST_CELLS // (len(columns) * max(1, min(PER_COLUMN[0], len(measured))))
    if len(names) <= most:
        return [(name,) for name in names]
    rows = rng.choice(measured, min(len(measured), MOST_LOOKED_AT), replace=False)
    truth = np.hstack([_truth(target.take(rows)) for target in targets])
    promise = {c.name: _promise(table[c.name][rows], c.type, truth) for c in columns}
    ordered = sorted(names, key=lambda name: -promise[name])
    return [*((name,) for name in ordered[: most - 1]), tuple(ordered[most - 1 :])] if most > 1 else []


def _promise(values: NDArray[Any], type: DataType, truth: NDArray[np.float64]) -> float:
    """How much of the truth a column may explain alone; what is in a text, bins do not tell."""
    return 1.0 if type is DataType.LANGUAGE else _explained(_bins(values, type), truth)


def _truth(target: Target) -> NDArray[np.float64]:
    """Standardised numbers [rows, 1], or which of the most frequent classes it is [rows, classes]."""
    values = target.values[:, None]
    truth: NDArray[np.float64] = (values == np.arange(min(target.width, CLASSES)) if target.classes else values) * 1.0
    return truth


def _bins(values: NDArray[Any], type: DataType) -> Rows:
    """About as many rows in each bin, or the most frequent labels; what is missing apart. [rows]"""
    if type.is_numeric:
        known = values[np.isfinite(values)]
        edges = np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]) if len(known) else []
        return np.where(np.isfinite(values), np.searchsorted(edges, values, side="right"), BINS)
    _, found, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.minimum(np.argsort(np.argsort(-counts, kind="stable"))[found], BINS)


def _explained(bins: Rows, truth: NDArray[np.float64]) -> float:
    """How much of the truth [rows, outputs] the means of bins explain, as adjusted R2."""
    rows, found = len(bins), np.unique(bins)
    if len(found) in (1, rows):
        return 0.0
    off = truth - truth.mean(0)
    within = sum(np.square(part - part.mean(0)).sum() for bin in found if len(part := off[bins == bin]))
    return 1 - float(within) / max(float(np.square(off).sum()), 1e-12) * (rows - 1) / (rows - len(found))


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


def taken(table: Table, rows: Rows) -> dict[str, NDArray[Any]]:
    return {name: values[rows] for name, values in table.items()}
