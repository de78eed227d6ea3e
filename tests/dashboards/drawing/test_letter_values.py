"""Kind 11, beside letter values found by sorting."""

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from dashboards.drawing.letter_values import depths, letter_values
from tests.dashboards.drawing.labelled import awkward, labelled, only, refused, sound


def median(values):
    """The middle of sorted values."""
    return (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2


def test_it_works():
    drawing = letter_values(*only(labelled(), "x", "y"))
    assert drawing.layout["xaxis"]["ticktext"] == ["a", "b", "c"]
    assert [row[2] for row in drawing.rows if row[0] == "a"] == [*"MFEDC"]
    assert str(drawing.rules[0]).startswith("Letter values of all 898 rows")


@pytest.mark.parametrize("rows", [4, 7, 8, 9, 100, 101, 1002, 1003])
def test_letter_values(rows):
    values = np.random.default_rng(rows).normal(size=rows)
    told = letter_values(*only(pl.DataFrame({"x": ["a"] * rows, "y": values}), "x", "y")).rows
    # Hoaglin 1983: each letter value is the middle of the half that the one before cut off, that one with it.
    low = high = np.sort(values)
    expected = [(median(low), median(high))]
    while len(expected) < len(told):
        keep = (len(low) + 1) // 2
        low, high = low[:keep], high[-keep:]
        expected.append((median(low), median(high)))
    assert np.array([row[4:] for row in told]) == pytest.approx(np.array(expected), rel=1e-5)
    assert told[0][3] == (rows + 1) / 2


def test_large_letter_values_are_quantiles():
    rows = labelled(20_000).drop_nulls()
    for label, _, letter, _, low, high in letter_values(*only(rows, "x", "y")).rows:
        share = 0.5 ** ("MFEDCBAZYXW".index(letter) + 1)
        values = rows.filter(pl.col("x") == label)["y"].to_numpy()
        # A letter value is a row, or lies between two, at most two places from the quantile.
        for found, q in ((low, share), (high, 1 - share)):
            near = np.quantile(values, np.clip([q - 2 / len(values), q + 2 / len(values)], 0, 1))
            assert near[0] - 1e-4 <= found <= near[1] + 1e-4


@pytest.mark.parametrize("rows", [40, 1000, 123_456, 10_000_000])
def test_the_last_interval_does_not_reach_the_next_letter(rows):
    found, z = depths(rows), norm.ppf(0.975)
    assert found[-1] - z * np.sqrt(found[-1] / 2) > found[-1] / 2
    after = (1 + int(found[-1])) / 2
    assert after - z * np.sqrt(after / 2) <= after / 2
    assert len(found) == pytest.approx(np.log2(rows) - np.log2(2 * z**2), abs=1)


def test_few_rows_have_points_or_one_box():
    assert [len(depths(rows)) for rows in (1, 2, 3, 4, 8, 15)] == [1, 1, 1, 2, 2, 2]


@pytest.mark.parametrize("rows", [2, 3, 5, 90, 1000])
def test_rows_beyond_are_those_outside_the_last_box(rows):
    values = np.random.default_rng(rows).normal(size=rows)
    drawing = letter_values(*only(pl.DataFrame({"x": ["a"] * rows, "y": values}), "x", "y"))
    low, high = drawing.rows[-1][4:]
    outside = sorted(value for value in values if not low - 1e-5 <= value <= high + 1e-5)
    assert sorted(drawing.traces[-1]["y"]) == pytest.approx(outside, rel=1e-5) and len(outside) <= 50


def test_boxes_narrow_outwards():
    boxes = letter_values(*only(labelled(), "x", "y")).traces[:-2]
    widths = [max(x for x in box["x"] if x is not None and x < 0.5) for box in boxes]
    assert widths == sorted(widths, reverse=True) and len(set(widths)) == len(boxes) == 4 and widths[0] == 0.4
    # The first label's fourths: one box from one to the other.
    fourths = letter_values(*only(labelled(), "x", "y")).rows[1]
    assert set(boxes[0]["y"][:5]) == {fourths[4], fourths[5]}


@awkward
def test_whatever_the_table(frame):
    assert sound(letter_values(*only(frame, "x", "y"))) and refused(letter_values, "x", "y")
