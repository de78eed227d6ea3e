"""Numbers: the grammar, and that one cell and a whole column are read alike."""

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from machines.engine.columns.arrays import parse_numbers
from machines.engine.columns.numbers import parse_number
from machines.engine.schema import CellFormat

US, DE, FR, CH = CellFormat(".", ","), CellFormat(",", "."), CellFormat(",", " "), CellFormat(".", "'")


@pytest.mark.parametrize(
    ("text", "format", "number"),
    [
        ("1,234.50", US, 1234.5),
        ("(1,234.50)", US, -1234.5),
        ("($5)", US, -5),
        ("-$1,000", US, -1000),
        ("$-5", US, -5),
        ("12-", US, -12),
        ("12,5 %", DE, 12.5),
        ("21.111,32 €", DE, 21111.32),
        ("\u2212" + "3,5", DE, -3.5),
        ("1\u202f234\u00a0567,5 €", FR, 1234567.5),
        ("CHF 1'000.25", CH, 1000.25),
        ("1’000", CH, 1000),
        ("EUR 5", US, 5),
        ("5 kr", DE, 5),
        ("1e-3", US, 0.001),
        ("+.5", US, 0.5),
        ("5.", US, 5),
        ("-0", US, 0),
        ("0.1", US, 0.1),
    ],
)
def test_numbers(text, format, number):
    assert parse_number(text, format) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nan",
        "inf",
        "-Infinity",
        "1e400",
        "1_000",
        "٣",
        "0x10",
        "１２",
        "--5",
        "-$-5",
        "1,23,456",
        "1 2",
        "12 kg",
        "5%%",
        "1.2.3",
        "e5",
        ".",
        "-",
        "$",
        "()",
        "(-5",
        "1,5",
        "9" * 5000,
        "1,2345",
        "0,123",
        "1\n2",
        "True",
        "1/2",
        "12:30",
    ],
)
def test_what_is_no_number(text):
    assert parse_number(text, US) is None


def test_a_group_needs_its_mark():
    assert parse_number("1,234", CellFormat(".")) is None
    assert parse_number("1,234", CellFormat(",")) == 1.234
    assert parse_number("0.123", DE) is None


def random_cells(rng):
    letters = "0123456789" * 4 + ".,'’ -+()%€$e\u00a0\u202f"
    noise = ["".join(rng.choices(letters, k=rng.randint(1, 9))) for _ in range(20_000)]
    return (
        noise
        + ["inf", "-Infinity", "NaN", "1e400", "1e0005", "1_000", "0." + "1" * 63, "+5", "5.", ".5", "-0"]
        + [f"{rng.uniform(-1e9, 1e9):,.2f}" for _ in range(3000)]
        + [repr(rng.gauss(0, 1) * 10 ** rng.randint(-300, 300)) for _ in range(3000)]
    )


@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("thousands", ["", ",", ".", " ", "'"])
def test_a_column_is_read_as_its_cells(decimal, thousands):
    cells, format = random_cells(random.Random(7)), CellFormat(decimal, thousands)
    single = np.array([np.nan if (value := parse_number(cell, format)) is None else value for cell in cells])
    assert np.isfinite(single).sum() > 1000
    np.testing.assert_array_equal(parse_numbers(pl.Series(cells), format), single)


def test_cells_are_read_without_polars():
    code = (
        "import sys; from machines.engine.columns import numbers, moments, missing;"
        "assert not {'polars', 'fastexcel'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[4])
