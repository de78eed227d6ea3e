"""A character that PostgreSQL refuses in text and JSON never comes as far: text files with it are refused, others cleaned."""

import io
import json

import polars as pl
import pytest

from models import Column

pytestmark = pytest.mark.django_db
NAME, CELL = "s\0ize", "la\0rge"
SIZES = [CELL, "\0", "small"] * 10


def as_json():
    return json.dumps([{NAME: size, "price": at} for at, size in enumerate(SIZES)]).encode()


def as_parquet():
    file = io.BytesIO()
    pl.DataFrame({NAME: SIZES, "price": range(30)}).write_parquet(file)
    return file.getvalue()


def as_json_in_csv():
    lines = [json.dumps({NAME: size}).replace('"', '""') for size in SIZES]
    return ("home,price\n" + "".join(f'"{line}",{at}\n' for at, line in enumerate(lines))).encode()


@pytest.mark.parametrize(
    ("file_name", "content", "column"),
    [("a.json", as_json, "size"), ("a.parquet", as_parquet, "size"), ("a.csv", as_json_in_csv, "home_size")],
)
def test_nul_is_left_out(upload, file_name, content, column):
    machine = upload(content(), file_name=file_name)
    found = Column.objects.get(machine=machine, name=column)
    assert (found.profile["distinct"], found.profile["missing"]) == (2, 10), "a cell of nothing else is empty"
    assert "large" in found.profile["samples"]
    told = json.dumps([*machine.columns.values_list("name", "profile"), machine.source_preview], ensure_ascii=False)
    assert json.dumps("\0")[1:-1] not in told.replace("\\\\", "")
