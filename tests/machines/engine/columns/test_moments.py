"""Dates and times: the many ways to write them, and that one cell and a whole column are read alike."""

import datetime as dt
import random

import numpy as np
import polars as pl
import pytest

from machines.engine.columns.arrays import parse_moments
from machines.engine.columns.moments import month_number, parse_moment
from machines.engine.schema import CellFormat, DataType

DMY, MDY, YMD = (CellFormat(date_order=order) for order in ("DMY", "MDY", "YMD"))


def seconds(*parts):
    return dt.datetime(*parts, tzinfo=dt.UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "format", "day"),
    [
        ("2023-12-02", YMD, (2023, 12, 2)),
        ("2023/1/2", DMY, (2023, 1, 2)),
        ("02.05.2024", DMY, (2024, 5, 2)),
        ("2.5.24", DMY, (2024, 5, 2)),
        ("1/2/2022", MDY, (2022, 1, 2)),
        ("1/2/2022", DMY, (2022, 2, 1)),
        ("1/14/2022", DMY, (2022, 1, 14)),
        ("May 12, 2022", YMD, (2022, 5, 12)),
        ("Mar 02, 2022", YMD, (2022, 3, 2)),
        ("12-May-22", YMD, (2022, 5, 12)),
        ("12. März 2024", YMD, (2024, 3, 12)),
        ("14 févr. 2023", YMD, (2023, 2, 14)),
        ("1er janvier 2024", YMD, (2024, 1, 1)),
        ("12 août 2024", YMD, (2024, 8, 12)),
        ("3 de mayo de 2021", YMD, (2021, 5, 3)),
        ("Monday, 4 March 2024", YMD, (2024, 3, 4)),
        ("20240131", YMD, (2024, 1, 31)),
        ("Jan 2024", YMD, (2024, 1, 1)),
        ("2024-07", YMD, (2024, 7, 1)),
        ("31/12/69", DMY, (1969, 12, 31)),
    ],
)
def test_dates(text, format, day):
    assert parse_moment(text, DataType.DATE, format) == seconds(*day)


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("18.00.00", 64800),
        ("0.05.09", 309),
        ("9:30", 34200),
        ("09:30:15.5", 34215.5),
        ("9:30 PM", 77400),
        ("12 am", 0),
        ("18h30", 66600),
        ("10.05.12", 36312),
        ("14:00 Uhr", 50400),
    ],
)
def test_times(text, clock):
    assert parse_moment(text, DataType.TIME, DMY) == clock


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-01-02T03:04:05Z", (2024, 1, 2, 3, 4, 5)),
        ("2024-01-02 03:04", (2024, 1, 2, 3, 4)),
        ("2024-01-02T00:30:00+02:00", (2024, 1, 1, 22, 30)),
        ("31.12.2022, 23:59", (2022, 12, 31, 23, 59)),
        ("12/31/2022 11:59 PM", (2022, 12, 31, 23, 59)),
        ("Sun, 12 May 2022 10:00:00 +0200", (2022, 5, 12, 8)),
        ("2024-01-02", (2024, 1, 2)),
    ],
)
def test_dates_with_times(text, moment):
    assert parse_moment(text, DataType.DATETIME, MDY) == seconds(*moment)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0000-00-00",
        "31/02/2024",
        "2024-13-01",
        "45000",
        "18.5",
        "25:00",
        "9:61",
        "13:00 PM",
        "192.168.1.1",
        "555-1234",
        "١٢/٠١/٢٠٢٤",
        "May the 4th",
        "Marble 12, 2022",
        "1/2",
        "2024-01-02T",
        "x2024-01-02",
        "12345-01-01",
        "A12",
    ],
)
def test_what_is_no_moment(text):
    assert all(parse_moment(text, type, DMY) is None for type in DataType if type.is_moment)


def test_a_date_has_no_time():
    assert parse_moment("2024-01-02", DataType.TIME, DMY) is None
    assert parse_moment("12:30", DataType.DATE, DMY) is None
    assert parse_moment("2024-01-02 10:00", DataType.DATE, DMY) == seconds(2024, 1, 2)
    assert parse_moment("2024-01-02 10:00", DataType.TIME, DMY) == 36000


def test_months_of_many_languages():
    german = "Januar Februar März April Mai Juni Juli August September Oktober November Dezember"
    french = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre"
    spanish = "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"
    italian = "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre"
    for words in (german, french, spanish, italian):
        assert [month_number(word) for word in words.split()] == list(range(1, 13))
    assert [month_number(word) for word in ("Monday", "Seth", "marble", "deck")] == [0, 0, 0, 0]


def random_moment(rng):
    numbers = [rng.randint(0, 32), rng.randint(0, 14), rng.choice([2024, 24, 1999, 0, 12])]
    rng.shuffle(numbers)
    date = rng.choice("-/.").join(str(number).zfill(rng.choice([1, 2])) for number in numbers)
    clock = f"{rng.randint(0, 25)}:{rng.randint(0, 61):02}" + rng.choice(["", ":03", ":60", ":59.25", " PM", "Z"])
    return rng.choice([date, date, clock, f"{date} {clock}", f"{date}T{clock}"])


@pytest.mark.parametrize("format", [DMY, MDY, YMD])
@pytest.mark.parametrize("type", [DataType.DATE, DataType.TIME, DataType.DATETIME])
def test_a_column_is_read_as_its_cells(format, type):
    rng = random.Random(11)
    cells = [random_moment(rng) for _ in range(8000)]
    single = np.array([np.nan if (value := parse_moment(cell, type, format)) is None else value for cell in cells])
    assert np.isfinite(single).sum() > 500
    np.testing.assert_array_equal(parse_moments(pl.Series(cells), type, format), single)
    np.testing.assert_array_equal(parse_moments(pl.Series(cells * 3), type, format), np.tile(single, 3))
