"""Very long tables are looked at in part, and say so; what is counted in all rows stays exact."""

import numpy as np
import polars as pl
import pytest

from dashboards.drawing.typed import row_counts
from dashboards.profiling import drawn_rows
from dashboards.profiling.drawn_rows import draw_rows, most_rows
from tests.dashboards.profiling.tables import part, profiled

COLUMNS = {"size": ("FLOAT",), "town": ("LABEL",), "price": ("FLOAT", "output")}


def table(rows, seed, more=0):
    rng = np.random.default_rng(seed)
    size = rng.normal(50 + more, 9, rows)
    town = rng.choice(["a", "b", "c"], rows, p=[0.6, 0.3, 0.1]).tolist()
    return {"size": size.tolist(), "town": town, "price": (size + rng.normal(0, 9, rows)).tolist()}


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(drawn_rows, "MOST_CELLS", 12_000)  # 4000 rows
    monkeypatch.setattr(drawn_rows, "LEAST_ROWS", 10)


def test_a_part_of_the_rows_stands_for_all(tmp_path, few):
    whole = table(20_000, 1)
    told = profiled(tmp_path, COLUMNS, {name: values + values[:500] for name, values in whole.items()})
    size, town = (next(about for about in told["columns"] if about["name"] == name) for name in ("size", "town"))
    assert told["rows"] == 20_500 and 3_700 < told["looked"] < 4_300
    assert size["rows"] == told["looked"] and size["mean"] == pytest.approx(np.mean(whole["size"]), abs=0.6)
    assert [label for label, _ in town["top"]] == ["a", "b", "c"]
    assert town["top"][0][1] / told["looked"] == pytest.approx(0.6, abs=0.03)
    assert told["duplicates"]["rows"] == 500 == told["duplicates"]["pairs"]  # in a fifth of the rows it were some 20


def test_the_same_rows_each_time_and_no_files_left(tmp_path, few):
    first, again = (profiled(tmp_path, COLUMNS, table(9_000, 2)) for _ in range(2))
    assert first == again and first["looked"] < first["rows"]
    assert not list(tmp_path.glob("**/*.arrow"))


def test_parts_stay_apart(tmp_path, few):
    told = profiled(tmp_path, COLUMNS, table(8_000, 3), table(8_000, 4, more=20))
    assert told["by_part"][0]["column"] in {"size", "price"} and told["by_part"][0]["index"] > 1
    assert {"parts"} == {warning["what"] for warning in told["warnings"]}


def test_rows_are_drawn_in_order_and_as_many_of_each_part_as_its_share(tmp_path):
    parts = [part(tmp_path, f"{name}.parquet", n=range(rows)) for name, rows in (("a", 3000), ("b", 1000))]
    (tmp_path / "drawn").mkdir()
    drawn = draw_rows(parts, 4000, 1000, tmp_path / "drawn")
    assert row_counts(drawn) == [pytest.approx(750, abs=100), pytest.approx(250, abs=60)]
    numbers = pl.read_parquet(drawn[0])["n"].cast(pl.Int64)
    assert numbers.is_sorted() and numbers.n_unique() == len(numbers)


def test_how_many_rows_are_looked_at():
    assert most_rows(12) == 1_000_000 and most_rows(3000) == drawn_rows.LEAST_ROWS and most_rows(0) > 0
