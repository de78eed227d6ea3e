"""A first look at a table that nobody has read: some rows, as they are read later."""

import numpy as np
import polars as pl
import pytest

from dashboards.drawing import first_look, typed
from dashboards.drawing.first_look import is_wanted
from machines.engine.schema import CellFormat, Column, DataType

PRICE = Column("price", DataType.FLOAT, format=CellFormat(decimal=","))
DAY, TOWN, TEXT = Column("day", DataType.DATE), Column("town", DataType.LABEL), Column("text", DataType.LANGUAGE)
CHOSEN = {"x": DAY, "y": PRICE, "hue": TOWN, "style": TOWN, "z": TEXT}
ROWS = 30_000


@pytest.fixture
def parts(tmp_path):
    """Two parts; the second knows no texts. Each price is another one, so that it tells which row it is of."""
    rng, paths = np.random.default_rng(4), [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    for number, path in enumerate(paths):
        prices = [f"{number * ROWS // 2 + row},5" if row % 7 else "" for row in range(ROWS // 2)]
        days = [f"20{year}-01-02" for year in rng.integers(10, 25, ROWS // 2)]
        towns = rng.choice(["Rome", " Oslo ", "?"], ROWS // 2)
        cells = {"price": prices, "day": days, "town": towns} | ({} if number else {"text": ["to be"] * (ROWS // 2)})
        pl.DataFrame(cells).write_parquet(path, row_group_size=4000)
    return paths


@pytest.fixture(autouse=True)
def large(monkeypatch):
    monkeypatch.setattr(first_look, "MOST_ROWS", ROWS - 1)
    monkeypatch.setattr(first_look, "SHOWN_ROWS", 3000)


def test_it_works(parts):
    some, rows = first_look.first_look(parts, CHOSEN)
    assert rows == ROWS and len(some) == pytest.approx(3000, abs=250)
    assert some["z"].null_count() == pytest.approx(1500, abs=150)


def test_each_row_is_as_it_will_be_read(parts, tmp_path):
    some, _rows = first_look.first_look(parts, CHOSEN)
    whole = typed.frame(parts, CHOSEN, tmp_path / "typed").collect()
    assert some.schema == whole.schema
    known = some.filter(pl.col("y").is_not_null())
    as_words = [pl.col("hue", "style").cast(pl.String)]
    found = known.with_columns(as_words).join(whole.with_columns(as_words), on="y", how="inner", suffix="_whole")
    assert len(found) == len(known) > 2000
    for place in ("x", "hue", "style", "z"):
        assert found[place].equals(found[f"{place}_whole"], null_equal=True), place


def test_every_stretch_of_the_table_is_there_and_always_the_same(parts):
    some, _rows = first_look.first_look(parts, {"y": PRICE})
    tenths = np.bincount((some["y"].drop_nulls().to_numpy() * 10 // ROWS).astype(int), minlength=10)
    assert len(tenths) == 10 and tenths.min() > 200 and tenths.max() < 320
    assert some.equals(first_look.first_look(parts, {"y": PRICE})[0])
    older, newer = (
        set(some.filter(side)["y"] % (ROWS // 2)) for side in (pl.col("y") < ROWS // 2, pl.col("y") >= ROWS // 2)
    )
    assert len(older & newer) < len(older) / 4, "other places in each part, should it repeat itself"


def test_labels_without_end_are_texts(parts, monkeypatch):
    monkeypatch.setattr(typed, "MOST_LABELS", 1)
    assert first_look.first_look(parts, {"hue": TOWN})[0].schema["hue"] == pl.String


def test_it_is_for_large_tables_whose_columns_nobody_has_read(parts, tmp_path, monkeypatch):
    kept = tmp_path / "typed"
    assert is_wanted(parts, CHOSEN, kept)
    typed.frame(parts, {"x": DAY, "y": PRICE}, kept)
    assert not is_wanted(parts, {"y": PRICE}, kept) and is_wanted(parts, CHOSEN, kept)
    monkeypatch.setattr(first_look, "MOST_ROWS", ROWS)
    assert not is_wanted(parts, CHOSEN, kept)


def test_a_column_whose_type_was_changed_is_read_anew(parts, tmp_path):
    kept = tmp_path / "typed"
    typed.frame(parts, {"x": DAY}, kept)
    assert not is_wanted(parts, {"x": DAY}, kept)
    assert is_wanted(parts, {"x": Column("day", DataType.LABEL)}, kept)


def test_a_few_rows_that_come_later_are_read_at_once(parts, tmp_path, monkeypatch):
    kept, more = tmp_path / "typed", tmp_path / "more.parquet"
    monkeypatch.setattr(typed, "STRETCH_BYTES", 1)
    typed.frame(parts, {"x": DAY}, kept)
    pl.read_parquet(parts[1]).write_parquet(more)
    assert typed.unread([*parts, more], [DAY], kept) == [more]
    assert not is_wanted([*parts, more], {"x": DAY}, kept)
    monkeypatch.setattr(first_look, "MOST_ROWS", ROWS // 2 - 1)
    assert is_wanted([*parts, more], {"x": DAY}, kept)
