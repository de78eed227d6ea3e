"""Numbers as a person reads and types them."""

import random

import numpy as np
import pytest

from config.formats import Formats

COMMA, POINT = Formats(), Formats(decimal_separator=".")
GROUP, MINUS, NO_BREAK = "\u202f", "\u2212", "\u00a0"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (-0.0, "0"),
        (3, "3"),
        (3.0, "3"),
        (30.5, "30,5"),
        (1 / 3, "0,3333"),
        (0.00012345678, "0,0001235"),
        (1234.5678, "1234,568"),
        (9999, "9999"),
        (10_000, f"10{GROUP}000"),
        (1_234_567.8, f"1{GROUP}234{GROUP}568"),
        (-0.25, f"{MINUS}0,25"),
        (-12345, f"{MINUS}12{GROUP}345"),
        (1e20, "1e20"),
        (1.5e-9, f"1,5e{MINUS}9"),
        (float("nan"), "–"),
        (float("inf"), "–"),
        (np.float32(0.1), "0,1"),
        (np.int64(7), "7"),
    ],
)
def test_a_number_has_as_many_digits_as_mean_something(value, shown):
    assert COMMA.number(value) == shown


def test_digits_can_be_chosen():
    assert COMMA.number(2, 2) == "2,00"
    assert POINT.number(1.005, 2) == "1.01"
    assert COMMA.number(-0.001, 2) == "0,00"
    assert COMMA.number(12345678.9, 0) == f"12{GROUP}345{GROUP}679"


@pytest.mark.parametrize("formats", [COMMA, POINT])
@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("30", 30),
        ("  30 ", 30),
        ("30,5", 30.5),
        ("30.5", 30.5),
        ("1.234,5", 1234.5),
        ("1,234.5", 1234.5),
        ("1,234,567", 1234567),
        ("1.234.567", 1234567),
        ("1 234 567", 1234567),
        (f"12{GROUP}345,5", 12345.5),
        (f"12{NO_BREAK}345", 12345),
        ("12'345.5", 12345.5),
        ("12’345", 12345),
        ("0.123", 0.123),
        ("0,123", 0.123),
        ("1.2345", 1.2345),
        (",5", 0.5),
        ("+5", 5),
        (f"{MINUS}3", -3),
        ("1e3", 1000),
        ("1,5e-3", 0.0015),
    ],
)
def test_what_can_be_read_in_one_way_is_read(formats, typed, value):
    assert formats.parse_number(typed) == value


def test_the_own_separator_wins():
    assert COMMA.parse_number("1,234") == 1.234
    assert POINT.parse_number("1.234") == 1.234


@pytest.mark.parametrize(
    ("formats", "typed", "sentence"),
    [
        (COMMA, "1.234", "“1.234” can be read in two ways. Write 1234 or 1,234."),
        (POINT, "1,234", "“1,234” can be read in two ways. Write 1234 or 1.234."),
        (COMMA, "-12.500", "“-12.500” can be read in two ways. Write -12500 or -12,5."),
    ],
)
def test_what_can_be_read_in_two_ways_is_asked_for(formats, typed, sentence):
    with pytest.raises(ValueError) as refusal:
        formats.parse_number(typed)
    assert str(refusal.value) == sentence


REFUSED = ["3o", "nan", "inf", "-inf", "1_000", "0x10", "٣", "½", "²", "１２", "1e400", "--3", "-", ",", "1,2,3"]
REFUSED += ["12 5", "1 23 456", "1'234 567", "1.23.456", "5 %", "1e", "true", "9" * 5000]


@pytest.mark.parametrize("typed", REFUSED)
def test_what_is_not_a_number_is_refused_with_an_example(typed):
    with pytest.raises(ValueError, match=r"is not a number\. Write for example 30 or 30,5\.") as refusal:
        COMMA.parse_number(typed)
    assert typed[:40] in str(refusal.value)
    assert len(str(refusal.value)) < 120


def test_the_example_is_in_the_persons_own_format():
    with pytest.raises(ValueError, match=r"“3o” is not a number\. Write for example 30 or 30\.5\."):
        POINT.parse_number("3o")


def test_nothing_typed_is_answered_with_the_example_alone():
    with pytest.raises(ValueError, match=r"^Write for example 30 or 30,5\.$"):
        COMMA.parse_number("  ")


@pytest.mark.parametrize("formats", [COMMA, POINT])
def test_what_is_put_into_an_input_is_read_back_exactly(formats):
    dice = random.Random(7)
    for _ in range(2000):
        value = dice.choice([-1, 1]) * dice.random() * 10 ** dice.randint(-300, 300)
        for each in (value, round(value, 3), float(dice.randint(-(10**9), 10**9))):
            assert formats.parse_number(formats.number_for_input(each)) == each


@pytest.mark.parametrize("formats", [COMMA, POINT])
def test_what_is_shown_can_be_typed_back(formats):
    dice = random.Random(8)
    for _ in range(2000):
        value = dice.uniform(-1, 1) * 10 ** dice.randint(-8, 12)
        assert formats.parse_number(formats.number(value)) == pytest.approx(value, rel=6e-4)


@pytest.mark.parametrize(
    ("share", "digits", "shown"),
    [
        (0.72, 0, "72 %"),
        (0.725, 1, "72,5 %"),
        (1, 0, "100 %"),
        (0, 0, "0 %"),
        (0.9996, 0, "> 99 %"),
        (0.0004, 0, "< 1 %"),
        (0.99996, 2, "> 99,99 %"),
        (-0.5, 0, f"{MINUS}50 %"),
        (float("nan"), 0, "–"),
    ],
)
def test_a_percentage_never_claims_certainty(share, digits, shown):
    assert COMMA.percent(share, digits) == shown.replace(" ", NO_BREAK)
