"""Columns of text as typed arrays: what is missing, and what cannot be read."""

import itertools

import numpy as np
import polars as pl
import pytest

from machines.engine.columns.missing import missing_tokens
from machines.engine.columns.parse import read_column
from machines.engine.schema import CellFormat, Column, DataType

FORMATS = [
    CellFormat(decimal=decimal, thousands=thousands, date_order=order)
    for decimal, thousands, order in itertools.product(".,", ["", " "], ["YMD", "DMY", "MDY"])
]


@pytest.mark.parametrize("type", [type for type in DataType if not type.is_text])
@pytest.mark.parametrize("format", FORMATS, ids=str)
def test_no_word_for_missing_reads_as_a_value(type, format):
    words = sorted(missing_tokens(type))
    cells = pl.Series([*words, *(word.upper() for word in words), *(f" {word}\t" for word in words), None])
    values, unreadable = read_column(cells, Column("c", type, format=format))
    assert np.isnan(values).all() and not unreadable.any()


def test_what_cannot_be_read_is_told_from_what_is_missing():
    values, unreadable = read_column(pl.Series(["1", "?", None, "many", "2.5", ""]), Column("c", DataType.FLOAT))
    assert values.tolist()[::4] == [1.0, 2.5] and np.isnan(values[[1, 2, 3, 5]]).all()
    assert unreadable.tolist() == [False, False, False, True, False, False]
