"""Small made-up tables whose truth is known."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from machines.engine import fit, learn, trees
from machines.engine.schema import Column, DataType, Role, Schema

DAY = 86_400.0
COLUMNS = (
    Column("size", DataType.FLOAT),
    Column("rooms", DataType.FLOAT, zero_is_missing=True),
    Column("city", DataType.LABEL),
    Column("note", DataType.LANGUAGE),
    Column("built", DataType.DATE),
    Column("sold", DataType.DATETIME),
    Column("opens", DataType.TIME),
)
NUMBER = Column("price", DataType.FLOAT, Role.OUTPUT)
LABEL = Column("kind", DataType.LABEL, Role.OUTPUT)


def make_table(rows=300, seed=0):
    """All input types with holes, a number `price` and a label `kind` that follow from them."""
    rng = np.random.default_rng(seed)
    size = rng.normal(100, 30, rows)
    city = rng.choice(["Aarhus", "Ærø", "Łódź", "東京"], rows, p=[0.5, 0.3, 0.15, 0.05])
    note = rng.choice(["very good house", "Bad roof, damp!", "quiet street", "good. quiet; view"], rows)
    table = {
        "size": _holes(size, rng),
        "rooms": _holes(rng.integers(0, 6, rows).astype(float), rng),
        "city": _holes(city, rng),
        "note": _holes(note, rng),
        "built": _holes(np.floor(rng.uniform(0, 19_000, rows)) * DAY, rng),
        "sold": _holes(rng.uniform(1.5e9, 1.7e9, rows), rng),
        "opens": _holes(rng.uniform(0, DAY, rows), rng),
        "price": 3 * size + 50 * (city == "Ærø") + rng.normal(0, 10, rows),
        "kind": np.where(size + rng.normal(0, 5, rows) > 100, "Large, “grand”", "small").astype(object),
    }
    return table, Schema((*COLUMNS, NUMBER, LABEL))


def simple_table(rows=200, columns=3, seed=0, classes=0):
    """Normal numbers x0, x1 ... and an answer y: their sum with noise 1, or the class that sum falls into."""
    rng = np.random.default_rng(seed)
    table = {f"x{i}": rng.normal(size=rows) for i in range(columns)}
    total = sum(table.values()) + rng.normal(size=rows)
    if classes:
        edges = np.quantile(total, np.linspace(0, 1, classes + 1)[1:-1])
        total = np.array([f"class {i}" for i in np.searchsorted(edges, total)], dtype=object)
    output = Column("y", DataType.LABEL if classes else DataType.FLOAT, Role.OUTPUT)
    return table | {"y": total}, Schema((*(Column(name, DataType.FLOAT) for name in table), output))


def stubborn_table(rows=120):
    """Three labels of which one is often wrong, so that what models are too sure of is worth learning: see stacking."""
    table, schema = simple_table(rows, columns=4, classes=3)
    wrong = np.random.default_rng(0).random(rows) < 0.3
    return table | {"y": np.where(wrong, "class 0", table["y"]).astype(object)}, schema


@contextmanager
def few_candidates() -> Iterator[None]:
    """Trainings end after fewer candidates that do not help, with fewer trees and folds: for tests that hold whatever there is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learn, "ENOUGH", (4, 7, 9, 11, 13))
        patch.setattr(trees, "MEASURED", 40)
        patch.setattr(fit, "FOLDS", {3: 1.0})
        yield


def strange_rows():
    """Rows as no training had them: nothing at all, labels and words never seen, numbers far out, infinity."""
    nothing = {c.name: np.nan if c.type.is_numeric else "" for c in COLUMNS}
    unseen = nothing | {"city": "Atlantis", "note": "GOOD!! never\tseen \n words  ", "rooms": 0.0}
    far = nothing | {"size": 1e300, "rooms": -1e12, "built": 4e12, "sold": -6e10, "opens": 1e9}
    infinite = nothing | {"size": np.inf, "rooms": -np.inf, "built": np.inf, "sold": np.inf}
    rows = [nothing, unseen, far, infinite]
    kinds = {c.name: float if c.type.is_numeric else object for c in COLUMNS}
    return {name: np.array([row[name] for row in rows], dtype=kind) for name, kind in kinds.items()}


def _holes(values, rng):
    gone = rng.random(len(values)) < 0.08
    if values.dtype.kind == "f":
        return np.where(gone, np.nan, values)
    return np.where(gone, "", values).astype(object)
