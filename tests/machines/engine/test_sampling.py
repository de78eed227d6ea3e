"""Of a table too large for the time or the memory, rows are chosen at random before they are read."""

import numpy as np
import polars as pl
import pytest

from machines.engine import sampling
from machines.engine.errors import Notice
from machines.engine.prepare import LEFT_OUT, SAMPLED, rows_in_time
from machines.engine.reading.parts import count_rows, pick_rows, read_parts
from machines.engine.sampling import LEAST, TO_FIT, read_within, said_once
from machines.engine.schema import Column, DataType, Role, Schema

SCHEMA = Schema((Column("x", DataType.FLOAT), Column("town", DataType.LABEL), Column("y", DataType.FLOAT, Role.OUTPUT)))
ROWS = 4_000


@pytest.fixture
def parts(tmp_path):
    """Two parts; y is empty in every other row, and the second part lacks the town."""
    x = [str(n) for n in range(ROWS)]
    frame = pl.DataFrame({"x": x, "town": ["Ulm"] * ROWS, "y": [None if n % 2 else str(n) for n in range(ROWS)]})
    frame.head(3_000).write_parquet(tmp_path / "a.parquet", row_group_size=500)
    frame.tail(1_000).drop("town").write_parquet(tmp_path / "b.parquet")
    return [tmp_path / "a.parquet", tmp_path / "b.parquet"]


def read(parts, *, seconds=60.0, memory_mb=2048, seed=0):
    return read_within(parts, SCHEMA.columns, SCHEMA, seconds, memory_mb, seed)


def test_it_works(parts):
    found = read(parts)
    assert found.table["x"].tolist() == list(range(ROWS)) and found.usable is None and not found.notices
    assert found.table["town"][[0, -1]].tolist() == ["Ulm", ""], "a part may lack a column"


def test_too_little_time(parts):
    found = read(parts, seconds=0.001)
    x = found.table["x"]
    assert len(x) == rows_in_time(found.table, SCHEMA, 0.001) == 1_000
    assert np.all(np.diff(x) > 0) and np.all(x % 2 == 0), "in their order, and with an answer each"
    assert found.table["y"].tolist() == x.tolist(), "cells of a row stay together"
    assert x[:500].max() < 3_000 < x.max() and found.usable == ROWS / 2
    assert [notice.template for notice in found.notices][1:] == [SAMPLED]
    assert found.notices[0].values == {"rows": ROWS // 2, "column": "y"}
    assert not np.array_equal(x, read(parts, seconds=0.001, seed=1).table["x"])
    assert np.array_equal(x, read(parts, seconds=0.001).table["x"])


def test_too_little_memory(parts):
    found = read(parts, memory_mb=sampling.LIBRARIES_MB)
    assert len(found.table["x"]) == LEAST
    assert found.notices[-1].template == TO_FIT and found.notices[-1].values == {"used": LEAST, "rows": ROWS // 2}


def test_twice_the_memory_holds_twice_the_rows(parts):
    few, many = (
        sampling._most_rows(parts, SCHEMA.columns, SCHEMA, 60, sampling.LIBRARIES_MB + mb)[1] for mb in (700, 1400)
    )
    assert many == pytest.approx(2 * few, rel=0.1)


def test_what_lacks_answers_needs_no_choice(parts, monkeypatch):
    monkeypatch.setattr(sampling, "_most_rows", lambda *_: (ROWS - 1, ROWS - 1))
    found = read(parts)
    assert len(found.table["x"]) == found.usable == ROWS / 2 and len(found.notices) == 1


def test_samples_of_samples_are_said_once_by_the_smallest():
    lost = Notice(LEFT_OUT, {"rows": 1, "column": "y"})
    samples = [(SAMPLED, 5_000, 9_000), (TO_FIT, 400, 5_000), (SAMPLED, 1_000, 5_000)]
    told = said_once([lost, *(Notice(why, {"used": used, "rows": rows}) for why, used, rows in samples)])
    assert told == [lost, Notice(TO_FIT, {"used": 400, "rows": 9_000})]
    assert said_once([lost]) == [lost]


def test_picking_is_reading(parts):
    whole = read_parts(parts, ["y", "town", "z"])
    assert count_rows(parts) == whole.height == ROWS and whole["z"].is_null().all()
    rows = np.array([0, 499, 500, 2_999, 3_000, 3_999])
    assert pick_rows(parts, ["y", "town", "z"], rows).equals(whole[rows])
    assert read_parts(parts, ["y"], 7).height == 7
