"""Which columns matter to a machine: on tables whose formula is known."""

import numpy as np
import pytest

from machines.engine import probes
from machines.engine.fit import fit
from machines.engine.measure import importance
from machines.engine.prepare import Target
from machines.engine.probes import MOST_CELLS, PER_COLUMN, make_probes
from machines.engine.schema import Column, DataType, Role, Schema
from tests.machines.engine.tables import simple_table

NUMBER = Column("y", DataType.FLOAT, Role.OUTPUT)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def wide_table(columns, rows, rng):
    """Numbers, one label `l` and an output that follows from `x7` and `l`."""
    table = {f"x{i}": rng.normal(size=rows) for i in range(columns - 1)}
    table["l"] = rng.choice(["low", "high"], rows).astype(object)
    types = {name: DataType.LABEL if name == "l" else DataType.FLOAT for name in table}
    y = 3 * table["x7"] + 3 * (table["l"] == "high") + rng.normal(size=rows) * 0.1
    return table | {"y": y}, Schema((*(Column(name, type) for name, type in types.items()), NUMBER))


def test_it_works(rng):
    """y = 3 a + b and a column of noise: dealing a column anew costs twice its variance, so 9 to 1 to 0."""
    table = {name: rng.normal(size=600) for name in "abc"}
    table["y"] = 3 * table["a"] + table["b"] + rng.normal(size=600) * 0.1
    schema = Schema((*(Column(name, DataType.FLOAT) for name in "abc"), NUMBER))
    report = fit(table, schema, level=1, deadline=2, seed=0).report
    assert sum(report.importance.values()) == pytest.approx(1, abs=1e-4)
    for name, share in {"a": 0.9, "b": 0.1, "c": 0.0}.items():
        low, high = report.importance_range[name]
        assert report.importance[name] == pytest.approx(share, abs=0.05)
        assert low - 0.02 <= share <= high + 0.02


def test_intervals_hold_the_truth(rng):
    """Gains whose means are known, with long tails as losses have them."""
    means, held = {("a",): 6.0, ("b",): 3.0, ("c",): 1.0}, []
    for seed in range(100):
        found = importance({names: rng.exponential(mean, 150) for names, mean in means.items()}, seed)
        assert sum(metric.value for metric in found.values()) == pytest.approx(1)
        held += [found[name].low <= mean / 10 <= found[name].high for (name,), mean in means.items()]
    assert 0.9 <= np.mean(held) <= 0.99


def test_columns_dealt_together_share_what_they_have(rng):
    found = importance({("a",): rng.normal(3, 1, 200), ("b", "c"): rng.normal(1, 1, 200)}, 0)
    assert found["b"] == found["c"] and found["b"].value == pytest.approx(0.125, abs=0.03)
    assert found["b"].low == 0 and found["b"].high > 0.25 - 0.03
    assert sum(metric.value for metric in found.values()) == pytest.approx(1)


def test_where_nothing_matters_nothing_has_a_share():
    assert importance({("a",): np.full(9, -1.0), ("b",): np.zeros(9)}, 0)["a"].value == 0
    assert importance({}, 0) == {}


def test_few_columns_are_dealt_anew_one_by_one(rng):
    table, schema = simple_table(100, columns=3)
    found = probes_of(table, schema, rng)
    assert list(found.permuted) == [("x0",), ("x1",), ("x2",)]
    which = found.permuted["x1",]
    assert not np.array_equal(found.table["x1"][which], table["x1"][found.origin[which]])
    assert np.array_equal(found.table["x0"][which], table["x0"][found.origin[which]])


def test_of_very_many_columns_the_promising_ones_are_dealt_one_by_one(rng):
    columns = 1000
    table, schema = wide_table(columns, 300, rng)
    found = probes_of(table, schema, rng)
    *alone, together = found.permuted
    assert {("x7",), ("l",)} <= set(alone[:4]) and len(together) == columns - len(alone)
    rows = found.permuted[together]
    assert PER_COLUMN[0] <= rows.stop - rows.start and columns * (len(found) - found.noisy.stop) <= MOST_CELLS


def test_a_machine_of_many_columns_says_which_matter(rng, monkeypatch):
    monkeypatch.setattr(probes, "MOST_CELLS", 20_000)  # as if there were some thousand
    table, schema = wide_table(40, 200, rng)
    report = fit(table, schema, level=1, deadline=2, seed=0).report
    assert set(report.importance) == {column.name for column in schema.inputs}
    assert sum(report.importance.values()) == pytest.approx(1, abs=1e-3)
    assert report.importance["x7"] > 0.5 and sorted(report.importance, key=report.importance.get)[-2] == "l"


def probes_of(table, schema, rng):
    inputs = {column.name: table[column.name] for column in schema.inputs}
    return make_probes(inputs, schema.inputs, (Target(NUMBER, table["y"]),), np.arange(len(table["y"])), rng)
