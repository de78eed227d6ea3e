"""Typed columns, beside what the engine reads of the same cells."""

import os

import numpy as np
import polars as pl
import pytest

from dashboards.drawing import typed
from machines.engine.columns.parse import read_column
from machines.engine.schema import CellFormat, Column, DataType

PRICE = Column("price", DataType.FLOAT, format=CellFormat(decimal=",", thousands="."))
DAY = Column("day", DataType.DATE, format=CellFormat(date_order="DMY"))
WHEN, TOWN = Column("when", DataType.DATETIME), Column("town", DataType.LABEL)
COLUMNS = (PRICE, DAY, WHEN, TOWN)


def cells(rows: int, seed: int = 0) -> pl.DataFrame:
    """As people write them: with gaps, with marks for gaps, with what cannot be read."""
    rng = np.random.default_rng(seed)
    odd = ["", " ", None, "n/a", "?", "what", "-"]

    def column(written):
        return [odd[rng.integers(7)] if rng.random() < 0.2 else written(rng.integers(1, 28)) for _ in range(rows)]

    return pl.DataFrame({
        "price": column(lambda n: f"{n}.{n:03},{n}"), "day": column(lambda n: f"{n:02}.03.{1950 + n}"),
        "when": column(lambda n: f"2020-01-{n:02} 12:00:{n:02}"), "town": column(lambda n: f"  town {n} "),
    }, schema=dict.fromkeys(["price", "day", "when", "town"], pl.String))  # fmt: skip


@pytest.fixture
def parts(tmp_path):
    paths = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    for number, path in enumerate(paths):
        cells(5000, number).write_parquet(path, row_group_size=700)
    return paths


def test_it_works(parts, tmp_path):
    frame = typed.frame(parts, {"x": WHEN, "y": PRICE, "hue": TOWN}, tmp_path / "typed")
    assert dict(frame.collect_schema()) == {"x": pl.Float64, "y": pl.Float64, "hue": pl.Categorical}
    assert frame.select(pl.len()).collect().item() == 10_000


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
@pytest.mark.parametrize("engine", ["streaming", "in-memory"])
def test_cells_are_the_engines_in_their_order(parts, tmp_path, column, engine):
    found = typed.frame(parts, {"x": column}, tmp_path / "typed").collect(engine=engine)["x"].to_list()
    text = pl.concat([pl.read_parquet(path) for path in parts])[column.name]
    values, _ = read_column(text, column)
    expected = [None if cell == "" or cell != cell else cell for cell in values.tolist()]
    assert found == expected and 0 < sum(cell is None for cell in found) < 2500


def test_a_row_stays_a_row(parts, tmp_path):
    text = pl.concat([pl.read_parquet(path) for path in parts])
    chosen = {"x": WHEN, "hue": TOWN, "col": TOWN}
    found = typed.frame(parts, chosen, tmp_path / "typed").filter(pl.col("hue") == "town 5").collect()
    kept = text.filter(pl.col("town").str.strip_chars() == "town 5")
    assert found["x"].to_list() == pl.Series(read_column(kept["when"], WHEN)[0], nan_to_null=True).to_list()
    assert found["col"].to_list() == found["hue"].to_list()


def test_read_once(parts, tmp_path, monkeypatch):
    folder = tmp_path / "typed"
    first = typed.frame(parts, {"x": PRICE}, folder).collect()
    monkeypatch.setattr(typed, "read_column", lambda *args: pytest.fail("read again"))
    assert typed.frame(parts, {"y": PRICE}, folder).collect()["y"].equals(first["x"], null_equal=True)
    assert len(list(folder.iterdir())) == 1


def test_what_changed_is_read_anew(parts, tmp_path):
    folder = tmp_path / "typed"
    names = {typed.key(parts), typed.key(parts[:1]), typed.key(parts[::-1])}
    os.utime(parts[0], ns=(1, 1))
    assert len(names | {typed.key(parts)}) == 4
    typed.frame(parts, {"x": PRICE}, folder)
    typed.frame(parts, {"x": Column("price", DataType.FLOAT)}, folder)
    typed.frame(parts, {"x": Column("price", DataType.LABEL)}, folder)
    assert len(list(folder.iterdir())) == 3


def test_rows_that_come_later_leave_what_was_typed(parts, tmp_path, monkeypatch):
    folder = tmp_path / "typed"
    monkeypatch.setattr(typed, "STRETCH_BYTES", parts[0].stat().st_size)
    typed.frame(parts, {"x": PRICE, "hue": TOWN}, folder)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    later = [*parts, tmp_path / "c.parquet"]
    cells(50, 2).write_parquet(later[-1])
    read = list[int]()
    monkeypatch.setattr(
        typed, "numbers", lambda piece, column: read.append(len(piece)) or piece.cast(pl.Float64, strict=False)
    )
    found = typed.frame(later, {"x": PRICE, "hue": TOWN}, folder).collect()
    assert len(before) == 4 and len(found) == 10_050 and sum(read) == 50
    assert all(path.read_bytes() == content for path, content in before.items())


def test_small_parts_are_typed_together(tmp_path):
    paths = [tmp_path / f"{number}.parquet" for number in range(30)]
    for number, path in enumerate(paths):
        cells(5, number).write_parquet(path)
    found = typed.frame(paths, {"x": TOWN}, tmp_path / "typed").collect()["x"].to_list()
    words = read_column(pl.concat([pl.read_parquet(path) for path in paths])["town"], TOWN)[0].tolist()
    assert found == [word or None for word in words] and len(list((tmp_path / "typed").iterdir())) == 1


def test_labels_that_are_many_in_one_stretch_are_text_in_all(parts, tmp_path, monkeypatch):
    cells(50).with_columns(town=pl.lit("town 1")).write_parquet(parts[0])
    monkeypatch.setattr(typed, "STRETCH_BYTES", 1)
    monkeypatch.setattr(typed, "MOST_LABELS", 20)
    assert typed.most_labels(parts) == 40
    found = typed.frame(parts, {"x": TOWN}, tmp_path / "typed").collect()["x"]
    assert found.dtype == pl.String and found[0] == "town 1" and found.n_unique() > 20


def test_zero_that_means_missing(tmp_path):
    path = tmp_path / "a.parquet"
    pl.DataFrame({"n": ["0", "1", "0.0"]}).write_parquet(path)
    for zero, expected in ((False, [0, 1, 0]), (True, [None, 1, None])):
        column = Column("n", DataType.FLOAT, zero_is_missing=zero)
        assert typed.frame([path], {"x": column}, tmp_path / "typed").collect()["x"].to_list() == expected


def test_a_column_that_a_part_lacks_is_missing_there(parts, tmp_path):
    cells(10).drop("town").write_parquet(parts[1])
    found = typed.frame(parts, {"x": PRICE, "hue": TOWN}, tmp_path / "typed").collect()
    assert len(found) == 5010 and found["hue"].tail(10).null_count() == 10


def test_many_labels_stay_text(parts, tmp_path, monkeypatch):
    monkeypatch.setattr(typed, "MOST_LABELS", 20)
    found = typed.frame(parts, {"x": TOWN, "y": PRICE}, tmp_path / "typed").collect()
    assert found.schema["x"] == pl.String and found["x"].drop_nulls().str.starts_with("town ").any()


def test_long_labels_are_as_many(parts, tmp_path, monkeypatch):
    monkeypatch.setattr(typed, "MOST_LABEL_BYTES", 100)
    assert typed.frame(parts, {"x": TOWN}, tmp_path / "typed").collect_schema()["x"] == pl.String


def test_texts_are_no_labels(parts, tmp_path):
    chosen = {"x": Column("town", DataType.LANGUAGE), "y": TOWN}
    found = typed.frame(parts, chosen, tmp_path / "typed").collect()
    assert found.schema["x"] == pl.String and found["x"].equals(found["y"].cast(pl.String), null_equal=True)


def test_no_rows(tmp_path):
    cells(0).write_parquet(tmp_path / "a.parquet")
    for paths in ([], [tmp_path / "a.parquet"]):
        assert typed.frame(paths, {"x": PRICE, "hue": TOWN}, tmp_path / "typed").collect().shape == (0, 2)


def test_nothing_half_written_stays(parts, tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(typed, "read_column", full)
    with pytest.raises((OSError, pl.exceptions.PolarsError)):
        typed.frame(parts, {"x": PRICE}, tmp_path / "typed")
    assert list((tmp_path / "typed").iterdir()) == []


def test_the_oldest_go_first(tmp_path):
    folder = tmp_path / "kept"
    folder.mkdir()
    for at, name in enumerate(("old.arrow", "middle.json", "new.arrow", "young.part", "left.part", "other.csv")):
        (folder / name).write_bytes(bytes(100))
        os.utime(folder / name, (2e9 + at, 2e9 + at))
    os.utime(folder / "left.part", (1, 1))
    typed.tidy(folder, 250)
    assert {path.name for path in folder.iterdir()} == {"middle.json", "new.arrow", "young.part", "other.csv"}
