"""Excel, JSON and Parquet."""

import datetime as dt
import json

import polars as pl
import pytest

from machines.engine.reading import read_table
from tests.machines.engine.reading.files import read, refusal, write_xlsx


def test_excel(tmp_path):
    rows = [
        ["Report"],
        [],
        ["id", "x", "day"],
        ["007", 0.1, (45000,)],
        ["b", 1234567.25, None],
        [None, None, None],
        ["Total", 5],
    ]
    table = read_table(write_xlsx(tmp_path / "a", rows), "a.xlsx")
    assert table.columns == ("id", "x", "day")
    assert table.frame.rows() == [("007", "0.1", "2023-03-15 00:00:00"), ("b", "1234567.25", None)]


def test_empty_excel(tmp_path):
    path = write_xlsx(tmp_path / "upload", [])
    assert "no filled cells" in refusal(tmp_path, path.read_bytes(), "a.xlsx")


ROWS = [{"a": 1, "b": {"c": 0.1, "d": [1, 2]}}, {"a": None, "e": True}, {"a": "x", "b": {"c": 12345678901234567890}}]
EXPECTED = [("1", "0.1", "[1, 2]", None), (None, None, None, "true"), ("x", "12345678901234567890", None, None)]


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(ROWS),
        json.dumps({"data": ROWS, "count": 3}),
        "\n".join(map(json.dumps, ROWS)),
        json.dumps(ROWS, indent=3),
    ],
)
def test_json(tmp_path, content):
    table = read(tmp_path, content, "a.json")
    assert table.columns == ("a", "b_c", "b_d", "e", "b_d_count", "b_d_1", "b_d_2")
    rows = table.frame.select("a", "b_c", "b_d", "e").rows()
    assert [tuple((cell or "").replace('"', "") or None for cell in row) for row in rows] == EXPECTED


def test_json_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr("machines.engine.reading.json_rows.PIECE", 5)
    monkeypatch.setattr("machines.engine.reading.json_rows.BATCH", 2)
    assert read(tmp_path, json.dumps(ROWS), "a.json").rows == 3


@pytest.mark.parametrize("content", ["[1, 2]", '"x"', "[[1,2]]", '{"a": 1}\n5', "[{},{}]"])
def test_json_that_is_no_table(tmp_path, content):
    assert refusal(tmp_path, content, "a.json")


def test_broken_json_names_the_line(tmp_path):
    assert "line 3" in refusal(tmp_path, '[{"a": 1},\n{"a": 2},\n{"a": ', "a.json")
    assert "nested" in refusal(tmp_path, "[" + '{"a":' * 100_000, "a.json")


DAY = dt.datetime(2024, 1, 2, tzinfo=dt.UTC)


def test_parquet(tmp_path):
    frame = pl.DataFrame(
        {
            "x": [0.1, float("nan"), 1e-7],
            "n": [2**53 + 1, None, 3],
            "when": [DAY + dt.timedelta(hours=3), None, DAY],
            "day": [dt.date(2024, 1, 2), None, None],
            "ok": [True, False, None],
            "s": [{"p": 1, "q": {"r": "z"}}, None, None],
            "l": [[1, 2], [], None],
        }
    )
    frame.write_parquet(tmp_path / "a")
    table = read_table(tmp_path / "a", "a.parquet")
    assert table.columns == ("x", "n", "when", "day", "ok", "s_p", "s_q_r", "l", "l_count", "l_1", "l_2")
    assert table.frame.row(0) == (
        "0.1",
        str(2**53 + 1),
        "2024-01-02T03:00:00Z",
        "2024-01-02",
        "true",
        "1",
        "z",
        "[1,2]",
        *("2", "1", "2"),
    )
    assert table.frame.row(1)[:2] == (None, None)
    assert float(table.frame["x"][2]) == 1e-7


def test_broken_parquet(tmp_path):
    assert "Parquet" in refusal(tmp_path, b"PAR1" + b"\1" * 500 + b"PAR1", "a.parquet")
    assert "something else" in refusal(tmp_path, b"a,b\n1,2\n", "a.parquet")
