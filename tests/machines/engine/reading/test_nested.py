"""Cells that hold JSON: each value within them has a column of its own."""

import json

import pytest

from machines.engine.columns.json_cells import spread
from machines.engine.errors import Notice
from machines.engine.schema import DataType
from tests.machines.engine.reading.files import read, sentences
from tests.machines.engine.reading.test_process import ask


def table_of(*values, more="1"):
    cells = (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in values)
    quoted = (cell.replace('"', '""') for cell in cells)
    return "info,y\n" + "".join(f'"{cell}",{more}\n' for cell in quoted)


def test_it_works(tmp_path):
    table = read(tmp_path, table_of(*({"a": at, "b": {"c": "x"}} for at in range(5))))
    assert table.columns == ("info", "y", "info_a", "info_b_c")
    assert table.added == ("info_a", "info_b_c")
    assert table.frame["info_a"].to_list() == ["0", "1", "2", "3", "4"]
    assert "info" in sentences(table)


@pytest.mark.parametrize(
    ("value", "cells"),
    [
        ({"a": None, "b": True, "c": "ß"}, {"x_a": None, "x_b": "true", "x_c": "ß"}),
        (["red", "blue"], {"x_count": "2", "x_items": "red, blue"}),
        ({"tags": ["a", 1, None]}, {"x_tags_count": "3", "x_tags_items": "a, 1"}),
        ({"place": [52.5, -13]}, {"x_place_count": "2", "x_place_1": "52.5", "x_place_2": "-13"}),
        ([], {"x_count": "0"}),
        ([{"a": 1}], {"x_count": "1", "x_items": '{"a": 1}'}),
        ({}, {}),
    ],
)
def test_what_becomes_of_a_value(value, cells):
    assert spread("x", value) == cells


def test_ten_thousand_levels_are_no_error():
    deep, wide = [], {}
    for _ in range(10_000):
        deep, wide = [deep], {"a": wide}
    assert spread("x", deep) == {"x_count": "1"}
    assert len(spread("x", wide)) == 1


def test_broken_cells_are_empty_and_counted(tmp_path):
    table = read(tmp_path, table_of(*[{"a": 1}] * 19, '{"a": 2'))
    assert table.frame["info_a"].to_list() == ["1"] * 19 + [None]
    assert "count as empty: 1" in sentences(table)


def test_too_many_keys_are_cut_to_the_most_frequent(tmp_path):
    table = read(tmp_path, table_of(*({f"key{at}": 1, "common": 2} for at in range(150))))
    assert len(table.added) == 100 and "info_common" in table.added
    assert "151" in sentences(table)


def test_text_that_looks_like_lists_is_text(tmp_path):
    assert read(tmp_path, table_of("[removed]", "[deleted]", "{note}")).added == ()


def test_rows_added_later_may_have_other_keys(tmp_path):
    profiles = ask(tmp_path, table_of(*({"a": at % 3 + 0.5, "b": "xyz"[at % 3]} for at in range(40)), more="q"))
    types = {column["name"]: column["type"] for column in profiles["columns"]}
    assert types["info"] == DataType.JSON and types["info_a"] == DataType.FLOAT
    schema = [
        {"name": name, "type": type, "role": "ignored" if name == "info" else "input"} for name, type in types.items()
    ]
    reply = ask(tmp_path, table_of({"a": 7, "new": 1}, {"a": 8}), kind="append", schema=schema)
    assert (reply["kind"], reply["rows"], reply["names"]) == ("done", 2, [*types])
    reply = ask(tmp_path, "y\n1\n2\n", kind="append", schema=schema)
    assert "“info_a” is missing" in str(Notice.from_json(reply["error"]))
