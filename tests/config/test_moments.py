"""Dates, times and durations as a person reads and types them."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from itertools import product

import pytest

from config.formats import Formats

EUROPE = Formats()
AMERICA = Formats("12H", "MDY", "/", " ", ".")
SWEDEN = Formats("24H", "YMD", "-", "T", ",")
MOMENT = datetime(2026, 2, 28, 14, 5, 9, tzinfo=UTC)
ALL = [Formats(*each) for each in product(["24H", "12H"], ["DMY", "MDY", "YMD"], "/-.", " T", ",")]


def test_a_moment_is_written_as_the_person_likes_it():
    assert EUROPE.moment(MOMENT) == "28/02/2026 14:05\u00a0UTC"
    assert AMERICA.moment(MOMENT) == "02/28/2026 2:05\u00a0PM\u00a0UTC"
    assert SWEDEN.moment(MOMENT) == "2026-02-28T14:05\u00a0UTC"


def test_a_moment_elsewhere_is_shown_in_utc():
    elsewhere = datetime(2026, 3, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    assert EUROPE.moment(elsewhere) == "28/02/2026 23:30\u00a0UTC"
    assert EUROPE.date(elsewhere) == "28/02/2026"
    assert EUROPE.time(elsewhere) == "23:30"


def test_a_moment_of_someones_data_keeps_its_seconds_and_has_no_zone():
    assert EUROPE.moment(MOMENT.replace(tzinfo=None)) == "28/02/2026 14:05:09"


@pytest.mark.parametrize(("hour", "shown"), [(0, "12:00"), (11, "11:00"), (12, "12:00"), (23, "11:00")])
def test_twelve_hours(hour, shown):
    assert AMERICA.time(time(hour)) == f"{shown}\u00a0{'AM' if hour < 12 else 'PM'}"


@pytest.mark.parametrize("formats", ALL)
def test_what_is_shown_can_be_typed_back(formats):
    for hour, minute in product(range(24), (0, 7, 59)):
        moment = datetime(2026, 2, 3, hour, minute, tzinfo=UTC)
        assert formats.parse_moment(formats.moment(moment)) == moment
        assert formats.parse_time(formats.time(moment)) == moment.time()
    assert formats.parse_date(formats.date(date(2026, 2, 3))) == date(2026, 2, 3)


@pytest.mark.parametrize("formats", ALL)
def test_what_a_browser_sends_is_always_understood(formats):
    assert formats.parse_date("2026-02-03") == date(2026, 2, 3)
    assert formats.parse_time("14:05") == time(14, 5)
    assert formats.parse_time("14:05:09.5") == time(14, 5, 9, 500_000)
    assert formats.parse_moment("2026-02-28T14:05:09") == MOMENT
    assert formats.parse_moment("2026-02-28T16:05:09+02:00") == MOMENT
    assert formats.parse_moment("2026-02-28") == datetime(2026, 2, 28, tzinfo=UTC)


@pytest.mark.parametrize("typed", ["3/2/2026", "3.2.2026", "03-02-2026", "2026/2/3"])
def test_a_date_may_be_typed_with_any_separator(typed):
    assert EUROPE.parse_date(typed) == date(2026, 2, 3)


@pytest.mark.parametrize("typed", ["31/02/2026", "28/02/26", "28/02-2026", "2/28/2026", "2026", "٣/2/2026", "0/0/0000"])
def test_what_is_not_a_date_is_refused_with_an_example(typed):
    with pytest.raises(ValueError) as refusal:
        EUROPE.parse_date(typed)
    assert str(refusal.value) == f"“{typed}” is not a date. Write for example 28/02/2026."


@pytest.mark.parametrize("typed", ["25:00", "14", "14:60", "13:00 PM", "0:30 AM", "noon", "14.30"])
def test_what_is_not_a_time_is_refused_with_an_example(typed):
    with pytest.raises(ValueError) as refusal:
        AMERICA.parse_time(typed)
    assert str(refusal.value) == f"“{typed}” is not a time. Write for example 2:30\u00a0PM."


@pytest.mark.parametrize("typed", ["2026-02-31T10:00", "28/02/2026 25:00", "soon", "28/02/2026 14:00 CET"])
def test_what_is_not_a_moment_is_refused_with_an_example(typed):
    with pytest.raises(ValueError) as refusal:
        EUROPE.parse_moment(typed)
    assert str(refusal.value) == f"“{typed}” is not a date and time. Write for example 28/02/2026 14:30."


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.2, "less than a second"),
        (7.4, "about 7 s"),
        (20.6, "about 20 s"),
        (57.4, "about 55 s"),
        (58, "1 min"),
        (180, "3 min"),
        (3599, "1 h"),
        (7500, "2 h 5 min"),
        (40_000, "11 h"),
        (10 * 86_400, "10 days"),
        (timedelta(minutes=3), "3 min"),
        (float("inf"), "–"),
    ],
)
def test_a_duration_is_what_one_plans_by(seconds, shown):
    assert EUROPE.duration(seconds) == shown


@pytest.mark.parametrize(
    ("header", "formats"),
    [
        ("en-US,en;q=0.9", Formats("12H", "MDY", "/", " ", ".")),
        ("en", Formats(decimal_separator=".")),
        ("en-GB", Formats(decimal_separator=".")),
        ("de-DE,de;q=0.9,en;q=0.8", Formats(date_separator=".")),
        ("de-CH", Formats(date_separator=".", decimal_separator=".")),
        ("fr", Formats()),
        ("sv-SE", Formats(date_format="YMD", date_separator="-")),
        ("ja", Formats(date_format="YMD", decimal_separator=".")),
        ("fr;q=0.5,en-US", Formats("12H", "MDY", "/", " ", ".")),
        ("", Formats()),
        ("*", Formats()),
        (";;;", Formats()),
        ("x" * 100_000, Formats()),
    ],
)
def test_the_browsers_first_language_decides(header, formats):
    assert Formats.from_accept_language(header) == formats
